//! Tokens and private keys recognised by their form in text from outside: messages, output of components,
//! logs of jobs and of builds, comments. Declared secrets are masked by the [`super::Redactor`].

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::terminal::{Lexeme, ReadOptions, is_control, visible};
use crate::base::secret::MASK;

/// Substrings of which every form contains one: a fast test that most texts fail.
const ANCHORS: [&str; 43] = [
    "glpat-",
    "gldt-",
    "glrt-",
    "glptt-",
    "glcbt-",
    "glft-",
    "glsoat-",
    "glimt-",
    "glagent-",
    "gloas-",
    "glffct-",
    "GR1348941",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "xox",
    "xapp-",
    "AKIA",
    "ASIA",
    "eyJ",
    "-----BEGIN ",
    "sk-",
    "sk_live_",
    "rk_live_",
    "npm_",
    "pypi-",
    "hf_",
    "dckr_pat_",
    "AIza",
    "SG.",
    "ya29.",
    "sha256~",
    "hvs.",
    "dop_v1_",
    "shpat_",
    "shpca_",
    "shppa_",
    "shpss_",
    // The second part of a token of Telegram, behind the number of a bot.
    ":AA",
    "\"auth\"",
];

/// Maximum bytes of a token; a longer word is not a token.
const LONGEST_WORD: usize = 8 << 10;
/// Maximum bytes of a private key.
pub(super) const LONGEST_KEY: usize = 32 << 10;
const KEY_BEGINS: &[u8] = b"-----BEGIN ";
const KEY_ENDS: &[u8] = b"-----END ";

static LOOK: LazyLock<Regex> = LazyLock::new(|| {
    let anchors = ANCHORS.map(regex::escape).join("|");
    Regex::new(&anchors).expect("a constant expression")
});

static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"gl(?:pat|dt|rt|ptt|cbt|ft|soat|imt|agent|oas|ffct)-[A-Za-z0-9_.=-]{16,}",
        r"GR1348941[A-Za-z0-9_-]{16,}",
        r"gh[pousr]_[A-Za-z0-9]{30,}",
        r"github_pat_[A-Za-z0-9_]{22,}",
        r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"xapp-[A-Za-z0-9-]{20,}",
        r"A[KS]IA[A-Z0-9]{16}\b",
        r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:(?s:.*?)-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\,:-]*)",
        r"\bsk-(?:(?:proj|svcacct|admin|ant)-[A-Za-z0-9_-]{8,}|[A-Za-z0-9_-]{20,})",
        r"[rs]k_live_[A-Za-z0-9]{16,}",
        r"npm_[A-Za-z0-9]{36}",
        r"pypi-[A-Za-z0-9_-]{50,}",
        r"\bhf_[A-Za-z0-9]{30,}",
        r"dckr_pat_[A-Za-z0-9_-]{20,}",
        r"AIza[A-Za-z0-9_-]{35}",
        r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"\bya29\.[A-Za-z0-9_-]{20,}",
        r"sha256~[A-Za-z0-9_-]{40,}",
        r"\bhvs\.[A-Za-z0-9_-]{20,}",
        r"dop_v1_[a-f0-9]{40,}",
        r"\bshp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}",
        r":AA[A-Za-z0-9_-]{33}\b",
    ];
    // Text from outside need not be UTF-8.
    Regex::new(&format!(r#"(?-u)(?P<auth>"auth"\s*:\s*")[A-Za-z0-9+/=]{{8,}}|{}"#, forms.join("|")))
        .expect("a constant expression")
});

/// Masks tokens that are recognised by their form.
#[must_use]
pub fn without_tokens(text: &str) -> Cow<'_, str> {
    match masked(text.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        // Masks replace whole characters, so that the text stays UTF-8.
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn masked(bytes: &[u8]) -> Cow<'_, [u8]> {
    masked_from(bytes, 0)
}

/// Masks tokens in the bytes from `seen` on; of those that begin before, the rest is masked.
fn masked_from(bytes: &[u8], seen: usize) -> Cow<'_, [u8]> {
    let view = TokenView::of(bytes, true);
    if !LOOK.is_match(&view.text) {
        return Cow::Borrowed(&bytes[seen..]);
    }
    let mut made = Vec::new();
    let mut end = seen;
    for found in FORMS.captures_iter(&view.text) {
        let whole = found.get_match();
        let start = found.name("auth").map_or(whole.start(), |before| before.end());
        let (start, after) = (view.place(start), view.place(whole.end() - 1) + 1);
        if after <= seen {
            continue;
        }
        made.extend_from_slice(&bytes[end..start.max(end)]);
        made.extend_from_slice(MASK.as_bytes());
        end = after;
    }
    made.extend_from_slice(&bytes[end..]);
    Cow::Owned(made)
}

