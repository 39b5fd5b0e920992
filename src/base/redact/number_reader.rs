//! Reads separated numbers in one base as bytes, line by line. What in a line is a number, an offset or a text column
//! is decided in [`super::dump`].

use super::folded::FoldedText;
use super::numbers::{Radix, Written};
use super::phrases::PatternSet;

/// Minimum bytes of a line that continues in the next one.
const FULL: usize = 8;
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
pub(super) struct PlainBytes {
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

/// A reading of the numbers in one base.
pub(super) struct NumberReader<Sink> {
    base: Radix,
    pub(super) sink: Sink,
    pub(super) line: DumpLine,
    /// Number of digits of the first number in a line.
    pub(super) group: usize,
    /// Start of an unfinished number.
    pub(super) open: Option<usize>,
    /// Number of bytes at the end whose range the following bytes may extend.
    pub(super) unsettled: usize,
}

/// State of the current line.
#[derive(Debug, Default)]
pub(super) struct DumpLine {
    /// Place in the sink at which the line begins, and the number of bytes before it.
    pub(super) start: (usize, usize),
    /// The line begins with an offset.
    pub(super) has_offset: bool,
    /// Count of numbers, without the offset.
    pub(super) count: usize,
}

impl<Sink: DumpSink> NumberReader<Sink> {
    pub(super) fn new(base: Radix) -> Self {
        Self { base, sink: Sink::default(), line: DumpLine::default(), group: 0, open: None, unsettled: 0 }
    }

    /// Returns whether the decoded bytes end in the beginning of a phrase.
    pub(super) fn has_begun(&self, sought: &PatternSet) -> bool {
        let bytes = self.sink.bytes();
        sought.partial_match_len(bytes, |_| true) < bytes.len()
    }

    pub(super) fn begin_line(&mut self) {
        let start = (self.sink.place(), self.sink.bytes().len());
        self.line = DumpLine { start, ..DumpLine::default() };
    }

    pub(super) fn end_line(&mut self, at: usize) {
        let is_full = self.line.count >= FULL || self.line.has_offset;
        self.sink.newline(at, !is_full);
        self.begin_line();
    }

    /// Ends a run of numbers.
    pub(super) fn part(&mut self, at: usize) {
        if self.sink.bytes().last() != Some(&BARRIER) {
            self.sink.byte((at, at), BARRIER);
        }
    }

    /// Skips the text column of a line, which is masked together with its numbers.
    pub(super) fn column(&mut self, (at, end): (usize, usize)) {
        if self.line.count > 0 {
            self.sink.extend(self.line.start.0, end);
        } else {
            self.part(at);
        }
    }

    /// Reads a word: a number that extends a run, or else the end of a run.
    pub(super) fn word(
        &mut self,
        word: &Written<'_>,
        (from, to): (usize, usize),
        is_cut: bool,
        sought: &PatternSet,
    ) {
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
    pub(super) fn first_line_of_phrases(&self, sought: &PatternSet, last: bool) -> Option<usize> {
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
    pub(super) fn view(self) -> FoldedText {
        let mut view = self.sink;
        (view.open, view.unsettled) = (self.open, self.unsettled);
        view
    }
}
