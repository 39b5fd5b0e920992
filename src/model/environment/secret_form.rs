//! Secrets in the formats of well-known programs: options of command lines, netrc and htpasswd files, XML, signed
//! addresses, and Base64 of any of them. Addresses, assignments and headers belong in `secret_part`.

use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::Regex;

use super::secret_name::SecretNames;
use super::secret_span::{MOST, SecretPart, is_open};

/// Returns the secrets in these formats.
pub(super) fn find(text: &str, names: &SecretNames) -> Vec<SecretPart> {
    let mut parts = options(text);
    parts.extend(matched(text, &SIGNATURE, "signature of an address"));
    parts.extend(matched(text, &HASH, "hash of a password"));
    if text.contains("PlainLoginModule") {
        let users = matched(text, &JAAS_USER, "password of a user of Kafka");
        parts.extend(users.into_iter().filter(|part| !is_open(&text[part.range.clone()])));
    }
    parts.extend(machines(text));
    parts.extend(elements(text, names));
    parts
}

/// Option of a program whose value is a secret.
struct SecretOption {
    programs: &'static [&'static str],
    names: &'static [&'static str],
    /// The value may follow the option as a word of its own.
    is_separate: bool,
    /// The value may follow the option without a space.
    is_attached: bool,
    /// The secret follows the user and a colon.
    has_user: bool,
}

const OPTIONS: &[SecretOption] = &[
    SecretOption {
        programs: &[
            "mysql",
            "mysqladmin",
            "mysqlbinlog",
            "mysqlcheck",
            "mysqldump",
            "mysqlimport",
            "mysqlpump",
            "mysqlshow",
            "mariadb",
            "mariadb-admin",
            "mariadb-check",
            "mariadb-dump",
            "mariadb-import",
        ],
        names: &["-p"],
        is_separate: false,
        is_attached: true,
        has_user: false,
    },
    SecretOption {
        programs: &["redis-cli", "valkey-cli", "keydb-cli"],
        names: &["-a"],
        is_separate: true,
        is_attached: false,
        has_user: false,
    },
    SecretOption {
        programs: &[
            "mongo",
            "mongosh",
            "mongodump",
            "mongoexport",
            "mongoimport",
            "mongorestore",
            "rabbitmqadmin",
            "sshpass",
            "login",
        ],
        names: &["-p"],
        is_separate: true,
        is_attached: false,
        has_user: false,
    },
    SecretOption {
        programs: &["sqlcmd", "bcp"],
        names: &["-P"],
        is_separate: true,
        is_attached: true,
        has_user: false,
    },
    SecretOption {
        programs: &["ldapadd", "ldapdelete", "ldapmodify", "ldapsearch", "ldapwhoami"],
        names: &["-w"],
        is_separate: true,
        is_attached: false,
        has_user: false,
    },
    SecretOption {
        programs: &["curl"],
        names: &["-u", "-U", "--user", "--proxy-user"],
        is_separate: true,
        is_attached: true,
        has_user: true,
    },
    SecretOption {
        programs: &["http", "https", "xh"],
        names: &["-a", "--auth"],
        is_separate: true,
        is_attached: true,
        has_user: true,
    },
];

/// Finds the values of secret options in command lines.
fn options(text: &str) -> Vec<SecretPart> {
    let mut parts = Vec::new();
    let mut rows: Vec<&SecretOption> = Vec::new();
    let mut is_due: Option<&SecretOption> = None;
    for word in words(text) {
        let written = &text[word.range.clone()];
        if let Some(row) = is_due.take() {
            parts.extend(value(text, word.range.clone(), row, written));
        } else {
            let program = written.rsplit('/').next().unwrap_or(written);
            let named: Vec<&SecretOption> =
                OPTIONS.iter().filter(|row| row.programs.contains(&program)).collect();
            if !named.is_empty() {
                rows = named;
            }
            for row in &rows {
                for name in row.names {
                    let Some(rest) = written.strip_prefix(name) else { continue };
                    if rest.is_empty() {
                        is_due = row.is_separate.then_some(*row);
                    } else if row.is_attached && (!name.starts_with("--") || rest.starts_with('=')) {
                        let rest = rest.strip_prefix('=').filter(|_| name.starts_with("--")).unwrap_or(rest);
                        let rest = rest.trim_start_matches(['"', '\'']);
                        let range = word.range.end - rest.len()..word.range.end;
                        parts.extend(value(text, range, row, rest));
                    }
                }
            }
        }
        if word.is_last {
            rows.clear();
            is_due = None;
        }
        if parts.len() >= MOST {
            break;
        }
    }
    parts
}

