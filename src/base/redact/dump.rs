//! Bytes written as separated numbers: `73:65`, `0x73, 0x65`, `[115, 101]`, and the output of `xxd`,
//! `hexdump` and `od`, including offsets and text columns. Where a text may contain such numbers, and what a
//! number stands for, is in [`super::numbers`]; digits without separators are in [`super::forms`].

use super::folded::FoldedText;
use super::numbers::{GAP, Radix, WORD, Written, has_offset, is_inner_offset, kind, numbers_within};
use super::phrases::PatternSet;

/// Maximum bytes between two numbers of one run.
const WIDEST_GAP: usize = 16;
/// Minimum bytes of a line that continues in the next one.
const FULL: usize = 8;
/// Maximum bytes of a line before the offset.
const WIDEST_PREFIX: usize = 200;
/// Byte that separates two runs; no phrase contains it.
const BARRIER: u8 = 0;

/// Receiver of decoded bytes.
pub(super) trait DumpSink: Default {
    /// Appends a byte, written in a range of the text.
    fn byte(&mut self, raw: (usize, usize), byte: u8);
    /// Appends a line end; most lines end a phrase.
    fn newline(&mut self, at: usize, is_newline: bool);
    /// Bytes so far.
    fn bytes(&self) -> &[u8];
    /// Place in the sink, for [`DumpSink::extend`].
    fn place(&self) -> usize;
    /// Extends the ranges of all bytes since a place.
    fn extend(&mut self, from: usize, end: usize);
}

/// Bytes alone, for a search whether there is anything to find.
#[derive(Default)]
struct PlainBytes {
    bytes: Vec<u8>,
    /// Starts of lines, in the text and in the bytes.
    lines: Vec<(usize, usize)>,
}

impl DumpSink for PlainBytes {
    fn byte(&mut self, _: (usize, usize), byte: u8) {
        self.bytes.push(byte);
    }

    fn newline(&mut self, at: usize, _: bool) {
        self.lines.push((at + 1, self.bytes.len()));
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn place(&self) -> usize {
        0
    }

    fn extend(&mut self, _: usize, _: usize) {}
}

/// Bytes with their ranges.
impl DumpSink for FoldedText {
    fn byte(&mut self, raw: (usize, usize), byte: u8) {
        self.piece(raw, &[byte], false);
    }

    fn newline(&mut self, at: usize, is_newline: bool) {
        self.piece((at, at + 1), &[], is_newline);
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn place(&self) -> usize {
        self.count()
    }

    fn extend(&mut self, from: usize, end: usize) {
        Self::extend(self, from, end);
    }
}

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

/// A reading of the numbers in one base.
struct NumberReader<Sink> {
    base: Radix,
    sink: Sink,
    line: DumpLine,
    /// Number of digits of the first number in a line.
    group: usize,
    /// Start of an unfinished number.
    open: Option<usize>,
    /// Number of bytes at the end whose range the following bytes may extend.
    unsettled: usize,
}

/// State of the current line.
#[derive(Debug, Default)]
struct DumpLine {
    /// Place in the sink at which the line begins, and the number of bytes before it.
    start: (usize, usize),
    /// The line begins with an offset.
    has_offset: bool,
    /// Count of numbers, without the offset.
    count: usize,
}

impl<Sink: DumpSink> NumberReader<Sink> {
    fn new(base: Radix) -> Self {
        Self { base, sink: Sink::default(), line: DumpLine::default(), group: 0, open: None, unsettled: 0 }
    }

    /// Returns whether the decoded bytes end in the beginning of a phrase.
    fn has_begun(&self, sought: &PatternSet) -> bool {
        let bytes = self.sink.bytes();
        sought.partial_match_len(bytes, |_| true) < bytes.len()
    }

    fn begin_line(&mut self) {
        let start = (self.sink.place(), self.sink.bytes().len());
        self.line = DumpLine { start, ..DumpLine::default() };
    }

    fn end_line(&mut self, at: usize) {
        let is_full = self.line.count >= FULL || self.line.has_offset;
        self.sink.newline(at, !is_full);
        self.begin_line();
    }

    /// Ends a run of numbers.
    fn part(&mut self, at: usize) {
        if self.sink.bytes().last() != Some(&BARRIER) {
            self.sink.byte((at, at), BARRIER);
        }
    }

    /// Skips the text column of a line, which is masked together with its numbers.
    fn column(&mut self, (at, end): (usize, usize)) {
        if self.line.count > 0 {
            self.sink.extend(self.line.start.0, end);
        } else {
            self.part(at);
        }
    }

    /// Reads a word: a number that extends a run, or else the end of a run.
    fn word(&mut self, word: &Written<'_>, (from, to): (usize, usize), is_cut: bool, sought: &PatternSet) {
        if self.open.is_some() {
            return;
        }
        let is_rest = self.line.has_offset && self.base.is_rest(word, self.group);
        let is_number = is_rest || self.base.is_number(word);
        let is_unfinished = is_cut
            && (!is_number || !self.base.is_whole(word))
            && (!is_number && self.line.has_offset
                || self.has_begun(sought)
                || self.base.completions(word).any(|(from, to)| sought.begins_with(from..=to)));
        if is_unfinished {
            self.open = Some(from);
        } else if is_number {
            if self.line.count == 0 && !is_rest {
                self.group = word.length();
            }
            self.base.decode(word, |(start, end), byte| {
                self.sink.byte((if start == 0 { from } else { to - start }, to - end), byte);
                self.line.count += 1;
            });
        } else {
            self.part(from);
        }
    }
}

impl NumberReader<PlainBytes> {
    /// Returns the start of a line, in the text, that is before all phrases; `None` if there are none, nor
    /// the beginning of one at the end.
    fn first_line_of_phrases(&self, sought: &PatternSet, last: bool) -> Option<usize> {
        let mut is_found = false;
        sought.find(&self.sink.bytes, |_, _| {
            is_found = true;
            true
        });
        if is_found {
            return Some(0);
        }
        let bytes = &self.sink.bytes;
        let begun = if last { bytes.len() } else { sought.partial_match_len(bytes, |_| true) };
        (self.open.is_some() || begun < bytes.len()).then(|| {
            let line = self.sink.lines.iter().rev().find(|(_, bytes)| *bytes <= begun);
            line.map_or(0, |(at, _)| *at)
        })
    }
}

impl NumberReader<FoldedText> {
    fn view(self) -> FoldedText {
        let mut view = self.sink;
        (view.open, view.unsettled) = (self.open, self.unsettled);
        view
    }
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
