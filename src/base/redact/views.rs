//! Other readings of a text than the usual one ([`super::folded`]): overwritten characters, with which
//! printers produced bold text, quoted-printable, escapes of the shells of Windows, and marked lines of base64. Each is
//! produced only if the text contains its marks.
//! Numbers that stand for bytes are in [`super::dump`].

use super::folded::{FoldedText, is_base64};
use super::phrases::PatternSet;
use super::terminal::{Lexeme, ReadOptions, is_control, visible};

/// Sequence that moves the cursor left.
const LEFT: &[u8] = b"\x1b[D";

/// Byte that separates characters of which one was replaced; no phrase contains it.
const BARRIER: u8 = 0;

/// Returns whether a text has characters that may be overwritten as printers do: it moves left, or ends in an
/// underscore under which the following bytes may be.
pub(super) fn may_be_overstruck(text: &[u8], read: &FoldedText, last: bool) -> bool {
    !last && read.bytes.last() == Some(&b'_')
        || memchr::memchr(8, text).is_some()
        || memchr::memmem::find(text, LEFT).is_some()
}

/// Returns the text with each overstruck character once: the same character twice is bold, and one over
/// an underscore is underlined. Any other character in place of one, and a move by more than a character, end
/// a phrase: its beginning was shown already.
pub(super) fn written_over(text: &[u8], last: bool) -> FoldedText {
    let mut strikes = Strikes::default();
    strikes.view.unsettled = 1;
    let mut at = 0;
    while at < text.len() {
        if !strikes.is_back {
            let plain = text[at..].iter().position(|byte| !matches!(byte, b' '..=b'~'));
            let end = plain.map_or(text.len(), |length| at + length);
            strikes.plain(&text[at..end], end);
            at = end;
        }
        at = match text.get(at) {
            None => break,
            Some(8) => strikes.step((at, at + 1)),
            Some(0x1b) if text[at..].starts_with(LEFT) => strikes.step((at, at + LEFT.len())),
            Some(byte) => match visible(text, at, ReadOptions { strip: true, last }) {
                Lexeme::Plain(end) | Lexeme::Bytes { end, .. } => {
                    strikes.character((at, end), &text[at..end])
                }
                Lexeme::Newline(end) => {
                    (strikes.struck, strikes.is_back) = (None, false);
                    strikes.view.piece((at, end), &[], true)
                }
                Lexeme::Nothing(end) => strikes.view.piece((at, end), &[], false),
                Lexeme::Open if !last => {
                    strikes.view.open = Some(at);
                    break;
                }
                Lexeme::Open if is_control(*byte) => strikes.view.piece((at, at + 1), &[], false),
                Lexeme::Open => strikes.character((at, at + 1), &text[at..=at]),
            },
        };
    }
    if !last {
        strikes.hold();
    }
    strikes.view
}

/// Text read so far, with the state of its last character.
#[derive(Default)]
struct Strikes {
    view: FoldedText,
    /// Last character, if a following one may be written over it.
    struck: Option<Struck>,
    /// The position is at the last character again.
    is_back: bool,
}

/// A character over which another may be written.
#[derive(Clone, Copy)]
struct Struck {
    /// Start in the raw text, and in the view.
    start: (usize, usize),
    /// Another character was written over this one.
    is_double: bool,
    /// The characters written over this one belong to it. For a single bold character after plain ones they
    /// do not: whatever ends there was complete, and was written, before.
    is_wide: bool,
}

impl Strikes {
    /// Appends printable characters, which end at a position of the raw text.
    fn plain(&mut self, text: &[u8], end: usize) {
        if text.is_empty() {
            return;
        }
        let is_wide = text.len() == 1 && self.struck.is_some_and(|before| before.is_double);
        self.view.bytes.extend_from_slice(text);
        let start = (end - 1, self.view.bytes.len() - 1);
        self.struck = Some(Struck { start, is_double: false, is_wide });
    }

    /// Moves left.
    fn step(&mut self, raw: (usize, usize)) -> usize {
        if self.is_back {
            self.part(raw.0);
        } else {
            self.is_back = self.struck.is_some();
        }
        self.view.piece(raw, &[], false)
    }

    /// Ends a phrase.
    fn part(&mut self, at: usize) {
        self.view.piece((at, at), &[BARRIER], false);
        (self.struck, self.is_back) = (None, false);
    }

    /// Writes a character at the position.
    fn character(&mut self, (at, end): (usize, usize), text: &[u8]) -> usize {
        if let Some(struck) = self.struck.filter(|_| self.is_back) {
            let under = &self.view.bytes[struck.start.1..];
            let is_under = under == b"_" && text != b"_";
            if is_under || under == text {
                let is_wide = is_under || struck.is_wide;
                if is_wide {
                    self.view.take_back();
                    self.view.piece((struck.start.0, end), text, false);
                } else {
                    self.view.piece((at, end), &[], false);
                }
                self.struck = Some(Struck { is_double: true, is_wide, ..struck });
                self.is_back = false;
                return end;
            }
            self.part(at);
        }
        let is_wide = self.struck.is_some_and(|before| before.is_double);
        let start = (at, self.view.bytes.len());
        self.struck = Some(Struck { start, is_double: false, is_wide });
        self.view.piece((at, end), text, false)
    }

    /// Holds back a last character whose meaning depends on the following bytes. An underscore may be under
    /// another character.
    fn hold(&mut self) {
        let Some(struck) = self.struck else { return };
        let is_under = self.view.bytes[struck.start.1..] == *b"_";
        if is_under {
            self.view.take_back();
        }
        if is_under || self.is_back {
            self.view.open = Some(struck.start.0);
        }
    }
}

