//! The forms in which a secret may stand in a text that was folded ([`super::folded`]): as it is, in
//! base64 and in hexadecimal digits. What folding undoes (percent-encoding, escapes) is no form here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::folded::{Folding, fold};
use super::phrases::{Phrase, SHORTEST};

/// Lines of a secret that are shorter than this are no secrets by themselves.
const SHORTEST_LINE: usize = 8;

/// The forms of one secret.
#[derive(Debug, Default)]
pub(super) struct Forms {
    /// As they are written, to be found whatever is around them.
    pub(super) raw: Vec<Phrase>,
    /// In a folded text.
    pub(super) folded: Vec<Phrase>,
    /// One of the first is not among the second.
    pub(super) needs_raw: bool,
}

/// The forms of a secret; none of one that is too short.
pub(super) fn of(secret: &str, folding: Folding) -> Forms {
    let mut forms = Forms::default();
    let trimmed = secret.trim();
    if trimmed.len() < SHORTEST {
        return forms;
    }
    forms.text(trimmed, folding);
    for line in trimmed.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE) {
        forms.text(line, folding);
    }
    forms.base64(trimmed.as_bytes());
    forms.hexadecimal(trimmed.as_bytes());
    forms
}

impl Forms {
    fn text(&mut self, text: &str, folding: Folding) {
        self.raw.push(Phrase::plain(text.as_bytes()));
        let folded = fold(text.as_bytes(), folding);
        let has_unseen_edge = folded.has_unseen_edge(text.len());
        let folded = folded.bytes;
        let first_line = text.lines().next().unwrap_or_default();
        self.needs_raw |= folded.len() < SHORTEST || first_line.len() < SHORTEST || has_unseen_edge;
        if folded.len() < SHORTEST || has_unseen_edge {
            // What is left of it would be found everywhere, or leave an end of it: the usual forms of it
            // as they are.
            self.raw.extend(escaped(text).iter().map(|form| Phrase::plain(form.as_bytes())));
        }
        if folded.len() < SHORTEST {
            return;
        }
        // As forms are sent.
        if text.contains(' ') {
            self.folded.push(Phrase::plain(&fold(text.replace(' ', "+").as_bytes(), folding).bytes));
        }
        // Python's `ascii` and others write characters of Latin-1 as one byte.
        if !text.is_ascii() {
            let latin = String::from_utf8_lossy(&folded).chars().flat_map(latin).collect::<Vec<u8>>();
            self.folded.push(Phrase::plain(&latin));
        }
        // Where every byte was escaped, what looks like an escaped character in the secret is none.
        let literal = literal(text, folding);
        if literal != folded && literal.len() >= SHORTEST {
            self.folded.push(Phrase::plain(&literal));
        }
        self.folded.push(Phrase::plain(&folded));
    }

    /// At each of the three alignments, the characters that do not depend on the neighbours; those that
    /// also hold bits of a neighbour are told beside.
    fn base64(&mut self, secret: &[u8]) {
        for shift in 0..3 {
            let padded = [&b"\0\0"[..shift], secret].concat();
            let bits = padded.len() * 8;
            let (from, to) = ((shift * 8).div_ceil(6), bits / 6);
            // The first secret bits stand in the last bits of the character before.
            let known = from * 6 - shift * 8;
            let low = usize::from(secret[0]) >> 8_usize.saturating_sub(known).min(8);
            let before: Vec<u8> = (0..64)
                .filter(|value| known > 0 && value & ((1 << known) - 1) == low)
                .flat_map(|value| ALPHABETS.map(|alphabet| alphabet[value]))
                .collect();
            let mut cores = [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD]
                .map(|engine| engine.encode(&padded).as_bytes()[from..to].to_vec())
                .to_vec();
            cores.dedup();
            self.folded.extend(cores.into_iter().map(|core| Phrase {
                bytes: core.into(),
                before: before.as_slice().into(),
                goes_on: bits % 6 > 0,
            }));
        }
    }

    fn hexadecimal(&mut self, secret: &[u8]) {
        for upper in [false, true] {
            let digits: Vec<String> = secret
                .iter()
                .map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") })
                .collect();
            for separator in ["", ":", " "] {
                self.folded.push(Phrase::plain(digits.join(separator).as_bytes()));
            }
        }
    }
}

const ALPHABETS: [&[u8; 64]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
];

/// A character as one byte, if it has one, else in UTF-8.
fn latin(char: char) -> Vec<u8> {
    match u8::try_from(u32::from(char)) {
        Ok(byte) => vec![byte],
        Err(_) => char.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
    }
}

/// A text without what folding takes out of any text.
fn literal(text: &str, folding: Folding) -> Vec<u8> {
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

/// The usual escaped forms.
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
