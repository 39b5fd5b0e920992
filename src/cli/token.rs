//! The access token for GitLab, for commands that want one. How it is found, and who may have it,
//! is `ops::token`.

use super::context::Context;
use crate::base::secret::Secret;
pub(super) use crate::ops::token::TokenError;
use crate::ops::token::{self, Standing};

/// The server and the token for it, if there is one that may be sent there.
pub(super) fn for_gitlab(context: &Context) -> Result<Option<(String, Secret)>, TokenError> {
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
