//! Report of `cki stage --via kubernetes`: the plan of a release, and its result.

use serde::Serialize;
use serde_json::Value;

use crate::base::text::{duration, join_and, safe_line};
use crate::base::yaml;
use crate::model::staging::kubernetes::ImageCommit;
use crate::ops::stage::kubernetes::{ObjectChange, ReleaseEnd, ReleaseOutcome, ReleasePlan, ServerCheck};
use crate::report::stage_environment::{
    PlannedEnvironmentView, environment_view, print_environment_plan, print_environment_requests,
};
use crate::report::staging::{FailedContainerView, failed_view, print_failed_containers};
use crate::report::{plan_head, view};
use crate::systems::kubectl::ClusterTarget;
use crate::ui::{Ui, style};

/// Number of characters of a digest to show, with its algorithm.
const DIGEST: usize = 19;

#[derive(Serialize)]
struct ReleaseView<'a> {
    merge_request: String,
    url: &'a str,
    head: &'a str,
    release: &'a str,
    context: &'a str,
    namespace: &'a str,
    image: &'a str,
    image_commit: Option<&'a str>,
    expires_at: String,
    checked_by_server: bool,
    state: &'static str,
    message: Option<String>,
    succeeded: bool,
    objects: Vec<&'a Value>,
    environment: Option<PlannedEnvironmentView<'a>>,
    borrowed: Vec<BorrowedView<'a>>,
    notes: &'a [String],
    failed_containers: Vec<FailedContainerView<'a>>,
    /// Releases of the other merge requests.
    combined: Vec<ReleaseView<'a>>,
}

/// An object of the namespace that the release uses.
#[derive(Serialize)]
struct BorrowedView<'a> {
    kind: &'static str,
    name: &'a str,
    is_optional: bool,
    exists: Option<bool>,
}

/// A release to report on.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseReport<'a> {
    /// Its plan.
    pub plan: &'a ReleasePlan,
    /// Its outcome.
    pub outcome: &'a ReleaseOutcome,
    /// The command that follows it.
    pub watch: &'a str,
    /// The command that removes it.
    pub undo: &'a str,
}

/// Prints the plan of a release.
pub fn print_plan(ui: &Ui, plan: &ReleasePlan, target: &ClusterTarget) {
    plan_head::print(ui, &plan.merge_request);
    let line = |label: &str, text: &str| ui.status(&format!("{label:<11}{text}"));
    line("Image", &safe_line(&plan.tagged_image));
    let digest: String = plan.image.rsplit('@').next().unwrap_or_default().chars().take(DIGEST).collect();
    line("", &style::dim(&digest));
    match &plan.image_commit {
        ImageCommit::Head => line("", &style::dim("commit of the image: that of the head")),
        ImageCommit::NotStated => line("", &style::dim("commit of the image: not stated")),
        ImageCommit::Accepted(sha) => {
            let sha: String = sha.chars().take(8).collect();
            ui.warning(&format!("The image was built from commit {sha}, and not from the head."));
        }
        ImageCommit::Unknown(why) => {
            ui.warning(&format!("The commit of the image is not known: {}.", safe_line(why)));
        }
    }
    line("Cluster", &format!("{}, namespace {}", safe_line(&target.context), safe_line(&target.namespace)));
    line("Expires", &plan.expires_at.to_string());
    for (number, object) in plan.objects.iter().enumerate() {
        let state = match object.change {
            ObjectChange::New => "new",
            ObjectChange::Changed => "change",
            ObjectChange::Removed => "remove",
            ObjectChange::Unknown => "not checked",
        };
        let text = format!("{} {}  {}", object.kind, safe_line(&object.name), style::dim(state));
        line(if number == 0 { "Objects" } else { "" }, &text);
    }
    if let Some(planned) = &plan.environment {
        print_environment_plan(ui, planned, "Environment ", "");
    }
    print_borrowed(ui, plan);
    for note in &plan.release.notes {
        ui.hint(&safe_line(note));
    }
    if let ServerCheck::Skipped(error) = &plan.check {
        ui.warning(&format!("The cluster has not checked the objects: {}.", safe_line(&error.to_string())));
    }
}

/// Warns of the objects of the namespace that the release uses: their contents are nobody's request.
fn print_borrowed(ui: &Ui, plan: &ReleasePlan) {
    let names = |wanted: Option<bool>| {
        let all = plan
            .borrowed
            .iter()
            .filter(|(one, exists)| *exists == wanted && (wanted != Some(false) || !one.is_optional));
        all.map(|(one, _)| format!("{} `{}`", one.kind, safe_line(&one.name))).collect::<Vec<_>>()
    };
    let sentences = [
        (Some(true), "Not among the files, and used as the namespace has it: "),
        (None, "Not among the files, and not looked for in the namespace: "),
        (Some(false), "Neither among the files nor in the namespace, and the pods wait for it: "),
    ];
    for (exists, sentence) in sentences {
        let names = names(exists);
        if !names.is_empty() {
            ui.warning(&format!("{sentence}{}.", join_and(&names)));
        }
    }
}

