//! Report of `cki inventory sync`, as text and as JSON.

use serde::Serialize;

use crate::base::text::safe_line;
use crate::model::inventory::InventorySources;
use crate::ops::inventory::sync::{SyncError, SyncedSource};
use crate::report::view;
use crate::systems::git::EarlierCommit;
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
    /// Commit with which the inventory cannot be read.
    unreadable: Option<String>,
    /// The history no longer has the commit before; `null` if that is not known.
    rewritten: Option<bool>,
    /// The copy was damaged, and was made again.
    repaired: bool,
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
    for one in synced {
        ui.data(&safe_line(&format!("{}.", line(one))));
    }
    let is_new = |one: &SyncedSource| one.now.as_ref().is_ok_and(|now| one.before != Some(now.commit));
    if sources.of_project && synced.iter().any(is_new) {
        ui.hint("the project names this repository: `cki trust` lets the new commit take effect.");
    }
}

/// Describes the result for one repository, without the period.
fn line(SyncedSource { source, before, now }: &SyncedSource) -> String {
    let now = match now {
        Ok(now) => now,
        Err(SyncError::Unreadable { copied, kept: None, error, .. }) => {
            let commit = copied.commit.short();
            return format!("{source} is at {commit}, with which the inventory cannot be read: {error}");
        }
        Err(SyncError::Unreadable { copied, kept: Some(kept), error, .. }) => {
            let (kept, commit) = (kept.short(), copied.commit.short());
            return format!(
                "{source} stays at {kept}, as the inventory cannot be read with {commit}: {error}"
            );
        }
        Err(error) => {
            return match before {
                Some(before) => format!("{source} stays at {}: {error}", before.short()),
                None => format!("{source} has no copy: {error}"),
            };
        }
    };
    let commit = now.commit.short();
    let mut text = match before {
        Some(before) if *before == now.commit => format!("{source} is at {commit}, as before"),
        Some(before) => format!("{source} went from {} to {commit}", before.short()),
        None => format!("{source} is at {commit}"),
    };
    match (before, now.earlier) {
        (Some(before), EarlierCommit::Absent) => {
            text += &format!("; its history was rewritten and no longer has {}", before.short());
        }
        (Some(before), EarlierCommit::NotFound) => {
            text += &format!(
                "; its latest commits do not have {}, so it has many new ones or was rewritten",
                before.short()
            );
        }
        _ => {}
    }
    if now.was_damaged {
        text += "; its copy was damaged and was made again";
    }
    text
}

fn source_view(one: &SyncedSource) -> SyncedSourceView {
    let now = one.now.as_ref().ok();
    let refused = match &one.now {
        Err(SyncError::Unreadable { copied, .. }) => Some(copied.commit.to_string()),
        _ => None,
    };
    SyncedSourceView {
        source: one.source.to_string(),
        before: one.before.map(|commit| commit.to_string()),
        commit: now.map(|now| now.commit.to_string()),
        unreadable: refused,
        rewritten: now.and_then(|now| match now.earlier {
            EarlierCommit::Included => Some(false),
            EarlierCommit::Absent => Some(true),
            EarlierCommit::NotFound => None,
        }),
        repaired: now.is_some_and(|now| now.was_damaged),
        error: one.now.as_ref().err().map(ToString::to_string),
    }
}
