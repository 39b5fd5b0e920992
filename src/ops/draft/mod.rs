//! A draft of entries from the files of a repository, for `cki init` and `cki inventory new`. Reads only plain files
//! of the repository and runs nothing. Writing the draft is up to these commands.

mod addresses;
mod compose;
mod drafting;
mod error;
mod files;
mod kubernetes;
mod mounts;
mod named_hosts;
mod own_names;
mod python;
mod request;
mod shown;
mod variables;
mod wanted;

use std::path::Path;

use crate::base::assets::Assets;
use crate::base::files::{self as base_files, FileError};
use crate::host::Env;
use crate::model::event::Events;
use crate::systems::git::WorkingTree;
pub use error::DraftError;
pub use files::write_new;
pub use request::{DraftScope, RepositoryDraft, SCHEMA};
pub use shown::{ShownComponent, draft_rules, shown_components};

/// Drafts entries for the repository around a directory.
///
/// # Errors
/// Fails when there is no repository, or nothing in it to build or run.
pub fn draft(
    directory: &Path,
    scope: DraftScope<'_>,
    assets: &Assets,
    env: &Env,
    events: &Events,
) -> Result<RepositoryDraft, DraftError> {
    if !directory.is_dir() {
        return Err(DraftError::NoDirectory(directory.to_owned()));
    }
    let tree = WorkingTree::around(directory, env)?;
    let tree = tree.ok_or_else(|| DraftError::NoRepository(directory.to_owned()))?;
    let task = events.start("draft", format!("reading `{}`", tree.root().display()));
    let drafted = drafting::draft(&tree, scope, assets, env, &task);
    task.dismiss();
    drafted
}

/// Returns the text of the JSON Schema of inventories.
#[must_use]
pub fn schema_text() -> String {
    format!("{:#}\n", crate::model::inventory::schema())
}

/// Writes the JSON Schema, unless another command was faster.
///
/// # Errors
/// Fails if it cannot be written.
pub fn write_schema(path: Option<&Path>) -> Result<(), FileError> {
    let Some(path) = path else { return Ok(()) };
    match base_files::create(path, schema_text().as_bytes(), 0o644) {
        Err(error) if error.source.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}
