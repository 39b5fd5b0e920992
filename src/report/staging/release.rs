//! Releases in the reports on a staging: as text on a terminal, as JSON, and as the rows that the page and the comment share.
//! The names of contexts are left out, since they may hold hosts and users of a cluster.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::words::{SHORT, rollout_state, time_of_day};
use crate::base::text::{Cell, Table, duration, safe_line};
use crate::model::staging::kubernetes::{ReleaseStep, Rollout};
use crate::ops::stage::StagingProgress;
use crate::ops::stage::kubernetes::{FailedContainer, ReleaseProgress};
use crate::ui::{Ui, style};

/// Number of characters of a digest to show, with its algorithm.
const DIGEST: usize = 19;
/// Number of steps to show on a terminal.
const STEPS: usize = 12;

#[derive(Serialize)]
pub(super) struct ReleaseProgressView<'a> {
    name: &'a str,
    component: Option<&'a str>,
    namespace: &'a str,
    commit: &'a str,
    is_outdated: bool,
    image: Option<&'a str>,
    image_commit: Option<&'a str>,
    requested_by: Option<&'a str>,
    requested_at: Option<String>,
    expires_at: Option<String>,
    state: &'static str,
    message: &'a str,
    succeeded: bool,
    addresses: &'a [String],
    objects: Vec<String>,
    steps: Vec<StepView<'a>>,
    failed_containers: Vec<FailedContainerView<'a>>,
}

#[derive(Serialize)]
struct StepView<'a> {
    at: String,
    object: &'a str,
    text: &'a str,
    is_warning: bool,
}

#[derive(Serialize)]
pub(in crate::report) struct FailedContainerView<'a> {
    pod: &'a str,
    container: &'a str,
    reason: &'a str,
    events: &'a [String],
    log: &'a [String],
}

/// Returns the JSON of a failing container.
pub(in crate::report) fn failed_view(one: &FailedContainer) -> FailedContainerView<'_> {
    let FailedContainer { pod, container, reason, events, log } = one;
    FailedContainerView { pod, container, reason, events, log }
}

/// Returns the JSON of a release.
pub(super) fn release_view<'a>(
    one: &'a ReleaseProgress,
    progress: &StagingProgress,
) -> ReleaseProgressView<'a> {
    let remains = &one.remains;
    let (state, message) = rollout_words(&one.rollout);
    ReleaseProgressView {
        name: &remains.name,
        component: remains.component.as_deref(),
        namespace: &one.namespace,
        commit: &remains.head,
        is_outdated: !one.is_of(&progress.merge_request.head),
        image: remains.image.as_deref(),
        image_commit: remains.image_commit.as_deref(),
        requested_by: remains.requested_by.as_deref(),
        requested_at: remains.requested_at.map(|at| at.to_string()),
        expires_at: remains.expires_at.map(|at| at.to_string()),
        state,
        message,
        succeeded: one.succeeded(),
        addresses: &one.addresses,
        objects: remains.objects.iter().map(|one| format!("{} {}", one.kind, one.name)).collect(),
        steps: one
            .steps
            .iter()
            .map(|step| StepView {
                at: step.at.to_string(),
                object: &step.object,
                text: &step.text,
                is_warning: step.is_warning,
            })
            .collect(),
        failed_containers: one.failed.iter().map(failed_view).collect(),
    }
}

/// Returns the word of a rollout's state in JSON, as in that of a request, and its details.
pub(super) fn rollout_words(rollout: &Rollout) -> (&'static str, &str) {
    match rollout {
        Rollout::Progressing(text) => ("running", text),
        Rollout::Done(text) => ("done", text),
        Rollout::Failed(text) => ("failed", text),
    }
}

