//! Errors of requests to a GitLab server. `cli::error` decides their exit codes and hints.

use std::time::Duration;

use crate::base::http::HttpError;
use crate::base::text::{bytes, duration};

/// A failed request. `server` is the address of the server, `what` the requested resource as a user calls it.
#[derive(Debug, thiserror::Error)]
pub enum GitLabError {
    /// The resource does not exist, or the token may not see it.
    #[error("{what} was not found on `{server}`")]
    NotFound {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
    },
    /// 401: the token is missing or invalid.
    #[error("{}", unauthorised(.server, .what, *.had_token))]
    Unauthorised {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
        /// The request carried a token.
        had_token: bool,
    },
    /// 403: the token is valid but lacks permission.
    #[error("`{server}` does not allow access to {what}{}", because(.reason))]
    Forbidden {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
        /// Reason from the server.
        reason: Option<String>,
    },
    /// The token would be readable on its way. Nothing was sent.
    #[error("no token is sent to `{server}`: the connection is not encrypted")]
    Unencrypted {
        /// Address of the server.
        server: String,
    },
    /// The server is not GitLab.
    #[error("`{server}` is not a GitLab server: {why}")]
    NotGitLab {
        /// Address of the server.
        server: String,
        /// Evidence for that.
        why: String,
    },
    /// The server redirects to an address that gets no token unless the user configures it.
    #[error("`{server}` sends requests on to `{target}`")]
    Elsewhere {
        /// Address of the server.
        server: String,
        /// Target of the redirect.
        target: String,
    },
    /// 429, even after waiting.
    #[error("`{server}` allows no more requests for now{}", later(.wait))]
    RateLimited {
        /// Address of the server.
        server: String,
        /// Wait that the server asks for.
        wait: Option<Duration>,
    },
    /// 5xx: the server failed.
    #[error("`{server}` failed on {what} (status {status})")]
    Server {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
        /// HTTP status.
        status: u16,
    },
    /// Any other refusal.
    #[error("`{server}` refused {what} (status {status}){}", because(.reason))]
    Refused {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
        /// HTTP status.
        status: u16,
        /// Reason from the server.
        reason: Option<String>,
    },
    /// The connection failed, or broke before an answer came.
    #[error("cannot reach `{server}`: {why}")]
    Unreachable {
        /// Address of the server.
        server: String,
        /// Innermost cause.
        why: String,
        /// The request may have arrived all the same.
        may_have_arrived: bool,
    },
    /// TLS failed: an unknown authority, a wrong name, or no TLS at all. Nothing was sent.
    #[error("no secure connection to `{server}`: {why}")]
    Tls {
        /// Address of the server.
        server: String,
        /// Innermost cause.
        why: String,
    },
    /// The answer ended too early.
    #[error("the answer of `{server}` about {what} ended too early")]
    Truncated {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
    },
    /// The answer exceeds the size limit.
    #[error("the answer of `{server}` about {what} is longer than {}", bytes(*.limit as u64))]
    TooLong {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
        /// Limit in bytes.
        limit: usize,
    },
    /// The answer has an unexpected form.
    #[error("the answer of `{server}` about {what} is not understood: {why}")]
    BadAnswer {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
        /// First line of the parser's error.
        why: String,
    },
    /// A list whose next page was read already.
    #[error("the pages of {what} on `{server}` lead in a circle")]
    Circle {
        /// Address of the server.
        server: String,
        /// Requested resource.
        what: String,
    },
    /// More comments than can be read, so that it is not known whether a comment exists.
    #[error(
        "`{server}` has more of {what} than the {count} that can be read, so nothing is posted: the same comment may be \
         among the others"
    )]
    TooManyNotes {
        /// Address of the server.
        server: String,
        /// Requested list.
        what: String,
        /// Number of comments that were read.
        count: usize,
    },
    /// The network must not be used.
    #[error("`{server}` cannot be asked while offline")]
    Offline {
        /// Address of the server.
        server: String,
    },
    /// The text is not the address of a server.
    #[error("`{url}` cannot be the address of a GitLab server: {why}")]
    BadUrl {
        /// Given text.
        url: String,
        /// Fault of the text.
        why: String,
    },
    /// The HTTP client cannot be created.
    #[error(transparent)]
    Client(#[from] HttpError),
}

impl GitLabError {
    /// Returns whether the same request may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Server { .. }
                | Self::Unreachable { .. }
                | Self::Truncated { .. }
                | Self::BadAnswer { .. }
        )
    }

    /// Returns whether a failed request may have changed something on the server.
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

    /// Returns whether the server has answered a request with success, and only the answer cannot be read.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::TooLong { .. } | Self::BadAnswer { .. })
    }

    /// Returns whether the requested resource does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Returns whether the server shows the resource to others only: it may exist all the same.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. } | Self::Forbidden { .. } | Self::Unauthorised { had_token: false, .. }
        )
    }

    /// Returns whether the resource may exist but the token has no access.
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
