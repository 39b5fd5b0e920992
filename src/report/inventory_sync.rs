//! Report of `cki inventory sync`, as text and as JSON.

use serde::Serialize;

use crate::base::text::safe_line;
use crate::model::inventory::InventorySources;
use crate::ops::inventory::sync::SyncedSource;
use crate::report::view;
use crate::ui::Ui;

#[derive(Serialize)]
struct SyncView {
    sources: Vec<SyncedSourceView>,
}

#[derive(Serialize)]
struct SyncedSourceView {
    source: String,
    before: Option<String>,
    commit: Option<String>,
    error: Option<String>,
}

/// Prints the commits of the sources, and the end of a trust.
pub fn print(ui: &Ui, sources: &InventorySources, synced: &[SyncedSource]) {
    if ui.is_structured() {
        let sources = synced.iter().map(source_view).collect();
        return view::print(ui, &SyncView { sources });
    }
    if sources.repositories().next().is_none() {
        return ui.status("No source of the inventory is a git repository: nothing to fetch.");
    }
    if ui.is_names() {
        return ui.names(synced.iter().map(|one| one.source.to_string()));
    }
    for SyncedSource { source, before, now } in synced {
        let text = match (before, now) {
            (Some(before), Ok(now)) if before == now => format!("{source} is at {}, as before", now.short()),
            (Some(before), Ok(now)) => format!("{source} went from {} to {}", before.short(), now.short()),
            (None, Ok(now)) => format!("{source} is at {}", now.short()),
            (Some(before), Err(error)) => format!("{source} stays at {}: {error}", before.short()),
            (None, Err(error)) => format!("{source} has no copy: {error}"),
        };
        ui.data(&safe_line(&format!("{text}.")));
    }
    let is_new = |one: &SyncedSource| one.now.as_ref().is_ok_and(|now| one.before != Some(*now));
    if sources.of_project && synced.iter().any(is_new) {
        ui.hint("the project names this repository: `cki trust` lets the new commit take effect.");
    }
}

fn source_view(one: &SyncedSource) -> SyncedSourceView {
    SyncedSourceView {
        source: one.source.to_string(),
        before: one.before.map(|commit| commit.to_string()),
        commit: one.now.as_ref().ok().map(ToString::to_string),
        error: one.now.as_ref().err().map(ToString::to_string),
    }
}
