//! Masking of secrets in requests and answers by their names, also unknown ones: fields of JSON, pairs of a key and a
//! value, logins and parameters of addresses. Secrets that are known are masked by the caller.

use std::ops::Range;
use std::sync::LazyLock;

use crate::base::assets::embedded_text;
use crate::base::secret::MASK;
use crate::model::environment::{SecretNames, without_secret_parts};

/// Fields of a pair that name it.
const PAIR_NAMES: [&str; 3] = ["key", "name", "variable"];
/// Fields of a pair that hold its value.
const PAIR_VALUES: [&str; 3] = ["value", "secret_value", "default"];
/// Fields that mark the value of a variable as hidden.
const PAIR_MARKS: [&str; 2] = ["masked", "hidden"];

/// Rules for names: the built-in ones, since the texts of a server are of no project.
static NAMES: LazyLock<SecretNames> = LazyLock::new(|| {
    let text = embedded_text("secret-names.yaml").unwrap_or("rules: []");
    SecretNames::read("secret-names.yaml", text).expect("a constant text")
});

/// Masks secrets in a text that is no document: an address, a header, a log.
pub(super) fn plain(text: &str) -> String {
    without_secret_parts(text, &NAMES)
}

/// Masks secrets in a body, of which the end may be missing.
pub(super) fn body(text: &str) -> String {
    if !text.trim_start().starts_with(['{', '[']) {
        return plain(text);
    }
    let mut document = Document::default();
    for token in tokens(text) {
        document.take(text, token);
    }
    while document.close() {}
    document.changes.sort_by_key(|(range, _)| range.start);
    let (mut masked, mut end) = (String::with_capacity(text.len()), 0);
    for (range, replacement) in document.changes.into_iter().filter(|(range, _)| !range.is_empty()) {
        // A value may be masked for two reasons.
        if range.start >= end {
            masked.push_str(&text[end..range.start]);
            masked.push_str(&replacement);
            end = range.end;
        }
    }
    masked.push_str(&text[end..]);
    masked
}

/// Piece of JSON.
enum Token {
    /// One of `{}[]:,`.
    Sign(u8),
    /// Text with its quotes; the last one may be missing.
    Text(Range<usize>),
    /// Number, `true`, `false` or `null`.
    Scalar(Range<usize>),
}

/// Splits JSON into its pieces.
fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'{' | b'}' | b'[' | b']' | b':' | b',' => tokens.push(Token::Sign(*byte)),
            b'"' => {
                while let Some(byte) = bytes.get(at) {
                    at += if *byte == b'\\' { 2 } else { 1 };
                    if *byte == b'"' {
                        break;
                    }
                }
                at = at.min(bytes.len());
                tokens.push(Token::Text(start..at));
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => {
                let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"{}[]:,\"".contains(byte);
                at = bytes[at..].iter().position(is_end).map_or(bytes.len(), |length| at + length);
                tokens.push(Token::Scalar(start..at));
            }
        }
    }
    tokens
}

/// Object or list that is being read.
#[derive(Default)]
struct Level {
    is_object: bool,
    /// Everything in it belongs to a field with a secret's name.
    is_secret: bool,
    /// Name of the next value: of the field, or of the list.
    name: String,
    /// A value comes next, not a name.
    has_name: bool,
    /// Fields so far: name, value, and the place of the value.
    fields: Vec<(String, String, Range<usize>)>,
}

/// Document that is being read, with the changes to its text.
#[derive(Default)]
struct Document {
    levels: Vec<Level>,
    changes: Vec<(Range<usize>, String)>,
}

impl Document {
    fn take(&mut self, text: &str, token: Token) {
        match token {
            Token::Sign(sign @ (b'{' | b'[')) => self.open(sign == b'{'),
            Token::Sign(b'}' | b']') => {
                self.close();
            }
            Token::Sign(sign) => {
                if let Some(level) = self.levels.last_mut().filter(|level| level.is_object) {
                    level.has_name = sign == b':';
                }
            }
            Token::Text(range) => {
                let written = &text[range.clone()];
                let content =
                    serde_json::from_str(written).unwrap_or_else(|_| written.trim_matches('"').to_owned());
                match self.levels.last_mut() {
                    Some(level) if level.is_object && !level.has_name => level.name = content,
                    _ => self.value(range, content, true),
                }
            }
            Token::Scalar(range) => self.value(range.clone(), text[range].to_owned(), false),
        }
    }

    fn open(&mut self, is_object: bool) {
        let level = match self.levels.last() {
            None => Level { is_object, ..Level::default() },
            Some(outer) => Level {
                is_object,
                is_secret: outer.is_secret || NAMES.suggests(&outer.name) && !is_pair_name(&outer.name),
                name: if is_object { String::new() } else { outer.name.clone() },
                ..Level::default()
            },
        };
        self.levels.push(level);
    }

