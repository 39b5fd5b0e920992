//! A staging before the request: its parameters, its options, and its plan.

use std::time::Duration;

use super::facts::{CommentRef, MergeRequestFacts};
use crate::model::staging::{Marker, StagingRequest};
use crate::systems::gitlab::TokenFacts;

/// The parameters and options of a staging.
#[derive(Debug, Clone)]
pub struct StagingOptions {
    /// `group/project`.
    pub project: String,
    /// The number of the merge request.
    pub merge_request: u64,
    /// The request to the bot.
    pub request: StagingRequest,
    /// The template of the comment.
    pub template: String,
}

/// The plan of a staging, before any change.
#[derive(Debug, Clone)]
pub struct StagePlan {
    /// The merge request as it is.
    pub merge_request: MergeRequestFacts,
    /// The request to the bot.
    pub request: StagingRequest,
    /// The text of the comment.
    pub comment: String,
    /// The marker in the comment.
    pub marker: Marker,
    /// An earlier comment of the same user with the same request for the same commit.
    pub earlier: Option<CommentRef>,
    /// Facts about the token; `None` if the server does not tell them, or there is no token.
    pub token: Option<TokenFacts>,
}

/// The options of a staging.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// Change nothing.
    pub dry_run: bool,
    /// Post the request, and do not wait for an answer.
    pub no_wait: bool,
    /// Post a new request even if this commit was requested before.
    pub force: bool,
    /// Total timeout; `None` for no limit.
    pub timeout: Option<Duration>,
    /// Timeout of the bot's answer.
    pub answer_within: Duration,
    /// Polling interval.
    pub interval: Duration,
    /// Timeout of an unresponsive server.
    pub patience: Duration,
    /// The project of the pipelines, for an answer without links.
    pub pipelines_project: Option<String>,
    /// Number of lines to fetch from the log of a failed job.
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
