//! Errors of operations with git. Each case has its own variant, so that `cli::error` can choose hints and
//! exit codes; no message contains a login.

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::base::http::HttpError;

/// An operation with git that failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The address cannot be used.
    #[error("`{url}` is not the address of a repository: {why}")]
    Url {
        /// Address, without a login.
        url: String,
        /// Fault of the address.
        why: &'static str,
    },
    /// Offline: no connection to another machine is allowed.
    #[error("`{url}` is on another machine, and connections are turned off")]
    Offline {
        /// Address of the repository.
        url: String,
    },
    /// The host is unknown, refuses, or does not answer.
    #[error("cannot reach `{url}`: {why}")]
    Unreachable {
        /// Address of the repository.
        url: String,
        /// Innermost cause.
        why: String,
    },
    /// TLS failed: an unknown authority, a wrong name, or no TLS at all.
    #[error("no secure connection to `{url}`: {why}")]
    Tls {
        /// Address of the repository.
        url: String,
        /// Innermost cause.
        why: String,
    },
    /// The connection broke during the transfer.
    #[error("the connection to `{url}` broke: {why}")]
    Broken {
        /// Address of the repository.
        url: String,
        /// Innermost cause.
        why: String,
    },
    /// The server requires a login, or a different one.
    #[error("`{url}` {}", match user { Some(user) => format!("refuses the login of `{user}`"), None => "wants a login".to_owned() })]
    Unauthorised {
        /// Address of the repository.
        url: String,
        /// User whose login was tried.
        user: Option<String>,
    },
    /// The login is valid but lacks permission.
    #[error("access to `{url}` is denied{}", colon(why))]
    Forbidden {
        /// Address of the repository.
        url: String,
        /// Reason from the server.
        why: Option<String>,
    },
    /// The repository does not exist, or is hidden from this login.
    #[error("there is no repository at `{url}`, or it is hidden")]
    NotFound {
        /// Address of the repository.
        url: String,
    },
    /// The repository lacks a revision.
    #[error("{}", match reference { Some(name) => format!("`{url}` has no branch, tag or commit `{name}`"), None => format!("`{url}` has no default branch") })]
    NoRevision {
        /// Address of the repository.
        url: String,
        /// The revision; `None` for the default branch.
        reference: Option<String>,
        /// Names of branches and tags nearest to it.
        nearest: Vec<String>,
    },
    /// The server failed.
    #[error("the server of `{url}` answered {status}{}", colon(why))]
    Server {
        /// Address of the repository.
        url: String,
        /// HTTP status.
        status: u16,
        /// Reason from the server.
        why: Option<String>,
    },
    /// The server redirects to another origin, which must not get the login.
    #[error("`{url}` redirects to `{to}`, which is not followed")]
    Redirected {
        /// Address of the repository.
        url: String,
        /// Target of the redirect.
        to: String,
    },
    /// The server does not speak the git protocol.
    #[error("`{url}` answers, but not as a git server: {why}")]
    NotGit {
        /// Address of the repository.
        url: String,
        /// Description of its answer.
        why: String,
    },
    /// The HTTP client cannot be created.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The address requires the `git` program, which is not installed.
    #[error("`{url}` needs the `git` program, which is not installed")]
    NoProgram {
        /// Address of the repository.
        url: String,
    },
    /// The `git` program cannot be started.
    #[error("cannot start `{}`: {error}", program.display())]
    Start {
        /// Path of the program.
        program: PathBuf,
        /// Underlying error.
        error: std::io::Error,
    },
    /// The `git` program failed for an unrecognised reason.
    #[error("git says about `{url}`: {why}")]
    Program {
        /// Address of the repository.
        url: String,
        /// Last lines of its output.
        why: String,
    },
    /// The repository has no such merge request.
    #[error("`{url}` has no merge request !{iid}")]
    NoMergeRequest {
        /// Address of the repository.
        url: String,
        /// Number of the merge request.
        iid: u64,
    },
    /// The user's git configuration cannot be read.
    #[error("cannot read your git configuration: {why}")]
    Config {
        /// Reason.
        why: String,
    },
    /// The user's git configuration forbids the protocol.
    #[error("your git configuration forbids the protocol `{protocol}`, by which `{url}` is reached")]
    Forbidding {
        /// Address of the repository.
        url: String,
        /// Forbidden protocol.
        protocol: &'static str,
    },
    /// The name of a ref is invalid.
    #[error("`{name}` is not the name of a ref")]
    RefName {
        /// Name.
        name: String,
    },
    /// The path of a clone holds something else.
    #[error("`{}` is in the way: it is not a clone", path.display())]
    Occupied {
        /// Path of the clone.
        path: PathBuf,
    },
    /// The path of a clone holds a clone of another repository.
    #[error("`{}` is {}, not of `{wanted}`", path.display(), clone_of(found))]
    OtherRepository {
        /// Path of the clone.
        path: PathBuf,
        /// Addresses of its remotes, without logins.
        found: Vec<String>,
        /// Address of the expected repository.
        wanted: String,
        /// Name that none of its remotes has.
        unused: String,
    },
    /// The checked-out branch follows one that the remote no longer has.
    #[error("`{branch}` follows `{theirs}`, which is no longer on the server")]
    BranchGone {
        /// Path of the clone.
        path: PathBuf,
        /// Local branch.
        branch: String,
        /// Name of the branch on the server.
        theirs: String,
        /// Git commands that switch to a branch of the server, if it has one.
        switch: Vec<Vec<String>>,
    },
    /// A directory holds no repository.
    #[error("`{}` is not a repository", path.display())]
    NoRepository {
        /// Path of the directory.
        path: PathBuf,
    },
    /// The repository's configuration places its files in another directory.
    #[error("the files of the repository in `{}` are said to be in `{}`", path.display(), files.display())]
    Elsewhere {
        /// Path of the directory.
        path: PathBuf,
        /// Directory of its files.
        files: PathBuf,
    },
    /// The repository belongs to another user of this machine, so its settings are not trusted.
    #[error("`{}` belongs to another user", path.display())]
    Foreign {
        /// Path of the directory.
        path: PathBuf,
    },
    /// The repository has a format that libgit2 cannot read.
    #[error("`{what}` {}, which `cki` cannot read", format.description())]
    Unsupported {
        /// Address or directory of the repository.
        what: String,
        /// Its format.
        format: RepositoryFormat,
    },
    /// The remote rejected a push.
    #[error("`{url}` does not accept `{reference}`: {why}")]
    Rejected {
        /// Address of the repository.
        url: String,
        /// Rejected ref.
        reference: String,
        /// Reason from the remote.
        why: String,
    },
    /// The work was stopped on request.
    #[error("stopped while working on `{what}`")]
    Stopped {
        /// Address or directory of the repository.
        what: String,
    },
    /// An operation on a file or directory failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// libgit2 failed within a repository.
    #[error("git cannot work on `{what}`: {}", error.message())]
    Library {
        /// Address or directory of the repository.
        what: String,
        /// Error of libgit2.
        error: git2::Error,
    },
}

