//! Failures of registries.

use reqwest::StatusCode;

use crate::base::http::{HttpError, innermost_cause, is_about_tls};
use crate::base::text::{safe_line, truncate};

/// Failure of a look at a registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The name is no name of an image.
    #[error("`{0}` is no name of an image")]
    Name(String),
    /// The registry is not on this machine, and `--offline` is set.
    #[error("the registry `{registry}` is not on this machine, and `cki` is offline")]
    Offline {
        /// The registry.
        registry: String,
    },
    /// The connection cannot be prepared.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The registry does not answer.
    #[error("the registry `{registry}` {why}")]
    Unreachable {
        /// The registry.
        registry: String,
        /// Reason, as the end of the sentence.
        why: String,
        /// The request was never sent.
        is_unsent: bool,
    },
    /// The tag does not exist.
    #[error("the image `{image}:{tag}` does not exist")]
    NoTag {
        /// The image.
        image: String,
        /// The tag.
        tag: String,
    },
    /// The registry does not show the image to everybody.
    #[error("the registry does not show `{image}` without a login")]
    Unauthorised {
        /// The image.
        image: String,
    },
    /// The registry fails.
    #[error("the registry `{registry}` answers with status {status}")]
    Status {
        /// The registry.
        registry: String,
        /// The status.
        status: u16,
    },
    /// The answer is too long.
    #[error("the answer of the registry `{registry}` is too long")]
    TooLong {
        /// The registry.
        registry: String,
    },
    /// The content does not fit its digest.
    #[error("the registry says that `{image}` is `{said}`, but sends `{found}`")]
    Digest {
        /// The image.
        image: String,
        /// Digest that the registry states.
        said: String,
        /// Digest of what it sends.
        found: String,
    },
}

impl RegistryError {
    pub(super) fn unreachable(registry: &str, error: &reqwest::Error) -> Self {
        let why = if error.is_timeout() {
            "does not answer in time".to_owned()
        } else {
            let what = if is_about_tls(error) { "has no valid certificate" } else { "cannot be reached" };
            let cause = innermost_cause(error).unwrap_or_else(|| "the request could not be made".to_owned());
            format!("{what}: {}", truncate(&safe_line(&cause), 200))
        };
        let is_unsent = error.is_connect() || error.is_builder();
        Self::Unreachable { registry: registry.to_owned(), why, is_unsent }
    }

    pub(super) fn of_status(registry: &str, image: String, tag: &str, status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NoTag { image, tag: tag.to_owned() },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Unauthorised { image },
            status => Self::Status { registry: registry.to_owned(), status: status.as_u16() },
        }
    }
}
