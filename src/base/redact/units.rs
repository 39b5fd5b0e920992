//! The smallest pieces of a text with another meaning: invisible bytes, and escaped characters. Reads one
//! piece from any position. Joining pieces is in [`super::folded`].

use super::terminal::{Lexeme, ReadOptions, is_control, visible};
use crate::base::html::{self, LONGEST_NAME};

/// Maximum invisible bytes inside of one escaped character.
const LONGEST_GAP: usize = 1024;

/// Maximum levels of percent-encoding to decode.
const LEVELS: usize = 6;

/// Maximum digits of a numeric HTML entity.
const LONGEST_NUMBER: usize = 16;

/// Next byte and its end, or the reason why there is none.
enum NextUnit {
    Byte(u8, usize),
    /// The next byte cannot be part of the piece.
    Break,
    Open,
}

/// Reads the piece at a position inside of the text.
pub(super) fn unit(text: &[u8], at: usize, reading: ReadOptions) -> Lexeme {
    let reader = UnitReader { text, reading, levels: 0 };
    match reader.unit(at) {
        Lexeme::Open if reading.last && is_control(text[at]) => Lexeme::Nothing(at + 1),
        Lexeme::Open if reading.last => Lexeme::Plain(at + 1),
        unit => unit,
    }
}

#[derive(Clone, Copy)]
struct UnitReader<'a> {
    text: &'a [u8],
    reading: ReadOptions,
    /// Levels of percent-encoding of the escape's first character, and so the maximum of its others. A further
    /// percent sign was escaped together with the rest and begins an escape of its own.
    levels: usize,
}

