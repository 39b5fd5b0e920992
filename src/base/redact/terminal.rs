//! Text that acts on a terminal and is invisible to a reader: control characters, the sequences that they
//! introduce (ECMA-48), and Unicode characters without a width. Escaped characters are in [`super::units`].

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::base::text::is_invisible;

/// One piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lexeme {
    /// Bytes that stand for themselves, up to this end.
    Plain(usize),
    /// Invisible bytes, up to this end.
    Nothing(usize),
    /// Line end, up to this end.
    Newline(usize),
    /// Decoded bytes, written in the text up to `end`.
    Bytes {
        /// End of the piece.
        end: usize,
        /// Decoded bytes, of which the first `length` count.
        bytes: [u8; 4],
        /// Number of decoded bytes.
        length: usize,
    },
    /// Unfinished piece, whose meaning depends on the following bytes.
    Open,
}

/// Options of reading a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadOptions {
    /// Remove whole control sequences; otherwise their bytes count as text.
    pub(super) strip: bool,
    /// Nothing follows the text.
    pub(super) last: bool,
}

/// Classifies the piece at a position as invisible or plain.
pub(super) fn visible(text: &[u8], at: usize, reading: ReadOptions) -> Lexeme {
    TerminalFilter { text, reading }.visible(at)
}

/// Returns whether a character only changes the look of the one before it, or is a blank that no program writes between
/// words: combining marks, variation selectors, and the empty pattern of Braille.
fn is_mark(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{2800}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}

/// Returns the ASCII characters that a character is a variant of (NFKC): full-width letters, mathematical
/// letters, letters in circles.
fn plain_form(character: char) -> Option<([u8; 4], usize)> {
    let may_be = matches!(
        character,
        '\u{aa}' | '\u{b2}'..='\u{b3}' | '\u{b9}'..='\u{ba}' | '\u{1d2c}'..='\u{1d9c}' | '\u{2024}'..='\u{209c}'
            | '\u{2100}'..='\u{214f}' | '\u{2460}'..='\u{24ea}' | '\u{fe4d}'..='\u{fe6b}' | '\u{ff01}'..='\u{ff5e}'
            | '\u{1d400}'..='\u{1d7ff}' | '\u{1f100}'..='\u{1f14f}' | '\u{1fbf0}'..='\u{1fbf9}'
    );
    if !may_be {
        return None;
    }
    let (mut bytes, mut count) = ([0; 4], 0);
    let form = ComposingNormalizerBorrowed::new_nfkc();
    for plain in form.normalize_iter(std::iter::once(character)) {
        *bytes.get_mut(count)? = u8::try_from(plain).ok().filter(u8::is_ascii_graphic)?;
        count += 1;
    }
    Some((bytes, count))
}

/// Returns the number of bytes in characters at the start of a text that stand for themselves in any case:
/// most letters beyond ASCII, box drawing and symbols. A shortcut only; [`visible`] knows all characters.
pub(super) fn letters(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let is_more = |nth: usize| text.get(at + nth).is_some_and(|byte| byte & 0xc0 == 0x80);
        at += match text.get(at).copied() {
            Some(0xc3..=0xcb | 0xce..=0xd7 | 0xd9..=0xdf) if is_more(1) => 2,
            // The empty pattern of Braille is a blank.
            Some(0xe2) if matches!(text.get(at + 1), Some(0x94..=0x9f | 0xa1..=0xbf)) && is_more(2) => 3,
            Some(0xe3) if matches!(text.get(at + 1), Some(0x81..=0x84)) && is_more(2) => 3,
            Some(0xe4..=0xec) if is_more(1) && is_more(2) => 3,
            _ => return at,
        };
    }
}

/// Returns whether a byte is a control character alone.
pub(super) fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

#[derive(Clone, Copy)]
struct TerminalFilter<'a> {
    text: &'a [u8],
    reading: ReadOptions,
}