/// Returns the secret in the value of an option.
fn value(text: &str, range: Range<usize>, row: &SecretOption, written: &str) -> Option<SecretPart> {
    let start = match row.has_user {
        true => range.start + written.find(':')? + 1,
        false => range.start,
    };
    let range = start..range.end;
    let secret = &text[range.clone()];
    let is_secret = !is_open(secret) && (row.has_user || !secret.starts_with('-'));
    is_secret.then(|| SecretPart { range, what: "password of a command".to_owned() })
}

/// A word of a command line, without its quotes.
struct CommandWord {
    range: Range<usize>,
    /// The command ends behind it.
    is_last: bool,
}

/// Splits a text into words: at spaces, and between the items of a list in JSON.
fn words(text: &str) -> Vec<CommandWord> {
    let bytes = text.as_bytes();
    let mut found: Vec<CommandWord> = Vec::new();
    let mut at = 0;
    while at < bytes.len() && found.len() < WORDS {
        if bytes[at].is_ascii_whitespace() || b"[]()`,".contains(&bytes[at]) {
            if let (b'\n', Some(last)) = (bytes[at], found.last_mut()) {
                last.is_last = true;
            }
            at += 1;
            continue;
        }
        if b"|;&".contains(&bytes[at]) {
            if let Some(last) = found.last_mut() {
                last.is_last = true;
            }
            at += 1;
            continue;
        }
        let quote = Some(bytes[at]).filter(|byte| b"\"'".contains(byte));
        let start = at + usize::from(quote.is_some());
        // A script in quotes consists of words, too.
        let closed = quote.and_then(|quote| text[start..].find(char::from(quote)));
        let length = closed.filter(|length| {
            !text[start..start + length].contains(' ') || !found.is_empty() && is_value(text, &found)
        });
        let end = match length {
            Some(length) => start + length,
            None => {
                let is_end = |c: char| c.is_ascii_whitespace() || "|;&`)\"'".contains(c);
                let skipped = text[start..].find(|c| !matches!(c, '"' | '\'')).unwrap_or(0);
                let rest = &text[start + skipped..];
                start + skipped + ended(rest, is_end)
            }
        };
        if end > start {
            found.push(CommandWord { range: start..end, is_last: false });
        }
        at = end.max(start) + usize::from(bytes.get(end).is_some_and(|byte| b"\"'".contains(byte)));
    }
    found
}

/// Returns the length of an unquoted word, which may have a quoted part: `-p'a b'`.
fn ended(rest: &str, is_end: impl Fn(char) -> bool) -> usize {
    let end = rest.find(&is_end).unwrap_or(rest.len());
    match rest[end..].chars().next() {
        Some(quote @ ('"' | '\'')) if rest[..end].starts_with('-') => {
            rest[end + 1..].find(quote).map_or(end, |length| end + 1 + length)
        }
        _ => end,
    }
}

/// Returns whether the last word is an option, so that the next one in quotes is its value.
fn is_value(text: &str, found: &[CommandWord]) -> bool {
    found.last().is_some_and(|last| {
        let written = &text[last.range.clone()];
        OPTIONS.iter().any(|row| row.is_separate && row.names.contains(&written))
    })
}

/// Maximum words of a text to check.
const WORDS: usize = 4000;

/// Signature of an address of Azure.
static SIGNATURE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)[?&;]sig=([A-Za-z0-9%+/=_-]{20,200})").ok());

/// Hash of a password behind its user, as in a file of `htpasswd`.
static HASH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let hashes = [
        r"\$(?:apr1|1|2[abxy]?|5|6|y)\$(?:rounds=\d+\$)?[A-Za-z0-9./$]{8,200}",
        r"\$argon2(?:id|i|d)\$v=\d+\$[a-z0-9=,]{1,60}\$[A-Za-z0-9+/$]{8,300}",
        r"\{SHA\}[A-Za-z0-9+/=]{20,60}",
    ];
    Regex::new(&format!(r"(?:^|[\s,='\x22])[A-Za-z0-9_.@-]{{1,64}}:({})", hashes.join("|"))).ok()
});

/// Password of a user in the list of a Kafka server: `user_NAME="password"`.
static JAAS_USER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?:^|[\s;])user_[A-Za-z0-9_.@-]{1,64}\s*=\s*\\?["']([^"'\\\r\n]{1,4096})"#).ok()
});

/// Token of a server of Unleash, which consists of a project, an environment and a secret: `default:development.x`.
static UNLEASH_TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:\*|\[\]|[A-Za-z0-9_-]{1,100}):(?:\*|[A-Za-z0-9_-]{1,100})\.([^\s.:/,]{4,200})\s*$")
        .ok()
});

