//! What to fetch, and what the remote has. Which way it is fetched is decided in `choose`.

use std::collections::BTreeMap;

use git2::Oid;

use super::GitError;

/// What a remote repository has.
pub(super) struct Advertised {
    /// The full name of the branch that it calls its own.
    pub(super) default_branch: Option<String>,
    /// The refs that it has, branches, tags, and those asked for, and what they name.
    pub(super) refs: BTreeMap<String, Oid>,
    /// Whether these are all branches and tags.
    pub(super) is_complete: bool,
    /// Whether only so many commits will be fetched as the wish says.
    pub(super) shallow: bool,
}

/// What to fetch.
pub(super) struct Wish<'a> {
    /// Refs whose presence matters for the plan.
    pub(super) ask: &'a [String],
    /// So many commits of each branch only.
    pub(super) depth: Option<u32>,
    /// What to do with refs that the remote no longer has.
    pub(super) prune: Prune,
    /// The refspecs to fetch, once it is known what there is.
    pub(super) plan: &'a dyn Fn(&Advertised) -> Result<Vec<String>, GitError>,
}

/// Which refs of a clone go when the remote no longer has theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prune {
    /// Those whose names are needed for what is fetched.
    OnlyInTheWay,
    /// All that the refspecs give.
    Tracked,
    /// These, and tags.
    TrackedAndTags,
}
