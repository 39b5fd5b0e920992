//! The result of following releases that were in the cluster already.

use serde::Serialize;

use super::release::{FailedContainerView, failed_view};
use crate::ops::stage::MergeRequestFacts;
use crate::ops::stage::kubernetes::{ReleaseEnd, WatchedRelease};
use crate::report::release::{end_words, print_release_end};
use crate::report::view;
use crate::ui::Ui;

#[derive(Serialize)]
struct WatchView<'a> {
    merge_request: String,
    url: &'a str,
    head: &'a str,
    succeeded: bool,
    releases: Vec<WatchedView<'a>>,
}

#[derive(Serialize)]
struct WatchedView<'a> {
    release: &'a str,
    image: Option<&'a str>,
    expires_at: Option<String>,
    state: &'static str,
    message: Option<String>,
    succeeded: bool,
    failed_containers: Vec<FailedContainerView<'a>>,
}

/// Returns whether all releases are rolled out.
#[must_use]
pub fn all_done(watched: &[WatchedRelease]) -> bool {
    watched.iter().all(|one| matches!(one.outcome.end, ReleaseEnd::Done(_)))
}

/// Prints the result. The command `again` follows the releases, and `undo` removes them.
pub fn print_watched(
    ui: &Ui,
    merge_request: &MergeRequestFacts,
    watched: &[WatchedRelease],
    [again, undo]: [&str; 2],
) {
    if ui.is_structured() {
        return view::print(
            ui,
            &WatchView {
                merge_request: merge_request.reference(),
                url: &merge_request.url,
                head: &merge_request.head,
                succeeded: all_done(watched),
                releases: watched.iter().map(watched_view).collect(),
            },
        );
    }
    if ui.is_names() {
        ui.names(watched.iter().map(|one| one.release.remains.name.clone()));
    }
    for one in watched {
        print_release_end(ui, &one.release.remains.name, &one.outcome, [again, undo]);
    }
}

fn watched_view(one: &WatchedRelease) -> WatchedView<'_> {
    let (state, message) = end_words(&one.outcome.end);
    let remains = &one.release.remains;
    WatchedView {
        release: &remains.name,
        image: remains.image.as_deref(),
        expires_at: remains.expires_at.map(|at| at.to_string()),
        state,
        message,
        succeeded: matches!(one.outcome.end, ReleaseEnd::Done(_)),
        failed_containers: one.outcome.failed.iter().map(failed_view).collect(),
    }
}