/// Decodes quoted-printable (RFC 2045), if the text may be that and may contain a phrase.
pub(super) fn unquoted(text: &[u8], sought: &PatternSet, last: bool) -> Option<FoldedText> {
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
    let (mut view, mut done) = (FoldedText::default(), 0);
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

/// Characters that take the meaning of the next one: of `cmd`, and of PowerShell.
pub(super) const ESCAPES: [u8; 2] = [b'^', b'`'];

/// Returns the text without the escapes that a sign begins, `^x` or `` `x ``, if one may be within a phrase.
pub(super) fn unescaped(text: &[u8], sign: u8, sought: &PatternSet, last: bool) -> Option<FoldedText> {
    let is_escape = |at: usize| text.get(at) == Some(&sign);
    memchr::memchr_iter(sign, text).find(|at| {
        let known = |at: usize| text.get(at).copied();
        // Two in a row stand for one, which may be a part of the phrase.
        match at.checked_sub(1) {
            Some(before) if !is_escape(before) => sought.may_contain(known(before), &[], known(at + 1)),
            _ => true,
        }
    })?;
    let (mut view, mut done, mut escaped) = (FoldedText::default(), 0, 0);
    for at in memchr::memchr_iter(sign, text) {
        // It is escaped, and stands for itself.
        if at < escaped {
            continue;
        }
        view.bytes.extend_from_slice(&text[done..at]);
        done = at;
        match text.get(at + 1) {
            None if !last => {
                view.open = Some(at);
                return Some(view);
            }
            None | Some(b'\n' | b'\r') => {}
            // One before a phrase is no part of it.
            Some(_) => (done, escaped) = (view.piece((at, at + 1), &[], false), at + 2),
        }
    }
    view.bytes.extend_from_slice(&text[done..]);
    Some(view)
}

/// Minimum characters of a base64 word at the end of a line that may continue on the next one behind other characters.
const LINE_WORD: usize = 16;

/// Returns the text with the words of base64 joined that continue behind the marks of the next line: of a comment
/// (`# `), a quotation (`> `), or a text in quotes (`"…\\n"`). `None` if there are none.
pub(super) fn joined(text: &[u8], last: bool) -> Option<FoldedText> {
    let (mut view, mut done) = (FoldedText::default(), 0);
    for newline in memchr::memchr_iter(b'\n', text) {
        let (from, to) = (before_marks(text, newline), after_marks(text, newline + 1, last));
        // Line ends without marks, and indents, are read elsewhere.
        let is_marked =
            from < newline || text[newline + 1..to].iter().any(|byte| !matches!(byte, b' ' | b'\t'));
        // The marks, or the word, may follow.
        let is_open = to == text.len() && !last;
        if from < done || !(is_marked || is_open) {
            continue;
        }
        let is_word = |range: std::ops::Range<usize>| text[range].iter().all(|byte| is_base64(*byte));
        let begins = from.saturating_sub(LINE_WORD);
        if from - begins < LINE_WORD || !is_word(begins..from) {
            continue;
        }
        if is_open || text.get(to).is_some_and(|byte| is_base64(*byte)) {
            view.bytes.extend_from_slice(&text[done..from]);
            // As at the end of any line, only a likely phrase waits for more.
            done = view.piece((from, to), &[], is_open);
        }
    }
    if !last && let Some(from) = open_marks(text, done) {
        view.bytes.extend_from_slice(&text[done..from]);
        done = view.piece((from, text.len()), &[], true);
    }
    if done == 0 {
        return None;
    }
    view.bytes.extend_from_slice(&text[done..]);
    Some(view)
}

/// Returns the start of the marks at the end of a line: quotes, separators, and an escaped line end.
fn before_marks(text: &[u8], end: usize) -> usize {
    let mut at = end;
    loop {
        at = match text[..at] {
            [.., b'\\', b'n' | b'r'] => at - 2,
            [.., b' ', b'+' | b'.'] => at - 2,
            [.., b'"' | b'\'' | b',' | b';' | b' ' | b'\r' | b'\\' | b')'] => at - 1,
            _ => return at,
        };
    }
}

/// Returns the end of the marks at the start of a line: of comments and quotations, indents, and quotes.
fn after_marks(text: &[u8], start: usize, last: bool) -> usize {
    let mut at = start;
    loop {
        at = match text[at..] {
            [b' ' | b'\t' | b'#' | b';' | b'>' | b'|' | b'*' | b'"' | b'\'' | b'(', ..] => at + 1,
            [b'/', b'/', b' ', ..] | [b'-', b'-', b' ', ..] => at + 3,
            [b'+' | b'-', b' ', ..] => at + 2,
            // The rest of a mark may follow.
            [b'/', b'/'] | [b'-', b'-'] if !last => at + 2,
            [b'/' | b'-' | b'+'] if !last => at + 1,
            _ => return at,
        };
    }
}

/// Returns the start of marks at the end of the text that may belong to the end of a line of base64.
fn open_marks(text: &[u8], done: usize) -> Option<usize> {
    let from = before_marks(text, text.len());
    let begins = from.checked_sub(LINE_WORD).filter(|begins| *begins >= done)?;
    let is_word = text[begins..from].iter().all(|byte| is_base64(*byte));
    (from < text.len() && is_word).then_some(from)
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
