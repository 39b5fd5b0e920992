//! The outcome of staging, with everything for a report. The exit code is decided in `cli`.

use std::time::Duration;

use super::{CommentRef, EnvironmentPlan, MergeRequestFacts, PipelineRef, StageError};
use crate::host::signals::Signal;
use crate::model::staging::{PipelineCourse, PipelineStatus, StagedHead};
use crate::systems::gitlab::RequestPreview;

/// The outcome of staging.
#[derive(Debug)]
pub struct StageOutcome {
    /// The merge request at the time of the request.
    pub merge_request: MergeRequestFacts,
    /// The merge requests that it stages together with that one.
    pub combined: Vec<StagedHead>,
    /// The request.
    pub request: SentRequest,
    /// The environment that gets the result of a pipeline, if the entry names one.
    pub environment: Option<EnvironmentPlan>,
    /// The outcome of the request.
    pub asked: AskResult,
    /// The bot's answer.
    pub answer: Option<CommentRef>,
    /// The pipelines in it, in its order.
    pub pipelines: Vec<PipelineOutcome>,
    /// The end of following.
    pub ended: StagingResult,
    /// Total duration.
    pub took: Duration,
}

impl StageOutcome {
    /// Returns whether every pipeline was followed to its end and succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self.ended, StagingResult::Finished)
            && !self.pipelines.is_empty()
            && PipelineVerdict::worst(self.pipelines.iter().map(PipelineOutcome::verdict))
                == PipelineVerdict::Succeeded
    }

    /// Returns whether nothing has failed, but a part of the result could not be seen.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self.ended, StagingResult::Finished)
            && PipelineVerdict::worst(self.pipelines.iter().map(PipelineOutcome::verdict))
                == PipelineVerdict::Unknown
    }
}

/// The request as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentRequest {
    /// The text of a comment.
    Comment(String),
    /// A call of GitLab's API.
    Call(RequestPreview),
}

/// The outcome of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskResult {
    /// Not sent.
    No,
    /// A comment was posted.
    Posted(CommentRef),
    /// The comment is already there.
    Found(CommentRef),
    /// A pipeline was started.
    Started(PipelineRef),
    /// The pipeline is already there.
    Resumed(PipelineRef),
}

/// The end of following.
#[derive(Debug)]
pub enum StagingResult {
    /// A dry run: nothing was posted.
    DryRun,
    /// The request was not followed.
    NotWaited,
    /// Every pipeline has ended.
    Finished,
    /// The bot did not answer in time; with its last comment that is not an answer.
    NoAnswer(Option<String>),
    /// The timeout.
    TimedOut,
    /// A signal; the request stays.
    Stopped(Signal),
    /// An error.
    Lost(StageError),
}

/// The outcome of one pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineOutcome {
    /// The bot's name for its group.
    pub group: String,
    /// The branch, or the number of the earlier pipeline that runs again.
    pub branch: String,
    /// Its number.
    pub id: Option<u64>,
    /// Its project, if known.
    pub project: Option<String>,
    /// The last known status.
    pub status: PipelineStatus,
    /// The status comes from the bot; the pipeline itself is unreadable.
    pub by_hearsay: bool,
    /// A sentence on why it cannot be read, while nobody tells its status.
    pub unread: Option<String>,
    /// The pipeline was deleted.
    pub gone: bool,
    /// Nothing more will happen to it.
    pub ended: bool,
    /// Address of its page.
    pub url: Option<String>,
    /// Duration of its run.
    pub duration: Option<Duration>,
    /// Number of ended jobs, and of all jobs.
    pub jobs: Option<(usize, usize)>,
    /// The pipeline with everything that it triggers, if it was read.
    pub course: Option<PipelineCourse>,
    /// The jobs that made it fail.
    pub failed: Vec<FailedJob>,
}

/// The result of a pipeline with everything that it triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineVerdict {
    /// All of it succeeded.
    Succeeded,
    /// A part of it did not succeed, or has not ended.
    Failed,
    /// Nothing has failed, but the result of a part could not be seen.
    Unknown,
}

impl PipelineVerdict {
    /// Returns the worst of several results.
    pub(super) fn worst(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::Succeeded, |worst, one| match (worst, one) {
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Succeeded, Self::Succeeded) => Self::Succeeded,
        })
    }
}

impl PipelineOutcome {
    /// Returns the result; pipelines whose trigger may fail do not count.
    #[must_use]
    pub fn verdict(&self) -> PipelineVerdict {
        let is_bad = |one: &PipelineCourse| {
            !one.may_fail && matches!(one.status, PipelineStatus::Failed | PipelineStatus::Canceled)
        };
        if self.unread.is_some() {
            return PipelineVerdict::Unknown;
        }
        let mut below = self.course.iter().flat_map(|course| course.all().into_iter().skip(1));
        if !self.status.is_success() || self.gone || below.any(|(_, one)| is_bad(one)) {
            return PipelineVerdict::Failed;
        }
        match self.unseen().is_empty() {
            true => PipelineVerdict::Succeeded,
            false => PipelineVerdict::Unknown,
        }
    }

    /// Returns whether it succeeded, and so did all that it triggers.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.verdict() == PipelineVerdict::Succeeded
    }

    /// Returns a sentence about each part whose result could not be seen.
    #[must_use]
    pub fn unseen(&self) -> Vec<String> {
        let below = self.course.iter().flat_map(PipelineCourse::unseen);
        self.unread.iter().cloned().chain(below).collect()
    }

    /// Returns whether nothing more will happen to it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

/// A failed job. All text in it is safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedJob {
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: String,
    /// Its number.
    pub id: u64,
    /// Number of its pipeline.
    pub pipeline: u64,
    /// Address of its page.
    pub url: Option<String>,
    /// The reason of the failure, in GitLab's terms.
    pub reason: Option<String>,
    /// The last lines of its log.
    pub log: Vec<String>,
    /// The reason why there is no log.
    pub no_log: Option<String>,
}
