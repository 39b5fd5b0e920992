//! The user behind a request to the stand-in.

use super::reply::Reply;

/// The user behind a request.
pub(super) struct Viewer {
    pub(super) user: Option<String>,
}

impl Viewer {
    pub(super) fn name(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the user, or refuses an anonymous request.
    pub(super) fn require(&self) -> Result<&str, Reply> {
        self.name().ok_or_else(Reply::unauthorized)
    }
}
