//! Bytes that a text writes as numbers with something between them: `73:65`, `0x73, 0x65`, `[115, 101]`,
//! and what `xxd`, `hexdump -C` and `od` print, offsets and columns of text included. Digits without
//! anything between them are forms of [`super::forms`].

use super::folded::Folded;
use super::phrases::Phrases;

/// No bytes that matter are written in fewer characters: four numbers of two digits.
const SHORTEST: usize = 11;
/// More than this between two numbers parts them.
const WIDEST_GAP: usize = 16;
/// A word of hexadecimal digits that is longer holds no bytes of a dump.
const LONGEST_WORD: usize = 32;
/// Offsets at the beginnings of lines have so many digits at least: `od` writes seven, others eight.
const OFFSET: usize = 6;
/// A line with so many bytes is one of several.
const FULL: usize = 8;
/// Parts one run of bytes from the next: no phrase has it.
const BARRIER: u8 = 0;

const OTHER: u8 = 0;
const WORD: u8 = 1;
const GAP: u8 = 2;

/// Kinds of bytes: a part of a number, or what may be between two.
const KINDS: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let (word, gap) = (b"0123456789abcdefABCDEFxX", b" \t\r\n,;:-_.=|\"'[](){}<>\\/+");
    let mut at = 0;
    while at < word.len() {
        kinds[word[at] as usize] = WORD;
        at += 1;
    }
    at = 0;
    while at < gap.len() {
        kinds[gap[at] as usize] = GAP;
        at += 1;
    }
    kinds
};

fn kind(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

/// The base that numbers are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Radix {
    Octal,
    Decimal,
    Hexadecimal,
}

/// All bases, each of which is another reading.
pub(super) const BASES: [Radix; 3] = [Radix::Hexadecimal, Radix::Decimal, Radix::Octal];

/// The parts of a text that may be numbers: most texts have next to none.
pub(super) fn candidates(text: &[u8], last: bool) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut done = 0;
    let mut at = SHORTEST / 2;
    while at < text.len() {
        if kind(text[at]) == OTHER {
            at += SHORTEST / 2;
            continue;
        }
        let start =
            text[done..at].iter().rposition(|byte| kind(*byte) == OTHER).map_or(done, |n| done + n + 1);
        let end = text[at..].iter().position(|byte| kind(*byte) == OTHER).map_or(text.len(), |n| at + n);
        if end - start >= SHORTEST {
            found.push((start, end));
            done = end;
        }
        at = end + SHORTEST / 2;
    }
    // The end may be the beginning of one.
    let end = text.len();
    let start = text[done..].iter().rposition(|byte| kind(*byte) == OTHER).map_or(done, |n| done + n + 1);
    if !last && start < end && found.last().is_none_or(|(_, to)| *to < end) {
        found.push((start, end));
    }
    found
}

/// The bytes that the candidates of a text stand for in one base.
pub(super) fn read(
    text: &[u8],
    candidates: &[(usize, usize)],
    base: Radix,
    sought: &Phrases,
    last: bool,
) -> Folded {
    let (view, line) = (Folded::default(), Line::default());
    let mut dump = Dump { text, base, view, sought, last, line, gap: 0 };
    let mut done = 0;
    for (start, end) in candidates.iter().copied() {
        if end > done && dump.view.open.is_none() {
            done = dump.region(start.max(done));
        }
    }
    dump.view
}

/// The line that is being read.
#[derive(Debug, Default)]
struct Line {
    /// It begins with an offset.
    has_offset: bool,
    /// That has a colon after it, as `xxd` writes it.
    has_colon: bool,
    /// Its numbers: the part of the text that each is written in, and its byte.
    numbers: Vec<(usize, usize, u8)>,
    /// End of the column of text after them.
    column: Option<usize>,
    /// Numbers so far.
    count: usize,
}

struct Dump<'a> {
    text: &'a [u8],
    base: Radix,
    view: Folded,
    sought: &'a Phrases,
    last: bool,
    line: Line,
    /// Length of what is between the last number and here.
    gap: usize,
}

