//! Bytes written as separated numbers: `73:65`, `0x73, 0x65`, `[115, 101]`, and the output of `xxd`,
//! `hexdump` and `od`, including offsets and text columns. Where a text may contain such numbers, and what a
//! number stands for, is in [`super::numbers`]; digits without separators are in [`super::forms`].

use super::folded::FoldedText;
use super::number_reader::{DumpSink, NumberReader, PlainBytes};
use super::numbers::{GAP, Radix, WORD, Written, has_offset, is_inner_offset, kind, numbers_within};
use super::phrases::PatternSet;

/// Maximum bytes between two numbers of one run.
const WIDEST_GAP: usize = 16;
/// Maximum bytes of a line before the offset.
const WIDEST_PREFIX: usize = 200;
/// Decodes the candidates of a text in all bases. Returns nothing if the results contain no phrase, nor the
/// beginning of one at their end.
pub(super) fn read(
    text: &[u8],
    candidates: &[(usize, usize)],
    sought: &PatternSet,
    last: bool,
) -> impl Iterator<Item = FoldedText> {
    let starts = readings::<PlainBytes>(text, candidates, sought, last);
    let start = starts.filter_map(|reading| reading.first_line_of_phrases(sought, last)).min();
    let found = start.map(|start| {
        let rest = candidates.iter().filter(|(_, end)| *end > start);
        let rest: Vec<(usize, usize)> = rest.map(|(from, to)| (*from.max(&start), *to)).collect();
        readings(text, &rest, sought, last).map(NumberReader::view)
    });
    found.into_iter().flatten()
}

/// Reads the candidates, and then the text columns, in which numbers of their own may be: a line may begin with
/// a time that looks like an offset. A number may look like an offset as well, such as the first word of a line of
/// `od -An -tx4`, or the last one of a text: where one may be an offset, another reading takes it as a number.
fn readings<Sink: DumpSink>(
    text: &[u8],
    candidates: &[(usize, usize)],
    sought: &PatternSet,
    last: bool,
) -> impl Iterator<Item = NumberReader<Sink>> + use<Sink> {
    let dump = Dump::new(text, sought, last).read(candidates);
    let within = dump.columns.iter().flat_map(|column| numbers_within(text, *column, sought.shortest, last));
    let within: Vec<(usize, usize)> = within.collect();
    let columns = (!within.is_empty()).then(|| Dump::new(text, sought, last).read(&within).readings);
    let numbers = dump.met_offset.then(|| {
        let dump = Dump { knows_offsets: false, ..Dump::new(text, sought, last) };
        dump.read(candidates).readings
    });
    let others = columns.into_iter().chain(numbers).flatten();
    dump.readings.into_iter().chain(others)
}

struct Dump<'a, Sink> {
    text: &'a [u8],
    sought: &'a PatternSet,
    last: bool,
    readings: [NumberReader<Sink>; 4],
    /// Words that look like offsets are none, if this is false.
    knows_offsets: bool,
    /// Some word was taken for an offset.
    met_offset: bool,
    /// Text columns.
    columns: Vec<(usize, usize)>,
    /// The line begins with an offset, and a colon follows it, as in the output of `xxd`.
    has_offset: bool,
    has_colon: bool,
    /// The offset begins with zeros; another one may be a number before the dump, such as a time.
    is_sure: bool,
    /// Length of the gap since the last word.
    gap: usize,
    /// End of the blanks before the rest of a group.
    padded: usize,
}

impl<'a, Sink: DumpSink> Dump<'a, Sink> {
    fn new(text: &'a [u8], sought: &'a PatternSet, last: bool) -> Self {
        let (readings, columns) = (Radix::ALL.map(NumberReader::new), Vec::new());
        Self {
            text,
            sought,
            last,
            readings,
            knows_offsets: true,
            met_offset: false,
            columns,
            has_offset: false,
            has_colon: false,
            is_sure: false,
            gap: 0,
            padded: 0,
        }
    }

    fn read(mut self, candidates: &[(usize, usize)]) -> Self {
        let mut done = 0;
        for (start, end) in candidates.iter().copied() {
            if end > done {
                done = self.region(start.max(done));
            }
        }
        self
    }

    /// Decodes numbers from a start, and returns their end.
    fn region(&mut self, start: usize) -> usize {
        let mut at = start;
        self.part(start);
        self.begin_line();
        let mut begins_line = start == 0 || self.text[start - 1] == b'\n';
        while let Some(byte) = self.text.get(at).copied() {
            match kind(byte) {
                GAP if byte == b'\n' => {
                    self.readings.iter_mut().for_each(|reading| reading.end_line(at));
                    let is_dump = self.has_offset;
                    (self.has_offset, self.has_colon) = (false, false);
                    self.gap += 1;
                    begins_line = true;
                    at += 1;
                    if is_dump {
                        match self.offset_in_line(at) {
                            Some(offset) => at = offset,
                            None if self.is_unfinished(at) => return self.text.len(),
                            None => {}
                        }
                    }
                }
                GAP if self.has_offset && self.begins_column(at) => at = self.column(at),
                GAP => {
                    self.gap += 1;
                    begins_line &= matches!(byte, b' ' | b'\t');
                    at += 1;
                }
                WORD => {
                    at = self.word(at, begins_line);
                    begins_line = false;
                }
                _ if self.has_offset && self.has_number() => at = self.column(at),
                _ => break,
            }
        }
        if at == self.text.len() && self.has_offset {
            // The line may still get a text column.
            for reading in &mut self.readings {
                reading.unsettled = reading.sink.bytes().len() - reading.line.start.1;
            }
        }
        at
    }

