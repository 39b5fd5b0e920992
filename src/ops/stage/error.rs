//! Why staging did not come about, or could not be followed.

use crate::host::signals::Signal;
use crate::model::staging::StagingError;
use crate::systems::gitlab::GitLabError;

/// Staging that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The server.
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    /// The request.
    #[error(transparent)]
    Request(#[from] StagingError),
    /// The merge request is over.
    #[error("merge request `{merge_request}` is {state}; only open ones can be staged")]
    NotOpen {
        /// `group/project!iid`.
        merge_request: String,
        /// `closed`, `merged`, …
        state: String,
    },
    /// There is nothing to try.
    #[error("merge request `{merge_request}` has no commits yet")]
    NoCommits {
        /// `group/project!iid`.
        merge_request: String,
    },
    /// Nobody is known to the server who could comment.
    #[error("commenting on `{merge_request}` needs a token for `{server}`")]
    NoToken {
        /// `group/project!iid`.
        merge_request: String,
        /// The server.
        server: String,
    },
    /// Something was pushed between looking and asking.
    #[error("merge request `{merge_request}` has a new head commit: {now} in place of {was}")]
    HeadMoved {
        /// `group/project!iid`.
        merge_request: String,
        /// The commit that was shown.
        was: String,
        /// The commit that is there.
        now: String,
    },
    /// The server did not say whether it took the comment, and could not be asked.
    #[error("it is not known whether the comment on `{merge_request}` was posted")]
    Uncertain {
        /// `group/project!iid`.
        merge_request: String,
        /// What went wrong.
        source: GitLabError,
    },
    /// The comment that asks is gone.
    #[error("the comment that asked was deleted before the bot answered: {url}")]
    RequestDeleted {
        /// Where it was.
        url: String,
    },
    /// The bot's answer is gone.
    #[error("the bot's answer was deleted, and its pipelines cannot be read: {url}")]
    AnswerDeleted {
        /// Where it was.
        url: String,
    },
    /// The bot's answer has more rows than are read.
    #[error("the bot's answer is too long: {rows} of its pipelines were followed, and it has more: {url}")]
    AnswerTooLong {
        /// Its address.
        url: String,
        /// Number of rows that are followed.
        rows: usize,
    },
    /// A second signal came while the comment was on its way.
    #[error("stopped while the comment on `{merge_request}` was being posted; it may be there")]
    Stopped {
        /// `group/project!iid`.
        merge_request: String,
        /// The signal.
        signal: Signal,
    },
}
