//! Access token for GitLab, and git with the token as its login. The search for the token, and the rules on
//! who may use it, are in `ops::shared::token`.

use std::sync::Arc;

use super::context::{Context, TrustProof};
use crate::base::clock::SystemClock;
use crate::base::secret::Secret;
use crate::ops::shared::token::{self, TokenError, TokenStanding};
use crate::systems::git::{Git, Login, Logins};
use crate::systems::gitlab::{ClientOptions, GitLab};

/// Returns the server and the token for it, if the token may be sent there.
pub(super) fn for_gitlab(
    context: &Context,
    _trust: TrustProof,
) -> Result<Option<(String, Secret)>, TokenError> {
    let url = &context.settings.gitlab_url.0;
    match token::look(&context.settings, &context.host.cwd, None)? {
        TokenStanding::Usable { token, .. } => {
            context.host.hide(&token);
            Ok(Some((url.clone(), token)))
        }
        TokenStanding::Missing => Ok(None),
        TokenStanding::Withheld { by } => {
            context.ui.warning(&format!(
                "No token is sent to {url}: {by} names that server, and a project's file does not get \
                 your token. Name it in your own `cki.toml` if it is right."
            ));
            Ok(None)
        }
    }
}

/// Returns a client for a server: the one in the settings, or that of a remote if the settings name none. The latter gets
/// no token, since the token belongs to the former.
pub(super) fn client(context: &Context, server: &str, trust: TrustProof) -> anyhow::Result<GitLab> {
    let url = &context.settings.gitlab_url.0;
    let means = ClientOptions::new(context.http.clone(), Arc::new(SystemClock::new()), context.events());
    if server != url {
        context.ui.warning(&format!(
            "The remote is on {server}, and `gitlab.url` is not set: no token is sent there."
        ));
        return Ok(GitLab::new(server, None, means)?);
    }
    let token = for_gitlab(context, trust)?.map(|(_, token)| token);
    Ok(GitLab::new(url, token, means)?)
}

impl Context {
    /// Returns git with the logins from the settings.
    pub(super) fn git(&self, trust: TrustProof) -> anyhow::Result<Git> {
        let mut logins = Logins::default();
        if let Some((url, token)) = for_gitlab(self, trust)? {
            // GitLab accepts an access token as the password of any user.
            logins.add(&url, Login { user: "oauth2".to_owned(), secret: token })?;
        }
        Ok(Git::new(self.http.clone(), logins, self.host.env.clone()))
    }
}
