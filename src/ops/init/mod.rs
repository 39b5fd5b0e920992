//! `cki init`: writes a `cki.toml` and an inventory for a repository, from the files that are there. The draft is made in
//! `ops::draft`. Replaces nothing.

mod outcome;

use std::path::Path;

use crate::base::assets::Assets;
use crate::host::Env;
use crate::model::event::Events;
use crate::ops::draft::{self, DraftError, DraftScope, SCHEMA};
use crate::ops::trust;
use outcome::{INVENTORY, SETTINGS};
pub use outcome::{InitDraft, InitError};

/// Drafts the files for the repository around a directory.
///
/// # Errors
/// Fails when there is no repository, or nothing in it to build or run.
pub fn draft(directory: &Path, assets: &Assets, env: &Env, events: &Events) -> Result<InitDraft, DraftError> {
    let drafted = draft::draft(directory, DraftScope::All, assets, env, events)?;
    let root = drafted.root;
    let settings =
        format!("# The settings of this project; `cki config` shows all.\ninventory = \"{INVENTORY}\"\n");
    let schema = root.join(SCHEMA);
    Ok(InitDraft {
        files: vec![(root.join(SETTINGS), settings), (root.join(INVENTORY), drafted.text)],
        schema: schema.symlink_metadata().is_err().then_some(schema),
        root,
        components: drafted.components.into_iter().map(|one| one.name).collect(),
        next: drafted.next,
        findings: drafted.findings,
    })
}

/// Returns the first of the files that is there already.
#[must_use]
pub fn existing(draft: &InitDraft) -> Option<&Path> {
    draft.files.iter().map(|(path, _)| path.as_path()).find(|path| path.symlink_metadata().is_ok())
}

/// Writes the files, and trusts them.
///
/// # Errors
/// Fails when one of them is there already, or cannot be written; none is then written.
pub fn write(draft: &InitDraft, env: &Env) -> anyhow::Result<()> {
    if let Some(path) = existing(draft) {
        return Err(InitError::Exists(path.to_owned()).into());
    }
    draft::write_new(&draft.files)?;
    draft::write_schema(draft.schema.as_deref())?;
    trust::trust_own(env, &draft.root)
}
