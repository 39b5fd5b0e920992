//! The access token for GitLab: where it comes from, and to whom it may be sent. A project that was
//! cloned from somewhere may name a server, but not one that then gets the user's own token.

use std::process::{Command, Stdio};

use super::context::Context;
use crate::base::files::{self, FileError};
use crate::base::http::is_loopback;
use crate::base::secret::Secret;
use crate::config::Origin;

/// A token that cannot be had, or must not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// The command failed.
    #[error("the command of `gitlab.token_command` failed: {0}")]
    Command(String),
    /// Others can read the file.
    #[error("`{0}` holds a token and can be read by others")]
    Readable(String),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The server and the token for it, if there is one that may be sent there.
pub(super) fn for_gitlab(context: &Context) -> Result<Option<(String, Secret)>, TokenError> {
    let settings = &context.settings;
    let (url, url_origin) = &settings.gitlab_url;
    let Some((token, token_origin)) = find(context)? else { return Ok(None) };
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let is_here = host.as_deref().is_some_and(is_loopback);
    let from_project = |origin: &Origin| matches!(origin, Origin::Project { .. });
    if from_project(url_origin) && !from_project(&token_origin) && !is_here {
        context.ui.warning(&format!(
            "No token is sent to {url}: {url_origin} names that server, and a project's file does not \
             get your token. Name it in your own `cki.toml` if it is right."
        ));
        return Ok(None);
    }
    Ok(Some((url.clone(), token)))
}

/// The token and who gave it: the setting itself, a file, or a command.
fn find(context: &Context) -> Result<Option<(Secret, Origin)>, TokenError> {
    let settings = &context.settings;
    if let Some((token, origin)) = &settings.gitlab_token {
        return Ok(Some((token.clone(), origin.clone())));
    }
    if let Some(file) = &settings.gitlab_token_file {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            file.metadata().map_err(|source| FileError::new("read", file, source))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(TokenError::Readable(file.display().to_string()));
        }
        let token = files::read_text(file, 64 << 10)?;
        return Ok(Some((Secret::new(token.trim()), Origin::Default)));
    }
    if let Some(line) = &settings.gitlab_token_command {
        return Ok(Some((run(line, context)?, Origin::Default)));
    }
    Ok(None)
}

/// Runs a command of the user's own settings and takes the first line that it prints.
fn run(line: &str, context: &Context) -> Result<Secret, TokenError> {
    let failed = |why: String| TokenError::Command(why);
    let words = shell_words::split(line).map_err(|error| failed(error.to_string()))?;
    let (program, args) = words.split_first().ok_or_else(|| failed("it is empty".to_owned()))?;
    let output = Command::new(program)
        .args(args)
        .current_dir(&context.host.cwd)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("{program}: {error}")))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(failed("it printed nothing".to_owned()));
    }
    Ok(Secret::new(token))
}
