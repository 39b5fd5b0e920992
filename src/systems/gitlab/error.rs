//! What can go wrong between this program and a GitLab server. What it means for the exit code,
//! and what to try next, is decided in `cli::error`.

use std::time::Duration;

use crate::base::http::HttpError;
use crate::base::text::{bytes, duration};

/// A request that did not lead to an answer of use. `server` is the address of the server, `what`
/// the thing asked about, as a person calls it.
#[derive(Debug, thiserror::Error)]
pub enum GitLabError {
    /// It does not exist, or the token may not know that it does.
    #[error("{what} was not found on `{server}`")]
    NotFound {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
    },
    /// 401: no token, or one that is not valid.
    #[error("{}", unauthorised(.server, .what, *.had_token))]
    Unauthorised {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
        /// Whether a token was sent.
        had_token: bool,
    },
    /// 403: the token is valid and has no right to this.
    #[error("`{server}` does not allow access to {what}{}", because(.reason))]
    Forbidden {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
        /// What the server says about it.
        reason: Option<String>,
    },
    /// There is a server, and it is something else.
    #[error("`{server}` is not a GitLab server: {why}")]
    NotGitLab {
        /// The server.
        server: String,
        /// How it shows.
        why: String,
    },
    /// It redirects to where a token is not sent without being told to.
    #[error("`{server}` sends requests on to `{target}`")]
    Elsewhere {
        /// The server.
        server: String,
        /// Where to.
        target: String,
    },
    /// 429, and still after waiting.
    #[error("`{server}` allows no more requests for now{}", later(.wait))]
    RateLimited {
        /// The server.
        server: String,
        /// How long it asks to wait.
        wait: Option<Duration>,
    },
    /// 5xx: the server failed.
    #[error("`{server}` failed on {what} (status {status})")]
    Server {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
    },
    /// Any other refusal.
    #[error("`{server}` refused {what} (status {status}){}", because(.reason))]
    Refused {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// What the server says about it.
        reason: Option<String>,
    },
    /// No connection, or one that broke before an answer came.
    #[error("cannot reach `{server}`: {why}")]
    Unreachable {
        /// The server.
        server: String,
        /// The innermost reason.
        why: String,
        /// Whether the request may have arrived all the same.
        may_have_arrived: bool,
    },
    /// An answer that ended too early.
    #[error("the answer of `{server}` about {what} ended too early")]
    Truncated {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
    },
    /// An answer that is longer than any sensible one.
    #[error("the answer of `{server}` about {what} is longer than {}", bytes(*.limit as u64))]
    TooLong {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// An answer that is not what it should be.
    #[error("the answer of `{server}` about {what} is not understood: {why}")]
    BadAnswer {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
        /// The first line of the complaint.
        why: String,
    },
    /// A list whose pages lead back to one that was read already.
    #[error("the pages of {what} on `{server}` lead in a circle")]
    Circle {
        /// The server.
        server: String,
        /// What was asked for.
        what: String,
    },
    /// No network is to be used.
    #[error("`{server}` cannot be asked while offline")]
    Offline {
        /// The server.
        server: String,
    },
    /// Not the address of a server.
    #[error("`{url}` cannot be the address of a GitLab server: {why}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// No client could be made.
    #[error(transparent)]
    Client(#[from] HttpError),
}

impl GitLabError {
    /// Whether the same request may well succeed a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Server { .. }
                | Self::Unreachable { .. }
                | Self::Truncated { .. }
                | Self::BadAnswer { .. }
        )
    }

    /// Whether a request that changes something may have done so, although it failed.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Unreachable { may_have_arrived, .. } => *may_have_arrived,
            Self::Server { .. } | Self::Truncated { .. } | Self::TooLong { .. } | Self::BadAnswer { .. } => {
                true
            }
            _ => false,
        }
    }

    /// Whether the thing asked for is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether it is there, perhaps, and not for this token.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Forbidden { .. } | Self::Unauthorised { .. })
    }
}

fn unauthorised(server: &str, what: &str, had_token: bool) -> String {
    if had_token {
        format!("`{server}` does not accept the token")
    } else {
        format!("`{server}` asks for a token before it shows {what}")
    }
}

fn because(reason: &Option<String>) -> String {
    reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"))
}

fn later(wait: &Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!("; it asks to wait {}", duration(wait)))
}
