//! The result of the search for a token.

use super::store::StoredLogin;
use crate::model::access_token::AccessToken;

/// A token that was found.
#[derive(Debug, Clone)]
pub struct FoundToken {
    /// The token.
    pub token: AccessToken,
    /// Its source.
    pub from: String,
    /// The login that keeps it, if `cki login` does.
    pub login: Option<StoredLogin>,
}

/// The availability of the token.
#[derive(Debug)]
pub enum TokenStanding {
    /// No token is set.
    Missing {
        /// Sources that could not be used, with their reasons.
        ignored: Vec<String>,
    },
    /// There is a token, and the server must not have it: a project's file names that server.
    Withheld {
        /// The origin of the server's setting.
        by: String,
    },
    /// There is a token, and the connection would show it to others.
    Unencrypted,
    /// There is a token, and the server may have it.
    Usable(FoundToken),
}
