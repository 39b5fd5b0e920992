//! Other readings of a text than the usual one ([`super::folded`]): overwritten characters, with which
//! printers produced bold text, and quoted-printable. Each is produced only if the text contains its marks.
//! Numbers that stand for bytes are in [`super::dump`].

use super::folded::Folded;
use super::phrases::PatternSet;
use super::terminal::{Lexeme, ReadOptions, visible};

/// Sequence that moves the cursor left.
const LEFT: &[u8] = b"\x1b[D";

/// Returns the text with only the last character written at each position, if any was overwritten.
pub(super) fn written_over(text: &[u8], last: bool) -> Option<Folded> {
    // An underscore at the end may be overwritten by the following bytes.
    let is_under = !last && text.last() == Some(&b'_');
    if !is_under && memchr::memchr(8, text).is_none() && memchr::memmem::find(text, LEFT).is_none() {
        return None;
    }
    let text = if is_under { &text[..text.len() - 1] } else { text };
    let mut view = Folded::default();
    view.unsettled = 1;
    let (mut at, mut from) = (0, None);
    while at < text.len() {
        if from.is_none() {
            let plain = text[at..].iter().position(|byte| !matches!(byte, b' '..=b'~'));
            let end = plain.map_or(text.len(), |length| at + length);
            view.bytes.extend_from_slice(&text[at..end]);
            at = end;
        }
        let step = match text.get(at) {
            None => break,
            Some(8) => 1,
            Some(0x1b) if text[at..].starts_with(LEFT) => LEFT.len(),
            Some(_) => 0,
        };
        if step > 0 {
            from = view.take_back();
            if from.is_none() {
                view.piece((at, at + step), &[], false);
            }
            at += step;
            continue;
        }
        at = match visible(text, at, ReadOptions { strip: true, last }) {
            Lexeme::Plain(end) | Lexeme::Bytes { end, .. } => {
                // The same character twice is bold.
                let begin = from.take().filter(|from| text[*from..].starts_with(&text[at..end]));
                view.piece((begin.unwrap_or(at), end), &text[at..end], false)
            }
            Lexeme::Newline(end) => {
                from = None;
                view.piece((at, end), &[], true)
            }
            // Bytes without a piece are right after the last one.
            Lexeme::Nothing(end) if from.is_none() => view.piece((at, end), &[], false),
            Lexeme::Nothing(end) => end,
            Lexeme::Open => {
                view.open = Some(at);
                break;
            }
        };
    }
    // The following bytes overwrite this position.
    if let Some(from) = from.filter(|_| !last) {
        view.open = view.open.or(Some(from));
    }
    Some(view)
}

/// Decodes quoted-printable (RFC 2045), if the text may be that and may contain a phrase.
pub(super) fn unquoted(text: &[u8], sought: &PatternSet, last: bool) -> Option<Folded> {
    let mut before = 0;
    memchr::memchr_iter(b'=', text).find(|at| {
        let (bytes, end) = match sign(text, *at, last) {
            Sign::None => return false,
            Sign::Open => return true,
            Sign::Bytes(byte, end) => (byte, end),
        };
        let known = |byte: Option<&u8>| byte.copied().filter(|byte| *byte != b'=');
        let first = at.checked_sub(1).filter(|_| before < *at).and_then(|at| text.get(at));
        before = end;
        sought.may_contain(known(first), bytes.as_slice(), known(text.get(end)))
    })?;
    let (mut view, mut done) = (Folded::default(), 0);
    for at in memchr::memchr_iter(b'=', text) {
        if at < done {
            continue;
        }
        match sign(text, at, last) {
            Sign::None => {}
            Sign::Open => {
                view.bytes.extend_from_slice(&text[done..at]);
                view.open = Some(at);
                return Some(view);
            }
            Sign::Bytes(byte, end) => {
                view.bytes.extend_from_slice(&text[done..at]);
                done = view.piece((at, end), byte.as_slice(), false);
            }
        }
    }
    view.bytes.extend_from_slice(&text[done..]);
    Some(view)
}

/// Meaning of a `=`.
enum Sign {
    /// A plain character.
    None,
    /// Unfinished; the meaning depends on the following bytes.
    Open,
    /// A byte, or nothing for a soft line break; up to this end.
    Bytes(Option<u8>, usize),
}

fn sign(text: &[u8], at: usize, last: bool) -> Sign {
    let digit = |at: usize| text.get(at).map(|byte| char::from(*byte).to_digit(16));
    match (text.get(at + 1), digit(at + 1), digit(at + 2)) {
        (Some(b'\n'), ..) => Sign::Bytes(None, at + 2),
        (Some(b'\r'), ..) if text.get(at + 2) == Some(&b'\n') => Sign::Bytes(None, at + 3),
        (_, Some(Some(high)), Some(Some(low))) => Sign::Bytes(u8::try_from(high * 16 + low).ok(), at + 3),
        (None, ..) | (_, Some(Some(_)), None) if !last => Sign::Open,
        (Some(b'\r'), ..) if !last && at + 2 == text.len() => Sign::Open,
        _ => Sign::None,
    }
}
