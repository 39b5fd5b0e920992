//! Errors of loading an inventory. Hints and exit codes are in `cli::error`.

use crate::base::files::FileError;
use crate::base::text::plural;
use crate::model::inventory::InventoryError;
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
    /// Several files cannot be read.
    #[error("{first} (and {})", plural(*others, "more file"))]
    Files {
        /// The first.
        first: FileError,
        /// Number of the others.
        others: usize,
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
