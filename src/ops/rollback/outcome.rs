//! The request, the plan and the outcome of a revert. All text in them that comes from outside is safe to show.

use super::DeployedCommit;
use crate::model::inventory::Component;
use crate::ops::status::ShippedMergeRequest;
use crate::systems::gitlab::RevertStep;

/// The commit to revert, as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevertChoice {
    /// The one that production runs.
    Deployed,
    /// That of a merge request.
    MergeRequest(u64),
    /// A commit: its hash, or the beginning of it.
    Commit(String),
}

/// A revert to plan.
#[derive(Debug, Clone)]
pub struct RevertRequest<'a> {
    /// `group/project`.
    pub project: &'a str,
    /// The component.
    pub component: &'a Component,
    /// The commit.
    pub choice: RevertChoice,
    /// Reason, in the words of the user.
    pub reason: &'a str,
    /// Template of the description of the merge request.
    pub description: &'a str,
    /// Template of the record on the reverted merge request.
    pub record: &'a str,
}

/// The plan of a revert.
#[derive(Debug)]
pub struct RevertPlan {
    /// `group/project`.
    pub project: String,
    /// The deployment in production, if the user left the choice to it.
    pub deployed: Option<DeployedCommit>,
    /// The commit to revert.
    pub sha: String,
    /// Merge request that brought it.
    pub merge_request: Option<ShippedMergeRequest>,
    /// Branch that the revert is merged into.
    pub target_branch: String,
    /// Branch of the revert.
    pub branch: String,
    /// Title of the merge request.
    pub title: String,
    /// The work that is left.
    pub work: RevertWork,
    /// Template of the record, and the values in it.
    pub(super) record: (String, String),
}

/// The work that a revert needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevertWork {
    /// An open merge request reverts the commit.
    Found(FoundRevert),
    /// These requests open one.
    Steps(Box<RevertSteps>),
}

/// The requests of a revert, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevertSteps {
    /// Creates the branch.
    pub branch: RevertStep,
    /// Reverts the commit on it.
    pub revert: RevertStep,
    /// Opens the merge request.
    pub open: RevertStep,
    /// Records it on the reverted merge request, if there is one.
    pub record: Option<RevertStep>,
}

impl RevertWork {
    /// Returns the requests that would be sent.
    #[must_use]
    pub fn steps(&self) -> Vec<&RevertStep> {
        match self {
            Self::Found(_) => Vec::new(),
            Self::Steps(steps) => {
                [&steps.branch, &steps.revert, &steps.open].into_iter().chain(&steps.record).collect()
            }
        }
    }
}

/// A merge request that reverts a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRevert {
    /// Number.
    pub iid: u64,
    /// Address of its page.
    pub url: String,
}

/// The outcome of a revert.
#[derive(Debug)]
pub struct RevertOutcome {
    /// The merge request.
    pub merge_request: FoundRevert,
    /// It was opened just now.
    pub is_new: bool,
    /// The reverted merge request has a record.
    pub is_recorded: bool,
    /// The reason why it has none.
    pub unrecorded: Option<String>,
}
