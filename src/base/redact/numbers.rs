//! Numbers in a text that may stand for bytes: where they are, and their digits in each base. Reading them
//! as bytes, line by line, is in [`super::dump`].

/// Maximum digits of a hexadecimal word in a dump.
const LONGEST_WORD: usize = 32;
/// Minimum digits of an offset at the start of a line: `od` writes seven, other programs eight.
const OFFSET: usize = 6;

const OTHER: u8 = 0;
/// Part of a number.
pub(super) const WORD: u8 = 1;
/// Part of a gap between numbers.
pub(super) const GAP: u8 = 2;

/// Kinds of bytes.
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

/// Values of hexadecimal digits; 16 for another byte.
const DIGITS: [u8; 256] = {
    let mut digits = [16; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        digits[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// Returns the kind of a byte.
pub(super) fn kind(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

fn digit(byte: u8) -> u8 {
    DIGITS[usize::from(byte)]
}

/// Returns the end of the word that begins at a position.
fn word_end(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|byte| kind(*byte) != WORD).map_or(text.len(), |length| at + length)
}

/// Returns whether a word at the beginning of a line is an offset.
pub(super) fn has_offset(text: &[u8], from: usize, to: usize) -> bool {
    let is_apart = text.get(to).is_none_or(|byte| matches!(byte, b':' | b' ' | b'\t' | b'\n'));
    (OFFSET..=16).contains(&(to - from)) && is_apart
}

/// Returns whether a word behind other text may be an offset. It begins with zeros, as next to no number of a secret does,
/// since those are numbers of NUL characters. The fraction of a second is none.
pub(super) fn is_inner_offset(text: &[u8], from: usize, to: usize) -> bool {
    let is_apart = from == 0 || !matches!(text[from - 1], b'.' | b',' | b'-' | b'_' | b'/' | b'+');
    is_apart && to < text.len() && text[from..].starts_with(b"00") && has_offset(text, from, to)
}

/// Returns the ranges of a text that may contain the numbers of a phrase with at least `bytes` bytes, of two
/// characters each: most texts have next to none. A line with an offset, at its start or behind other text, continues after
/// its text column and in the next line, so any length counts there. The end of the text may be the start of a run.
pub(super) fn candidates(text: &[u8], bytes: usize, last: bool) -> Vec<(usize, usize)> {
    let mut found = long_runs(text, 2 * bytes);
    found.extend(runs_with_offset(text));
    found.extend(runs_with_inner_offset(text));
    let start = run_start(text, text.len());
    if !last && start < text.len() {
        found.push((start, text.len()));
    }
    if found.len() > 1 {
        found.sort_unstable();
        found.dedup();
    }
    found
}

/// Returns the ranges of a part of the text that may contain numbers, as [`candidates`] does.
pub(super) fn numbers_within(
    text: &[u8],
    (from, to): (usize, usize),
    bytes: usize,
    last: bool,
) -> impl Iterator<Item = (usize, usize)> {
    let mut found = long_runs(&text[from..to], 2 * bytes);
    let start = run_start(&text[from..to], to - from);
    if !last && to == text.len() && start < to - from && found.last().is_none_or(|last| last.0 < start) {
        found.push((start, to - from));
    }
    found.into_iter().map(move |(start, end)| (from + start, from + end))
}

/// Finds runs of a minimum length. Looks at every `step`th byte only: a run contains two of them in a row.
fn long_runs(text: &[u8], shortest: usize) -> Vec<(usize, usize)> {
    let step = shortest / 2;
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at + step) {
        if kind(*next) == OTHER {
            at += 2 * step;
        } else if kind(text[at]) == OTHER {
            at += step;
        } else {
            let (start, end) = (run_start(text, at), run_end(text, at));
            if end - start >= shortest {
                found.push((start, end));
            }
            at = end + 1;
        }
    }
    found
}

/// Finds runs with a line that begins with an offset.
fn runs_with_offset(text: &[u8]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut done = 0;
    for line in std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|newline| newline + 1)) {
        if line < done {
            continue;
        }
        let blank = text[line..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let from = line + blank;
        if text[from..].iter().take(OFFSET).any(|byte| kind(*byte) != WORD) {
            continue;
        }
        if has_offset(text, from, word_end(text, from)) {
            let (start, end) = (run_start(text, from), run_end(text, from));
            found.push((start, end));
            done = end;
        }
    }
    found
}

/// Finds runs with an offset that other text precedes.
fn runs_with_inner_offset(text: &[u8]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut done = 0;
    for from in memchr::memmem::find_iter(text, b"00") {
        let is_start = from.checked_sub(1).is_none_or(|before| kind(text[before]) != WORD);
        if from < done || !is_start {
            continue;
        }
        // A longer word is no offset.
        let word = text[from..].iter().take(2 * OFFSET + 8).take_while(|byte| kind(**byte) == WORD).count();
        if is_inner_offset(text, from, from + word) {
            let (start, end) = (run_start(text, from), run_end(text, from));
            found.push((start, end));
            done = end;
        }
    }
    found
}

fn run_start(text: &[u8], at: usize) -> usize {
    text[..at].iter().rposition(|byte| kind(*byte) == OTHER).map_or(0, |other| other + 1)
}

fn run_end(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|byte| kind(*byte) == OTHER).map_or(text.len(), |length| at + length)
}

/// A word with hexadecimal digits.
pub(super) struct Written<'a> {
    word: &'a [u8],
    /// Digits of the word, without a prefix.
    digits: &'a [u8],
    /// Greatest digit; 16 if there is another character.
    greatest: u8,
}

