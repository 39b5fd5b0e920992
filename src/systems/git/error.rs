//! What can go wrong between this machine and a repository. Each case is its own, so that hints and
//! exit codes can be chosen elsewhere; no message holds a login.

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::base::http::HttpError;

/// An operation with git that failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The address cannot be used.
    #[error("`{url}` is not the address of a repository: {why}")]
    Url {
        /// The address, without a login.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No connection may be made to another machine.
    #[error("`{url}` is on another machine, and connections are turned off")]
    Offline {
        /// The repository.
        url: String,
    },
    /// The host is unknown, refuses, or does not answer.
    #[error("cannot reach `{url}`: {why}")]
    Unreachable {
        /// The repository.
        url: String,
        /// The innermost cause.
        why: String,
    },
    /// TLS failed: an unknown authority, a wrong name, or no TLS at all.
    #[error("no secure connection to `{url}`: {why}")]
    Tls {
        /// The repository.
        url: String,
        /// The innermost cause.
        why: String,
    },
    /// The connection broke while data was on its way.
    #[error("the connection to `{url}` broke: {why}")]
    Broken {
        /// The repository.
        url: String,
        /// The innermost cause.
        why: String,
    },
    /// The server wants a login, or another one.
    #[error("`{url}` {}", match user { Some(user) => format!("refuses the login of `{user}`"), None => "wants a login".to_owned() })]
    Unauthorised {
        /// The repository.
        url: String,
        /// The user whose login was tried.
        user: Option<String>,
    },
    /// The server knows who asks and says no.
    #[error("access to `{url}` is denied{}", colon(why))]
    Forbidden {
        /// The repository.
        url: String,
        /// What the server says about it.
        why: Option<String>,
    },
    /// There is no such repository, or it is hidden from who asks.
    #[error("there is no repository at `{url}`, or it is hidden")]
    NotFound {
        /// The repository.
        url: String,
    },
    /// The server answered with an error of its own.
    #[error("the server of `{url}` answered {status}{}", colon(why))]
    Server {
        /// The repository.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the server says about it.
        why: Option<String>,
    },
    /// The server sends elsewhere, where a login must not follow.
    #[error("`{url}` redirects to `{to}`, which is not followed")]
    Redirected {
        /// The repository.
        url: String,
        /// Where to.
        to: String,
    },
    /// What answers does not speak git.
    #[error("`{url}` answers, but not as a git server: {why}")]
    NotGit {
        /// The repository.
        url: String,
        /// What it does instead.
        why: String,
    },
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The address needs the `git` program.
    #[error("`{url}` needs the `git` program, which is not installed")]
    NoProgram {
        /// The repository.
        url: String,
    },
    /// The `git` program cannot be started.
    #[error("cannot start `{}`: {error}", program.display())]
    Start {
        /// Its file.
        program: PathBuf,
        /// The reason.
        error: std::io::Error,
    },
    /// The `git` program failed for a reason of its own.
    #[error("git says about `{url}`: {why}")]
    Program {
        /// The repository.
        url: String,
        /// Its last words.
        why: String,
    },
    /// The repository has no such merge request.
    #[error("`{url}` has no merge request !{iid}")]
    NoMergeRequest {
        /// The repository.
        url: String,
        /// The merge request.
        iid: u64,
    },
    /// The person's git configuration cannot be read.
    #[error("cannot read your git configuration: {why}")]
    Config {
        /// Why not.
        why: String,
    },
    /// The person's git configuration forbids the protocol.
    #[error("your git configuration forbids the protocol `{protocol}`, by which `{url}` is reached")]
    Forbidding {
        /// The repository.
        url: String,
        /// The protocol.
        protocol: &'static str,
    },
    /// The name of a ref cannot be used.
    #[error("`{name}` is not the name of a ref")]
    RefName {
        /// The name.
        name: String,
    },
    /// The place for a clone holds something else.
    #[error("`{}` is in the way: it is not a clone", path.display())]
    Occupied {
        /// The place.
        path: PathBuf,
    },
    /// The place of a clone holds a clone of another repository.
    #[error("`{}` is {}, not of `{wanted}`", path.display(), clone_of(found))]
    OtherRepository {
        /// The place.
        path: PathBuf,
        /// The addresses of its remotes, without logins.
        found: Vec<String>,
        /// The repository that belongs there.
        wanted: String,
        /// A name that none of its remotes has.
        unused: String,
    },
    /// The branch that is checked out follows one that the remote no longer has.
    #[error("`{branch}` follows `{theirs}`, which is no longer on the server")]
    BranchGone {
        /// The clone.
        path: PathBuf,
        /// The branch.
        branch: String,
        /// Its name on the server.
        theirs: String,
        /// The commands of git that lead to a branch of the server, if it has one.
        switch: Vec<Vec<String>>,
    },
    /// There is no repository in a folder.
    #[error("`{}` is not a repository", path.display())]
    NoRepository {
        /// The folder.
        path: PathBuf,
    },
    /// The repository's configuration says that its files are elsewhere.
    #[error("the files of the repository in `{}` are said to be in `{}`", path.display(), files.display())]
    Elsewhere {
        /// The folder.
        path: PathBuf,
        /// The directory of its files.
        files: PathBuf,
    },
    /// The repository belongs to another user of this machine, so its settings are not trusted.
    #[error("`{}` belongs to another user", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The remote end did not accept a push.
    #[error("`{url}` does not accept `{reference}`: {why}")]
    Rejected {
        /// The repository.
        url: String,
        /// The ref.
        reference: String,
        /// What the other end says.
        why: String,
    },
    /// The work was stopped as asked.
    #[error("stopped while working on `{what}`")]
    Stopped {
        /// The repository.
        what: String,
    },
    /// A file or folder made trouble.
    #[error(transparent)]
    File(#[from] FileError),
    /// The library failed at something within a repository.
    #[error("git cannot work on `{what}`: {}", error.message())]
    Library {
        /// The repository's address or folder.
        what: String,
        /// What the library says.
        error: git2::Error,
    },
}

impl GitError {
    /// Whether the repository is out of reach for who asks from here, while others may well be in
    /// reach: a host unknown or silent, a login missing, a repository not there.
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

    /// Whether the cause is a missing, wrong or insufficient login.
    #[must_use]
    pub fn is_about_login(&self) -> bool {
        matches!(self, Self::Unauthorised { .. } | Self::Forbidden { .. })
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

/// For work within one repository: what failed there.
pub(super) fn at<'a>(path: &'a std::path::Path) -> impl Fn(git2::Error) -> GitError + 'a {
    move |error| match error.code() {
        git2::ErrorCode::Owner => GitError::Foreign { path: path.to_owned() },
        _ => GitError::Library { what: path.display().to_string(), error },
    }
}