/// Prints the results, and for a dry run the objects.
pub fn print(ui: &Ui, releases: &[ReleaseReport<'_>], target: &ClusterTarget) {
    if ui.is_structured() {
        let mut views = releases.iter().map(|one| release_view(one.plan, one.outcome, target));
        let Some(first) = views.next() else { return };
        return view::print(ui, &ReleaseView { combined: views.collect(), ..first });
    }
    if ui.is_names() {
        let objects = releases.iter().flat_map(|one| &one.plan.objects);
        ui.names(objects.map(|one| format!("{}/{}", one.kind.to_lowercase(), one.name)));
    }
    releases.iter().for_each(|one| print_release(ui, one));
    if releases.iter().any(|one| matches!(one.outcome.end, ReleaseEnd::DryRun)) {
        ui.status("Nothing was applied.");
    }
}

fn print_release(ui: &Ui, release: &ReleaseReport<'_>) {
    let ReleaseReport { plan, outcome, watch, undo } = *release;
    if !ui.is_names() && matches!(outcome.end, ReleaseEnd::DryRun) {
        print_objects(ui, plan);
        plan.environment.iter().for_each(|planned| print_environment_requests(ui, planned));
    }
    print_release_end(ui, &plan.release.name, outcome, [watch, undo]);
}

/// Prints the end of a release. The first command follows it, and the second one removes it.
pub(super) fn print_release_end(ui: &Ui, name: &str, outcome: &ReleaseOutcome, [watch, undo]: [&str; 2]) {
    print_failed_containers(ui, &outcome.failed);
    let took = duration(outcome.took);
    let name = safe_line(name);
    let hints = [format!("`{watch}` follows it again."), format!("`{undo}` removes it.")];
    match &outcome.end {
        ReleaseEnd::DryRun => {}
        ReleaseEnd::NotWaited => ui.status(&style::dim(&hints.join(" "))),
        ReleaseEnd::Done(text) => {
            ui.status(&format!(
                "{} `{name}` is rolled out after {took}: {}.",
                style::good("✔"),
                safe_line(text)
            ));
            ui.status(&style::dim(&hints[1]));
        }
        ReleaseEnd::Failed(text) => {
            ui.error(&format!("`{name}` failed: {}.", safe_line(text).trim_end_matches('.')), &[], &hints);
        }
        ReleaseEnd::TimedOut => ui.error(&format!("`{name}` is not rolled out after {took}."), &[], &hints),
        ReleaseEnd::Stopped(_) => {
            ui.status(&format!("Not followed further; the release stays. {}", hints.join(" ")));
        }
        ReleaseEnd::Lost(error) => ui.error(&format!("{}.", safe_line(&error.to_string())), &[], &hints),
    }
}

/// Returns the word of an end in JSON, and its details.
pub(super) fn end_words(end: &ReleaseEnd) -> (&'static str, Option<String>) {
    match end {
        ReleaseEnd::DryRun => ("dry-run", None),
        ReleaseEnd::NotWaited => ("applied", None),
        ReleaseEnd::Done(text) => ("done", Some(text.clone())),
        ReleaseEnd::Failed(text) => ("failed", Some(text.clone())),
        ReleaseEnd::TimedOut => ("timed-out", None),
        ReleaseEnd::Stopped(_) => ("stopped", None),
        ReleaseEnd::Lost(error) => ("lost", Some(error.to_string())),
    }
}

fn print_objects(ui: &Ui, plan: &ReleasePlan) {
    for object in [&plan.release.owner].into_iter().chain(&plan.release.objects) {
        ui.data("---");
        if *object != plan.release.owner {
            let owner = plan.release.owner.name();
            ui.data(&format!(
                "# {}; applied with an owner reference to the ConfigMap {owner}.",
                safe_line(&object.place)
            ));
        }
        ui.lines(yaml::to_string(&object.json).lines().map(|line| safe_line(line).into_owned()));
    }
}

fn release_view<'a>(
    plan: &'a ReleasePlan,
    outcome: &'a ReleaseOutcome,
    target: &'a ClusterTarget,
) -> ReleaseView<'a> {
    let (state, message) = end_words(&outcome.end);
    ReleaseView {
        merge_request: plan.merge_request.reference(),
        url: &plan.merge_request.url,
        head: &plan.merge_request.head,
        release: &plan.release.name,
        context: &target.context,
        namespace: &target.namespace,
        image: &plan.image,
        image_commit: plan.image_commit.sha(&plan.merge_request.head),
        expires_at: plan.expires_at.to_string(),
        checked_by_server: matches!(plan.check, ServerCheck::Passed),
        state,
        message,
        succeeded: matches!(outcome.end, ReleaseEnd::Done(_)),
        objects: [&plan.release.owner]
            .into_iter()
            .chain(&plan.release.objects)
            .map(|one| &one.json)
            .collect(),
        environment: plan.environment.as_ref().map(environment_view),
        borrowed: plan
            .borrowed
            .iter()
            .map(|(one, exists)| BorrowedView {
                kind: one.kind,
                name: &one.name,
                is_optional: one.is_optional,
                exists: *exists,
            })
            .collect(),
        notes: &plan.release.notes,
        failed_containers: outcome.failed.iter().map(failed_view).collect(),
        combined: Vec::new(),
    }
}
