//! Errors of asking for staging and of following it.

use crate::host::signals::Signal;
use crate::model::staging::StagingError;
use crate::systems::gitlab::GitLabError;

/// An error of staging.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// GitLab failed.
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    /// The request is invalid.
    #[error(transparent)]
    Request(#[from] StagingError),
    /// The merge request is not open.
    #[error("merge request `{merge_request}` is {state}; only open ones can be staged")]
    NotOpen {
        /// `group/project!iid`.
        merge_request: String,
        /// `closed`, `merged`, …
        state: String,
    },
    /// The merge request has no commits.
    #[error("merge request `{merge_request}` has no commits yet")]
    NoCommits {
        /// `group/project!iid`.
        merge_request: String,
    },
    /// Commenting needs a token.
    #[error("commenting on `{merge_request}` needs a token for `{server}`")]
    NoToken {
        /// `group/project!iid`.
        merge_request: String,
        /// The server.
        server: String,
    },
    /// The token may not comment.
    #[error(
        "the token for `{server}` lacks the scope `{missing}`, which commenting on `{merge_request}` needs; it has: {scopes}"
    )]
    NoScope {
        /// `group/project!iid`.
        merge_request: String,
        /// The server.
        server: String,
        /// The missing scope.
        missing: &'static str,
        /// The scopes of the token.
        scopes: String,
    },
    /// The head changed between showing and asking.
    #[error("merge request `{merge_request}` has a new head commit: {now} in place of {was}")]
    HeadMoved {
        /// `group/project!iid`.
        merge_request: String,
        /// The commit that was shown.
        was: String,
        /// The current commit.
        now: String,
    },
    /// It is unknown whether the comment was posted.
    #[error("it is not known whether the comment on `{merge_request}` was posted")]
    Uncertain {
        /// `group/project!iid`.
        merge_request: String,
        /// Underlying error.
        source: GitLabError,
    },
    /// The request was deleted.
    #[error("the comment that asked was deleted before the bot answered: {url}")]
    RequestDeleted {
        /// Its former address.
        url: String,
    },
    /// The bot's answer was deleted.
    #[error("the bot's answer was deleted, and its pipelines cannot be read: {url}")]
    AnswerDeleted {
        /// Its former address.
        url: String,
    },
    /// The bot's answer has too many rows.
    #[error("the bot's answer is too long: {rows} of its pipelines were followed, and it has more: {url}")]
    AnswerTooLong {
        /// Its address.
        url: String,
        /// Number of followed rows.
        rows: usize,
    },
    /// A second signal came while the comment was being posted.
    #[error("stopped while the comment on `{merge_request}` was being posted; it may be there")]
    Stopped {
        /// `group/project!iid`.
        merge_request: String,
        /// The signal.
        signal: Signal,
    },
}
