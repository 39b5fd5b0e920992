//! Errors of the way back.

use crate::base::text::join_and;
use crate::model::rollback::QuietTimesError;
use crate::model::staging::StagingError;
use crate::systems::gitlab::GitLabError;

/// An error of the way back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// GitLab failed.
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    /// A text cannot be written.
    #[error(transparent)]
    Text(#[from] StagingError),
    /// The setting of quiet times is invalid.
    #[error("the setting `production.quiet` is invalid")]
    Quiet(#[from] QuietTimesError),
    /// GitLab knows no deployment to production.
    #[error("GitLab shows no successful deployment of `{project}` to production")]
    NotDeployed {
        /// `group/project`.
        project: String,
        /// The component.
        component: String,
    },
    /// Several environments of production run different commits.
    #[error("`{project}` runs different commits in {}", names_of(.choices))]
    Several {
        /// `group/project`.
        project: String,
        /// The component.
        component: String,
        /// Each environment, and the number of the merge request or else the commit that it runs.
        choices: Vec<(String, String)>,
    },
    /// The merge request is not merged.
    #[error("merge request `{reference}` is {state}, so there is nothing to revert")]
    NotMerged {
        /// `group/project!iid`.
        reference: String,
        /// Its state.
        state: String,
    },
    /// A commit needs a branch to be reverted on.
    #[error("the default branch of `{project}` is not known")]
    NoBranch {
        /// `group/project`.
        project: String,
    },
    /// A merged merge request has reverted it.
    #[error("`{reference}` has reverted {sha} already")]
    Reverted {
        /// `group/project!iid` of the revert.
        reference: String,
        /// Commit.
        sha: String,
    },
    /// GitLab cannot revert the commit automatically.
    #[error("GitLab cannot revert {sha} on `{branch}`: {reason}")]
    Conflict {
        /// Commit.
        sha: String,
        /// Branch that was made for it.
        branch: String,
        /// The server's reason.
        reason: String,
    },
    /// The request needs a token.
    #[error("a revert needs a token for `{server}`")]
    NoToken {
        /// The server.
        server: String,
    },
    /// The token may not send the requests.
    #[error("the token for `{server}` lacks the scope `{missing}`, which a revert needs; it has: {scopes}")]
    NoScope {
        /// The server.
        server: String,
        /// The missing scope.
        missing: &'static str,
        /// The scopes of the token.
        scopes: String,
    },
    /// It is not known whether a step was done.
    #[error("it is not known whether GitLab has done all of the revert of {sha}")]
    Uncertain {
        /// Commit.
        sha: String,
        /// Underlying error.
        source: GitLabError,
    },
}

fn names_of(choices: &[(String, String)]) -> String {
    let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
    join_and(&names)
}
