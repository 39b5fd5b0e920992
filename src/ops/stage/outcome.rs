//! What came of staging, with everything a report needs. Deciding on an exit code is for `cli`.

use std::time::Duration;

use super::{CommentRef, MergeRequestFacts, StageError};
use crate::host::signals::Signal;
use crate::model::staging::PipelineStatus;

/// What came of it.
#[derive(Debug)]
pub struct StageOutcome {
    /// The merge request as it was when it was asked for.
    pub merge_request: MergeRequestFacts,
    /// The comment that asks.
    pub comment: String,
    /// What became of it.
    pub asked: Asked,
    /// The bot's answer.
    pub answer: Option<CommentRef>,
    /// The pipelines in it, in its order.
    pub pipelines: Vec<PipelineOutcome>,
    /// How following ended.
    pub ended: Ended,
    /// How long it took in all.
    pub took: Duration,
}

impl StageOutcome {
    /// Whether every pipeline was followed to a good end.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self.ended, Ended::Finished)
            && !self.pipelines.is_empty()
            && self.pipelines.iter().all(PipelineOutcome::succeeded)
    }
}

/// What became of the comment that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It was not posted.
    No,
    /// It was posted.
    Posted(CommentRef),
    /// It was there already.
    Found(CommentRef),
}

/// How following ended.
#[derive(Debug)]
pub enum Ended {
    /// Nothing was asked, since nothing was to be changed.
    DryRun,
    /// It was not to be waited for.
    NotWaited,
    /// Every pipeline came to an end.
    Finished,
    /// The bot did not answer in time; what it said last that was no table.
    NoAnswer(Option<String>),
    /// The time limit ran out.
    TimedOut,
    /// A signal ended it; the request stays.
    Stopped(Signal),
    /// It could not be followed further.
    Lost(StageError),
}

/// What became of one pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineOutcome {
    /// The bot's name for its group.
    pub group: String,
    /// The branch, or the number of the earlier pipeline that was run again.
    pub branch: String,
    /// Its number.
    pub id: Option<u64>,
    /// Its project, where that is known.
    pub project: Option<String>,
    /// How it was seen last.
    pub status: PipelineStatus,
    /// The status is the bot's word; the pipeline itself could not be read.
    pub by_hearsay: bool,
    /// It was there, and was deleted.
    pub gone: bool,
    /// Its page.
    pub url: Option<String>,
    /// How long it ran.
    pub duration: Option<Duration>,
    /// Jobs that have ended, and all jobs.
    pub jobs: Option<(usize, usize)>,
    /// The jobs for which it failed.
    pub failed: Vec<FailedJob>,
}

impl PipelineOutcome {
    /// Whether it came to a good end.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.is_success() && !self.gone
    }
}

/// A job that failed. All text in it is safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedJob {
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: String,
    /// Its number.
    pub id: u64,
    /// Its page.
    pub url: Option<String>,
    /// Why it failed, in GitLab's word.
    pub reason: Option<String>,
    /// The last lines of its log.
    pub log: Vec<String>,
    /// Why there are none.
    pub no_log: Option<String>,
}