/// Finds the secrets in a value that consists of tokens of Unleash. Other values have this form too, so the name
/// must say that it is secret.
pub(super) fn listed_tokens(text: &str) -> Vec<SecretPart> {
    let mut parts = Vec::new();
    let mut at = 0;
    for item in text.split(',').take(MOST) {
        let groups = UNLEASH_TOKEN.as_ref().and_then(|pattern| pattern.captures(item));
        let Some(secret) = groups.and_then(|groups| groups.get(1)) else { return Vec::new() };
        if !is_open(secret.as_str()) {
            let range = at + secret.start()..at + secret.end();
            parts.push(SecretPart { range, what: "token of Unleash".to_owned() });
        }
        at += item.len() + 1;
    }
    parts
}

/// Finds the first groups of the matches.
fn matched(text: &str, pattern: &LazyLock<Option<Regex>>, what: &str) -> Vec<SecretPart> {
    let all = pattern.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(text)).take(MOST);
    all.filter_map(|groups| groups.get(1))
        .map(|group| SecretPart { range: group.range(), what: what.to_owned() })
        .collect()
}

/// Finds the passwords of a netrc file: `machine h login u password p`.
fn machines(text: &str) -> Vec<SecretPart> {
    let mut parts = Vec::new();
    let (mut in_machine, mut has_login, mut key) = (false, false, "");
    let mut at = 0;
    for piece in text.split_inclusive(|c: char| c.is_whitespace()).take(WORDS) {
        let word = piece.trim_end();
        let range = at..at + word.len();
        at += piece.len();
        if word.is_empty() {
            continue;
        }
        match (key, word) {
            ("password" | "passwd", _) if has_login && !is_open(word) => {
                parts.push(SecretPart { range, what: "password of a machine".to_owned() });
                key = "";
            }
            ("machine" | "login" | "account" | "password" | "passwd", _) => key = "",
            ("", "machine") => (in_machine, has_login, key) = (true, false, word),
            ("", "login" | "account" | "password" | "passwd") if in_machine => {
                has_login |= word == "login";
                key = word;
            }
            ("", "default") => in_machine |= text.starts_with("default"),
            _ => in_machine = false,
        }
        if parts.len() >= MOST {
            break;
        }
    }
    parts
}

/// Element of XML with a text.
// Without counted repetitions: of a class with so many characters, they take megabytes.
static ELEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"<([A-Za-z][A-Za-z0-9_.:-]*)(?:\s[^<>]*)?>([^<>]+)</([A-Za-z][A-Za-z0-9_.:-]*)>").ok()
});

/// Finds the contents of XML elements with secret names.
fn elements(text: &str, names: &SecretNames) -> Vec<SecretPart> {
    let all = ELEMENT.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(text)).take(MOST);
    let secret = |groups: regex::Captures<'_>| {
        let (name, content, end) = (groups.get(1)?.as_str(), groups.get(2)?, groups.get(3)?.as_str());
        let name = name.rsplit(':').next().filter(|_| name == end)?;
        let value = content.as_str();
        let judged = names.judge(name, value).replace.filter(|_| !is_open(value.trim()))?;
        let what = format!("content of the element `{name}`");
        Some(SecretPart { range: content.start() + judged.start..content.start() + judged.end, what })
    };
    all.filter_map(secret).collect()
}

/// Shortest and longest Base64 to decode.
const ENCODED: Range<usize> = 16..16 << 10;

/// Finds words of Base64 whose text contains a secret, by a function for the text.
pub(super) fn encoded(text: &str, has_secret: &dyn Fn(&str) -> bool) -> Vec<SecretPart> {
    let is_of_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let mut parts = Vec::new();
    let mut at = 0;
    for piece in text.split_inclusive(|c: char| !is_of_base64(c)).take(WORDS) {
        let start = at;
        at += piece.len();
        let word = piece.trim_end_matches(|c: char| !is_of_base64(c));
        // A name may stand before it, with `=` between.
        let body = word.trim_end_matches('=');
        let from = body.rfind('=').map_or(0, |sign| sign + 1);
        let body = &body[from..];
        if !ENCODED.contains(&body.len()) {
            continue;
        }
        let decoded = STANDARD_NO_PAD.decode(body).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let is_text = |text: &String| text.chars().all(|c| !c.is_control() || c.is_whitespace());
        let Some(decoded) = decoded.filter(is_text) else { continue };
        if has_secret(&decoded) {
            let range = start + from..start + from + body.len();
            parts.push(SecretPart { range, what: "Base64 of a text with a secret".to_owned() });
        }
        if parts.len() >= MOST {
            break;
        }
    }
    parts
}
