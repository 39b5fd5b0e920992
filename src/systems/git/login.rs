//! A login at a server. The choice of a login for an address is `logins`.

use crate::base::secret::Secret;

/// User name with a password or token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// User name; GitLab takes any name with a token, commonly `oauth2`.
    pub user: String,
    /// Password or token.
    pub secret: Secret,
}
