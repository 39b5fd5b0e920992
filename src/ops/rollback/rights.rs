//! The rights of a token, checked before anything is sent.

use super::RollbackError;
use crate::ops::login::API_SCOPE;
use crate::ops::shared::outside_text::shown;
use crate::systems::gitlab::GitLab;

/// Checks that the token may send the requests, as far as the server says what it may do.
///
/// # Errors
/// Fails without a token, or if its scope is missing.
pub async fn check_rights(gitlab: &GitLab) -> Result<(), RollbackError> {
    let server = gitlab.server().to_owned();
    if !gitlab.has_token() {
        return Err(RollbackError::NoToken { server });
    }
    match gitlab.token_facts().await? {
        Some(facts) if !facts.scopes.iter().any(|scope| scope == API_SCOPE) => Err(RollbackError::NoScope {
            server,
            missing: API_SCOPE,
            scopes: shown(&facts.scopes.join(", "), 200),
        }),
        _ => Ok(()),
    }
}
