//! Login at a GitLab server: the token is checked against the server, then kept. How it is kept, and in which order
//! tokens are used, is in `ops::shared::token`.

use crate::host::Env;
use crate::model::access_token::{AccessToken, TokenKind};
use crate::model::server::ServerAddress;
use crate::ops::shared::outside_text::shown;
use crate::ops::shared::token::{
    LoginStore, StoredLogin, TokenError, TokenPlace, TokenSearch, TokenStanding,
};
use crate::systems::gitlab::{GitLab, GitLabError};

/// Scope that commenting needs.
pub const API_SCOPE: &str = "api";

/// An error of a login.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server would get the token without encryption.
    #[error("a token for `{0}` would travel without encryption")]
    Unencrypted(String),
    /// Only a project's file names the server.
    #[error("{by} names the server `{server}`, and a project's file does not choose where your token goes")]
    OfProject {
        /// Address of the server.
        server: String,
        /// Origin of the setting.
        by: String,
    },
    /// A token stands in place of a server.
    #[error("this is a token, not a server, and your shell may remember it")]
    TokenNamed,
    /// The text cannot be a token.
    #[error("this is no token: {0}")]
    NoToken(&'static str),
    /// The server must not be asked.
    #[error("a token is checked against `{0}` before it is kept, and nothing is asked while offline")]
    Offline(String),
    /// The server did not accept the token.
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    /// The token cannot be kept.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Facts about a token and its user, from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedToken {
    /// User name.
    pub user: String,
    /// Name to show.
    pub name: String,
    /// Scopes; `None` if the server does not say.
    pub scopes: Option<Vec<String>>,
    /// Day on which the token stops working (ISO 8601).
    pub expires_at: Option<String>,
}

/// A login that was made.
#[derive(Debug)]
pub struct LoginOutcome {
    /// The server.
    pub server: ServerAddress,
    /// Facts about the token, from the server.
    pub checked: CheckedToken,
    /// The record that is kept.
    pub login: StoredLogin,
    /// File of the record.
    pub file: std::path::PathBuf,
    /// Reason why a desktop keyring that is there does not keep the token.
    pub keyring_refused: Option<String>,
    /// Source that comes before the login, so that the login is not used.
    pub used_instead: Option<String>,
}

/// Reads a token as a user types or pastes it: its first line, without spaces around it.
///
/// # Errors
/// Fails if that cannot be a token.
pub fn parse_token(text: &str) -> Result<AccessToken, LoginError> {
    let line = text.trim_start().lines().next().unwrap_or_default().trim();
    match line {
        "" => Err(LoginError::NoToken("it is empty")),
        _ if line.len() > 4096 => Err(LoginError::NoToken("it is longer than 4096 characters")),
        _ if !line.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(LoginError::NoToken("it holds spaces or characters that no token has"))
        }
        _ => Ok(AccessToken::new(line, TokenKind::Access)),
    }
}

/// Asks a server about the token of a client.
///
/// # Errors
/// Fails if the server does not answer, or does not accept the token.
pub async fn check(gitlab: &GitLab) -> Result<CheckedToken, GitLabError> {
    let (user, facts) = tokio::try_join!(gitlab.user(), gitlab.token_facts())?;
    let (scopes, expires_at) = match facts {
        Some(facts) => (Some(facts.scopes), facts.expires_at),
        None => (None, None),
    };
    Ok(CheckedToken { user: shown(&user.username, 100), name: shown(&user.name, 200), scopes, expires_at })
}

/// Keeps a token that its server has accepted.
///
/// # Errors
/// Fails if it cannot be kept.
pub fn keep(
    env: &Env,
    server: ServerAddress,
    token: &AccessToken,
    checked: CheckedToken,
    search: &TokenSearch<'_>,
) -> Result<LoginOutcome, TokenError> {
    let store = LoginStore::of(env)?;
    let login = StoredLogin {
        server: server.url().to_owned(),
        user: checked.user.clone(),
        scopes: checked.scopes.clone(),
        expires_at: checked.expires_at.clone(),
        place: TokenPlace::File,
    };
    let (login, refused) = store.keep(login, &server, token)?;
    let used_instead = match search.look(&server) {
        Ok(TokenStanding::Usable(found)) if found.login.is_none() => Some(found.from),
        _ => None,
    };
    let keyring_refused = refused.map(|error| error.to_string());
    Ok(LoginOutcome { server, checked, login, file: store.file().to_owned(), keyring_refused, used_instead })
}

/// A login that was removed.
#[derive(Debug)]
pub struct LogoutOutcome {
    /// The server.
    pub server: ServerAddress,
    /// Place from which the token was removed; `None` if there was no login.
    pub removed: Option<TokenPlace>,
    /// Source that still gives a token for the server.
    pub remaining: Option<String>,
}

/// Removes what a login has kept, and nothing else.
///
/// # Errors
/// Fails if it cannot be removed.
pub fn forget(
    env: &Env,
    server: ServerAddress,
    search: &TokenSearch<'_>,
) -> Result<LogoutOutcome, TokenError> {
    let removed = LoginStore::of(env)?.forget(&server)?;
    let remaining = match search.look(&server) {
        Ok(TokenStanding::Usable(found)) => Some(found.from),
        _ => None,
    };
    Ok(LogoutOutcome { server, removed, remaining })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_one_word_on_one_line() {
        let of = |text: &str| parse_token(text).map(|token| token.secret.expose().to_owned()).ok();
        assert_eq!(of("\n  glpat-abc \r\nsecond\n").as_deref(), Some("glpat-abc"));
        for text in ["", " \n\t", "two words", "tab\there", "glpat-ä", "\u{1b}[31m", &"x".repeat(5000)] {
            assert_eq!(of(text), None, "{text}");
        }
        let error = parse_token("pass word").expect_err("is none").to_string();
        assert!(!error.contains("word"), "{error}");
    }
}