/// Visible text, without terminal control sequences.
struct TokenView<'a> {
    text: Cow<'a, [u8]>,
    /// Offset of each byte in the original; empty if they are the same.
    places: Vec<usize>,
    /// Position before which no control sequence is cut.
    whole: usize,
}

impl<'a> TokenView<'a> {
    fn of(bytes: &'a [u8], last: bool) -> Self {
        let is_text = |byte: &u8| !is_control(*byte) || matches!(byte, b'\n' | b'\r' | b'\t');
        if bytes.iter().all(is_text) {
            return Self { text: Cow::Borrowed(bytes), places: Vec::new(), whole: bytes.len() };
        }
        let (mut text, mut places, mut at) = (Vec::new(), Vec::new(), 0);
        while at < bytes.len() {
            let end = match visible(bytes, at, ReadOptions { strip: true, last }) {
                Lexeme::Nothing(end) if !is_text(&bytes[at]) || bytes[at] >= 0x80 => {
                    at = end;
                    continue;
                }
                Lexeme::Open if !last => break,
                Lexeme::Nothing(end)
                | Lexeme::Plain(end)
                | Lexeme::Newline(end)
                | Lexeme::Bytes { end, .. } => end,
                Lexeme::Open => bytes.len(),
            };
            text.extend_from_slice(&bytes[at..end]);
            places.extend(at..end);
            at = end;
        }
        Self { text: Cow::Owned(text), places, whole: at }
    }

    fn place(&self, at: usize) -> usize {
        match &self.text {
            Cow::Borrowed(_) => at,
            Cow::Owned(_) => self.places.get(at).copied().unwrap_or(self.whole),
        }
    }
}

/// Stream with masked tokens, wherever it is cut.
#[derive(Debug, Default)]
pub(super) struct TokenStream {
    /// Bytes that may begin a token.
    held: Vec<u8>,
    /// Number of bytes at the start of the held ones that are context, and are not shown.
    unseen: usize,
}

impl TokenStream {
    /// Accepts bytes that precede the shown ones, of which nothing appears in the output.
    pub(super) fn push_context(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.held.extend_from_slice(bytes);
            self.held.drain(..raw_open(&self.held));
            self.unseen = self.held.len();
        }
    }

    /// Accepts bytes, and appends the masked output to `out`.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.held.is_empty() {
            let open = raw_open(bytes);
            out.extend_from_slice(&masked(&bytes[..open]));
            self.held.extend_from_slice(&bytes[open..]);
            return;
        }
        self.held.extend_from_slice(bytes);
        let open = raw_open(&self.held);
        out.extend_from_slice(&masked_from(&self.held[..open], self.unseen.min(open)));
        self.unseen = self.unseen.saturating_sub(open);
        self.held.drain(..open);
    }

    /// Appends bytes held back to `out`, as nothing follows them for a while, unless they are more than the beginning of
    /// a form. If a token follows after all, the rest of it is masked.
    pub(super) fn pause(&mut self, out: &mut Vec<u8>) {
        let is_begun = ANCHORS.iter().any(|anchor| self.held.starts_with(anchor.as_bytes()));
        if !is_begun {
            out.extend_from_slice(&self.held[self.unseen..]);
            self.unseen = self.held.len();
        }
    }

    /// Ends the stream.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&masked_from(&self.held, self.unseen));
        self.unseen = 0;
        self.held.clear();
    }
}

fn raw_open(bytes: &[u8]) -> usize {
    let view = TokenView::of(bytes, false);
    view.place(open(&view.text))
}

