//! What a terminal acts on and a reader never sees: control characters, the sequences that they
//! begin (ECMA-48), and characters of Unicode without a width. Escaped characters are the business
//! of [`super::units`].

/// One piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes that stand for themselves, up to here.
    Plain(usize),
    /// Up to here, nothing that a reader sees.
    Nothing(usize),
    /// The end of a line, up to here.
    Newline(usize),
    /// These bytes, written in the text up to `end`.
    Bytes {
        /// Where the piece ends.
        end: usize,
        /// The bytes, of which the first `length` count.
        bytes: [u8; 4],
        /// How many bytes count.
        length: usize,
    },
    /// It depends on what comes next.
    Open,
}

/// How a text is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Control sequences are taken out as a whole; else their bytes are text like any other.
    pub(super) strip: bool,
    /// Nothing comes after the text.
    pub(super) last: bool,
}

/// What is at a place: invisible, or as it is.
pub(super) fn visible(text: &[u8], at: usize, reading: Reading) -> Unit {
    Terminal { text, reading }.visible(at)
}

/// Whether a byte is a control character by itself.
pub(super) fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

#[derive(Clone, Copy)]
struct Terminal<'a> {
    text: &'a [u8],
    reading: Reading,
}

impl Terminal<'_> {
    /// What is no escaped character: invisible, or as it is.
    fn visible(self, at: usize) -> Unit {
        match self.text[at] {
            b'\n' => Unit::Newline(at + 1),
            0x1b => self.sequence(at, at + 1),
            byte if is_control(byte) => Unit::Nothing(at + 1),
            0x80.. => self.beyond_ascii(at),
            _ => Unit::Plain(at + 1),
        }
    }

    fn beyond_ascii(self, at: usize) -> Unit {
        let text = &self.text[at..];
        let length = match text[0] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            // A control character of ISO 6429 in one byte, as an old terminal takes it.
            byte @ 0x80..=0x9f => return self.introduced(byte, at, at + 1),
            _ => return Unit::Plain(at + 1),
        };
        let Some(char) = text.get(..length) else {
            return Unit::Open;
        };
        match std::str::from_utf8(char).ok().and_then(|char| char.chars().next()) {
            Some(char @ '\u{80}'..='\u{9f}') => {
                self.introduced(u8::try_from(u32::from(char)).unwrap_or_default(), at, at + 2)
            }
            Some(
                '\u{ad}'
                | '\u{300}'..='\u{36f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180b}'..='\u{180f}'
                | '\u{1ab0}'..='\u{1aff}'
                | '\u{1dc0}'..='\u{1dff}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{20d0}'..='\u{20ff}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{fe20}'..='\u{fe2f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}',
            ) => Unit::Nothing(at + length),
            Some(_) => Unit::Plain(at + length),
            None => Unit::Plain(at + 1),
        }
    }

    /// A sequence that begins with ESC (ECMA-48).
    fn sequence(self, at: usize, after: usize) -> Unit {
        if !self.reading.strip {
            return Unit::Nothing(after);
        }
        match self.text.get(after) {
            None => Unit::Open,
            Some(b'[' | b']' | b'P' | b'X' | b'^' | b'_') => {
                self.introduced(self.text[after] + 0x40, at, after + 1)
            }
            Some(0x20..=0x2f) => {
                let end = self.skip(after, 0x20..=0x2f);
                match self.text.get(end) {
                    None => Unit::Open,
                    Some(0x30..=0x7e) => Unit::Nothing(end + 1),
                    Some(_) => Unit::Nothing(end),
                }
            }
            Some(0x30..=0x7e) => Unit::Nothing(after + 1),
            Some(_) => Unit::Nothing(after),
        }
    }

    /// What a control character of the second set begins.
    fn introduced(self, control: u8, at: usize, after: usize) -> Unit {
        if !self.reading.strip {
            return Unit::Nothing(after);
        }
        match control {
            0x9b => {
                let end = self.skip(after, 0x30..=0x3f);
                let end = self.skip(end, 0x20..=0x2f);
                match self.text.get(end) {
                    None => Unit::Open,
                    Some(0x40..=0x7e) => Unit::Nothing(end + 1),
                    Some(_) => Unit::Nothing(end),
                }
            }
            0x9d | 0x90 | 0x98 | 0x9e | 0x9f => self.string(at, after, control == 0x9d),
            _ => Unit::Nothing(after),
        }
    }

    fn skip(self, from: usize, bytes: std::ops::RangeInclusive<u8>) -> usize {
        from + self.text[from..].iter().take_while(|byte| bytes.contains(byte)).count()
    }

    /// A string for the terminal, which a bell or a terminator ends, and anything that a terminal
    /// takes for the end of it. A line does not begin inside of one.
    fn string(self, at: usize, from: usize, bell: bool) -> Unit {
        let ends = |byte: &u8| matches!(byte, 0x1b | 0x18 | 0x1a | b'\n' | 0xc2) || bell && *byte == 7;
        let mut end = from;
        loop {
            let Some(length) = self.text[end..].iter().position(ends) else {
                return if self.reading.last { Unit::Nothing(at + 1) } else { Unit::Open };
            };
            end += length;
            match (self.text[end], self.text.get(end + 1)) {
                (0x1b, Some(b'\\')) | (0xc2, Some(0x9c)) => return Unit::Nothing(end + 2),
                (0x1b | 0xc2, None) => return Unit::Open,
                (0x1b, _) | (b'\n', _) => return Unit::Nothing(end),
                (0xc2, _) => end += 1,
                _ => return Unit::Nothing(end + 1),
            }
        }
    }
}
