//! A login at a server.

use crate::base::secret::Secret;

/// A user's name and password or token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user; GitLab takes any name, commonly `oauth2`, with a token.
    pub user: String,
    /// The password or token.
    pub secret: Secret,
}
