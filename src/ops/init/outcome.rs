//! The outcome of `cki init`, and its errors.

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::base::yaml::YamlError;
use crate::model::draft::DraftFinding;
use crate::model::inventory::InventoryError;
use crate::model::service::ServiceTemplateError;
use crate::ops::scan::ScanError;
use crate::systems::git::GitError;

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
    /// The directory does not exist.
    #[error("there is no directory `{}`", .0.display())]
    NoDirectory(PathBuf),
    /// The directory is in no working tree.
    #[error("`{}` is in no git repository", .0.display())]
    NoRepository(PathBuf),
    /// A file is there already.
    #[error("`{}` exists already, and is left as it is", .0.display())]
    Exists(PathBuf),
    /// Nothing says what to build or run.
    #[error("`{}` has neither a Containerfile, a Dockerfile nor a Compose file", .0.display())]
    Nothing(PathBuf),
    /// None of what is there can be drafted.
    #[error("nothing of `{}` can be drafted: {findings}", root.display())]
    NoComponent {
        /// The root of the repository.
        root: PathBuf,
        /// The reasons.
        findings: String,
    },
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The rules are invalid.
    #[error(transparent)]
    Rules(#[from] YamlError),
    /// A template of a backing service is invalid.
    #[error(transparent)]
    Service(#[from] ServiceTemplateError),
    /// The sources cannot be scanned.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The draft is no inventory.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}