    fn value(&mut self, range: Range<usize>, content: String, is_text: bool) {
        let (name, is_inside) =
            self.levels.last().map_or((String::new(), false), |level| (level.name.clone(), level.is_secret));
        let is_word = !is_text && !content.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let is_named = !is_pair_name(&name) && NAMES.judge(&name, &content).hide;
        if !is_word && !content.is_empty() && (is_inside || is_named) {
            self.mask(range.clone());
        } else if is_text {
            let masked = plain(&content);
            if masked != content {
                self.changes.push((range.clone(), serde_json::Value::from(masked).to_string()));
            }
        }
        if let Some(level) = self.levels.last_mut().filter(|level| level.is_object) {
            level.fields.push((name, content, range));
        }
    }

    /// Ends the innermost object or list; returns whether there was one.
    fn close(&mut self) -> bool {
        let Some(level) = self.levels.pop() else { return false };
        let is_secret = |(name, value, _): &(String, String, Range<usize>)| {
            is_pair_name(name) && NAMES.suggests(value)
                || PAIR_MARKS.contains(&name.as_str()) && value == "true"
        };
        if level.fields.iter().any(is_secret) {
            let values = level.fields.into_iter().filter(|(name, value, _)| {
                PAIR_VALUES.contains(&name.as_str())
                    && !matches!(value.as_str(), "" | "null" | "true" | "false")
            });
            values.for_each(|(.., range)| self.mask(range));
        }
        true
    }

    fn mask(&mut self, range: Range<usize>) {
        // A later reason for the same value replaces the whole of it as well.
        self.changes.retain(|(other, _)| *other != range);
        self.changes.push((range, format!("\"{MASK}\"")));
    }
}

fn is_pair_name(name: &str) -> bool {
    PAIR_NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_text_masks_fields_with_secret_names() {
        let written = r#"{"id": 7, "runners_token": "GR-abc", "password":"p\"x\u0041", "import_url": "https://u:pw@h/x",
            "link": "https://h/x?private_token=zzz9&page=2", "variables": [{"value": "v1", "key": "DB_PASSWORD"},
            {"key": "MODE", "value": "fast"}, {"key": "X", "value": "v2", "masked": true}],
            "secrets": {"a": "v3", "b": ["v4", 12345678]}, "tokens": ["v5"], "token": null, "ci_job_token_enabled": true,
            "body": "see https://a:v6@h/ and \"api_key\": \"v7v7v7\"", "web_url": "https://h/group/x", "author": "alice"}"#;
        let masked = body(written);
        let read: serde_json::Value = serde_json::from_str(&masked).expect("is JSON");
        for secret in
            ["GR-abc", "p\\\"x", ":pw@", "zzz9", "v1", "v2", "v3", "v4", "12345678", "v5", "v6", "v7"]
        {
            assert!(!masked.contains(secret), "{secret}: {masked}");
        }
        assert_eq!(read["id"], 7);
        assert_eq!(read["author"], "alice");
        assert_eq!(read["web_url"], "https://h/group/x");
        assert_eq!(read["variables"][1]["value"], "fast");
        assert_eq!(read["variables"][0]["key"], "DB_PASSWORD");
        assert_eq!(read["link"], format!("https://h/x?private_token={MASK}&page=2"));
        assert_eq!(read["ci_job_token_enabled"], true);
        // Nothing else changes, wherever the text is cut.
        assert_eq!(body(r#"[{"a" : "b\/c"},  1.50]"#), r#"[{"a" : "b\/c"},  1.50]"#);
        for (at, _) in written.char_indices() {
            let masked = body(&written[..at]);
            assert!(!masked.contains("GR-") && !masked.contains("v3") && !masked.contains("v6@"), "{masked}");
        }
        assert_eq!(
            plain("GET https://h/x?job_token=abcd&a=b"),
            format!("GET https://h/x?job_token={MASK}&a=b")
        );
    }

    #[test]
    fn wire_text_reads_what_jq_writes() {
        let value = serde_json::json!({"deploy": {"password": "a\"b\\c\u{e9}\u{1f600}d"}, "n": [1, "x"]});
        for flags in [&["-c"][..], &["--ascii-output"], &["--tab"]] {
            let mut child = std::process::Command::new("jq")
                .args(flags)
                .arg(".")
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .expect("jq is there");
            std::io::Write::write_all(
                &mut child.stdin.take().expect("is piped"),
                value.to_string().as_bytes(),
            )
            .expect("is read");
            let written = child.wait_with_output().expect("ends").stdout;
            let masked = body(&String::from_utf8_lossy(&written));
            let read: serde_json::Value = serde_json::from_str(&masked).expect("is JSON");
            assert_eq!(read, serde_json::json!({"deploy": {"password": MASK}, "n": [1, "x"]}), "{masked}");
        }
    }
}
