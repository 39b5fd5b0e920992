//! Errors of loading an inventory. Hints and exit codes are in `cli::error`.

use crate::base::files::FileError;
use crate::base::text::plural;
use crate::model::inventory::{InventoryError, InventoryFault};
use crate::systems::git::GitError;

/// Maximum bytes of an inventory's file: its text and its content are in memory at once.
pub(super) const LIMIT: u64 = 64 << 20;

/// An error of loading an inventory.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The path does not exist.
    #[error("there is no inventory at `{0}`")]
    Missing(String),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is more than one error.
    #[error("{first} (and {})", plural(others.len(), "more error"))]
    Several {
        /// First error.
        first: Box<LoadError>,
        /// Further errors.
        others: Vec<LoadError>,
    },
    /// A file is too long.
    #[error("`{0}` is longer than {limit} MiB, which is the most that one file of an inventory may hold", limit = LIMIT >> 20)]
    TooLong(String),
    /// A repository is too large.
    #[error(
        "`{0}` has more than 200000 files or 1 GiB of them, which is the most that an inventory in a repository may hold"
    )]
    TooMuch(String),
    /// A repository lacks the path of a source.
    #[error("`{from}` has no `{path}` at the commit {commit}")]
    NoPath {
        /// The source.
        from: String,
        /// The path.
        path: String,
        /// Commit of its copy.
        commit: String,
    },
    /// Git cannot read a repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The copy of a repository lacks something, or cannot be read.
    #[error("the copy of `{from}` at commit {commit} is damaged: {why}")]
    Damaged {
        /// The source.
        from: String,
        /// Commit of the copy.
        commit: String,
        /// Description of the damage.
        why: String,
    },
    /// No layer is left.
    #[error("no layer of the inventory can be read: {}", reasons.join("; "))]
    NoLayer {
        /// Each layer with the reason why it is left out.
        reasons: Vec<String>,
    },
    /// A command that starts something lacks a layer, which may hold rules against production.
    #[error("the layer `{label}` of the inventory is left out: {reason}")]
    LeftOut {
        /// The layer.
        label: String,
        /// Reason why it is left out.
        reason: String,
    },
    /// The content is invalid.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl LoadError {
    /// Returns the faults of files, each with its place; none if the error is about something else.
    #[must_use]
    pub fn faults(&self) -> Vec<InventoryFault> {
        let of_file = |file: String, message: String| vec![InventoryFault { file, position: None, message }];
        match self {
            Self::Inventory(error) => error.faults(),
            Self::File(FileError { verb, path, source }) => {
                of_file(path.display().to_string(), format!("cannot {verb} it: {source}"))
            }
            Self::TooLong(path) => of_file(path.clone(), format!("it is longer than {} MiB", LIMIT >> 20)),
            Self::Several { first, others } => {
                first.faults().into_iter().chain(others.iter().flat_map(Self::faults)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Fails with all these errors if there are any.
    pub(super) fn all(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several { first: Box::new(errors.remove(0)), others: errors }),
        }
    }
}
