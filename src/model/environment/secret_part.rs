//! Secrets within longer values: passwords in addresses, connection strings and command lines, and
//! authorization headers. The formats of single programs belong in `secret_form`, the check of a name in
//! `secret_name`.

use super::secret_form;
use super::secret_name::SecretNames;
pub(super) use super::secret_span::SecretPart;
use super::secret_span::{MOST, is_open};

/// Maximum bytes of a text to search.
const LONGEST: usize = 32 << 10;
/// Maximum bytes of a secret in a text.
const LONGEST_VALUE: usize = 4096;
/// Maximum names in a text to check.
const NAMES: usize = 2000;

/// Finds the secrets in a text, in order and without overlaps.
pub(super) fn find(text: &str, names: &SecretNames) -> Vec<SecretPart> {
    let mut parts = find_plain(text, names);
    if text.len() <= LONGEST {
        parts.extend(secret_form::encoded(text, &|text| !find_plain(text, names).is_empty()));
    }
    without_overlaps(parts)
}

/// Finds the secrets in a text, without those that are encoded.
fn find_plain(text: &str, names: &SecretNames) -> Vec<SecretPart> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    let mut parts = addresses(text);
    parts.extend(logins(text));
    parts.extend(assignments(text, names));
    parts.extend(authorizations(text));
    parts.extend(private_keys(text));
    parts.extend(secret_form::find(text, names));
    without_overlaps(parts)
}

/// Sorts the parts; of overlapping ones, keeps the first.
pub(super) fn without_overlaps(mut parts: Vec<SecretPart>) -> Vec<SecretPart> {
    parts.retain(|part| !part.range.is_empty());
    parts.sort_by_key(|part| (part.range.start, std::cmp::Reverse(part.range.end)));
    let mut end = 0;
    parts.retain(|part| {
        let is_free = part.range.start >= end;
        end = if is_free { part.range.end } else { end };
        is_free
    });
    parts.truncate(MOST);
    parts
}

/// Finds the passwords in addresses, `scheme://user:password@host`, and tokens in place of a user.
fn addresses(text: &str) -> Vec<SecretPart> {
    let starts = text.match_indices("://").map(|(at, sign)| at + sign.len());
    let password = |start: usize| {
        let rest = &text[start..];
        let end = rest.find([' ', '\t', '\r', '\n', '"', '\'', '|', '<', '>']).unwrap_or(rest.len());
        // In a list of addresses, one ends where the next begins.
        let rest = &rest[..end];
        let rest = rest
            .find("://")
            .map_or(rest, |next| rest[..next].rfind(',').map_or(&rest[..next], |comma| &rest[..comma]));
        let (before, _) = rest.rsplit_once('@')?;
        let authority = before.split(['/', '?', '#']).next().unwrap_or(before);
        let login = match authority.len() < before.len() {
            false => before,
            // Either the password is not encoded correctly, or a path contains an `@`.
            true if authority.contains('@') => authority.rsplit_once('@').map_or("", |(login, _)| login),
            true => {
                let is_port = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
                match authority.split_once(':') {
                    Some((_, part)) if !is_port(part) => before,
                    _ => return None,
                }
            }
        };
        match login.split_once(':') {
            Some((user, password)) if !password.is_empty() => {
                let start = start + user.len() + 1;
                let what = "password of an address".to_owned();
                (!is_open(password)).then_some(SecretPart { range: start..start + password.len(), what })
            }
            _ => {
                let user = login.trim_end_matches(':');
                // A server of NATS takes a user without a password for a token.
                let is_token = is_of_nats(&text[..start])
                    || user.len() >= 16 && user.bytes().any(|byte| byte.is_ascii_digit());
                let what = "token of an address".to_owned();
                (is_token && !is_open(user)).then_some(SecretPart { range: start..start + user.len(), what })
            }
        }
    };
    starts.take(MOST).filter_map(password).collect()
}

/// Returns whether an address of NATS continues after a text.
fn is_of_nats(before: &str) -> bool {
    let before = before.trim_end_matches("://");
    let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
    scheme.eq_ignore_ascii_case("nats")
}