    /// Returns the start of the offset in a line, which other text may precede, such as a time.
    fn offset_in_line(&self, at: usize) -> Option<usize> {
        let line = &self.text[..self.text.len().min(at + WIDEST_PREFIX)];
        let mut at = at;
        while let Some(byte) = line.get(at).filter(|byte| **byte != b'\n') {
            if kind(*byte) != WORD {
                at += 1;
                continue;
            }
            let to = line[at..].iter().position(|byte| kind(*byte) != WORD).map(|length| at + length)?;
            if is_inner_offset(self.text, at, to) {
                return Some(at);
            }
            at = to;
        }
        None
    }

    /// Returns whether the line at the end may still get an offset.
    fn is_unfinished(&self, at: usize) -> bool {
        !self.last
            && self.text.len() - at < WIDEST_PREFIX
            && memchr::memchr(b'\n', &self.text[at..]).is_none()
    }

    /// Returns whether a letter that is not a digit adjoins a word.
    fn is_part_of_word(&self, from: usize, to: usize) -> bool {
        let is_letter = |at: Option<usize>| {
            at.and_then(|at| self.text.get(at))
                .is_some_and(|byte| (byte.is_ascii_alphanumeric() || *byte >= 0x80) && kind(*byte) != WORD)
        };
        is_letter(from.checked_sub(1)) || is_letter(Some(to))
    }

    /// Returns whether the line contains a number in any base.
    fn has_number(&self) -> bool {
        self.readings.iter().any(|reading| reading.line.count > 0)
    }

    /// Returns whether the text column begins with this part of a gap, in a line with an offset.
    fn begins_column(&mut self, at: usize) -> bool {
        if self.has_colon {
            self.padded = self.padded.max(self.end_of_padding(at));
        }
        if at < self.padded {
            return false;
        }
        let is_blank = |at: usize| self.text.get(at) == Some(&b' ');
        let is_mark =
            matches!(self.text[at], b'|' | b'>') || self.has_colon && is_blank(at) && is_blank(at + 1);
        is_mark && self.has_number()
    }

    /// Returns the end of the blanks that fill up a group of digits, with which a dump ends (`xxd -e`): the rest of the group
    /// follows, and more blanks.
    fn end_of_padding(&self, at: usize) -> usize {
        let group = self.readings.iter().map(|reading| reading.group).max().unwrap_or(0);
        let length = |at: usize, is: fn(&u8) -> bool| {
            self.text[at..].iter().take(group + 2).take_while(|byte| is(byte)).count()
        };
        let is_blank = |byte: &u8| *byte == b' ';
        let before = length(at, is_blank);
        let digits = length(at + before, u8::is_ascii_hexdigit);
        let is_rest = before > 1 && digits > 0 && before + digits == group + 1;
        if is_rest && length(at + before + digits, is_blank) > 1 { at + before } else { 0 }
    }

    /// Skips the text column of a line with an offset; returns its end.
    fn column(&mut self, at: usize) -> usize {
        let end = memchr::memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |length| at + length);
        self.columns.push((at, end));
        self.readings.iter_mut().for_each(|reading| reading.column((at, end)));
        end
    }

    /// Reads a word: an offset, or a number. Returns its end.
    fn word(&mut self, from: usize, begins_line: bool) -> usize {
        let word = Written::new(&self.text[from..]);
        let to = from + word.length();
        let is_cut = to == self.text.len() && !self.last;
        // An offset, or a number that continues a phrase: the rest of it tells.
        for reading in self.readings.iter_mut().filter(|_| is_cut && begins_line) {
            reading.open = Some(from).filter(|_| reading.has_begun(self.sought));
        }
        let may_begin = self.knows_offsets && !self.has_offset;
        let may_follow = may_begin || self.knows_offsets && !self.is_sure && !self.has_number();
        let is_inner = may_follow && !begins_line && is_inner_offset(self.text, from, to);
        if is_inner {
            self.part(from);
            self.begin_line();
        }
        if is_inner || may_begin && begins_line && has_offset(self.text, from, to) {
            (self.has_offset, self.met_offset) = (true, true);
            self.is_sure = self.text[from..].starts_with(b"00");
            self.has_colon = self.text.get(to) == Some(&b':');
            self.readings.iter_mut().for_each(|reading| reading.line.has_offset = true);
        } else if self.is_part_of_word(from, to) {
            self.part(from);
        } else {
            if self.gap > WIDEST_GAP {
                self.part(from);
            }
            self.gap = 0;
            for reading in &mut self.readings {
                reading.word(&word, (from, to), is_cut, self.sought);
            }
        }
        to
    }

    fn begin_line(&mut self) {
        (self.has_offset, self.has_colon) = (false, false);
        self.readings.iter_mut().for_each(NumberReader::begin_line);
    }

    /// Ends a run of numbers in all bases.
    fn part(&mut self, at: usize) {
        self.gap = 0;
        self.readings.iter_mut().for_each(|reading| reading.part(at));
    }
}
