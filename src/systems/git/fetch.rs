//! Content of a fetch, and the refs that the remote advertises. `transport_choice` decides the means.

use std::collections::BTreeMap;

use git2::Oid;

use super::GitError;

/// Refs of a remote repository.
pub(super) struct RemoteRefs {
    /// Full name of the remote's default branch.
    pub(super) default_branch: Option<String>,
    /// Refs and their objects: branches, tags, and the requested ones.
    pub(super) refs: BTreeMap<String, Oid>,
    /// `refs` holds all branches and tags.
    pub(super) is_complete: bool,
    /// The fetch is limited to the request's `depth`.
    pub(super) shallow: bool,
}

/// Request for a fetch.
pub(super) struct FetchRequest<'a> {
    /// Refs whose presence matters for the plan.
    pub(super) ask: &'a [String],
    /// Number of commits to fetch of each branch; `None` fetches all.
    pub(super) depth: Option<u32>,
    /// Treatment of refs that the remote no longer has.
    pub(super) prune: Prune,
    /// Function from the advertised refs to the refspecs to fetch.
    pub(super) plan: &'a dyn Fn(&RemoteRefs) -> Result<Vec<String>, GitError>,
}

/// Extent of pruning: the refs of a clone to remove when the remote no longer has theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prune {
    /// Refs whose names conflict with fetched ones.
    OnlyInTheWay,
    /// All refs that the refspecs map to.
    Tracked,
    /// The tracked refs, and tags.
    TrackedAndTags,
}