/// Schemes of addresses with neither slashes nor a password: `mailto:user@host`.
const WITHOUT_PASSWORD: [&str; 6] = ["acct", "im", "mailto", "sip", "sips", "xmpp"];

/// Finds the passwords in logins without a scheme: `user:password@tcp(host)/database`, `user:password@host`.
fn logins(text: &str) -> Vec<SecretPart> {
    let words = text.split_inclusive([' ', '\t', '\r', '\n', '"', '\'', '=', ',', ';']);
    let mut at = 0;
    let mut parts = Vec::new();
    for word in words.take(NAMES) {
        let start = at;
        at += word.len();
        let Some((login, host)) = word.rsplit_once('@') else { continue };
        let Some((user, password)) = login.split_once(':') else { continue };
        let is_user = !user.is_empty()
            && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        // A digest of an image follows its tag.
        let is_host =
            host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && !host.starts_with("sha256:");
        let is_port = password.len() <= 5 && password.bytes().all(|byte| byte.is_ascii_digit());
        let is_address =
            password.starts_with("//") || WITHOUT_PASSWORD.contains(&user.to_ascii_lowercase().as_str());
        if is_user && is_host && !is_port && !is_address && !is_open(password) {
            let from = start + user.len() + 1;
            parts.push(SecretPart {
                range: from..from + password.len(),
                what: "password of a login".to_owned(),
            });
        }
    }
    parts
}

/// Finds the values of `name=value`, `"name": "value"` and `--name value` with secret names.
fn assignments(text: &str, names: &SecretNames) -> Vec<SecretPart> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let mut parts = Vec::new();
    for (at, sign) in text.match_indices(['=', ':', ' ']).take(NAMES) {
        let before = text[..at].trim_end_matches(['"', '\'', '\\', ' ']);
        let start = before
            .rfind(|c| !is_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let name = &before[start..];
        let is_option = name.starts_with('-');
        // Between an option and its value, there is only a space.
        if (sign == " ") != (is_option && before.len() == at) && sign == " " {
            continue;
        }
        // The name is a part of a longer list, as in `arn:…:secret:x`.
        if sign == ":" && text[..start].ends_with(':') {
            continue;
        }
        let name = name.trim_matches(['-', '.']);
        // An authorization has a scheme before its secret.
        if name.eq_ignore_ascii_case("authorization") {
            continue;
        }
        // A scheme or a port is not an assignment; a list of words contains none.
        let behind = &text[at + sign.len()..];
        if name.is_empty() || name.len() > 64 || behind.starts_with("//") {
            continue;
        }
        let trimmed = behind.trim_start_matches(' ').trim_start_matches('\\');
        let mut from = text.len() - trimmed.len();
        let longest = (0..=LONGEST_VALUE.min(trimmed.len())).rev().find(|at| trimmed.is_char_boundary(*at));
        let trimmed = &trimmed[..longest.unwrap_or(0)];
        let quote =
            trimmed.chars().next().filter(|c| matches!(c, '"' | '\'' | '{') && !trimmed.starts_with("{{"));
        let value = match quote {
            Some(quote) => {
                from += 1;
                let close = if quote == '{' { '}' } else { quote };
                // Quotes are escaped in JSON within JSON.
                let rest = &trimmed[1..];
                if quote == '{' && rest.trim_start().starts_with(['"', '}']) {
                    continue;
                }
                rest.split([close, '\n']).next().unwrap_or("").trim_end_matches('\\')
            }
            None => {
                let ends =
                    |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '&' | ';' | ',' | '}' | ']');
                trimmed.split(ends).next().unwrap_or("")
            }
        };
        if is_open(value) || value.starts_with('-') && is_option {
            continue;
        }
        let judged = names.judge(name, value);
        if let Some(range) = judged.replace {
            let what = format!("{} `{name}` in the text", judged.rule.unwrap_or_default());
            parts.push(SecretPart { range: from + range.start..from + range.end, what });
        }
        if parts.len() >= MOST {
            break;
        }
    }
    parts
}

