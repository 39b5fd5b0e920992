//! Values in production, and the masking of secrets among them: secrets by name, likely credentials, and
//! all values made of these. The local values belong in `layers::deployed`.

use std::collections::{BTreeMap, BTreeSet};

use super::production_value::{ProductionInfo, ProductionValue, expanded};
use super::secret_name::SecretNames;
use super::secret_part;
use crate::base::secret::{MASK, Secret};
use crate::model::deployment::expansion::Segment;
use crate::model::deployment::{DeployedContainer, EnvVarSource};

/// Returns the known value in production of each variable. In values made of a Secret, the reference to
/// it stays. `is_secret` checks a name with its value, `names` the content of a value.
pub(super) fn in_production(
    container: &DeployedContainer,
    is_secret: &dyn Fn(&str, &str) -> bool,
    names: &SecretNames,
) -> Vec<ProductionInfo> {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut hidden: BTreeSet<&str> = BTreeSet::new();
    let mut all = Vec::new();
    for given in &container.variables {
        let (value, secret) = match &given.value {
            EnvVarSource::Text(pieces) => {
                let is_hidden = |piece: &Segment| matches!(piece, Segment::Variable(name) if hidden.contains(name.as_str()));
                let is_tainted = pieces.iter().any(is_hidden);
                match expanded(pieces, &|name| known.get(name).map(String::as_str)) {
                    Some(made) => {
                        let is_made_of_secret = given.parts.iter().any(|part| {
                            let text = made.get(part.range.clone()).unwrap_or("");
                            names.judge(&part.name, text).hide
                        });
                        let secret = is_tainted
                            || is_made_of_secret
                            || holds_password(&made, names)
                            || is_secret(&given.name, &made);
                        if secret {
                            hidden.insert(&given.name);
                        }
                        known.insert(&given.name, made.clone());
                        (ProductionValue::Written(Secret::new(made)), secret)
                    }
                    None => (ProductionValue::Elsewhere("a value that is too long".to_owned()), is_tainted),
                }
            }
            EnvVarSource::Secret { secret, key } => {
                (ProductionValue::Elsewhere(format!("Secret {secret}, key {key}")), true)
            }
            EnvVarSource::Field(field) => (ProductionValue::Elsewhere(field.clone()), false),
            EnvVarSource::Unknown(why) | EnvVarSource::Required(why) => {
                (ProductionValue::Elsewhere(format!("unknown: {why}")), false)
            }
        };
        all.push(ProductionInfo { value, place: given.place.clone(), secret });
    }
    all
}

/// Returns whether a variable holds a secret by its name, or its value an address or assignment with one.
#[must_use]
pub fn is_secret(name: &str, value: &str, names: &SecretNames) -> bool {
    names.judge(name, value).hide || holds_password(value, names)
}

/// Returns a text with masks in place of the secrets in it: passwords of addresses, values of parameters and fields with
/// secret names, authorizations, private keys. Longer texts than values of variables are returned unchanged.
#[must_use]
pub fn without_secret_parts(text: &str, names: &SecretNames) -> String {
    let (mut masked, mut end) = (String::new(), 0);
    for part in secret_part::find(text, names) {
        masked.push_str(&text[end..part.range.start]);
        masked.push_str(MASK);
        end = part.range.end;
    }
    masked + &text[end..]
}

/// Returns whether a text contains an address with a login, or an assignment to a secret name:
/// `postgres://user:password@host`, `host=x password=y`. The host does not matter, and a false positive
/// is better than a leak.
pub(super) fn holds_password(text: &str, names: &SecretNames) -> bool {
    text.split("://").skip(1).any(has_login) || !secret_part::find(text, names).is_empty()
}

/// Returns whether the text after `://` begins with a login.
fn has_login(rest: &str) -> bool {
    let rest = rest.split([' ', '\t', '\r', '\n', '"', '\'', '|']).next().unwrap_or(rest);
    let Some((before, _)) = rest.rsplit_once('@') else { return false };
    let authority = before.split(['/', '?', '#']).next().unwrap_or(before);
    if authority.len() < before.len() {
        // Either the password is not encoded correctly, or a path contains an `@`.
        let is_port = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let has_password = authority.rsplit_once(':').is_some_and(|(_, part)| !is_port(part));
        return authority.contains('@') || has_password;
    }
    // A reference that is filled in later is not a password.
    let secret = before.split_once(':').map_or(before, |(_, password)| password);
    !secret.is_empty()
        && !secret.starts_with(['<', '{', '*'])
        && !secret.starts_with("$(")
        && !secret.starts_with("${")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assets::embedded_text;

    #[test]
    fn holds_password_finds_embedded_passwords() {
        let names = embedded_text("secret-names.yaml").expect("is built in");
        let names = SecretNames::read("n", names).expect("are valid");
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
            assert!(holds_password(text, &names), "{text}");
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
            assert!(!holds_password(text, &names), "{text}");
        }
    }
}
