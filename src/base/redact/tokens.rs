//! Tokens and private keys that tell by their form what they are, in texts from outside: messages,
//! output of components, logs of jobs and of builds, comments. Nobody declared these; what was declared
//! is found by the [`super::Redactor`].

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::base::secret::MASK;

/// One of these is in every such form: most texts are done with after a look for them.
const ANCHORS: [&str; 20] = [
    "glpat-",
    "gldt-",
    "glrt-",
    "glptt-",
    "glcbt-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "xox",
    "AKIA",
    "ASIA",
    "eyJ",
    "-----BEGIN ",
    "sk-",
    "npm_",
    "pypi-",
    "\"auth\"",
];

/// No token is longer; a longer word is none.
const LONGEST_WORD: usize = 8 << 10;
/// No private key is longer.
const LONGEST_KEY: usize = 32 << 10;
const KEY_BEGINS: &[u8] = b"-----BEGIN ";
const KEY_ENDS: &[u8] = b"-----END ";

static LOOK: LazyLock<Regex> = LazyLock::new(|| {
    let anchors = ANCHORS.map(regex::escape).join("|");
    Regex::new(&anchors).expect("a constant expression")
});

static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"\bgl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_.=-]{16,}",
        r"\bgh[pousr]_[A-Za-z0-9]{30,}",
        r"\bgithub_pat_[A-Za-z0-9_]{22,}",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"\bA[KS]IA[A-Z0-9]{16}\b",
        r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:[^-]*-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\,:-]*)",
        r"\bsk-[A-Za-z0-9_-]{20,}",
        r"\bnpm_[A-Za-z0-9]{36}",
        r"\bpypi-[A-Za-z0-9_-]{50,}",
    ];
    // Text from outside need not be UTF-8.
    Regex::new(&format!(r#"(?-u)(?P<auth>"auth"\s*:\s*")[A-Za-z0-9+/=]{{8,}}|{}"#, forms.join("|")))
        .expect("a constant expression")
});

/// A text without what is a token by its form.
#[must_use]
pub fn without_tokens(text: &str) -> Cow<'_, str> {
    match masked(text.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        // Whole characters were replaced by whole characters.
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn masked(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !LOOK.is_match(bytes) {
        return Cow::Borrowed(bytes);
    }
    FORMS.replace_all(bytes, |found: &regex::bytes::Captures<'_>| {
        let before = found.name("auth").map_or(&b""[..], |before| before.as_bytes());
        [before, MASK.as_bytes()].concat()
    })
}

/// A stream without tokens, wherever it is cut.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// What may be the beginning of one.
    held: Vec<u8>,
}

impl Tokens {
    /// Takes bytes in and appends what may be shown to `out`.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.held.is_empty() {
            let open = open(bytes);
            out.extend_from_slice(&masked(&bytes[..open]));
            self.held.extend_from_slice(&bytes[open..]);
            return;
        }
        self.held.extend_from_slice(bytes);
        let open = open(&self.held);
        out.extend_from_slice(&masked(&self.held[..open]));
        self.held.drain(..open);
    }

    /// Ends the stream.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&masked(&self.held));
        self.held.clear();
    }
}

/// Where what may go on as a token begins: in the last word, or with the private key that has no end yet.
fn open(bytes: &[u8]) -> usize {
    let recent = bytes.len().saturating_sub(LONGEST_KEY);
    let mut over = 0;
    if let Some(begin) = memchr::memmem::rfind(&bytes[recent..], KEY_BEGINS).map(|at| at + recent) {
        let rest = &bytes[begin..];
        if let Some(end) = memchr::memmem::find(rest, KEY_ENDS).map(|end| end + KEY_ENDS.len()) {
            // Its last line must be whole.
            let Some(dashes) = memchr::memmem::find(&rest[end..], b"-----") else { return begin };
            over = begin + end + dashes + b"-----".len();
        } else {
            // The first line may say that it is something else, a certificate for one.
            let line = memchr::memchr(b'\n', rest).map(|end| &rest[..end]);
            if line.is_none_or(|line| memchr::memmem::find(line, b"PRIVATE KEY").is_some()) {
                return begin;
            }
        }
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_.=-\"".contains(&byte);
    let recent = bytes.len().saturating_sub(LONGEST_WORD);
    let start = bytes[recent..].iter().rposition(|byte| !is_word(*byte)).map_or(recent, |at| recent + at + 1);
    let start = start.max(over);
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = |at: &usize| {
        let rest = &bytes[*at..];
        let is_boundary = *at == 0 || !is_inside(bytes[at - 1]) || !is_inside(rest[0]);
        is_boundary
            && ANCHORS
                .iter()
                .any(|anchor| rest.starts_with(anchor.as_bytes()) || anchor.as_bytes().starts_with(rest))
    };
    (start..bytes.len()).find(begins).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_by_their_form() {
        let long = "aB3".repeat(20);
        for token in [
            format!("glpat-{}", &long[..20]),
            format!("ghp_{}", &long[..36]),
            format!("github_pat_{long}"),
            "xoxb-123456789012-abcdef".to_owned(),
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", &long[..30]),
            format!("sk-{long}"),
            format!("npm_{}", &long[..36]),
            format!("pypi-AgEIcHlwaS5vcmc{long}"),
        ] {
            assert_eq!(without_tokens(&format!("a={token}, b")), format!("a={MASK}, b"));
        }
        let key =
            format!("k: -----BEGIN RSA PRIVATE KEY-----\n{long}\n{long}==\n-----END RSA PRIVATE KEY-----\n");
        assert_eq!(without_tokens(&key), format!("k: {MASK}\n"));
        assert_eq!(without_tokens(r#"{"auth": "dXNlcjpwYXNz"}"#), format!(r#"{{"auth": "{MASK}"}}"#));
        let rest = format!("{key}and words follow. -----BEGIN CERTIFICATE-----\n{long}\n");
        assert_eq!(
            without_tokens(&rest),
            format!("k: {MASK}\nand words follow. -----BEGIN CERTIFICATE-----\n{long}\n")
        );
        for text in ["ghost task-force-of-the-whole-company-here", "AKIA", "eyJ.eyJ.x", "sk-learn", "through"]
        {
            assert_eq!(without_tokens(text), text);
        }
    }

    #[test]
    fn tokens_are_found_wherever_the_stream_is_cut() {
        let long = "aB3".repeat(20);
        let token = format!("glpat-{}", &long[..20]);
        let key = format!("-----BEGIN PRIVATE KEY-----\n{long}\n{long}==\n-----END PRIVATE KEY-----");
        let certificate = format!("-----BEGIN CERTIFICATE-----\n{long}\n-----END CERTIFICATE-----");
        let text = format!("as {token}, \"auth\":\"{token}\"\n{certificate}\n{key}\ng sk- xo\nlast {token}");
        let wanted = format!("as {MASK}, \"auth\":\"{MASK}\"\n{certificate}\n{MASK}\ng sk- xo\nlast {MASK}");
        for size in 1..text.len() {
            let (mut tokens, mut out) = (Tokens::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                tokens.push(piece, &mut out);
            }
            tokens.finish(&mut out);
            assert_eq!(String::from_utf8_lossy(&out), wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn ordinary_text_is_not_held_back() {
        for text in ["$ ", "password: ", "Loading", "100%", "> ", "a.b=c"] {
            let (mut tokens, mut out) = (Tokens::default(), Vec::new());
            tokens.push(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
