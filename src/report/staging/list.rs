//! The list of a project's stagings.

use serde::Serialize;

use super::release::rollout_words;
use super::words::{ago, paint, rollout_state, symbol};
use crate::base::text::{Cell, Fit, Table, plural, safe_line};
use crate::model::staging::PipelineStatus;
use crate::model::staging::kubernetes::Rollout;
use crate::ops::stage::{ListedRelease, ListedStaging, StagingList};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct StagingListView<'a> {
    project: &'a str,
    open_merge_requests: usize,
    is_cut: bool,
    stagings: Vec<RowView<'a>>,
    unread: &'a [String],
}

#[derive(Serialize)]
struct RowView<'a> {
    number: u64,
    title: &'a str,
    url: Option<&'a str>,
    requested_by: Option<&'a str>,
    requested_at: Option<&'a str>,
    is_outdated: bool,
    pipelines: Vec<&'a str>,
    release: Option<ListedReleaseView<'a>>,
}

#[derive(Serialize)]
struct ListedReleaseView<'a> {
    name: &'a str,
    commit: &'a str,
    state: &'static str,
    message: &'a str,
    expires_at: Option<String>,
    is_expired: bool,
    is_open: bool,
}

/// Prints the list.
pub fn print_list(ui: &Ui, list: &StagingList, now: jiff::Timestamp) {
    if ui.is_structured() {
        return view::print(
            ui,
            &StagingListView {
                project: &list.project,
                open_merge_requests: list.open,
                is_cut: list.is_cut,
                stagings: list.rows.iter().map(|row| row_view(row, now)).collect(),
                unread: &list.unread,
            },
        );
    }
    if ui.is_names() {
        return ui.names(list.rows.iter().map(|row| format!("{}!{}", list.project, row.iid)));
    }
    let mut table = Table::new(0, &[Fit::Whole, Fit::Whole, Fit::Whole, Fit::Optional, Fit::Cut]);
    let head = |text: &str| Cell::styled(text, style::dim);
    if !list.rows.is_empty() {
        table.row(["MR", "STATE", "REQUESTED BY", "WHEN", "TITLE"].map(head));
    }
    for row in &list.rows {
        let by = row.requested_by.as_ref().map_or_else(|| "–".to_owned(), |by| format!("@{by}"));
        let at = row.requested_at.as_deref().map(|at| ago(at, now)).unwrap_or_default();
        table.row([
            Cell::styled(format!("!{}", row.iid), style::name),
            state(row, now),
            safe_line(&by).into_owned().into(),
            safe_line(&at).into_owned().into(),
            title(row),
        ]);
    }
    ui.lines(table.lines(ui.columns()));
    for one in &list.unread {
        ui.status(&style::dim(one));
    }
    let cut = if list.is_cut { ", the last changed ones" } else { "" };
    let project = safe_line(&list.project);
    let (releases, requests): (Vec<_>, Vec<_>) = list.rows.iter().partition(|row| row.release.is_some());
    let released = match releases.len() {
        0 => String::new(),
        count => format!(" {} in the staging namespace.", plural(count, "release")),
    };
    ui.status(&style::dim(&format!(
        "{} of {}{cut} in {project} with a staging.{released}",
        requests.len(),
        plural(list.open, "open merge request")
    )));
}

fn title(row: &ListedStaging) -> Cell {
    match &row.release {
        Some(release) if release.is_orphaned => Cell::styled("(not open)", style::dim),
        _ => safe_line(&row.title).into_owned().into(),
    }
}

fn state(row: &ListedStaging, now: jiff::Timestamp) -> Cell {
    if let Some(release) = &row.release {
        let (symbol, paint, _) = rollout_state(&release.rollout);
        let word = match &release.rollout {
            _ if is_expired(release, now) => "expired",
            Rollout::Progressing(_) => "rolling out",
            Rollout::Done(_) => "rolled out",
            Rollout::Failed(_) => "rollout failed",
        };
        return Cell::styled(format!("{symbol} {word}"), paint);
    }
    if row.is_outdated {
        return Cell::styled("○ older commit", style::dim);
    }
    let failed = row.pipelines.iter().filter(|one| one.is_finished() && !one.is_success()).count();
    let ended = row.pipelines.iter().filter(|one| one.is_finished()).count();
    let all = row.pipelines.len();
    let (status, text) = match () {
        () if all == 0 => (PipelineStatus::Pending, "requested".to_owned()),
        () if failed > 0 => (PipelineStatus::Failed, format!("{failed} of {all} failed")),
        () if ended == all => (PipelineStatus::Success, "success".to_owned()),
        () => (PipelineStatus::Running, format!("{ended} of {all} done")),
    };
    Cell::styled(format!("{} {text}", symbol(&status)), paint(&status))
}

fn is_expired(release: &ListedRelease, now: jiff::Timestamp) -> bool {
    release.expires_at.is_some_and(|at| at <= now)
}

fn row_view(row: &ListedStaging, now: jiff::Timestamp) -> RowView<'_> {
    RowView {
        number: row.iid,
        title: &row.title,
        url: row.url.as_deref(),
        requested_by: row.requested_by.as_deref(),
        requested_at: row.requested_at.as_deref(),
        is_outdated: row.is_outdated,
        pipelines: row.pipelines.iter().map(PipelineStatus::as_str).collect(),
        release: row.release.as_ref().map(|release| {
            let (state, message) = rollout_words(&release.rollout);
            ListedReleaseView {
                name: &release.name,
                commit: &release.head,
                state,
                message,
                expires_at: release.expires_at.map(|at| at.to_string()),
                is_expired: is_expired(release, now),
                is_open: !release.is_orphaned,
            }
        }),
    }
}