impl GitError {
    /// Returns whether the repository is out of reach for this user and machine, while others may be in
    /// reach: an unknown or silent host, a missing login, a missing repository.
    #[must_use]
    pub fn is_out_of_reach(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::Unreachable { .. }
                | Self::Tls { .. }
                | Self::Broken { .. }
                | Self::Unauthorised { .. }
                | Self::Forbidden { .. }
                | Self::NotFound { .. }
                | Self::Server { .. }
                | Self::Redirected { .. }
                | Self::NotGit { .. }
                | Self::NoProgram { .. }
        )
    }
}

fn clone_of(found: &[String]) -> String {
    match found {
        [] => "a repository without a remote, and no clone".to_owned(),
        found => {
            let found: Vec<String> = found.iter().map(|url| format!("`{url}`")).collect();
            format!("a clone of {}", crate::base::text::join_and(&found))
        }
    }
}

fn colon(why: &Option<String>) -> String {
    why.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
}

/// Format of a repository that libgit2 cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryFormat {
    /// Objects are named by SHA-256.
    Sha256,
    /// References are stored as reftable, not as files; the `git` program can still serve them.
    Reftable,
    /// Another extension of the format.
    Extension(String),
}

impl RepositoryFormat {
    /// Returns the format of which libgit2 complains, if it is one.
    pub(super) fn of_error(error: &git2::Error) -> Option<Self> {
        let message = error.message();
        let extension = || message.strip_prefix("unsupported extension name ");
        match () {
            () if message.contains("object format") && message.contains("sha256") => Some(Self::Sha256),
            () => extension().map(|name| match name {
                "extensions.refstorage" => Self::Reftable,
                "extensions.objectformat" => Self::Sha256,
                _ => Self::Extension(name.trim_start_matches("extensions.").to_owned()),
            }),
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Sha256 => "names its objects by SHA-256".to_owned(),
            Self::Reftable => "stores its references as reftable".to_owned(),
            Self::Extension(name) => format!("uses the extension `{name}` of git's format"),
        }
    }
}

/// Returns a function that wraps libgit2's errors with the repository at `path`.
pub(super) fn at<'a>(path: &'a std::path::Path) -> impl Fn(git2::Error) -> GitError + 'a {
    move |error| {
        let what = || path.display().to_string();
        match (error.code(), RepositoryFormat::of_error(&error)) {
            (git2::ErrorCode::Owner, _) => GitError::Foreign { path: path.to_owned() },
            (_, Some(format)) => GitError::Unsupported { what: what(), format },
            _ => GitError::Library { what: what(), error },
        }
    }
}
