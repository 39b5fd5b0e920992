//! `cki init`: writes a `cki.toml` and an inventory for a repository, from the files that are there. Reads only
//! plain files of the repository, runs nothing, and replaces nothing.

mod compose;
mod draft;
mod files;
mod mounts;
mod outcome;
mod variables;

use std::path::Path;

use crate::base::assets::Assets;
use crate::host::Env;
use crate::model::event::Events;
use crate::ops::trust;
use crate::systems::git::WorkingTree;
pub use outcome::{InitDraft, InitError};

/// Drafts the files for the repository around a directory.
///
/// # Errors
/// Fails when there is no repository, or nothing in it to build or run.
pub fn draft(directory: &Path, assets: &Assets, env: &Env, events: &Events) -> Result<InitDraft, InitError> {
    if !directory.is_dir() {
        return Err(InitError::NoDirectory(directory.to_owned()));
    }
    let tree = WorkingTree::around(directory, env)?;
    let tree = tree.ok_or_else(|| InitError::NoRepository(directory.to_owned()))?;
    let task = events.start("init", format!("reading `{}`", tree.root().display()));
    let drafted = draft::draft(&tree, assets, env, &task);
    task.dismiss();
    drafted
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
    files::write_new(&draft.files)?;
    trust::trust_own(env, &draft.root)
}
