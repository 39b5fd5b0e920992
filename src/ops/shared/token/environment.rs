//! Tokens in environment variables that other programs use, too: `GITLAB_TOKENS`, `GITLAB_TOKEN` and `CI_JOB_TOKEN`.
//! Each belongs to the server that the environment, or a setting of the user, names for it.

use std::collections::BTreeMap;

use super::error::TokenError;
use crate::base::secret::Secret;
use crate::host::Env;
use crate::model::access_token::{AccessToken, TokenKind};
use crate::model::server::ServerAddress;

/// Variable that maps servers to the variables with their tokens, as JSON.
const TOKENS: &str = "GITLAB_TOKENS";
/// Variable with one token.
const TOKEN: &str = "GITLAB_TOKEN";
/// Variables that name the server of [`TOKEN`], as `glab` knows them.
const HOSTS: [&str; 3] = ["GITLAB_HOST", "GITLAB_URI", "GL_HOST"];
/// Variable with the token of a CI job.
const JOB_TOKEN: &str = "CI_JOB_TOKEN";
/// Variable with the server of a CI job.
const JOB_SERVER: &str = "CI_SERVER_URL";

/// Returns the token for a server, and the variable that holds it. `is_own`: the user's settings name this server, so
/// that a token for which nothing names a server belongs to it.
pub(super) fn find(
    env: &Env,
    server: &ServerAddress,
    is_own: bool,
) -> Result<Option<(AccessToken, String)>, TokenError> {
    let of = |name: &str| env.get(name).map(str::trim).filter(|text| !text.is_empty());
    for (named, variable) in mapping(env)? {
        if let Some(token) = of(&variable).filter(|_| server.is_named(&named)) {
            return Ok(Some((
                AccessToken::new(token, TokenKind::Access),
                format!("{variable}, by {TOKENS}"),
            )));
        }
    }
    if let Some(token) = of(TOKEN)
        && named_host(env).map_or(is_own, |named| server.is_named(named))
    {
        return Ok(Some((AccessToken::new(token, TokenKind::Access), TOKEN.to_owned())));
    }
    let is_of_job = of(JOB_SERVER).is_some_and(|named| server.is_named(named));
    let token = of(JOB_TOKEN).filter(|_| is_of_job);
    Ok(token.map(|token| (AccessToken::new(token, TokenKind::Job), JOB_TOKEN.to_owned())))
}

/// Returns the servers that the environment names.
pub(super) fn servers(env: &Env) -> Result<Vec<String>, TokenError> {
    let mapped = mapping(env)?.into_iter().filter(|(_, variable)| env.get(variable).is_some());
    let named = named_host(env).filter(|_| env.get(TOKEN).is_some());
    let job = env.get(JOB_SERVER).filter(|_| env.get(JOB_TOKEN).is_some());
    Ok(mapped.map(|(server, _)| server).chain(named.into_iter().chain(job).map(str::to_owned)).collect())
}

/// Returns the tokens in the environment, which every output must mask.
#[must_use]
pub fn secrets_in_environment(env: &Env) -> Vec<Secret> {
    let mapped = mapping(env).unwrap_or_default().into_values();
    let names = mapped.chain([TOKEN, JOB_TOKEN].map(str::to_owned));
    names.filter_map(|name| Some(Secret::new(env.get(&name)?.trim()))).collect()
}

/// Returns the host that the environment names for [`TOKEN`].
fn named_host(env: &Env) -> Option<&str> {
    HOSTS.iter().chain([&JOB_SERVER]).find_map(|name| env.get(name))
}

/// Reads the mapping from servers to variables.
fn mapping(env: &Env) -> Result<BTreeMap<String, String>, TokenError> {
    let Some(text) = env.get(TOKENS) else { return Ok(BTreeMap::new()) };
    // The parser's message could show a part of what somebody took for the place of a token.
    serde_json::from_str(text)
        .map_err(|error| TokenError::Mapping { line: error.line(), column: error.column() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_in(pairs: &[(&str, &str)], server: &str, is_own: bool) -> Option<String> {
        let server = ServerAddress::parse(server).expect("is one");
        let found = find(&Env::new(pairs.iter().copied()), &server, is_own).expect("is read");
        found.map(|(token, from)| format!("{} from {from}", token.secret.expose()))
    }

    #[test]
    fn mapped_token_goes_to_its_server_only() {
        let tokens = r#"{"gitlab.com": "COM", "https://git.example/x": "X", "open.example": "OPEN", "none.example": "NONE"}"#;
        let env =
            [("GITLAB_TOKENS", tokens), ("COM", "c"), ("X", " x\n"), ("OPEN", "o"), ("GITLAB_TOKEN", "g")];
        let of = |server: &str| find_in(&env, server, false);
        assert_eq!(of("gitlab.com").as_deref(), Some("c from COM, by GITLAB_TOKENS"));
        assert_eq!(of("https://git.example/x").as_deref(), Some("x from X, by GITLAB_TOKENS"));
        for other in
            ["https://git.example", "http://open.example", "none.example", "sub.gitlab.com", "gitlab.com:444"]
        {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(find_in(&env, "none.example", true).as_deref(), Some("g from GITLAB_TOKEN"));
        let names = servers(&Env::new(env)).expect("is read");
        assert_eq!(names, ["gitlab.com", "https://git.example/x", "open.example"]);
        assert_eq!(secrets_in_environment(&Env::new(env)).len(), 4);
    }

    #[test]
    fn single_token_follows_the_named_host() {
        let of = |more: &[(&'static str, &'static str)], server: &str| {
            find_in(&[&[("GITLAB_TOKEN", "g")], more].concat(), server, true)
        };
        assert!(of(&[], "any.example").is_some());
        assert!(of(&[("GITLAB_HOST", "git.example")], "any.example").is_none());
        assert!(of(&[("GITLAB_HOST", "git.example")], "git.example").is_some());
        assert!(of(&[("CI_SERVER_URL", "https://git.example")], "any.example").is_none());
        assert!(find_in(&[("GITLAB_TOKEN", "g")], "any.example", false).is_none());
    }

    #[test]
    fn job_token_needs_the_server_of_the_job() {
        let job = [("CI_JOB_TOKEN", "j"), ("CI_SERVER_URL", "https://git.example")];
        assert_eq!(find_in(&job, "git.example", false).as_deref(), Some("j from CI_JOB_TOKEN"));
        assert_eq!(find_in(&job, "other.example", true), None);
        assert_eq!(find_in(&job[..1], "git.example", true), None);
    }

    #[test]
    fn mapping_error_shows_no_value() {
        let env = Env::new([("GITLAB_TOKENS", "{\"gitlab.com\": glpat-secret}")]);
        let error = servers(&env).expect_err("is no JSON").to_string();
        assert!(error.contains("line 1, column") && !error.contains("secret"), "{error}");
    }
}