/// Finds the secrets of authorizations: `Bearer …`, `Authorization: Basic …`.
fn authorizations(text: &str) -> Vec<SecretPart> {
    const SCHEMES: &[&str] = &["bearer", "basic", "token", "apikey", "splunk"];
    let lower = text.to_ascii_lowercase();
    let mut parts = Vec::new();
    for scheme in SCHEMES {
        for (at, _) in lower.match_indices(scheme).take(MOST) {
            let before = lower[..at].trim_end_matches([' ', '"', '\'']);
            let is_header = before.is_empty()
                || ["authorization:", "authorization=", "authorization\":", "authorization':"]
                    .iter()
                    .any(|header| before.ends_with(header));
            let rest = &text[at + scheme.len()..];
            let gap =
                if rest.starts_with("%20") { 3 } else { rest.len() - rest.trim_start_matches(' ').len() };
            let secret = rest[gap..].split(|c: char| c.is_whitespace() || "\"',;".contains(c)).next();
            let secret = secret.unwrap_or("");
            // `token` alone is an ordinary word.
            let is_long = secret.len() >= if before.is_empty() { 16 } else { 8 };
            if is_header && gap > 0 && is_long && !is_open(secret) {
                let start = at + scheme.len() + gap;
                let what = "authorization".to_owned();
                parts.push(SecretPart { range: start..start + secret.len(), what });
            }
        }
    }
    parts
}

