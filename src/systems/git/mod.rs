//! Git: the only code that uses it, through libgit2, or through the installed `git` where libgit2 cannot be
//! used. It knows repositories, branches and commits; components, the workspace and configuration do not
//! belong here. A function that takes a [`GitContext`] blocks: call it on a thread that may
//! (`tokio::task::spawn_blocking`).

mod branches;
mod clone;
mod clone_state;
mod commit;
mod config_paths;
mod config_text;
mod diff;
mod error;
mod fetch;
mod files;
mod history;
mod inspect;
mod library;
mod login;
mod logins;
mod merge_request;
mod missing;
mod moving;
mod nested;
mod outcome;
mod program;
mod program_output;
mod repository_config;
mod rewritten;
mod server_message;
mod session;
mod source_copy;
mod special;
mod staging_dir;
mod stale;
mod tracking;
mod transfer;
mod transport;
mod transport_choice;
mod tree;
mod update;
mod url;
mod user_config;
mod working_tree;

use std::sync::Arc;

pub use branches::{BranchFiles, Branches};
pub use clone::NewClone;
pub use clone_state::{CloneStanding, standing};
pub use commit::CommitId;
pub use diff::unified_diff;
pub use error::{GitError, RepositoryFormat};
pub use files::Tree;
pub use history::{Author, History, Mode, TreeFile};
pub use inspect::{Checkout, discover, inspect};
pub use login::Login;
pub use logins::Logins;
pub use merge_request::MergeRequestHead;
pub use missing::{MissingContent, missing};
pub use nested::{is_within_repository, repositories_below};
pub use outcome::CloneResult;
pub use source_copy::{CopiedRevision, EarlierCommit};
pub use staging_dir::{remove_stale_clones, stale_clones};
pub use url::{GitUrl, Scheme, without_login};
pub use working_tree::{WorkingTree, is_working_tree};

use crate::base::http::HttpClient;
use crate::host::Env;
use crate::host::signals::Shutdown;
use crate::model::event::{Events, Task};

/// Access to repositories.
#[derive(Debug, Clone)]
pub struct Git {
    http: Arc<HttpClient>,
    logins: Logins,
    env: Env,
}

impl Git {
    /// Creates it with a policy for connections, and logins by server. The environment is that of the `git`
    /// program, if it is used.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, logins: Logins, env: Env) -> Self {
        transport::register();
        Self { http, logins, env }
    }

    /// Replaces the logins.
    #[must_use]
    pub fn with_logins(self, logins: Logins) -> Self {
        Self { logins, ..self }
    }

    /// Compares the content of a directory with the address of a repository.
    ///
    /// # Errors
    /// Fails if there is a repository that cannot be read.
    pub fn standing(&self, directory: &std::path::Path, wanted: &GitUrl) -> Result<CloneStanding, GitError> {
        standing(directory, Some(wanted), &self.env)
    }
}

/// One job on a repository: its progress receiver and its stop signal.
#[derive(Debug, Clone, Copy)]
pub struct GitContext<'a> {
    /// Task that shows its progress.
    pub task: &'a Task,
    /// Receiver of decisions.
    pub events: &'a Events,
    /// Stop signal.
    pub stop: &'a Shutdown,
}
