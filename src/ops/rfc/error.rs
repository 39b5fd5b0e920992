//! Errors of `cki rfc`. `cli::error` decides their exit codes and hints.

use crate::base::files::FileError;
use crate::base::template::TemplateError;
use crate::model::rfc::RfcProcessError;
use crate::systems::git::GitError;
use crate::systems::gitlab::GitLabError;

/// A failure of a command on requests for comments.
#[derive(Debug, thiserror::Error)]
pub enum RfcError {
    /// The inventory, a number or a title is wrong.
    #[error(transparent)]
    Process(#[from] RfcProcessError),
    /// The repository has no clone.
    #[error("the repository `{repo}` of requests for comments is not cloned")]
    NotCloned {
        /// Its name in the inventory.
        repo: String,
    },
    /// The clone has no directory of requests for comments.
    #[error("`{clone}` has no directory `{directory}`")]
    NoDirectory {
        /// Name of the repository in the inventory.
        repo: String,
        /// Directory of the clone.
        clone: String,
        /// Directory in it.
        directory: String,
    },
    /// There is no document of this number in the clone.
    #[error("the clone has no {id}")]
    Unknown {
        /// ID.
        id: String,
        /// IDs in the clone.
        known: Vec<String>,
    },
    /// A document cannot be read.
    #[error("cannot read {id} in `{file}`: {why}")]
    Unread {
        /// ID.
        id: String,
        /// File.
        file: String,
        /// Reason.
        why: String,
    },
    /// A state that no request for comments has.
    #[error("no request for comments has the state `{state}`")]
    State {
        /// The state.
        state: String,
        /// States that there are.
        known: Vec<String>,
    },
    /// All numbers are used.
    #[error("no number is left")]
    NoNumber,
    /// The directory of the clone is no repository of git.
    #[error("`{0}` is no repository of git, so it can have no branch")]
    NoRepository(String),
    /// The repository has no commit to start from.
    #[error("`{0}` has no commit to start a branch from")]
    Empty(String),
    /// Git knows no name of the user.
    #[error("git does not know your name and mail address, which a commit needs")]
    NoAuthor,
    /// The branch exists.
    #[error("`{clone}` has a branch `{branch}` already")]
    BranchExists {
        /// Directory of the clone.
        clone: String,
        /// Name of the branch.
        branch: String,
    },
    /// The address of the repository names no project on a server.
    #[error("the address of `{repo}` names no project on a server")]
    NoProject {
        /// Name of the repository in the inventory.
        repo: String,
    },
    /// The server does not say which numbers are free.
    #[error("cannot check the number against merge requests: {0}")]
    Unchecked(GitLabError),
    /// The template cannot be evaluated.
    #[error("the template `{name}` is invalid: {source}")]
    Template {
        /// Its name.
        name: &'static str,
        /// Underlying error.
        source: TemplateError,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The clone cannot be used.
    #[error(transparent)]
    Git(#[from] GitError),
}
