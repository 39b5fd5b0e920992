//! The progress of a staging, found again from the server alone: the request, its pipelines and its environments. A
//! staging that another command, machine or person has started is found in the same way. The output is in
//! `report::staging`.

mod cancel;
mod container_logs;
mod environments;
mod find;
mod list;
mod locate;
mod log_choice;
mod logs;
mod marked;
mod note;
mod options;
mod public;
mod read;
mod watch;

use jiff::Timestamp;

use crate::model::staging::StagedHead;

use super::kubernetes::ReleaseProgress;
use super::{CommentRef, MergeRequestFacts, PipelineOutcome, PipelineVerdict};
pub use cancel::{CancelError, CancelPlan, CanceledPipeline, cancel, plan_cancel};
pub use container_logs::ContainerLog;
pub use list::{ListedRelease, ListedStaging, StagingList, list};
pub use log_choice::LogChoice;
pub use logs::{JobLog, StagingLogs, logs};
pub use note::{NoteError, NoteResult, post_report};
pub use options::ProgressOptions;
pub use read::read;
pub use watch::watch;

/// A staging as the server tells it at one moment.
#[derive(Debug, Clone)]
pub struct StagingProgress {
    /// The merge request.
    pub merge_request: MergeRequestFacts,
    /// Address of the server.
    pub server: String,
    /// The time of the reading.
    pub read_at: Timestamp,
    /// The newest request for the head commit.
    pub request: Option<FoundRequest>,
    /// The newest request for another commit, if there is none for the head.
    pub outdated: Option<FoundRequest>,
    /// Number of comments among which no request for the head is, if there are older ones that were not searched.
    pub searched: Option<usize>,
    /// The merge requests that are staged together with this one.
    pub combined: Vec<CombinedProgress>,
    /// The bot's answer.
    pub answer: Option<CommentRef>,
    /// The pipelines.
    pub pipelines: Vec<PipelineOutcome>,
    /// The releases in the staging namespace, those of other commits, too.
    pub releases: Vec<ReleaseProgress>,
    /// The environments to which the head commit was deployed.
    pub environments: Vec<StagingEnvironment>,
    /// Facts that could not be read, one sentence each.
    pub unread: Vec<String>,
}

/// The state of a staging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressState {
    /// Nothing was requested for the head commit.
    NotRequested,
    /// No request was found, and not all comments were searched.
    NotFound,
    /// Requested; there is no pipeline yet.
    Waiting,
    /// Pipelines or rollouts have not ended.
    Running,
    /// All pipelines or rollouts succeeded.
    Succeeded,
    /// A pipeline or a rollout did not succeed.
    Failed,
    /// Nothing has failed, but a part of the result could not be seen.
    Unknown,
}

impl StagingProgress {
    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> ProgressState {
        match (&self.parts()[..], &self.request) {
            ([], None) if self.searched.is_some() => ProgressState::NotFound,
            ([], None) => ProgressState::NotRequested,
            ([], Some(_)) => ProgressState::Waiting,
            (all, _) if all.iter().any(|(has_ended, _)| !has_ended) => ProgressState::Running,
            (all, _) => match PipelineVerdict::worst(all.iter().map(|(_, verdict)| *verdict)) {
                PipelineVerdict::Succeeded => ProgressState::Succeeded,
                PipelineVerdict::Failed => ProgressState::Failed,
                PipelineVerdict::Unknown => ProgressState::Unknown,
            },
        }
    }

    /// Returns of each pipeline and each release of the head commit whether it has ended, and its result.
    #[must_use]
    pub fn parts(&self) -> Vec<(bool, PipelineVerdict)> {
        let verdict = |succeeded: bool| match succeeded {
            true => PipelineVerdict::Succeeded,
            false => PipelineVerdict::Failed,
        };
        let pipelines = self.pipelines.iter().map(|one| (one.has_ended(), one.verdict()));
        let releases = self.current_releases().map(|one| (one.has_ended(), verdict(one.succeeded())));
        pipelines.chain(releases).collect()
    }

    /// Returns the releases of the head commit.
    pub fn current_releases(&self) -> impl Iterator<Item = &ReleaseProgress> {
        self.releases.iter().filter(|one| one.is_of(&self.merge_request.head))
    }
}

/// A request for staging in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRequest {
    /// The comment.
    pub comment: CommentRef,
    /// User name of its author.
    pub author: String,
    /// The commit that it names; one that a person wrote names none.
    pub sha: Option<String>,
    /// Its command, as one line.
    pub text: String,
    /// The merge requests that it stages together with this one.
    pub combined: Vec<StagedHead>,
}

/// A merge request that is staged together with another one, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CombinedProgress {
    /// The head that was staged.
    pub staged: StagedHead,
    /// The commit at its head now, if that is another one.
    pub moved_to: Option<String>,
}

/// An environment to which the commit was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagingEnvironment {
    /// Its name.
    pub name: String,
    /// Address of the application.
    pub url: Option<String>,
    /// `available`, `stopping` or `stopped`; missing if the server does not say.
    pub state: Option<String>,
    /// The time at which the server stops it.
    pub stops_at: Option<Timestamp>,
}