/// Returns what was asked for and what is there: labels and texts. Times are relative to `now`, too, if it is given.
pub(super) fn facts(one: &ReleaseProgress, now: Option<Timestamp>) -> Vec<(&'static str, String)> {
    let remains = &one.remains;
    let between = |from: Timestamp, to: Timestamp| {
        Duration::try_from(to.duration_since(from)).ok().filter(|time| !time.is_zero()).map(duration)
    };
    let mut facts = Vec::new();
    let mut add = |label: &'static str, text: Option<String>| facts.extend(text.map(|text| (label, text)));
    add("Component", remains.component.clone());
    add("Commit", Some(remains.head.chars().take(SHORT).collect()));
    add("Image", remains.image.as_deref().map(short_image));
    let built = remains.image.as_ref().map(|_| match remains.image_commit.as_deref() {
        Some(commit) if commit.eq_ignore_ascii_case(&remains.head) => "this commit".to_owned(),
        Some(commit) => commit.chars().take(SHORT).collect(),
        None => "not stated".to_owned(),
    });
    add("Built from", built);
    let requested = remains.requested_at.map(|at| {
        let ago = now.and_then(|now| between(at, now)).map(|ago| format!(", {ago} ago"));
        let by = remains.requested_by.as_ref().map(|by| format!(", by @{by}")).unwrap_or_default();
        time_of_day(&at.to_string()) + ago.as_deref().unwrap_or_default() + &by
    });
    add("Requested", requested);
    let expires = remains.expires_at.map(|at| {
        let left = now.map(|now| match between(now, at) {
            Some(left) => format!(", in {left}"),
            None => ", which is over".to_owned(),
        });
        time_of_day(&at.to_string()) + left.as_deref().unwrap_or_default()
    });
    add("Expires", expires);
    for address in &one.addresses {
        add("Address", Some(address.clone()));
    }
    facts
}

/// Returns an image with the beginning of its digest.
fn short_image(image: &str) -> String {
    match image.rsplit_once('@') {
        Some((name, digest)) => format!("{name}@{}", digest.chars().take(DIGEST).collect::<String>()),
        None => image.to_owned(),
    }
}

/// Prints releases on a terminal.
pub(super) fn print_releases(ui: &Ui, progress: &StagingProgress) {
    for one in &progress.releases {
        let (symbol, paint, text) = rollout_state(&one.rollout);
        let outdated = if one.is_of(&progress.merge_request.head) { "" } else { " · of an older commit" };
        ui.data("");
        ui.data(&format!("{}{}", style::name(&safe_line(&one.remains.name)), style::dim(outdated)));
        let mut table = Table::new(2, &[]);
        let state = safe_line(&format!("{symbol} {text}")).into_owned();
        table.row([Cell::styled("State", style::dim), Cell::styled(state, paint)]);
        let namespace = ("Namespace", one.namespace.clone());
        for (label, text) in std::iter::once(namespace).chain(facts(one, Some(progress.read_at))) {
            table.row([Cell::styled(label, style::dim), safe_line(&text).into_owned().into()]);
        }
        ui.lines(table.lines(ui.columns()));
        let mut table = Table::new(2, &[]);
        for step in &one.steps[one.steps.len().saturating_sub(STEPS)..] {
            table.row(step_row(step, progress.read_at));
        }
        ui.lines(table.lines(ui.columns()));
        print_failed_containers(ui, &one.failed);
    }
}

fn step_row(step: &ReleaseStep, now: Timestamp) -> [Cell; 3] {
    let ago = Duration::try_from(now.duration_since(step.at)).map(duration).unwrap_or_default();
    let paint = if step.is_warning { style::warn } else { style::dim };
    [
        Cell::styled(format!("{ago} ago"), style::dim),
        safe_line(&step.object).into_owned().into(),
        Cell::styled(safe_line(&step.text), paint),
    ]
}

/// Prints failing containers with the events and the ends of the logs of their pods.
pub(in crate::report) fn print_failed_containers(ui: &Ui, failed: &[FailedContainer]) {
    for failed in failed {
        let name = format!("{} · {}", failed.pod, failed.container);
        ui.data("");
        ui.data(&format!(
            "{}  {}",
            style::name(&safe_line(name.trim_end_matches(" · "))),
            safe_line(&failed.reason)
        ));
        let mut table = Table::new(2, &[]);
        let row =
            |kind: &str, line: &String| [Cell::styled(kind, style::dim), safe_line(line).into_owned().into()];
        failed.events.iter().for_each(|line| table.row(row("event", line)));
        failed.log.iter().for_each(|line| table.row(row("log", line)));
        ui.lines(table.lines(ui.columns()));
    }
}
