//! Secrets within a secret: the login of an address, strings in JSON, values of assignments. A program may
//! print each of them alone. A part counts as secret by its name or by its form: host names, plain words
//! and `true` do not count.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::phrases::SHORTEST;

/// Minimum characters of a part without a name that marks it as secret.
const SHORTEST_UNNAMED: usize = 8;
/// Minimum characters of a login without a password that counts as a token.
const SHORTEST_TOKEN: usize = 16;
/// Maximum bytes of a secret to split.
const LONGEST: usize = 64 << 10;
/// Maximum number of parts of a secret.
const MOST: usize = 64;
/// Maximum depth of documents within documents.
const DEPTH: usize = 3;
/// Words in a name that mark its value as secret.
const NAMES: [&str; 14] = [
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "auth",
    "sig",
    "private",
    "salt",
    "seed",
    "cookie",
    "session",
    "sas",
];
/// Values that are never secret, whatever their name, since they occur in every log.
const WORDS: [&str; 12] = [
    "true", "false", "null", "none", "default", "required", "disabled", "enabled", "require", "prefer",
    "optional", "password",
];

/// Returns the parts of a secret that are secrets by themselves.
pub(super) fn of(secret: &str) -> Vec<String> {
    let mut parts = Parts { whole: secret, found: Vec::new() };
    if secret.len() <= LONGEST {
        parts.take_apart(secret, DEPTH);
    }
    parts.found
}

struct Parts<'a> {
    whole: &'a str,
    found: Vec<String>,
}

impl Parts<'_> {
    fn take_apart(&mut self, text: &str, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let text = text.trim();
        if let Ok(value @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) =
            serde_json::from_str(text)
        {
            return self.leaves(&value, depth);
        }
        if let Some(inner) = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            && !inner.contains(|c: char| c.is_control() && !c.is_ascii_whitespace())
        {
            // A decoded value is as secret as its encoding.
            self.add(&inner, SHORTEST_UNNAMED);
            return self.take_apart(&inner, depth);
        }
        if text.contains("://") {
            text.split([' ', '\n', ',', ';', '"', '\'']).for_each(|word| self.address(word));
        } else if let Some((user, password)) = text.split_once(':')
            && !user.contains([' ', '=', '{', '"'])
            && !password.contains([' ', '\n'])
        {
            // Format of `curl --user` and of password files.
            self.value("", password);
        }
        // The query of an address is handled above.
        if !text.contains("://") || text.contains([' ', '\n', ';']) {
            self.assignments(text);
        }
    }

    /// Adds the login of an address, and the secret values of its query.
    fn address(&mut self, word: &str) {
        let Some((_, rest)) = word.split_once("://") else { return };
        let before = rest.split(['?', '#']).next().unwrap_or(rest);
        if let Some((login, _)) = before.rsplit_once('@') {
            match login.split_once(':') {
                Some((user, password)) => {
                    if !user.is_empty() {
                        self.add_decoded(login, SHORTEST_UNNAMED);
                    }
                    self.add_decoded(password, SHORTEST);
                    if password.len() < SHORTEST {
                        self.add_decoded(user, SHORTEST_TOKEN);
                    }
                }
                None => self.add_decoded(login, SHORTEST_TOKEN),
            }
        }
        // A path with a token, such as that of a webhook.
        for segment in before.split('/').skip(1).filter(|segment| !segment.contains('@')) {
            if segment.len() >= SHORTEST_TOKEN && is_telling(segment) {
                self.add_decoded(segment, SHORTEST_TOKEN);
            }
        }
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in query.split(['&', '#']).filter_map(|pair| pair.split_once('=')) {
            if is_secret_name(name) || is_telling(value) {
                self.add_decoded(value, if is_secret_name(name) { SHORTEST } else { SHORTEST_TOKEN });
            }
        }
    }

    /// Adds the strings of a document.
    fn leaves(&mut self, document: &serde_json::Value, depth: usize) {
        let mut open = vec![("", document)];
        while let Some((name, value)) = open.pop() {
            match value {
                serde_json::Value::String(text) => {
                    self.value(name, text);
                    self.take_apart(text, depth);
                }
                serde_json::Value::Array(items) => open.extend(items.iter().map(|item| (name, item))),
                serde_json::Value::Object(fields) => {
                    open.extend(fields.iter().map(|(name, value)| (name.as_str(), value)));
                }
                _ => {}
            }
        }
    }

    /// Adds the values of `NAME=VALUE` lines, and of connection strings.
    fn assignments(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.trim().trim_start_matches("export ");
            let by_semicolon = line.split(';').filter(|part| part.contains('=')).count() > 1;
            let pairs: Vec<&str> = if by_semicolon { line.split(';').collect() } else { vec![line] };
            for pair in pairs {
                let Some((name, value)) = pair.split_once('=').or_else(|| pair.split_once(": ")) else {
                    continue;
                };
                if name.trim().contains(' ') && !by_semicolon {
                    continue;
                }
                // Format of libpq: `host=db password=x`.
                let more = value.split(' ').filter_map(|pair| pair.split_once('='));
                let more: Vec<(&str, &str)> = more.collect();
                if more.is_empty() {
                    self.value(name, value);
                } else {
                    self.value(name, value.split(' ').next().unwrap_or(value));
                    more.into_iter().for_each(|(name, value)| self.value(name, value));
                }
            }
        }
    }

    /// Adds a value if its name, or its form, marks it as secret.
    fn value(&mut self, name: &str, value: &str) {
        let value = value.trim().trim_matches(['"', '\'']);
        if is_secret_name(name) {
            self.add(value, SHORTEST);
        } else if is_telling(value) {
            self.add(value, SHORTEST_UNNAMED);
        }
    }

    /// Adds a part both as written and decoded.
    fn add_decoded(&mut self, part: &str, shortest: usize) {
        self.add(part, shortest);
        if part.contains('%') {
            let decoded = super::folded::fold(part.as_bytes(), super::FoldOptions { quotes: false }).bytes;
            self.add(&String::from_utf8_lossy(&decoded), shortest);
        }
    }

    fn add(&mut self, part: &str, shortest: usize) {
        let is_word = WORDS.iter().any(|word| part.eq_ignore_ascii_case(word));
        let is_new = part != self.whole && self.found.iter().all(|known| known != part);
        let is_number = part.len() < SHORTEST_UNNAMED && part.bytes().all(|byte| byte.is_ascii_digit());
        if part.len() >= shortest && !is_word && !is_number && is_new && self.found.len() < MOST {
            self.found.push(part.to_owned());
        }
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    NAMES.iter().any(|part| name.contains(part)) && !name.ends_with("_id") && !name.contains("public")
}

