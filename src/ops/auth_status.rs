//! The tokens for all servers that the user or the environment names: their sources, and what the servers say about
//! them. The search for tokens is in `ops::shared::token`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::base::http::HttpClient;
use crate::base::text::duration;
use crate::model::access_token::TokenLife;
use crate::model::event::Events;
use crate::model::server::ServerAddress;
use crate::ops::login::{CheckedToken, check};
use crate::ops::shared::brisk_clock::BriskClock;
use crate::ops::shared::token::{FoundToken, StoredLogin, TokenError, TokenSearch, TokenStanding};
use crate::systems::gitlab::{ClientOptions, GitLab, GitLabError};

/// Timeout of one server.
const PATIENCE: Duration = Duration::from_secs(10);

/// State of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenState {
    /// The server accepts it.
    Valid,
    /// The server does not accept it.
    Rejected(String),
    /// The server did not answer.
    Unreachable(String),
    /// The server was not asked, for this reason.
    NotAsked(&'static str),
    /// There is no token, or none that the server may have: the reason.
    None(String),
}

/// A server with its token.
#[derive(Debug)]
pub struct AuthRow {
    /// The server.
    pub server: ServerAddress,
    /// Source of the token.
    pub from: Option<String>,
    /// Facts about the token from the server: of now, or of the time of the login.
    pub known: Option<CheckedToken>,
    /// State of the token.
    pub state: TokenState,
}

impl AuthRow {
    /// Returns the remaining life of the token, if it ends.
    #[must_use]
    pub fn life(&self, now: jiff::Timestamp) -> Option<TokenLife> {
        TokenLife::of(self.known.as_ref()?.expires_at.as_deref()?, now)
    }
}

/// The servers, and whether each may be asked.
#[derive(Debug)]
pub struct AuthRequest<'a> {
    /// The search for tokens.
    pub search: TokenSearch<'a>,
    /// Only this server.
    pub only: Option<ServerAddress>,
    /// The user trusts the project's file, so that the server that it names may be asked.
    pub is_trusted: bool,
}

/// Returns the tokens; asks no server.
///
/// # Errors
/// Fails if the sources of tokens cannot be read.
pub fn find(request: &AuthRequest<'_>) -> Result<Vec<(ServerAddress, TokenStanding)>, TokenError> {
    let servers = match &request.only {
        Some(server) => vec![server.clone()],
        None => request.search.servers()?,
    };
    let found = servers.into_iter().map(|server| Ok((server.clone(), request.search.look(&server)?)));
    found.collect()
}

/// Asks each server about its token, all at the same time.
pub async fn ask(
    found: Vec<(ServerAddress, TokenStanding)>,
    request: &AuthRequest<'_>,
    http: &Arc<HttpClient>,
    events: &Events,
) -> Vec<AuthRow> {
    let is_setting = |server: &ServerAddress| server.is_named(&request.search.settings.gitlab_url.0);
    join_all(found.into_iter().map(|(server, standing)| async {
        let may_ask = request.is_trusted || !is_setting(&server);
        match standing {
            TokenStanding::Usable(found) => row(server, found, may_ask, http, events).await,
            TokenStanding::Missing { ignored } => none(server, ignored.first().cloned().unwrap_or_default()),
            TokenStanding::Withheld { by } => none(server, format!("withheld: only {by} names this server")),
            TokenStanding::Unencrypted => {
                none(server, "withheld: the connection is not encrypted".to_owned())
            }
        }
    }))
    .await
}

fn none(server: ServerAddress, why: String) -> AuthRow {
    AuthRow { server, from: None, known: None, state: TokenState::None(why) }
}

async fn row(
    server: ServerAddress,
    found: FoundToken,
    may_ask: bool,
    http: &Arc<HttpClient>,
    events: &Events,
) -> AuthRow {
    let FoundToken { token, from, login } = found;
    let recorded = login.map(recorded);
    let not_asked = match () {
        () if http.policy().offline => Some("offline"),
        () if !may_ask => Some("the project is not trusted"),
        () => None,
    };
    if let Some(why) = not_asked {
        return AuthRow { server, from: Some(from), known: recorded, state: TokenState::NotAsked(why) };
    }
    let task = events.start(server.to_string(), format!("asking {server} about its token"));
    let means = ClientOptions {
        timeout: PATIENCE,
        ..ClientOptions::new(http.clone(), Arc::new(BriskClock::new(PATIENCE)), events.clone())
    };
    let asked = async { check(&GitLab::new(server.url(), Some(token), means)?).await };
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    task.dismiss();
    let (known, state) = match answer {
        Ok(Ok(checked)) => (Some(checked), TokenState::Valid),
        Ok(Err(error @ (GitLabError::Unauthorised { .. } | GitLabError::Forbidden { .. }))) => {
            (recorded, TokenState::Rejected(error.to_string()))
        }
        Ok(Err(error)) => (recorded, TokenState::Unreachable(error.to_string())),
        Err(_) => {
            let why = format!("`{server}` has not answered within {}", duration(PATIENCE));
            (recorded, TokenState::Unreachable(why))
        }
    };
    AuthRow { server, from: Some(from), known, state }
}

/// Returns what the server said when the user logged in.
fn recorded(login: StoredLogin) -> CheckedToken {
    let StoredLogin { server: _, user, scopes, expires_at, place: _ } = login;
    CheckedToken { user, name: String::new(), scopes, expires_at }
}
