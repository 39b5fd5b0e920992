//! The outcome of `cki init`, and its errors.

use std::path::PathBuf;

use crate::model::draft::DraftFinding;

/// The settings of a project.
pub(super) const SETTINGS: &str = "cki.toml";
/// The inventory of a project.
pub(super) const INVENTORY: &str = "inventory.yaml";

/// The files that `cki init` would write.
#[derive(Debug)]
pub struct InitDraft {
    /// The root of the repository.
    pub root: PathBuf,
    /// The files: each with its content.
    pub files: Vec<(PathBuf, String)>,
    /// The JSON Schema, for editors, if it is not there yet.
    pub schema: Option<PathBuf>,
    /// The names of the components.
    pub components: Vec<String>,
    /// The command line that runs the first of them, without `cki`.
    pub next: Vec<String>,
    /// Facts that the files do not tell.
    pub findings: Vec<DraftFinding>,
}

/// An error of `cki init`.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A file is there already.
    #[error("`{}` exists already, and is left as it is", .0.display())]
    Exists(PathBuf),
}
