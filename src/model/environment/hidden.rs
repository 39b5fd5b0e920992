//! What a deployment has in production, and what of it must not be shown: secrets by their name, what
//! looks like a credential, and whatever is made of them. What a local run is given instead is in
//! `deployed`.

use std::collections::{BTreeMap, BTreeSet};

use super::deployed::{InProduction, ProductionValue, expanded};
use super::looks_secret;
use crate::base::secret::Secret;
use crate::model::deployment::expansion::Piece;
use crate::model::deployment::{Container, Given, GivenValue};

/// What is known of the values in production, one for each variable. What is in a Secret stays as it
/// is written where other values are made of it. `is_secret` judges a name with its value.
pub(super) fn in_production(
    container: &Container,
    is_secret: &dyn Fn(&str, &str) -> bool,
) -> Vec<InProduction> {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut hidden: BTreeSet<&str> = BTreeSet::new();
    let mut all = Vec::new();
    for given in &container.variables {
        let (value, secret) = match &given.value {
            GivenValue::Text(pieces) => {
                let is_hidden =
                    |piece: &Piece| matches!(piece, Piece::Variable(name) if hidden.contains(name.as_str()));
                let is_tainted = is_made_of_secret(given) || pieces.iter().any(is_hidden);
                match expanded(pieces, &|name| known.get(name).map(String::as_str)) {
                    Some(made) => {
                        let secret = is_tainted || holds_password(&made) || is_secret(&given.name, &made);
                        if secret {
                            hidden.insert(&given.name);
                        }
                        known.insert(&given.name, made.clone());
                        (ProductionValue::Written(Secret::new(made)), secret)
                    }
                    None => (ProductionValue::Elsewhere("a value that is too long".to_owned()), is_tainted),
                }
            }
            GivenValue::Secret { secret, key } => {
                (ProductionValue::Elsewhere(format!("Secret {secret}, key {key}")), true)
            }
            GivenValue::Field(field) => (ProductionValue::Elsewhere(field.clone()), false),
            GivenValue::Unknown(why) => (ProductionValue::Elsewhere(format!("unknown: {why}")), false),
        };
        all.push(InProduction { value, place: given.place.clone(), secret });
    }
    all
}

/// Whether something that is secret by its name was put into a value.
pub(super) fn is_made_of_secret(given: &Given) -> bool {
    let GivenValue::Text(pieces) = &given.value else { return false };
    let [Piece::Text(text)] = pieces.as_slice() else { return false };
    given.parts.iter().any(|part| is_secret_by_name(&part.name, text.get(part.range.clone()).unwrap_or("")))
}

/// Whether a value is secret by the name that it has, unless it is so short and plain that it can be
/// no credential.
#[must_use]
pub fn is_secret_by_name(name: &str, value: &str) -> bool {
    looks_secret(name) && !is_harmless(value)
}

/// Whether a value is so short and plain that it can be no credential, whatever its name.
pub(super) fn is_harmless(value: &str) -> bool {
    let value = value.to_lowercase();
    value.is_empty()
        || ["true", "false", "yes", "no", "on", "off", "none"].contains(&value.as_str())
        || (value.len() <= 6 && value.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether an address in a text has a login in it, or the text assigns something by a name that says
/// that it is secret: `postgres://user:password@host`, `host=x password=y`. It does not matter which
/// host it is for, and better one too many.
pub(super) fn holds_password(text: &str) -> bool {
    text.split("://").skip(1).any(has_login) || assigns_secret(text)
}

/// Whether what stands behind `://` begins with a login.
fn has_login(rest: &str) -> bool {
    let rest = rest.split([' ', '\t', '\r', '\n', '"', '\'', '|']).next().unwrap_or(rest);
    let Some((before, _)) = rest.rsplit_once('@') else { return false };
    let authority = before.split(['/', '?', '#']).next().unwrap_or(before);
    if authority.len() < before.len() {
        // Either a password that is not encoded as it should be, or a path with an `@` in it.
        let is_port = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let has_password = authority.rsplit_once(':').is_some_and(|(_, part)| !is_port(part));
        return authority.contains('@') || has_password;
    }
    // What stands for a value that is filled in later is none.
    let secret = before.split_once(':').map_or(before, |(_, password)| password);
    !secret.is_empty()
        && !secret.starts_with(['<', '{', '*'])
        && !secret.starts_with("$(")
        && !secret.starts_with("${")
}

/// Whether there is a `name=value` or `"name": "value"` in a text whose name says that it is secret.
fn assigns_secret(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.match_indices(['=', ':']).any(|(at, sign)| {
        let before = text[..at].trim_end_matches(['"', '\'', '\\', ' ']);
        let start = before
            .rfind(|c| !is_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let name = before[start..].replace('-', "_");
        let value = text[at + sign.len()..].trim_start_matches(['"', '\'', '\\', ' ']);
        let value =
            value.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '&' | ';' | ',')).next();
        let value = value.unwrap_or_default();
        !name.is_empty() && !value.starts_with(['$', '/', '<', '{', '*']) && is_secret_by_name(&name, value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_seen_wherever_it_stands() {
        for text in [
            "postgres://u:hunter2@db.prod.example.org/x",
            "postgres://u:hun/ter2@db.example.org/x",
            "amqps://a.test, amqps://u:p@b.test",
            "https://abcdef@sentry.test/1",
            "redis://:hunter2@localhost",
            "host=db user=u password=hunter2",
            "jdbc:postgresql://h/db?user=u&password=hunter2",
            r#"{"api_key": "hunter2"}"#,
            "AccountName=x;Shared-Secret=hunter2;",
        ] {
            assert!(holds_password(text), "{text}");
        }
        for text in [
            "https://db.example.org:5432/x",
            "https://cdn.test/@scope/name",
            "https://cdn.test:80/@scope/name",
            "postgres://u:$(DB_PASSWORD)@h/",
            "me@example.org",
            "oauth=true",
            "https://id.test/oauth2/token",
            "{\"gitlab.test\": \"GITLAB_TOKEN\"}",
            "",
        ] {
            assert!(!holds_password(text), "{text}");
        }
    }
}
