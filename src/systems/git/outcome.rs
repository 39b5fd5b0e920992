//! What became of a clone. How it is worded is for others.

use super::CommitId;

/// What became of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Cloned,
    /// It was moved on to what the remote has.
    Updated {
        /// Where it was; a clone of an empty repository was nowhere.
        from: Option<CommitId>,
        /// The commit now.
        to: CommitId,
    },
    /// It was switched to another branch.
    Switched {
        /// The branch.
        branch: String,
        /// Where it is.
        to: CommitId,
    },
    /// The remote has another default branch instead of the one that was checked out, and the clone
    /// was moved on to that.
    Renamed {
        /// The branch as it was called.
        from: String,
        /// The branch as it is called.
        branch: String,
        /// Where it is.
        to: CommitId,
    },
    /// The remote's branch was rewritten, and the clone, which had no commit of its own, followed.
    Rewritten {
        /// The branch.
        branch: String,
        /// The commit before.
        from: CommitId,
        /// Where it is.
        to: CommitId,
    },
    /// It has what the remote has.
    Unchanged,
    /// It has what the remote has and more; there was nothing to do.
    Ahead {
        /// Commits that only the clone has.
        ahead: usize,
    },
    /// Left alone: files were changed and not committed.
    Dirty {
        /// Commits that only the remote has.
        behind: usize,
    },
    /// Left alone: clone and remote each have commits of their own.
    Diverged {
        /// Commits that only the clone has.
        ahead: usize,
        /// Commits that only the remote has.
        behind: usize,
    },
    /// Left alone: the remote's branch was rewritten, and files were changed and not committed.
    DirtyRewritten {
        /// The branch.
        branch: String,
    },
    /// Left alone: the remote's branch was rewritten, and the clone has commits of its own.
    DivergedRewritten {
        /// The branch.
        branch: String,
        /// Commits that only the clone has.
        ahead: usize,
        /// Commits that only the remote has.
        behind: usize,
    },
    /// Left alone: no branch is checked out.
    Detached,
    /// Left alone: the branch follows none of a remote's.
    NoUpstream {
        /// The branch.
        branch: String,
    },
    /// Left alone: something is half done, a merge or a rebase.
    Busy {
        /// What.
        doing: &'static str,
    },
    /// Left alone: files that git does not know would be overwritten.
    InTheWay {
        /// One of them, or more.
        paths: Vec<String>,
    },
}

impl Outcome {
    /// Whether the clone was not brought to where it should be, so that nothing of a person's work
    /// is touched.
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