impl UnitReader<'_> {
    fn unit(self, at: usize) -> Lexeme {
        let Some(first) = self.text.get(at).copied() else { return Lexeme::Open };
        match first {
            b'%' if let Some(unit) = self.percent_unicode(at + 1) => unit,
            b'%' => match self.percent(at, LEVELS) {
                (NextUnit::Byte(b'\\', end), levels) => Self { levels, ..self }.backslash(end),
                (NextUnit::Byte(byte, end), _) if is_control(byte) => Lexeme::Nothing(end),
                (NextUnit::Byte(byte, end), _) => bytes(&[byte], end),
                (NextUnit::Break, _) => Lexeme::Plain(at + 1),
                (NextUnit::Open, _) => Lexeme::Open,
            },
            b'\\' => self.backslash(at + 1),
            b'&' => self.entity(at),
            _ => visible(self.text, at, self.reading),
        }
    }

    /// Returns the next visible byte.
    fn seen(self, from: usize) -> NextUnit {
        let mut at = from;
        while at < self.text.len() {
            match visible(self.text, at, self.reading) {
                Lexeme::Plain(_) => return NextUnit::Byte(self.text[at], at + 1),
                Lexeme::Nothing(end) if end - from <= LONGEST_GAP => at = end,
                Lexeme::Open => break,
                _ => return NextUnit::Break,
            }
        }
        if self.reading.last { NextUnit::Break } else { NextUnit::Open }
    }

    /// Decodes a percent-encoded byte, through a maximum of levels. Returns the number of levels as well.
    fn percent(self, at: usize, most: usize) -> (NextUnit, usize) {
        let mut from = at + 1;
        for level in 1..=most {
            let (byte, end) = match self.two_digits(from) {
                Ok(pair) => pair,
                Err(next) => return (next, level),
            };
            if byte != b'%' || level == most && most < LEVELS {
                return (NextUnit::Byte(byte, end), level);
            }
            match self.two_digits(end) {
                Ok(_) => from = end,
                Err(NextUnit::Open) => return (NextUnit::Open, level),
                Err(_) => return (NextUnit::Byte(byte, end), level),
            }
        }
        (NextUnit::Break, most)
    }

    /// Decodes a byte written as two hexadecimal digits.
    fn two_digits(self, at: usize) -> Result<(u8, usize), NextUnit> {
        let (high, after) = self.digit(at)?;
        let (low, end) = self.digit(after)?;
        Ok((high * 16 + low, end))
    }

    /// Decodes a character as JavaScript's `escape` writes it: `%u0073`.
    fn percent_unicode(self, at: usize) -> Option<Lexeme> {
        match self.seen(at) {
            NextUnit::Byte(b'u' | b'U', end) => self.utf16(end, b'%'),
            _ => None,
        }
    }

    /// Decodes a hexadecimal digit.
    fn digit(self, at: usize) -> Result<(u8, usize), NextUnit> {
        match self.seen(at) {
            NextUnit::Byte(byte, end) => value(byte, 16).map(|value| (value, end)).ok_or(NextUnit::Break),
            other => Err(other),
        }
    }

    /// Returns the next byte of an escape, decoded if the escape is percent-encoded.
    fn next(self, at: usize) -> NextUnit {
        match self.seen(at) {
            NextUnit::Byte(b'%', end) if self.levels > 0 => match self.percent(end - 1, self.levels).0 {
                NextUnit::Break => NextUnit::Byte(b'%', end),
                other => other,
            },
            other => other,
        }
    }

    /// Decodes the escape after a backslash in JSON, C, Python and shells. A backslash without an escape is
    /// removed, so that repeated escaping makes no difference.
    fn backslash(self, after: usize) -> Lexeme {
        let alone = Lexeme::Nothing(after);
        match self.next(after) {
            NextUnit::Open => Lexeme::Open,
            NextUnit::Byte(b'x', end) => {
                self.braced_or(end, 16, |at| self.number(at, 16, 2, false)).unwrap_or(alone)
            }
            NextUnit::Byte(b'o', end) => self.braced_or(end, 8, |_| None).unwrap_or(alone),
            NextUnit::Byte(b'U', end) => self.number(end, 16, 8, true).unwrap_or(alone),
            NextUnit::Byte(b'u', end) => self.braced_or(end, 16, |at| self.utf16(at, b'\\')).unwrap_or(alone),
            NextUnit::Byte(b'0'..=b'7', _) => self.number(after, 8, 3, false).unwrap_or(alone),
            NextUnit::Byte(b'a' | b'b' | b'e' | b'E' | b'f' | b'n' | b'r' | b't' | b'v', end) => {
                Lexeme::Nothing(end)
            }
            _ => alone,
        }
    }

    /// Decodes the number of a character in braces, as in JavaScript, Rust, Perl and PCRE, or else something
    /// without braces.
    fn braced_or(self, at: usize, base: u32, other: impl Fn(usize) -> Option<Lexeme>) -> Option<Lexeme> {
        let from = match self.next(at) {
            NextUnit::Open => return Some(Lexeme::Open),
            NextUnit::Byte(b'{', end) => end,
            _ => return other(at),
        };
        let digits = if base == 8 { 8 } else { 6 };
        let unit = self.number(from, base, digits, true)?;
        let (Lexeme::Nothing(closes) | Lexeme::Bytes { end: closes, .. }) = unit else { return Some(unit) };
        match (self.next(closes), unit) {
            (NextUnit::Byte(b'}', end), Lexeme::Bytes { bytes, length, .. }) => {
                Some(Lexeme::Bytes { end, bytes, length })
            }
            (NextUnit::Byte(b'}', end), _) => Some(Lexeme::Nothing(end)),
            (NextUnit::Open, _) => Some(Lexeme::Open),
            _ => None,
        }
    }

    /// Decodes a number with a maximum of digits: a character, or a byte.
    fn number(self, at: usize, base: u32, digits: usize, is_char: bool) -> Option<Lexeme> {
        let (mut number, mut end, mut count) = (0_u32, at, 0);
        while count < digits {
            match self.next(end) {
                NextUnit::Byte(byte, after) if value(byte, base).is_some() => {
                    number = number * base + u32::from(value(byte, base)?);
                    end = after;
                    count += 1;
                }
                NextUnit::Open => return Some(Lexeme::Open),
                _ => break,
            }
        }
        if count == 0 {
            return None;
        }
        if is_char {
            character(number, end)
        } else {
            Some(control_or(u8::try_from(number & 0xff).ok()?, end))
        }
    }

    /// Decodes four digits, and four more with their own prefix if the first are half of a surrogate pair.
    fn utf16(self, at: usize, sign: u8) -> Option<Lexeme> {
        let (high, end) = match self.half(at) {
            Ok(half) => half,
            Err(next) => return matches!(next, NextUnit::Open).then_some(Lexeme::Open),
        };
        if !(0xd800..0xdc00).contains(&high) {
            return character(high, end);
        }
        let mut from = end;
        // The backslash may itself be escaped several times.
        for place in 0..=LEVELS {
            match self.next(from) {
                NextUnit::Byte(byte, after) if byte == sign && place < LEVELS => from = after,
                NextUnit::Byte(b'u', after) if place > 0 => {
                    from = after;
                    break;
                }
                NextUnit::Open => return Some(Lexeme::Open),
                _ => return None,
            }
        }
        match self.half(from) {
            Ok((low @ 0xdc00..0xe000, end)) => {
                character(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00), end)
            }
            Err(NextUnit::Open) => Some(Lexeme::Open),
            _ => None,
        }
    }

    fn half(self, at: usize) -> Result<(u32, usize), NextUnit> {
        let (mut number, mut end) = (0, at);
        for _ in 0..4 {
            match self.next(end) {
                NextUnit::Byte(byte, after) => {
                    number = number * 16 + u32::from(value(byte, 16).ok_or(NextUnit::Break)?);
                    end = after;
                }
                other => return Err(other),
            }
        }
        Ok((number, end))
    }

    /// Decodes an HTML entity, as templates write it. As in browsers, the semicolon is optional.
    fn entity(self, at: usize) -> Lexeme {
        let plain = Lexeme::Plain(at + 1);
        match self.next(at + 1) {
            NextUnit::Open => Lexeme::Open,
            NextUnit::Byte(b'#', end) => self.numbered(end).unwrap_or(plain),
            _ => self.named(at + 1, false, LEVELS).unwrap_or(plain),
        }
    }

    /// Decodes a numeric entity, decimal or hexadecimal.
    fn numbered(self, at: usize) -> Option<Lexeme> {
        let (base, mut end) = match self.next(at) {
            NextUnit::Byte(b'x' | b'X', end) => (16, end),
            _ => (10, at),
        };
        let (mut number, mut count) = (0_u32, 0);
        while count < LONGEST_NUMBER {
            match self.next(end) {
                NextUnit::Byte(byte, after) if value(byte, base).is_some() => {
                    number = number.saturating_mul(base).saturating_add(u32::from(value(byte, base)?));
                    (end, count) = (after, count + 1);
                }
                NextUnit::Open => return Some(Lexeme::Open),
                _ => break,
            }
        }
        if count == 0 {
            return None;
        }
        match self.next(end) {
            NextUnit::Open => return Some(Lexeme::Open),
            NextUnit::Byte(b';', after) => end = after,
            _ => {}
        }
        character(html::of_windows(number.into()).map_or(number, u32::from), end)
    }

    /// Decodes a named entity. Only an older name may lack its semicolon, unless all must have one.
    fn named(self, at: usize, is_strict: bool, levels: usize) -> Option<Lexeme> {
        let (mut name, mut end, mut old) = (String::new(), at, None);
        let closes = loop {
            match self.next(end) {
                NextUnit::Open => return Some(Lexeme::Open),
                NextUnit::Byte(b';', after) => break Some(after),
                NextUnit::Byte(byte, after) if byte.is_ascii_alphanumeric() => {
                    name.push(char::from(byte));
                    if name.len() > LONGEST_NAME || !html::begins_name(&name) {
                        break None;
                    }
                    end = after;
                    let meant = html::meaning(&name).filter(|meant| html::is_old(meant) || *meant == "'");
                    old = meant.map(|meant| (meant, end)).or(old);
                }
                _ => break None,
            }
        };
        let closed = closes.and_then(|after| Some((html::meaning(&name)?, after)));
        let (meant, end) = closed.or_else(|| old.filter(|_| !is_strict))?;
        if meant == "&" {
            // An entity that was escaped again: its name follows.
            return Some(self.after_ampersand(end, levels).unwrap_or_else(|| bytes(b"&", end)));
        }
        meaning(meant, end)
    }

    /// Decodes the rest of an entity whose ampersand was written as `&amp;`, such as `amp;quot;`.
    fn after_ampersand(self, at: usize, levels: usize) -> Option<Lexeme> {
        let levels = levels.checked_sub(1)?;
        match self.next(at) {
            NextUnit::Open => Some(Lexeme::Open),
            NextUnit::Byte(b'#', end) => self.numbered(end).filter(|unit| match unit {
                Lexeme::Bytes { end, .. } | Lexeme::Nothing(end) => self.text[end - 1] == b';',
                _ => true,
            }),
            NextUnit::Byte(byte, _) if byte.is_ascii_alphanumeric() => self.named(at, true, levels),
            _ => None,
        }
    }
}