impl Dump<'_> {
    /// Reads numbers from a place on, and gives where they end.
    fn region(&mut self, start: usize) -> usize {
        let mut at = start;
        self.part(start);
        self.line = Line::default();
        let mut begins_line = start == 0 || self.text[start - 1] == b'\n';
        while let Some(byte) = self.text.get(at).copied() {
            match kind(byte) {
                GAP if byte == b'\n' => {
                    self.end_line(at);
                    begins_line = true;
                    at += 1;
                }
                GAP if self.is_column(at) => at = self.skip_column(at),
                GAP => {
                    self.gap += 1;
                    begins_line &= matches!(byte, b' ' | b'\t');
                    at += 1;
                }
                WORD => {
                    let end = self.text[at..].iter().position(|byte| kind(*byte) != WORD);
                    let end = end.map_or(self.text.len(), |length| at + length);
                    let is_cut = end == self.text.len() && !self.last;
                    if begins_line && is_cut && self.has_begun() {
                        // An offset, or a number: the rest of it tells.
                        self.view.open = Some(at);
                        return end;
                    }
                    if begins_line && self.is_offset(at, end) {
                        self.line.has_offset = true;
                        self.line.has_colon = self.text.get(end) == Some(&b':');
                    } else if !self.word(at, end) {
                        self.end_text(end);
                        return end;
                    }
                    begins_line = false;
                    at = end;
                }
                _ if self.line.has_offset && self.line.count > 0 => at = self.skip_column(at),
                _ => break,
            }
        }
        self.end_text(at);
        at
    }

    /// Whether what was read ends in the beginning of a phrase.
    fn has_begun(&self) -> bool {
        self.sought.open_end(&self.view.bytes, |_| true) < self.view.bytes.len()
    }

    /// Whether letters that are no digits are right beside a word.
    fn is_part_of_word(&self, from: usize, to: usize) -> bool {
        let is_letter = |at: Option<usize>| {
            at.and_then(|at| self.text.get(at))
                .is_some_and(|byte| kind(*byte) == OTHER && (byte.is_ascii_alphanumeric() || *byte >= 0x80))
        };
        is_letter(from.checked_sub(1)) || is_letter(Some(to))
    }

    fn is_offset(&self, from: usize, to: usize) -> bool {
        let is_apart = self.text.get(to).is_none_or(|byte| matches!(byte, b':' | b' ' | b'\t' | b'\n'));
        (OFFSET..=16).contains(&(to - from)) && is_apart
    }

    /// Whether the column of text begins here.
    fn is_column(&self, at: usize) -> bool {
        let is_blank = |at: usize| self.text.get(at) == Some(&b' ');
        self.line.has_offset
            && self.line.count > 0
            && (matches!(self.text[at], b'|' | b'>')
                || self.line.has_colon && is_blank(at) && is_blank(at + 1))
    }

    /// Skips the column of text of a line, which belongs to its numbers.
    fn skip_column(&mut self, at: usize) -> usize {
        let length = memchr::memchr(b'\n', &self.text[at..]);
        let end = length.map_or(self.text.len(), |length| at + length);
        self.line.column = Some(end);
        end
    }

    /// Takes a word: numbers, or what ends a run of them. Gives whether to go on.
    fn word(&mut self, from: usize, to: usize) -> bool {
        let word = &self.text[from..to];
        if self.is_part_of_word(from, to) {
            self.part(from);
            return true;
        }
        if self.gap > WIDEST_GAP {
            self.part(from);
        }
        self.gap = 0;
        let is_cut = to == self.text.len() && !self.last;
        let is_whole = self.base == Radix::Hexadecimal || word.len() == 3;
        match self.bytes(word) {
            Some(bytes) if is_whole || !is_cut || !self.may_become(word) => {
                self.line.count += bytes.len();
                let place = |nth: usize| if nth == 0 { from } else { to - 2 * (bytes.len() - nth) };
                for (nth, byte) in bytes.iter().enumerate() {
                    let end = if nth + 1 == bytes.len() { to } else { place(nth + 1) };
                    self.line.numbers.push((place(nth), end, *byte));
                }
            }
            _ if is_cut && (self.line.has_offset || self.may_become(word)) => {
                self.view.open = Some(from);
                return false;
            }
            _ => self.part(from),
        }
        true
    }

    /// Adds the numbers of the line.
    fn flush(&mut self) {
        let column = self.line.column.take();
        for (from, to, byte) in self.line.numbers.drain(..) {
            self.view.piece((from, column.unwrap_or(to)), &[byte], false);
        }
    }

    fn end_line(&mut self, at: usize) {
        self.flush();
        self.view.piece((at, at + 1), &[], self.line.count < FULL && !self.line.has_offset);
        self.line = Line::default();
        self.gap += 1;
    }

    /// Ends what is read: a line with an offset may get a column yet.
    fn end_text(&mut self, at: usize) {
        let first = self.line.numbers.first().map(|(from, ..)| *from);
        if at == self.text.len() && !self.last && self.line.has_offset && first.is_some() {
            self.view.open = first;
            self.view.unsettled = self.line.numbers.len();
        }
        self.flush();
    }

    /// Ends a run of numbers.
    fn part(&mut self, at: usize) {
        self.gap = 0;
        if self.line.has_offset {
            // The column of the line is still to come.
            self.line.numbers.push((at, at, BARRIER));
            return;
        }
        self.flush();
        self.view.piece((at, at), &[BARRIER], false);
    }

    /// The bytes that a word stands for.
    fn bytes(&self, word: &[u8]) -> Option<Vec<u8>> {
        let digits = match (self.base, word) {
            (Radix::Hexadecimal, [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..]) => digits,
            _ => word,
        };
        let text = std::str::from_utf8(digits).ok()?;
        match self.base {
            Radix::Hexadecimal => {
                if digits.is_empty() || digits.len() > LONGEST_WORD || digits.len() % 2 == 1 {
                    return None;
                }
                (0..digits.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
                    .collect()
            }
            Radix::Decimal if digits.len() <= 3 => text.parse().ok().map(|byte| vec![byte]),
            Radix::Octal if digits.len() == 3 => u8::from_str_radix(text, 8).ok().map(|byte| vec![byte]),
            Radix::Decimal | Radix::Octal => None,
        }
    }

    /// Whether a word at the end of the text may become a number that matters: the next of a phrase that
    /// has begun, or the first of one.
    fn may_become(&self, word: &[u8]) -> bool {
        let begun: Vec<u8> = self.line.numbers.iter().map(|(.., byte)| *byte).collect();
        let begun = [&self.view.bytes[..], &begun].concat();
        if self.sought.open_end(&begun, |_| true) < begun.len() {
            return true;
        }
        let first = |from: u32, to: u32| {
            let byte = |number: u32| u8::try_from(number.min(255)).unwrap_or(u8::MAX);
            from < 256 && self.sought.begins_with(byte(from)..=byte(to))
        };
        let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<u32>().ok());
        let digit = word.last().and_then(|digit| char::from(*digit).to_digit(16));
        match (self.base, word, digit, number) {
            (Radix::Hexadecimal, [b'0'] | [b'0', b'x' | b'X'], ..) => self.view.bytes.is_empty(),
            (Radix::Hexadecimal, [.., _], Some(digit), _) if word.len() <= 3 => {
                first(digit * 16, digit * 16 + 15)
            }
            (Radix::Decimal, _, _, Some(number)) if word.len() < 3 => {
                first(number, number)
                    || first(number * 10, number * 10 + 9)
                    || first(number * 100, number * 100 + 99)
            }
            (Radix::Octal, [high @ b'0'..=b'3'], ..) => {
                let high = u32::from(high - b'0') * 64;
                first(high, high + 63)
            }
            (Radix::Octal, [high @ b'0'..=b'3', low @ b'0'..=b'7'], ..) => {
                let high = u32::from(high - b'0') * 64 + u32::from(low - b'0') * 8;
                first(high, high + 7)
            }
            _ => false,
        }
    }
}