impl TerminalFilter<'_> {
    /// Classifies a piece that is not an escaped character.
    fn visible(self, at: usize) -> Lexeme {
        match self.text[at] {
            b'\n' => Lexeme::Newline(at + 1),
            0x1b => self.sequence(at, at + 1),
            byte if is_control(byte) => Lexeme::Nothing(at + 1),
            0x80.. => self.beyond_ascii(at),
            _ => Lexeme::Plain(at + 1),
        }
    }

    fn beyond_ascii(self, at: usize) -> Lexeme {
        let text = &self.text[at..];
        let length = match text[0] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            // One-byte control character of ISO 6429, which old terminals accept.
            byte @ 0x80..=0x9f => return self.introduced(byte, at, at + 1),
            _ => return Lexeme::Plain(at + 1),
        };
        let Some(char) = text.get(..length) else {
            return Lexeme::Open;
        };
        match std::str::from_utf8(char).ok().and_then(|char| char.chars().next()) {
            Some(char @ '\u{80}'..='\u{9f}') => {
                self.introduced(u8::try_from(u32::from(char)).unwrap_or_default(), at, at + 2)
            }
            Some(char) if is_invisible(char) || is_mark(char) => Lexeme::Nothing(at + length),
            Some(char) => plain_form(char).map_or(Lexeme::Plain(at + length), |(bytes, count)| {
                match bytes[..count] {
                    // A backslash is ignored, escaped or not.
                    [b'\\'] => Lexeme::Nothing(at + length),
                    _ => Lexeme::Bytes { end: at + length, bytes, length: count },
                }
            }),
            None => Lexeme::Plain(at + 1),
        }
    }

    /// Reads a sequence that begins with ESC (ECMA-48).
    fn sequence(self, at: usize, after: usize) -> Lexeme {
        if !self.reading.strip {
            return Lexeme::Nothing(after);
        }
        match self.text.get(after) {
            None => Lexeme::Open,
            Some(b'[' | b']' | b'P' | b'X' | b'^' | b'_') => {
                self.introduced(self.text[after] + 0x40, at, after + 1)
            }
            Some(0x20..=0x2f) => {
                let end = self.skip(after, 0x20..=0x2f);
                match self.text.get(end) {
                    None => Lexeme::Open,
                    Some(0x30..=0x7e) => Lexeme::Nothing(end + 1),
                    Some(_) => Lexeme::Nothing(end),
                }
            }
            Some(0x30..=0x7e) => Lexeme::Nothing(after + 1),
            Some(_) => Lexeme::Nothing(after),
        }
    }

    /// Reads the sequence after a C1 control character.
    fn introduced(self, control: u8, at: usize, after: usize) -> Lexeme {
        if !self.reading.strip {
            return Lexeme::Nothing(after);
        }
        match control {
            0x9b => {
                let end = self.skip(after, 0x30..=0x3f);
                let end = self.skip(end, 0x20..=0x2f);
                match self.text.get(end) {
                    None => Lexeme::Open,
                    Some(0x40..=0x7e) => Lexeme::Nothing(end + 1),
                    Some(_) => Lexeme::Nothing(end),
                }
            }
            0x9d | 0x90 | 0x98 | 0x9e | 0x9f => self.string(at, after, control == 0x9d),
            _ => Lexeme::Nothing(after),
        }
    }

    fn skip(self, from: usize, bytes: std::ops::RangeInclusive<u8>) -> usize {
        from + self.text[from..].iter().take_while(|byte| bytes.contains(byte)).count()
    }

    /// Reads a control string, which ends at a bell, at a terminator, or at any byte at which a terminal
    /// ends it. No line begins inside of a control string.
    fn string(self, at: usize, from: usize, bell: bool) -> Lexeme {
        let ends = |byte: &u8| matches!(byte, 0x1b | 0x18 | 0x1a | b'\n' | 0xc2) || bell && *byte == 7;
        let mut end = from;
        loop {
            let Some(length) = self.text[end..].iter().position(ends) else {
                return if self.reading.last { Lexeme::Nothing(at + 1) } else { Lexeme::Open };
            };
            end += length;
            match (self.text[end], self.text.get(end + 1)) {
                (0x1b, Some(b'\\')) | (0xc2, Some(0x9c)) => return Lexeme::Nothing(end + 2),
                (0x1b | 0xc2, None) => return Lexeme::Open,
                (0x1b, _) | (b'\n', _) => return Lexeme::Nothing(end),
                (0xc2, _) => end += 1,
                _ => return Lexeme::Nothing(end + 1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortcut_takes_only_characters_that_stand_for_themselves() {
        let reading = ReadOptions { strip: true, last: true };
        let mut count = 0;
        for character in '\0'..=char::MAX {
            let mut bytes = [0; 4];
            let text = character.encode_utf8(&mut bytes).as_bytes();
            let length = letters(text);
            if length > 0 {
                assert_eq!(
                    (length, visible(text, 0, reading)),
                    (text.len(), Lexeme::Plain(text.len())),
                    "{character:?}"
                );
                count += 1;
            }
        }
        assert!(count > 30_000, "{count}");
    }
}