/// Finds private keys in PEM.
fn private_keys(text: &str) -> Vec<SecretPart> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "PRIVATE KEY-----";
    let mut parts = Vec::new();
    for (at, _) in text.match_indices(BEGIN).take(MOST) {
        let rest = &text[at + BEGIN.len()..];
        let Some(head) = rest.find("-----").filter(|head| rest[..*head].ends_with("PRIVATE KEY")) else {
            continue;
        };
        let body = at + BEGIN.len() + head;
        let end = text[body..].find(END).map_or(text.len(), |end| body + end + END.len());
        parts.push(SecretPart { range: at..end, what: "private key".to_owned() });
    }
    parts
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::LazyLock;

    use super::*;
    use proptest::prelude::*;

    static NAMES: LazyLock<SecretNames> = LazyLock::new(|| {
        let text = crate::base::assets::embedded_text("secret-names.yaml").expect("is built in");
        SecretNames::read("secret-names.yaml", text).expect("are valid")
    });

    pub(in crate::model::environment) fn names() -> SecretNames {
        NAMES.clone()
    }

    /// Returns a text with `•` in place of its secrets.
    pub(in crate::model::environment) fn masked(text: &str, names: &SecretNames) -> String {
        let mut made = String::new();
        let mut end = 0;
        for part in find(text, names) {
            made.push_str(&text[end..part.range.start]);
            made.push('•');
            end = part.range.end;
        }
        made.push_str(&text[end..]);
        made
    }

    #[test]
    fn find_locates_only_the_secret_part() {
        let names = names();
        for (text, expected) in [
            ("postgres://u:hunter2@db.prod.example.org/x", "postgres://u:•@db.prod.example.org/x"),
            ("postgres://u:hun/ter2@db.example.org/x", "postgres://u:•@db.example.org/x"),
            ("postgres://u:p@ss@db/x", "postgres://u:•@db/x"),
            ("app:hunter2@tcp(db:3306)/app?parseTime=true", "app:•@tcp(db:3306)/app?parseTime=true"),
            ("app:hun@ter2@unix(/tmp/m.sock)/app", "app:•@unix(/tmp/m.sock)/app"),
            ("dsn=u:hunter2@proxy.local:3128", "dsn=u:•@proxy.local:3128"),
            ("curl -u x u:hunter2@[::1]:80", "curl -u x u:•@[::1]:80"),
            ("quay.io/a/b:v1@sha256:0123", "quay.io/a/b:v1@sha256:0123"),
            ("mailto:me@example.org, sip:x@y", "mailto:me@example.org, sip:x@y"),
            ("1@kafka-1:9093,2@kafka-2:9093", "1@kafka-1:9093,2@kafka-2:9093"),
            ("git@github.com:a/b.git and host:9092@x", "git@github.com:a/b.git and host:9092@x"),
            ("u:${PASSWORD}@tcp(db)/x", "u:${PASSWORD}@tcp(db)/x"),
            ("amqps://a.test, amqps://u:p@b.test", "amqps://a.test, amqps://u:•@b.test"),
            ("amqp://u:p1@a,amqp://u:p2@b", "amqp://u:•@a,amqp://u:•@b"),
            (
                "mongodb://u:p@h1:27017,h2:27017/db?replicaSet=r",
                "mongodb://u:•@h1:27017,h2:27017/db?replicaSet=r",
            ),
            ("https://0123456789abcdef0123456789abcdef@sentry.test/1", "https://•@sentry.test/1"),
            ("redis://:hunter2@localhost", "redis://:•@localhost"),
            ("nats://hunter2@h1:4222,NATS://a@h2", "nats://•@h1:4222,NATS://•@h2"),
            ("nats://$TOKEN@h1 redis://user@h", "nats://$TOKEN@h1 redis://user@h"),
            ("host=db user=u password=hunter2 sslmode=disable", "host=db user=u password=• sslmode=disable"),
            ("host=db password='a b' user=u", "host=db password='•' user=u"),
            (
                "jdbc:postgresql://h/db?user=u&password=hunter2&ssl=true",
                "jdbc:postgresql://h/db?user=u&password=•&ssl=true",
            ),
            (
                r#"{"user": "u", "password": "hunter2", "port": 1}"#,
                r#"{"user": "u", "password": "•", "port": 1}"#,
            ),
            (r#"{"api_key": "hunter2"}"#, r#"{"api_key": "•"}"#),
            (
                "AccountName=x;AccountKey=aGVsbG8=;EndpointSuffix=y",
                "AccountName=x;AccountKey=•;EndpointSuffix=y",
            ),
            (
                "Server=db;User Id=sa;Password=Hunter2!;Encrypt=no",
                "Server=db;User Id=sa;Password=•;Encrypt=no",
            ),
            ("--user app --password hunter2 --verbose", "--user app --password • --verbose"),
            ("--user=app --password=hunter2", "--user=app --password=•"),
            (
                "redis-server --requirepass hunter2 --appendonly yes",
                "redis-server --requirepass • --appendonly yes",
            ),
            ("-Dspring.datasource.password=hunter2 -Xmx1g", "-Dspring.datasource.password=• -Xmx1g"),
            ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer •"),
            ("authorization=Basic%20dXNlcjpwYXNz,x=y", "authorization=Basic%20•,x=y"),
            ("Bearer abcdefgh12345678", "Bearer •"),
            (
                r#"org.apache.kafka.PlainLoginModule required username="u" password="hunter2";"#,
                r#"org.apache.kafka.PlainLoginModule required username="u" password="•";"#,
            ),
            ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n", "•\n"),
        ] {
            assert_eq!(masked(text, &names), expected, "{text}");
        }
    }

    #[test]
    fn find_ignores_values_without_secrets() {
        let names = names();
        for text in [
            "https://db.example.org:5432/x",
            "https://cdn.test/@scope/name",
            "https://cdn.test:80/@scope/name",
            "postgres://u:$(DB_PASSWORD)@h/",
            "postgres://u:<password>@h/",
            "ssh://git@github.com/x/y.git",
            "postgres://postgres@db/x",
            "me@example.org",
            "oauth=true",
            "https://id.test/oauth2/token",
            r#"{"gitlab.test": "GITLAB_TOKEN"}"#,
            "--password-file /run/secrets/x --token-ttl 1h",
            "INTERNAL:SASL_PLAINTEXT,EXTERNAL:SSL",
            "key: value",
            "a token of thanks to everybody here",
            "basic authentication is not supported",
            "Password must have 8 characters",
            "grant_type=password",
            "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
            "",
        ] {
            assert_eq!(find(text, &names), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn find_returns_ordered_valid_ranges(text in "[a-z:/@=&\"'{} é-]{0,60}|\\PC{0,60}") {
            let mut end = 0;
            for part in find(&text, &names()) {
                prop_assert!(part.range.start >= end && text.get(part.range.clone()).is_some());
                end = part.range.end;
            }
        }
    }
}
