//! Outcome of an update or clone. Its wording belongs to `report`.

use super::CommitId;

/// Outcome for a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloneResult {
    /// It was created.
    Cloned,
    /// It was fast-forwarded to the remote.
    Updated {
        /// Commit before; `None` for the clone of an empty repository.
        from: Option<CommitId>,
        /// Commit now.
        to: CommitId,
    },
    /// It was switched to another branch.
    Switched {
        /// Branch.
        branch: String,
        /// Commit now.
        to: CommitId,
    },
    /// The remote's default branch, which was checked out, has another name, and the clone was moved on to
    /// it.
    Renamed {
        /// Old name of the branch.
        from: String,
        /// New name of the branch.
        branch: String,
        /// Commit now.
        to: CommitId,
    },
    /// The remote's branch was rewritten, and the clone, which had no commit of its own, followed.
    Rewritten {
        /// Branch.
        branch: String,
        /// Commit before.
        from: CommitId,
        /// Commit now.
        to: CommitId,
    },
    /// It equals the remote.
    Unchanged,
    /// It has unpushed commits on top of the remote's; nothing to do.
    Ahead {
        /// Number of commits that only the clone has.
        ahead: usize,
    },
    /// Left alone: it has uncommitted changes.
    Dirty {
        /// Number of commits that only the remote has.
        behind: usize,
    },
    /// Left alone: clone and remote diverged.
    Diverged {
        /// Number of commits that only the clone has.
        ahead: usize,
        /// Number of commits that only the remote has.
        behind: usize,
    },
    /// Left alone: the remote's branch was rewritten, and the clone has uncommitted changes.
    DirtyRewritten {
        /// Branch.
        branch: String,
    },
    /// Left alone: the remote's branch was rewritten, and the clone has commits of its own.
    DivergedRewritten {
        /// Branch.
        branch: String,
        /// Number of commits that only the clone has.
        ahead: usize,
        /// Number of commits that only the remote has.
        behind: usize,
    },
    /// Left alone: no branch is checked out.
    Detached,
    /// Left alone: the branch has no upstream branch.
    NoUpstream {
        /// Branch.
        branch: String,
    },
    /// Left alone: a merge or rebase is in progress.
    Busy {
        /// Name of that operation.
        doing: &'static str,
    },
    /// Left alone: untracked files would be overwritten.
    InTheWay {
        /// Some of these files.
        paths: Vec<String>,
    },
}

impl CloneResult {
    /// Returns whether the clone was not updated, to protect the user's work.
    #[must_use]
    pub fn is_left_alone(&self) -> bool {
        match self {
            Self::Cloned
            | Self::Updated { .. }
            | Self::Switched { .. }
            | Self::Renamed { .. }
            | Self::Rewritten { .. }
            | Self::Unchanged
            | Self::Ahead { .. } => false,
            Self::Dirty { .. }
            | Self::DirtyRewritten { .. }
            | Self::Diverged { .. }
            | Self::DivergedRewritten { .. }
            | Self::Detached
            | Self::NoUpstream { .. }
            | Self::Busy { .. }
            | Self::InTheWay { .. } => true,
        }
    }
}