/// Returns the start of an unfinished token: in the last word, or a private key without its last line.
fn open(bytes: &[u8]) -> usize {
    let recent = bytes.len().saturating_sub(LONGEST_KEY);
    let mut over = 0;
    if let Some(begin) = memchr::memmem::rfind(&bytes[recent..], KEY_BEGINS).map(|at| at + recent) {
        let rest = &bytes[begin..];
        if let Some(end) = memchr::memmem::find(rest, KEY_ENDS).map(|end| end + KEY_ENDS.len()) {
            // The last line must be complete.
            let Some(dashes) = memchr::memmem::find(&rest[end..], b"-----") else { return begin };
            over = begin + end + dashes + b"-----".len();
        } else {
            // The first line may name something else, such as a certificate.
            let line = memchr::memchr(b'\n', rest).map(|end| &rest[..end]);
            if line.is_none_or(|line| memchr::memmem::find(line, b"PRIVATE KEY").is_some()) {
                return begin;
            }
        }
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_.=-~\":".contains(&byte);
    let recent = bytes.len().saturating_sub(LONGEST_WORD);
    let start = bytes[recent..].iter().rposition(|byte| !is_word(*byte)).map_or(recent, |at| recent + at + 1);
    let start = start.max(over);
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric();
    let begins = |at: &usize| {
        let rest = &bytes[*at..];
        // One or two letters at the end of an ordinary word do not begin a token.
        let may_begin = rest.len() > 2 || *at == 0 || rest[0] == b':' || !is_inside(bytes[at - 1]);
        let is_begun = |anchor: &&str| anchor.as_bytes().starts_with(rest) && may_begin;
        ANCHORS.iter().any(|anchor| rest.starts_with(anchor.as_bytes()) || is_begun(anchor))
    };
    (start..bytes.len()).find(begins).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_recognised_by_format() {
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
            "sk-proj-a1b2c3d4".to_owned(),
            format!("shpat_{}", "0a1b2c3d".repeat(4)),
        ] {
            assert_eq!(without_tokens(&format!("a={token}, b")), format!("a={MASK}, b"));
        }
        let telegram = format!("bot123456789:AA{}/getMe", &long[..33]);
        assert_eq!(without_tokens(&telegram), format!("bot123456789{MASK}/getMe"));
        let key =
            format!("k: -----BEGIN RSA PRIVATE KEY-----\n{long}\n{long}==\n-----END RSA PRIVATE KEY-----\n");
        assert_eq!(without_tokens(&key), format!("k: {MASK}\n"));
        assert_eq!(without_tokens(r#"{"auth": "dXNlcjpwYXNz"}"#), format!(r#"{{"auth": "{MASK}"}}"#));
        let rest = format!("{key}and words follow. -----BEGIN CERTIFICATE-----\n{long}\n");
        assert_eq!(
            without_tokens(&rest),
            format!("k: {MASK}\nand words follow. -----BEGIN CERTIFICATE-----\n{long}\n")
        );
        let token = format!("glpat-{}", &long[..20]);
        for before in ["x_", "\\n", "%3D", "a="] {
            assert_eq!(without_tokens(&format!("{before}{token} b")), format!("{before}{MASK} b"));
        }
        let coloured = format!("a {}\x1b[31m{}\x1b[0m b\0", &token[..9], &token[9..]);
        assert_eq!(without_tokens(&coloured), format!("a {MASK}\x1b[0m b\0"));
        let quoted =
            "-----BEGIN PRIVATE KEY-----\n> Comment: a-b (c)\n> MIIabc\n> -----END PRIVATE KEY-----\nb";
        assert_eq!(without_tokens(quoted), format!("{MASK}\nb"));
        for text in ["ghost task-force-of-the-whole-company-here", "AKIA", "eyJ.eyJ.x", "sk-learn", "through"]
        {
            assert_eq!(without_tokens(text), text);
        }
    }

    #[test]
    fn token_stream_masks_tokens_across_chunks() {
        let long = "aB3".repeat(20);
        let token = format!("glpat-{}", &long[..20]);
        let key = format!("-----BEGIN PRIVATE KEY-----\n{long}\n{long}==\n-----END PRIVATE KEY-----");
        let certificate = format!("-----BEGIN CERTIFICATE-----\n{long}\n-----END CERTIFICATE-----");
        let coloured = format!("{}\x1b[31m{}", &token[..9], &token[9..]);
        let text = format!(
            "at 12:00:01 bot12345678:AA{} as {coloured} {token}, \"auth\":\"{token}\"\n{certificate}\n{key}\ng sk- xo\nlast {token}",
            &long[..33]
        );
        let wanted = format!(
            "at 12:00:01 bot12345678{MASK} as {MASK} {MASK}, \"auth\":\"{MASK}\"\n{certificate}\n{MASK}\ng sk- xo\nlast {MASK}"
        );
        for size in 1..text.len() {
            let (mut tokens, mut out) = (TokenStream::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                tokens.push(piece, &mut out);
            }
            tokens.finish(&mut out);
            assert_eq!(String::from_utf8_lossy(&out), wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn token_stream_releases_ordinary_text() {
        for text in ["$ ", "password: ", "Loading", "100%", "> ", "a.b=c"] {
            let (mut tokens, mut out) = (TokenStream::default(), Vec::new());
            tokens.push(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