/// Returns the meaning of a named entity as a reader would see it.
fn meaning(meant: &str, end: usize) -> Option<Lexeme> {
    let mut characters = meant.chars();
    let (first, second) = (characters.next()?, characters.next());
    if second.is_some() {
        return (meant.len() <= 4).then(|| bytes(meant.as_bytes(), end));
    }
    if first.is_ascii() {
        return character(u32::from(first), end);
    }
    Some(match visible(meant.as_bytes(), 0, ReadOptions { strip: true, last: true }) {
        Lexeme::Nothing(_) => Lexeme::Nothing(end),
        Lexeme::Bytes { bytes, length, .. } => Lexeme::Bytes { end, bytes, length },
        _ => bytes(meant.as_bytes(), end),
    })
}

fn bytes(these: &[u8], end: usize) -> Lexeme {
    let mut bytes = [0; 4];
    bytes[..these.len()].copy_from_slice(these);
    Lexeme::Bytes { end, bytes, length: these.len() }
}

/// Returns a byte, or nothing for an ignored control character.
fn control_or(byte: u8, end: usize) -> Lexeme {
    if is_control(byte) || byte == b'\\' { Lexeme::Nothing(end) } else { bytes(&[byte], end) }
}

fn character(number: u32, end: usize) -> Option<Lexeme> {
    let char = char::from_u32(number)?;
    if char.is_ascii_control() || char == '\\' {
        return Some(Lexeme::Nothing(end));
    }
    Some(bytes(char.encode_utf8(&mut [0; 4]).as_bytes(), end))
}

fn value(byte: u8, base: u32) -> Option<u8> {
    char::from(byte).to_digit(base).and_then(|digit| u8::try_from(digit).ok())
}
