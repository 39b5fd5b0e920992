//! Access tokens for GitLab, and git with them as its logins. The search for tokens, and the rules on who may use them,
//! are in `ops::shared::token`.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError};

use super::context::{Context, TrustProof};
use crate::base::clock::SystemClock;
use crate::base::redact::without_tokens;
use crate::config::SettingOrigin;
use crate::model::access_token::{AccessToken, TokenLife};
use crate::model::server::ServerAddress;
use crate::ops::login::LoginError;
use crate::ops::shared::token::{TokenError, TokenSearch, TokenStanding};
use crate::systems::git::{Git, Login, Logins};
use crate::systems::gitlab::{ClientOptions, GitLab};

/// Returns the search for tokens with the settings of this run.
pub(super) fn search(context: &Context) -> TokenSearch<'_> {
    let (settings, host) = (&context.settings, &context.host);
    TokenSearch { settings, env: &host.env, cwd: &host.cwd, patience: None }
}

/// Returns the server that a user names, or that of the user's settings.
pub(super) fn server(context: &Context, named: Option<&str>) -> Result<ServerAddress, LoginError> {
    let (url, origin) = &context.settings.gitlab_url;
    match named {
        None if matches!(origin, SettingOrigin::Project { .. }) => {
            Err(LoginError::OfProject { server: url.clone(), by: origin.to_string() })
        }
        Some(text) if matches!(without_tokens(text), Cow::Owned(_)) => Err(LoginError::TokenNamed),
        named => Ok(ServerAddress::parse(named.unwrap_or(url)).map_err(TokenError::from)?),
    }
}

/// Returns the token for a server, if it may be sent there.
fn for_server(context: &Context, server: &ServerAddress) -> Result<Option<AccessToken>, TokenError> {
    let mut known = context.tokens.found.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(token) = known.get(server) {
        return Ok(token.clone());
    }
    let token = match search(context).look(server)? {
        TokenStanding::Usable(found) => {
            context.host.hide(&found.token.secret);
            let ends = found.login.as_ref().and_then(|login| login.expires_at.as_deref());
            warn_of_end(context, server.url(), ends);
            Some(found.token)
        }
        TokenStanding::Missing { ignored } => {
            for why in ignored {
                context.ui.warning(&format!("A login is not used: {why}."));
            }
            None
        }
        TokenStanding::Withheld { by } => {
            context.ui.warning(&format!(
                "No token is sent to {server}: {by} names that server, and a project's file does not get \
                 your token. Name it in your own `cki.toml`, or use `cki login {server}`, if it is right."
            ));
            None
        }
        TokenStanding::Unencrypted => {
            context.ui.warning(&format!("No token is sent to {server}: the connection is not encrypted."));
            None
        }
    };
    known.insert(server.clone(), token.clone());
    Ok(token)
}

/// Warns, once in a run, if the token for a server ends within a week.
pub(super) fn warn_of_end(context: &Context, server: &str, expires_at: Option<&str>) {
    let life = expires_at.and_then(|day| TokenLife::of(day, (context.host.now)()));
    let Some(life) = life.filter(|life| life.is_short()) else { return };
    let mut ending = context.tokens.ending.lock().unwrap_or_else(PoisonError::into_inner);
    if ending.insert(server.to_owned()) {
        let end = life.sentence();
        context.ui.warning(&format!("The token for {server} {end}. `cki login {server}` keeps a new one."));
    }
}

/// Returns a client for a server: the one in the settings, or that of a remote if the settings name none. The latter
/// gets only a token that the user or the environment keeps for it.
pub(super) fn client(context: &Context, server: &str, _trust: TrustProof) -> anyhow::Result<GitLab> {
    let url = &context.settings.gitlab_url.0;
    let means = ClientOptions::new(context.http.clone(), Arc::new(SystemClock::new()), context.events());
    // The client says what is wrong with an address.
    let token = match ServerAddress::parse(server) {
        Ok(address) => for_server(context, &address)?,
        Err(_) => None,
    };
    if token.is_none() && server != url {
        context.ui.warning(&format!(
            "The remote is on {server}, and `gitlab.url` is not set: no token is sent there."
        ));
    }
    Ok(GitLab::new(server, token, means)?)
}

impl Context {
    /// Returns git with the logins from the settings, and those that the user or the environment keeps for other servers.
    pub(super) fn git(&self, _trust: TrustProof) -> anyhow::Result<Git> {
        let mut logins = Logins::default();
        let setting = ServerAddress::parse(&self.settings.gitlab_url.0).ok();
        for server in search(self).servers()? {
            let token = match for_server(self, &server) {
                // The work may not be about that server at all.
                Err(error) if Some(&server) != setting.as_ref() => {
                    self.ui.warning(&format!("The token for {server} is not used: {error}."));
                    None
                }
                found => found?,
            };
            if let Some(token) = token {
                let user = token.git_user().to_owned();
                logins.add(server.url(), Login { user, secret: token.secret })?;
            }
        }
        Ok(Git::new(self.http.clone(), logins, self.host.env.clone()))
    }
}
