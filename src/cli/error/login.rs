//! Hints and exit codes of errors of logins and tokens.

use super::diagnosis::{Diagnosis, hint, plain};
use super::systems::{of_file, of_gitlab};
use crate::base::exit::Exit;
use crate::base::text::command_line;
use crate::ops::login::LoginError;
use crate::ops::shared::token::TokenError;
use crate::systems::gitlab::GitLabError;

pub(super) fn of_login(error: &LoginError) -> Diagnosis {
    match error {
        LoginError::Unencrypted(_) => hint(
            Exit::Refused,
            "name the server with `https://`; without it, anybody on the way reads the token.",
        ),
        LoginError::OfProject { server, .. } => hint(
            Exit::Refused,
            format!(
                "`{}` does so if you trust that server.",
                command_line(&["cki", "login", server].map(str::to_owned))
            ),
        ),
        LoginError::TokenNamed => {
            hint(Exit::Usage, "revoke it, make another one, and paste that where `cki login` asks for it.")
        }
        LoginError::NoToken(_) => {
            hint(Exit::Usage, "paste the token as GitLab shows it, one word on one line.")
        }
        LoginError::Offline(_) => hint(Exit::Unreachable, "leave `--offline` out."),
        LoginError::GitLab(GitLabError::Unauthorised { .. }) => {
            hint(Exit::Unauthorised, "copy it again as a whole, and look when it expires; nothing was kept.")
        }
        LoginError::GitLab(inner) => of_gitlab(inner),
        LoginError::Token(inner) => of_token(inner),
    }
}

pub(super) fn of_token(error: &TokenError) -> Diagnosis {
    match error {
        TokenError::Command(_) => {
            hint(Exit::Unauthorised, "try the command in your shell; it must print the token.")
        }
        TokenError::Readable(path) => {
            hint(Exit::Refused, format!("`chmod 600 {path}` makes it yours alone."))
        }
        TokenError::Distrusted { file, why } => match why.remedy(file) {
            Some(words) => hint(Exit::Refused, format!("`{}` makes it yours alone.", command_line(&words))),
            None => plain(Exit::Refused),
        },
        TokenError::Mapping { .. } => hint(
            Exit::Invalid,
            "it is like `{\"gitlab.com\": \"COM_GITLAB_TOKEN\"}`, and that variable holds the token.",
        ),
        TokenError::Broken { .. } => {
            hint(Exit::Invalid, "remove the file, and log in again with `cki login`.")
        }
        TokenError::NoState => hint(Exit::Invalid, "set `HOME`."),
        TokenError::NoKeyring { server } | TokenError::Lost { server } => {
            hint(Exit::Unauthorised, format!("`cki login {server}` keeps a token again."))
        }
        TokenError::Keyring(_) => {
            hint(Exit::Unauthorised, "unlock the keyring, or set `CKI_GITLAB_TOKEN` in this session.")
        }
        TokenError::Server(_) => {
            hint(Exit::Usage, "name it like `gitlab.example.com` or `https://example.com/gitlab`.")
        }
        TokenError::File(inner) => of_file(inner),
    }
}
