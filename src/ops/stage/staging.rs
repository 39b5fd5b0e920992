//! A staging before anything is asked: what to stage, how to follow it, and what would be done.

use std::time::Duration;

use super::facts::{CommentRef, MergeRequestFacts};
use crate::model::staging::{Marker, StagingRequest};

/// What is to be staged, and how.
#[derive(Debug, Clone)]
pub struct Staging {
    /// `group/project`.
    pub project: String,
    /// The number of the merge request.
    pub merge_request: u64,
    /// What to ask of whom.
    pub request: StagingRequest,
    /// The template of the comment.
    pub template: String,
}

/// What would be done. Nothing has been changed yet.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The merge request as it is.
    pub merge_request: MergeRequestFacts,
    /// What is asked of whom.
    pub request: StagingRequest,
    /// The comment that asks.
    pub comment: String,
    /// What marks the comment.
    pub marker: Marker,
    /// A comment of the same user's that asked the same for the same commit.
    pub earlier: Option<CommentRef>,
}

/// How to stage.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// Change nothing.
    pub dry_run: bool,
    /// Ask, and do not wait for an answer.
    pub no_wait: bool,
    /// Post a new request even if this commit was requested before.
    pub force: bool,
    /// How long to follow, in all.
    pub timeout: Option<Duration>,
    /// How long to wait for the bot's answer.
    pub answer_within: Duration,
    /// How often to look.
    pub interval: Duration,
    /// How long to put up with a server that does not answer.
    pub patience: Duration,
    /// The project of the pipelines, where the answer has no links.
    pub pipelines_project: Option<String>,
    /// How many lines of the log of a failed job to fetch.
    pub log_lines: usize,
}

impl Default for StageOptions {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        Self {
            dry_run: false,
            no_wait: false,
            force: false,
            timeout: None,
            answer_within: minutes(60),
            interval: Duration::from_secs(5),
            patience: minutes(10),
            pipelines_project: None,
            log_lines: 10,
        }
    }
}
