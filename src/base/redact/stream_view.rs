//! Ends of phrases in a stream: line ends, adjacent bytes, and what the following bytes may still change. The stream
//! itself is in `stream`.

use super::folded::{FoldedText, Word, is_base64};
use super::phrases::Phrase;

/// Minimum bytes of a phrase before a line end that are held back. With fewer, a line that ends in an
/// ordinary word would be held back until the next line arrives.
const LIKELY: usize = 12;

/// Folded text with the base64 word before it.
pub(super) struct StreamView<'a> {
    pub(super) folded: &'a FoldedText,
    pub(super) word: Word,
}

impl StreamView<'_> {
    /// Returns whether the line that ends at this raw position was broken within base64.
    pub(super) fn is_broken(&self, newline: usize) -> bool {
        self.folded.word(self.word, newline).is_broken()
    }

    /// Returns whether a phrase that begins here and reaches the end may continue. A line end finishes most
    /// phrases: otherwise the last line of a log would wait for the next one.
    pub(super) fn may_go_on(&self, start: usize) -> bool {
        match self.folded.newline(start, self.folded.bytes.len() + 1) {
            Some((at, newline)) => at - start >= LIKELY || self.is_broken(newline),
            None => true,
        }
    }

    /// Returns whether a byte belongs with the byte before it: there is no line end in between, or the line
    /// was broken within base64.
    fn belongs(&self, at: usize) -> bool {
        self.folded.newline(at - 1, at + 1).is_none_or(|(_, newline)| self.is_broken(newline))
    }

    /// Returns the end of a phrase with its adjacent bytes, and whether following bytes may move it.
    pub(super) fn end(&self, phrase: &Phrase, end: usize) -> (usize, bool) {
        let bytes = &self.folded.bytes;
        if phrase.goes_on == 0 {
            return (end, false);
        }
        let mut to = end;
        match bytes.get(to) {
            Some(byte) if is_base64(*byte) && *byte != b'=' && self.belongs(to) => to += 1,
            Some(_) => return (to, false),
            None => return (to, self.belongs(to)),
        }
        while to < end + phrase.goes_on && self.belongs(to) {
            match bytes.get(to) {
                Some(b'=') => to += 1,
                Some(_) => break,
                None => return (to, true),
            }
        }
        (to, false)
    }
}
