//! Forms of a secret in a folded text ([`super::folded`]): plain, base64, base32 and hexadecimal. Forms
//! that folding decodes (percent-encoding, escapes) are not listed here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as STANDARD_ENGINE;

use super::char_forms;
use super::folded::{FoldOptions, fold};
use super::parts;
use super::phrases::{Phrase, SHORTEST};

/// Minimum bytes of a secret's line that counts as a secret alone.
const SHORTEST_LINE: usize = 8;

/// Forms of one secret.
#[derive(Debug, Default)]
pub(super) struct Forms {
    /// Forms to find in the raw text.
    pub(super) raw: Vec<Phrase>,
    /// Forms to find in the folded text.
    pub(super) folded: Vec<Phrase>,
    /// Some raw form has no folded counterpart.
    pub(super) needs_raw: bool,
}

/// Returns the forms of a secret; none if it is too short.
pub(super) fn of(secret: &str, folding: FoldOptions) -> Forms {
    let mut forms = Forms::default();
    let trimmed = secret.trim();
    if trimmed.len() < SHORTEST {
        return forms;
    }
    forms.text(trimmed, folding);
    for line in trimmed.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE) {
        forms.text(line, folding);
    }
    forms.binary(trimmed, folding);
    for part in parts::of(trimmed) {
        forms.text(&part, folding);
        forms.binary(&part, folding);
    }
    forms
}

impl Forms {
    fn text(&mut self, text: &str, folding: FoldOptions) {
        self.raw.push(Phrase::plain(text.as_bytes()));
        self.written(text, folding);
        let folded = fold(text.as_bytes(), folding);
        let has_unseen_edge = folded.has_unseen_edge(text.len());
        let folded = folded.bytes;
        let first_line = text.lines().next().unwrap_or_default();
        self.needs_raw |= folded.len() < SHORTEST || first_line.len() < SHORTEST || has_unseen_edge;
        if folded.len() < SHORTEST || has_unseen_edge {
            // The folded text would be too short to search for, or would leave an end of the secret
            // visible: search for the usual raw forms.
            self.raw.extend(escaped(text).iter().map(|form| Phrase::plain(form.as_bytes())));
        }
        if folded.len() < SHORTEST {
            return;
        }
        // HTML forms encode a space as `+`.
        if text.contains(' ') {
            self.folded.push(Phrase::plain(&fold(text.replace(' ', "+").as_bytes(), folding).bytes));
        }
        // Python's `ascii` and others write Latin-1 characters as one byte.
        if !text.is_ascii() {
            let latin = String::from_utf8_lossy(&folded).chars().flat_map(latin).collect::<Vec<u8>>();
            self.folded.push(Phrase::plain(&latin));
        }
        // If every byte was escaped, folding leaves escapes in the secret itself as they are.
        let literal = literal(text, folding);
        if literal != folded && literal.len() >= SHORTEST {
            self.folded.push(Phrase::plain(&literal));
        }
        self.folded.push(Phrase::plain(&folded));
    }

    /// Adds the forms in which programs write single characters in another way.
    fn written(&mut self, text: &str, folding: FoldOptions) {
        for form in char_forms::plain(text) {
            // Folding reads these as the beginning of a control sequence, and a line break as the end of a wrapped line.
            self.needs_raw |= form.contains(|one| one == '\n' || ('\u{80}'..='\u{9f}').contains(&one));
            self.raw.push(Phrase::plain(form.as_bytes()));
            self.folded.push(Phrase::plain(&fold(form.as_bytes(), folding).bytes));
        }
        for form in char_forms::binary(text).iter().filter(|form| form.len() >= SHORTEST) {
            self.needs_raw |= form.iter().any(|byte| (0x80..=0x9f).contains(byte));
            self.raw.push(Phrase::plain(form));
            let folded = fold(form, folding).bytes;
            self.folded.extend((folded.len() >= SHORTEST).then(|| Phrase::plain(&folded)));
        }
        // A backslash makes a search of the raw text necessary in any case.
        self.raw.extend(char_forms::numbered(text).iter().map(|form| Phrase::plain(form.as_bytes())));
    }

    /// Adds the forms of a text as bytes.
    fn binary(&mut self, text: &str, folding: FoldOptions) {
        self.encoded(text.as_bytes(), BASES);
        self.encoded_twice(text.as_bytes());
        // Base64 of JSON, of a query or of a form.
        for escaped in quoted(text) {
            self.encoded(escaped.as_bytes(), &BASES[..2]);
        }
        self.hexadecimal(text.as_bytes(), &["", ":", " "], folding);
        // PowerShell encodes UTF-16.
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let wide: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
            self.encoded(&wide, &BASES[..2]);
            self.hexadecimal(&wide, &[""], folding);
        }
    }

    fn encoded(&mut self, secret: &[u8], bases: &[Base]) {
        for base in bases {
            for core in base.cores(secret) {
                self.folded.push(core.phrase(base));
            }
        }
    }

    fn encoded_twice(&mut self, secret: &[u8]) {
        // Base64 of base64, such as a Kubernetes Secret with an encoded value: complete, and within a
        // longer value.
        let (base, once) = (&BASES[0], STANDARD_ENGINE.encode(secret));
        self.folded.push(base.core(once.as_bytes(), 0).phrase(base));
        for base in &BASES[..2] {
            for inner in base.cores(secret) {
                self.folded.extend(base.cores(&inner.text).map(|core| core.phrase(base)));
            }
        }
    }

    fn hexadecimal(&mut self, secret: &[u8], separators: &[&str], folding: FoldOptions) {
        for upper in [false, true] {
            let digits: Vec<String> = secret
                .iter()
                .map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") })
                .collect();
            for separator in separators {
                self.folded.push(Phrase::plain(digits.join(separator).as_bytes()));
            }
            // PostgreSQL writes `\x` before all digits, which folding reads as the escape of the first byte.
            let written = format!("\\x{}", digits.concat());
            self.folded.push(Phrase::plain(&fold(written.as_bytes(), folding).bytes));
        }
    }
}

