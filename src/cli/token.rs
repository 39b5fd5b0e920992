//! The access token for GitLab, for commands that want one, and git with it as its login. How it is
//! found, and who may have it, is `ops::token`.

use super::context::{Believed, Context};
use crate::base::secret::Secret;
pub(super) use crate::ops::token::TokenError;
use crate::ops::token::{self, Standing};
use crate::systems::git::{Git, Login, Logins};

/// The server and the token for it, if there is one that may be sent there.
pub(super) fn for_gitlab(
    context: &Context,
    _believed: Believed,
) -> Result<Option<(String, Secret)>, TokenError> {
    let url = &context.settings.gitlab_url.0;
    match token::look(&context.settings, &context.host.cwd, None)? {
        Standing::Usable { token, .. } => {
            context.host.hide(&token);
            Ok(Some((url.clone(), token)))
        }
        Standing::Missing => Ok(None),
        Standing::Withheld { by } => {
            context.ui.warning(&format!(
                "No token is sent to {url}: {by} names that server, and a project's file does not get \
                 your token. Name it in your own `cki.toml` if it is right."
            ));
            Ok(None)
        }
    }
}

impl Context {
    /// What reaches repositories, with the logins that the settings hold.
    pub(super) fn git(&self, believed: Believed) -> anyhow::Result<Git> {
        let mut logins = Logins::default();
        if let Some((url, token)) = for_gitlab(self, believed)? {
            // GitLab takes an access token as the password of any user.
            logins.add(&url, Login { user: "oauth2".to_owned(), secret: token })?;
        }
        Ok(Git::new(self.http.clone(), logins, self.host.env.clone()))
    }
}