impl<'a> Written<'a> {
    /// Reads the word at the start of a text.
    pub(super) fn new(text: &'a [u8]) -> Self {
        let end = text.iter().position(|byte| digit(*byte) == 16).unwrap_or(text.len());
        if end > 0 && text.get(end).is_none_or(|byte| kind(*byte) != WORD) {
            let greatest = text[..end].iter().map(|byte| digit(*byte)).max().unwrap_or(16);
            return Self { word: &text[..end], digits: &text[..end], greatest };
        }
        let word = &text[..word_end(text, 0)];
        let (prefix, digits) =
            word.split_at(word.iter().take(2).position(|byte| byte | 0x20 == b'x').map_or(0, |x| x + 1));
        let digits = if matches!(prefix, [b'0', _] | [_]) { digits } else { word };
        Self { word, digits, greatest: digits.iter().map(|byte| digit(*byte)).max().unwrap_or(16) }
    }

    /// Returns the number of characters.
    pub(super) fn length(&self) -> usize {
        self.word.len()
    }

    /// Returns the number in a base, if it is a byte.
    fn byte(&self, base: u8) -> Option<u8> {
        let is_number = self.word.len() <= 3 && self.digits.len() == self.word.len() && self.greatest < base;
        let number = || number(self.word, base);
        is_number.then(number).and_then(|number| u8::try_from(number).ok())
    }
}

/// Base of the numbers, and the order of bytes in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Radix {
    Octal,
    Decimal,
    Hexadecimal,
    /// Numbers of two, four or eight bytes, the lowest byte first: the words of `hexdump`, `od` and `od -x`.
    Words,
}

impl Radix {
    /// All bases; each gives a reading of its own.
    pub(super) const ALL: [Self; 4] = [Self::Hexadecimal, Self::Decimal, Self::Octal, Self::Words];

    /// Returns whether a word is a number.
    #[inline]
    pub(super) fn is_number(self, word: &Written<'_>) -> bool {
        let length = word.digits.len();
        match self {
            Self::Hexadecimal => {
                word.greatest < 16 && length.is_multiple_of(2) && (2..=LONGEST_WORD).contains(&length)
            }
            Self::Decimal => word.byte(10).is_some(),
            Self::Octal => length == 3 && word.byte(8).is_some(),
            Self::Words => match length {
                4 | 8 | 16 => word.greatest < 16,
                6 | 11 => word.greatest < 8 && number(word.digits, 8) >> (length / 5 * 16) == 0,
                _ => false,
            },
        }
    }

    /// Returns whether a word is the rest of a group of digits, at the end of a dump (`xxd -e`).
    pub(super) fn is_rest(self, word: &Written<'_>, group: usize) -> bool {
        let length = word.digits.len();
        self == Self::Words && word.greatest < 16 && length.is_multiple_of(2) && length > 0 && length < group
    }

    /// Returns whether a number keeps its bytes if more digits follow.
    pub(super) fn is_whole(self, word: &Written<'_>) -> bool {
        match self {
            Self::Hexadecimal => true,
            Self::Decimal | Self::Octal => word.word.len() == 3,
            Self::Words => false,
        }
    }

    /// Decodes a number into bytes, each with the counts of characters from its start and from its end to
    /// the end of the word; a start of 0 stands for the start of the word.
    pub(super) fn decode(self, word: &Written<'_>, mut take: impl FnMut((usize, usize), u8)) {
        let digits = word.digits;
        match self {
            Self::Hexadecimal => {
                for (nth, pair) in digits.chunks_exact(2).enumerate() {
                    let left = digits.len() - 2 * nth;
                    take((if nth == 0 { 0 } else { left }, left - 2), digit(pair[0]) << 4 | digit(pair[1]));
                }
            }
            Self::Decimal => word.byte(10).into_iter().for_each(|byte| take((0, 0), byte)),
            Self::Octal => word.byte(8).into_iter().for_each(|byte| take((0, 0), byte)),
            Self::Words => match digits.len() {
                length @ (6 | 11) if self.is_number(word) => {
                    let bytes = number(digits, 8).to_le_bytes();
                    bytes[..length / 5 * 2].iter().for_each(|byte| take((0, 0), *byte));
                }
                _ => digits
                    .rchunks_exact(2)
                    .for_each(|pair| take((0, 0), digit(pair[0]) << 4 | digit(pair[1]))),
            },
        }
    }

    /// Returns the ranges of bytes that a word at the end of a text may become.
    pub(super) fn completions(self, word: &Written<'_>) -> impl Iterator<Item = (u8, u8)> {
        let one = |by: u64, more: u64| [Some((by, more)), None, None];
        let last = word.word.last().map_or(16, |last| u64::from(digit(*last)));
        let value = number(word.word, if self == Self::Octal { 8 } else { 10 });
        let ranges = match (self, word.word.len()) {
            (Self::Hexadecimal, 1..=3) if last < 16 => one(last * 16, 15),
            (Self::Decimal, 1..=2) if word.greatest < 10 => {
                [(1, 0), (10, 9), (100, 99)].map(|(by, more)| Some((value * by, more)))
            }
            (Self::Octal, 1) if word.greatest < 8 => one(value * 64, 63),
            (Self::Octal, 2) if word.greatest < 8 => one(value * 8, 7),
            _ => [None; 3],
        };
        let byte = |number: u64| u8::try_from(number).unwrap_or(u8::MAX);
        let ranges = ranges.into_iter().flatten().filter(|(from, _)| *from < 256);
        ranges.map(move |(from, more)| (byte(from), byte(from + more)))
    }
}

/// Returns the number of some digits, of up to 64 bits.
fn number(digits: &[u8], base: u8) -> u64 {
    digits.iter().fold(0_u64, |number, byte| {
        number.wrapping_mul(u64::from(base)).wrapping_add(u64::from(digit(*byte)))
    })
}
