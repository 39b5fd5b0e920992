//! Bytes written as separated numbers: `73:65`, `0x73, 0x65`, `[115, 101]`, and the output of `xxd`,
//! `hexdump -C` and `od`, including offsets and text columns. Digits without separators are in
//! [`super::forms`].

use super::folded::Folded;
use super::phrases::PatternSet;

/// Minimum characters of a relevant run of numbers: four numbers of two digits with separators.
const SHORTEST: usize = 11;
/// Maximum bytes between two numbers of one run.
const WIDEST_GAP: usize = 16;
/// Maximum digits of a hexadecimal word in a dump.
const LONGEST_WORD: usize = 32;
/// Minimum digits of an offset at the start of a line: `od` writes seven, other programs eight.
const OFFSET: usize = 6;
/// Minimum bytes of a line that continues in the next one.
const FULL: usize = 8;
/// Byte that separates two runs; no phrase contains it.
const BARRIER: u8 = 0;

const OTHER: u8 = 0;
const WORD: u8 = 1;
const GAP: u8 = 2;

/// Kinds of bytes: part of a number, part of a gap between numbers, or neither.
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

/// Base of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Radix {
    Octal,
    Decimal,
    Hexadecimal,
}

/// All bases; each gives a reading of its own.
pub(super) const BASES: [Radix; 3] = [Radix::Hexadecimal, Radix::Decimal, Radix::Octal];

/// Returns the ranges of a text that may be numbers: most texts have next to none.
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
    // The end may be the start of a run.
    let end = text.len();
    let start = text[done..].iter().rposition(|byte| kind(*byte) == OTHER).map_or(done, |n| done + n + 1);
    if !last && start < end && found.last().is_none_or(|(_, to)| *to < end) {
        found.push((start, end));
    }
    found
}

/// Decodes the candidates of a text in one base.
pub(super) fn read(
    text: &[u8],
    candidates: &[(usize, usize)],
    base: Radix,
    sought: &PatternSet,
    last: bool,
) -> Folded {
    let (view, line) = (Folded::default(), DumpLine::default());
    let mut dump = Dump { text, base, view, sought, last, line, gap: 0 };
    let mut done = 0;
    for (start, end) in candidates.iter().copied() {
        if end > done && dump.view.open.is_none() {
            done = dump.region(start.max(done));
        }
    }
    dump.view
}

/// State of the current line.
#[derive(Debug, Default)]
struct DumpLine {
    /// The line begins with an offset.
    has_offset: bool,
    /// A colon follows the offset, as in the output of `xxd`.
    has_colon: bool,
    /// Numbers of the line: range in the text, and byte.
    numbers: Vec<(usize, usize, u8)>,
    /// End of the text column after the numbers.
    column: Option<usize>,
    /// Count of numbers so far.
    count: usize,
}

struct Dump<'a> {
    text: &'a [u8],
    base: Radix,
    view: Folded,
    sought: &'a PatternSet,
    last: bool,
    line: DumpLine,
    /// Length of the gap since the last number.
    gap: usize,
}

impl Dump<'_> {
    /// Decodes numbers from a start, and returns their end.
    fn region(&mut self, start: usize) -> usize {
        let mut at = start;
        self.part(start);
        self.line = DumpLine::default();
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

    /// Returns whether the decoded bytes end in the beginning of a phrase.
    fn has_begun(&self) -> bool {
        self.sought.partial_match_len(&self.view.bytes, |_| true) < self.view.bytes.len()
    }

    /// Returns whether a letter that is not a digit adjoins a word.
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

    /// Returns whether the text column begins here.
    fn is_column(&self, at: usize) -> bool {
        let is_blank = |at: usize| self.text.get(at) == Some(&b' ');
        self.line.has_offset
            && self.line.count > 0
            && (matches!(self.text[at], b'|' | b'>')
                || self.line.has_colon && is_blank(at) && is_blank(at + 1))
    }

    /// Skips the text column of a line, which is masked together with its numbers.
    fn skip_column(&mut self, at: usize) -> usize {
        let length = memchr::memchr(b'\n', &self.text[at..]);
        let end = length.map_or(self.text.len(), |length| at + length);
        self.line.column = Some(end);
        end
    }

    /// Decodes a word, which extends or ends a run. Returns whether to continue.
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

    /// Adds the numbers of the line to the view.
    fn flush(&mut self) {
        let column = self.line.column.take();
        for (from, to, byte) in self.line.numbers.drain(..) {
            self.view.piece((from, column.unwrap_or(to)), &[byte], false);
        }
    }

    fn end_line(&mut self, at: usize) {
        self.flush();
        self.view.piece((at, at + 1), &[], self.line.count < FULL && !self.line.has_offset);
        self.line = DumpLine::default();
        self.gap += 1;
    }

    /// Ends the reading: a line with an offset may still get a text column.
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
            // The line's text column has not been read yet.
            self.line.numbers.push((at, at, BARRIER));
            return;
        }
        self.flush();
        self.view.piece((at, at), &[BARRIER], false);
    }

    /// Returns the bytes of a word.
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

    /// Returns whether a word at the end of the text may become a relevant number: the next byte of a
    /// phrase that has begun, or the first byte of one.
    fn may_become(&self, word: &[u8]) -> bool {
        let begun: Vec<u8> = self.line.numbers.iter().map(|(.., byte)| *byte).collect();
        let begun = [&self.view.bytes[..], &begun].concat();
        if self.sought.partial_match_len(&begun, |_| true) < begun.len() {
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
