//! Errors of a draft.

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::base::text::join_some;
use crate::base::yaml::YamlError;
use crate::model::inventory::InventoryError;
use crate::model::service::ServiceTemplateError;
use crate::ops::scan::ScanError;
use crate::systems::git::GitError;

/// An error of a draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The directory does not exist.
    #[error("there is no directory `{}`", .0.display())]
    NoDirectory(PathBuf),
    /// The directory is in no working tree.
    #[error("`{}` is in no git repository", .0.display())]
    NoRepository(PathBuf),
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
    /// No component of the repository has its sources in the directory.
    #[error("`{}` has no component in `{wanted}`; it has one in {}", root.display(), join_some(known.iter().map(|name| format!("`{name}`"))))]
    NoneThere {
        /// The root of the repository.
        root: PathBuf,
        /// The directory.
        wanted: String,
        /// The directories that there are.
        known: Vec<String>,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// No component of the repository has the name.
    #[error("`{}` has no component `{wanted}`; it has {}", root.display(), join_some(known.iter().map(|name| format!("`{name}`"))))]
    NoSuch {
        /// The root of the repository.
        root: PathBuf,
        /// The name.
        wanted: String,
        /// The names that there are.
        known: Vec<String>,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file cannot be read.
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
