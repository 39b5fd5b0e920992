//! Candidates for GitLab servers: those for which there may be a token, and those with a login. Nothing is asked of a
//! server or of a keyring.

use clap_complete::CompletionCandidate;

use super::candidate::candidate;
use super::typed::TypedLine;
use crate::ops::shared::token::{LoginStore, TokenSearch};

/// Returns the servers that the settings, the environment, a login or `glab` name.
pub(in crate::cli) fn servers() -> Vec<CompletionCandidate> {
    named().unwrap_or_default()
}

fn named() -> Option<Vec<CompletionCandidate>> {
    let typed = TypedLine::current()?;
    let settings = typed.settings()?;
    let host = &typed.host;
    let search = TokenSearch { settings: &settings, env: &host.env, cwd: &host.cwd, patience: None };
    let servers = search.servers().ok()?;
    Some(servers.iter().map(|server| CompletionCandidate::new(short(server.url()))).collect())
}

/// Returns the servers with a login.
pub(in crate::cli) fn logins() -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    let stored = LoginStore::of(&typed.host.env).and_then(|store| store.all()).unwrap_or_default();
    stored.iter().map(|login| candidate(short(&login.server), Some(&format!("@{}", login.user)))).collect()
}

/// Returns an address as a user types it.
fn short(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url)
}