/// Returns whether a value looks like a secret whatever its name: it mixes letters with digits or
/// punctuation, and is not a host, address, path, date or version.
fn is_telling(value: &str) -> bool {
    let count = |is: fn(&char) -> bool| value.chars().filter(is).count();
    let digits = count(char::is_ascii_digit);
    let letters = count(|c| c.is_alphabetic());
    let signs = value.chars().count() - digits - letters;
    let is_place = value.contains("://")
        || value.contains(char::is_whitespace)
        || value.starts_with(['/', '.', '~'])
        || value.contains('.') && value.chars().all(|c| c.is_alphanumeric() || ".-:@_+".contains(c));
    value.len() >= SHORTEST_UNNAMED && !is_place && letters > 0 && (digits >= 2 || digits + signs >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_parts_finds_exactly_the_secrets() {
        for (secret, expected) in [
            ("postgres://app:Hunter2!@db.example.org:5432/x", vec!["app:Hunter2!", "Hunter2!"]),
            (
                "amqps://u:p%40ss%2Fw@mq/%2F?heartbeat=30",
                vec!["u:p%40ss%2Fw", "u:p@ss/w", "p%40ss%2Fw", "p@ss/w"],
            ),
            ("https://0123456789abcdef0123@sentry.test/1", vec!["0123456789abcdef0123"]),
            ("https://hooks.slack.com/services/T000/B000/aB3aB3aB3aB3aB3aB3", vec!["aB3aB3aB3aB3aB3aB3"]),
            ("redis://:hunter2@localhost", vec!["hunter2"]),
            ("https://x.test/a?token=abcd&user=me", vec!["abcd"]),
            (
                r#"{"user": "alice", "password": "hunter2", "port": 5432, "tls": "true", "host": "db.test"}"#,
                vec!["hunter2"],
            ),
            (
                r#"{"auths": {"r.test": {"auth": "YWxpY2U6aHVudGVyMg=="}}}"#,
                vec!["YWxpY2U6aHVudGVyMg==", "alice:hunter2"],
            ),
            ("A_TOKEN=abcd1234\nMODE=production\nexport DB_PASSWORD='x y z'\n", vec!["abcd1234", "x y z"]),
            ("Server=db;User Id=sa;Password=Hunter2!;Encrypt=no", vec!["Hunter2!"]),
            ("host=db user=app password=hunter2 sslmode=require", vec!["hunter2"]),
            ("alice:$apr1$abc$0123456789", vec!["$apr1$abc$0123456789"]),
            ("hunter2", vec![]),
            ("correct horse battery staple", vec![]),
            ("true", vec![]),
        ] {
            assert_eq!(of(secret), expected, "{secret}");
        }
    }
}