/// Encoding of bytes with a number of bits in each character (RFC 4648).
struct Base {
    bits: usize,
    /// Alphabet, and a second one with the same meaning.
    alphabet: &'static [u8],
    other: &'static [u8],
    /// Maximum characters of padding, with the last character.
    fill: usize,
}

const BASES: &[Base] = &[
    Base { bits: 6, alphabet: STANDARD, other: URL_SAFE, fill: 3 },
    Base { bits: 6, alphabet: URL_SAFE, other: STANDARD, fill: 3 },
    Base { bits: 5, alphabet: BASE32, other: BASE32, fill: 7 },
    Base { bits: 5, alphabet: BASE32_LOWER, other: BASE32_LOWER, fill: 7 },
    Base { bits: 5, alphabet: BASE32_HEX, other: BASE32_HEX, fill: 7 },
];

const STANDARD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE32_LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
const BASE32_HEX: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// Characters of an encoded text that do not depend on adjacent bytes.
struct Core {
    text: Vec<u8>,
    /// Characters possible right before the core, which contain the first bits.
    before: Vec<u8>,
    /// A character right after the core contains the last bits.
    goes_on: bool,
}

impl Core {
    fn phrase(self, base: &Base) -> Phrase {
        let goes_on = if self.goes_on { base.fill } else { 0 };
        Phrase { bytes: self.text.into(), before: self.before.into(), goes_on }
    }
}

impl Base {
    /// Returns the cores of bytes at each alignment: a character begins at the first bit of every third
    /// byte, in base32 of every fifth.
    fn cores<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = Core> + 'b {
        let alignments = if self.bits == 6 { 3 } else { 5 };
        (0..alignments).map(|shift| self.core(bytes, shift))
    }

    fn core(&self, bytes: &[u8], shift: usize) -> Core {
        let skipped = (shift * 8).div_ceil(self.bits) * self.bits - shift * 8;
        let value = |at: usize| {
            (at..at + self.bits)
                .fold(0, |value, bit| value << 1 | usize::from(bytes[bit / 8] >> (7 - bit % 8) & 1))
        };
        let count = (bytes.len() * 8).saturating_sub(skipped) / self.bits;
        let text = (0..count).map(|n| self.alphabet[value(skipped + n * self.bits)]).collect();
        let first = usize::from(bytes[0]) >> 8_usize.saturating_sub(skipped).min(8);
        let is_before = |value: &usize| skipped > 0 && value & ((1 << skipped) - 1) == first;
        let mut before: Vec<u8> = (0..1 << self.bits)
            .filter(is_before)
            .flat_map(|value| [self.alphabet[value], self.other[value]])
            .collect();
        before.sort_unstable();
        before.dedup();
        Core { text, before, goes_on: !(bytes.len() * 8 - skipped).is_multiple_of(self.bits) }
    }
}

/// Encodes a character in Latin-1, or else in UTF-8.
fn latin(char: char) -> Vec<u8> {
    match u8::try_from(u32::from(char)) {
        Ok(byte) => vec![byte],
        Err(_) => char.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
    }
}

/// Removes the characters that folding removes from any text.
fn literal(text: &str, folding: FoldOptions) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for char in text.chars().filter(|char| !char.is_ascii_control() && *char != '\\') {
        match char {
            '"' | '\'' if folding.quotes => {
                if out.last() != Some(&b'\'') {
                    out.push(b'\'');
                }
            }
            char => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// Returns the forms of a text within JSON (with escaped letters and slashes or without), in a query, and in a form, as far
/// as they differ from it.
fn quoted(text: &str) -> Vec<String> {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Vec::new();
    }
    let json = serde_json::Value::from(text).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let letters = |text: &str| -> String {
        let unit = |unit: u16| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        };
        text.encode_utf16().map(unit).collect()
    };
    let percent = |safe: &[u8]| -> String {
        let byte = |byte: u8| match byte {
            _ if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || safe.contains(&byte) => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let mut all = vec![
        json.replace('/', "\\/"),
        letters(&json),
        letters(&json).replace('/', "\\/"),
        json,
        percent(b""),
        percent(b"/"),
        percent(b"!'()*"),
        percent(b" ").replace(' ', "+"),
    ];
    all.sort_unstable();
    all.dedup();
    all.retain(|form| form != text);
    all
}

/// Returns the usual escaped forms.
fn escaped(text: &str) -> Vec<String> {
    let percent = |upper: bool| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                out.push(char::from(byte));
            } else if upper {
                out.push_str(&format!("%{byte:02X}"));
            } else {
                out.push_str(&format!("%{byte:02x}"));
            }
            out
        })
    };
    let json = serde_json::Value::from(text).to_string();
    vec![percent(true), percent(false), json[1..json.len() - 1].to_owned()]
}
