//! Anonymous tokens of registries: the challenge in `WWW-Authenticate`, and the answer of the token server. Sending is
//! up to the parent module.

use std::collections::HashMap;

use reqwest::Url;
use serde::Deserialize;

use crate::base::http::is_loopback;

/// Maximum bytes of a token.
const LONGEST: usize = 32 << 10;

/// A challenge for a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    service: Option<String>,
}

impl Challenge {
    /// Parses `Bearer realm="https://…",service="…"`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut parameters, mut rest) = (HashMap::new(), rest.trim_start());
        while let Some((name, after)) = rest.split_once('=') {
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_once(',').map_or((after, ""), |(value, after)| (value, after)),
            };
            parameters.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
            rest = after.trim_start_matches([',', ' ']);
        }
        Some(Self { realm: parameters.remove("realm")?, service: parameters.remove("service") })
    }

    /// Returns the address of the token server for reading an image. It is asked with TLS, or on this machine.
    pub(super) fn url(&self, path: &str) -> Option<Url> {
        let mut url = Url::parse(&self.realm).ok()?;
        let is_safe =
            url.scheme() == "https" || (url.scheme() == "http" && url.host_str().is_some_and(is_loopback));
        if !is_safe || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let mut query = url.query_pairs_mut();
        if let Some(service) = &self.service {
            query.append_pair("service", service);
        }
        query.append_pair("scope", &format!("repository:{path}:pull"));
        drop(query);
        Some(url)
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

/// Returns the token in the answer of a token server.
pub(super) fn token(body: &[u8]) -> Option<String> {
    let answer: TokenAnswer = serde_json::from_slice(body).ok()?;
    let token = answer.token.or(answer.access_token)?;
    let is_valid = !token.is_empty() && token.len() <= LONGEST && token.bytes().all(|b| b.is_ascii_graphic());
    is_valid.then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_lead_to_token_servers() {
        let challenge =
            Challenge::parse(r#"Bearer realm="https://quay.io/v2/auth",service="quay.io",scope="x""#);
        let url = challenge.expect("is one").url("cki/tools").expect("is safe");
        assert_eq!(
            url.as_str(),
            "https://quay.io/v2/auth?service=quay.io&scope=repository%3Acki%2Ftools%3Apull"
        );
        assert_eq!(Challenge::parse("Basic realm=\"x\""), None);
        for unsafe_realm in ["http://example.org/", "ftp://h/", "https://me:x@h/", "nonsense"] {
            let challenge = Challenge::parse(&format!("bearer realm={unsafe_realm}")).expect("is one");
            assert_eq!(challenge.url("a"), None, "{unsafe_realm}");
        }
        assert_eq!(token(br#"{"access_token":"abc"}"#).as_deref(), Some("abc"));
        for wrong in ["{}", "{\"token\":\"\"}", "{\"token\":\"a\\nb\"}", "nonsense"] {
            assert_eq!(token(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
