//! Folding of a text into its visible content: without invisible characters, with escaped characters
//! decoded, and with the position of every byte in the original. A text and its escaped forms fold to the
//! same bytes, in which secrets are searched. Forms other than escapes are in [`super::forms`] and
//! [`super::decoded_variants`].

use super::terminal::{Lexeme, ReadOptions, is_control, letters};
use super::units::unit;

/// Minimum characters of a base64 word before a line end that count as a line break within base64.
const BROKEN: usize = 60;

/// A folded text.
#[derive(Debug, Default)]
pub(super) struct FoldedText {
    /// Visible bytes.
    pub(super) bytes: Vec<u8>,
    /// Pieces of the text that were decoded or removed, in order.
    pieces: Vec<FoldedPiece>,
    /// Start of the first piece whose meaning depends on the bytes that follow.
    pub(super) open: Option<usize>,
    /// A piece is longer than a byte, so that the raw text may contain other phrases.
    pub(super) is_escaped: bool,
    /// Number of bytes at the end that the following bytes may take back or extend.
    pub(super) unsettled: usize,
    /// The text contains terminal control sequences.
    pub(super) has_sequences: bool,
    /// Number of pieces up to the last one with bytes.
    seen: usize,
}

#[derive(Debug, Clone, Copy)]
struct FoldedPiece {
    /// Offset of its bytes in the folded text.
    at: usize,
    /// Number of its bytes in the folded text.
    length: usize,
    /// Its range in the raw text.
    raw: (usize, usize),
    is_newline: bool,
}

/// Options of folding.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoldOptions {
    /// Treat all quotes, and runs of them, as one quote: shells write a quote in many ways.
    pub(super) quotes: bool,
}

/// Bytes to test at once for special ones: the compiler turns the test into a few vector instructions.
const BLOCK: usize = 16;

impl FoldOptions {
    /// Returns whether a byte may need decoding.
    fn is_special(self, byte: u8) -> bool {
        let is_quote = (byte == b'"') | (byte == b'\'');
        (byte.wrapping_sub(0x20) >= 0x5f)
            | (byte == b'%')
            | (byte == b'\\')
            | (byte == b'&')
            | (is_quote & self.quotes)
    }

    /// Returns the number of bytes before the first special one.
    fn plain(self, text: &[u8]) -> usize {
        let mut at = 0;
        loop {
            at += self.plain_ascii(&text[at..]);
            let letters = letters(&text[at..]);
            if letters == 0 {
                return at;
            }
            at += letters;
        }
    }

    fn plain_ascii(self, text: &[u8]) -> usize {
        let (blocks, _) = text.as_chunks::<BLOCK>();
        let is_any = |block: &[u8; BLOCK]| block.iter().fold(false, |any, byte| any | self.is_special(*byte));
        let done = blocks.iter().position(is_any).unwrap_or(blocks.len()) * BLOCK;
        let rest = text[done..].iter().position(|byte| self.is_special(*byte));
        rest.map_or(text.len(), |rest| done + rest)
    }
}

impl FoldedText {
    /// Folds a text, and replaces the earlier content.
    pub(super) fn fold(&mut self, text: &[u8], reading: ReadOptions, folding: FoldOptions) {
        self.bytes.clear();
        self.pieces.clear();
        (self.open, self.is_escaped, self.has_sequences, self.seen) = (None, false, false, 0);
        // Length of the folded text at the start of the line: an indent may hold invisible characters as well.
        let (mut at, mut line) = (0, usize::MAX);
        while at < text.len() {
            if line == self.bytes.len() {
                at = self.indent(text, at);
            }
            let plain = folding.plain(&text[at..]);
            self.bytes.extend_from_slice(&text[at..at + plain]);
            at += plain;
            let Some(first) = text.get(at).copied() else { break };
            if matches!(first, b'"' | b'\'') {
                self.quote((at, at + 1));
                at += 1;
                continue;
            }
            if first == b'\n' {
                at = self.piece((at, at + 1), &[], true);
                line = self.bytes.len();
                continue;
            }
            at = match unit(text, at, reading) {
                Lexeme::Plain(end) => {
                    self.bytes.extend_from_slice(&text[at..end]);
                    end
                }
                Lexeme::Newline(end) => {
                    line = self.bytes.len();
                    self.piece((at, end), &[], true)
                }
                Lexeme::Nothing(end) => {
                    self.is_escaped |= end > at + 1 || !is_control(first);
                    self.has_sequences |= first == 0x1b || first >= 0x80;
                    self.piece((at, end), &[], false)
                }
                Lexeme::Bytes { end, bytes: [b'"' | b'\'', ..], length: 1 } if folding.quotes => {
                    self.is_escaped = true;
                    self.quote((at, end));
                    end
                }
                Lexeme::Bytes { end, bytes, length } => {
                    self.is_escaped = true;
                    self.piece((at, end), &bytes[..length], false)
                }
                Lexeme::Open => {
                    self.open = Some(at);
                    self.is_escaped = true;
                    self.has_sequences |= first == 0x1b || first >= 0x80;
                    break;
                }
            };
        }
    }

    /// Appends the bytes of a decoded piece; returns the end of the piece.
    pub(super) fn piece(&mut self, raw: (usize, usize), bytes: &[u8], is_newline: bool) -> usize {
        self.pieces.push(FoldedPiece { at: self.bytes.len(), length: bytes.len(), raw, is_newline });
        self.bytes.extend_from_slice(bytes);
        if !bytes.is_empty() {
            self.seen = self.pieces.len();
        }
        raw.1
    }

    /// Drops the indent at the start of a line, since a longer word may continue there; returns its end.
    fn indent(&mut self, text: &[u8], at: usize) -> usize {
        let blank = text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if blank == 0 { at } else { self.piece((at, at + blank), &[], false) }
    }

    /// Number of pieces.
    pub(super) fn count(&self) -> usize {
        self.pieces.len()
    }

    /// Extends the pieces from an index on to an end in the raw text.
    pub(super) fn extend(&mut self, from: usize, end: usize) {
        for piece in self.pieces.iter_mut().skip(from).filter(|piece| piece.length > 0) {
            piece.raw.1 = end;
        }
    }

    /// Takes back the last character, which was overwritten; returns its start in the raw text. Bytes that
    /// are in no piece are characters of their own.
    pub(super) fn take_back(&mut self) -> Option<usize> {
        loop {
            let last = self.pieces.last();
            let (end, raw) = last.map_or((0, 0), |piece| (piece.at + piece.length, piece.raw.1));
            if self.bytes.len() > end {
                self.bytes.pop();
                return Some(raw + self.bytes.len() - end);
            }
            let piece = self.pieces.pop()?;
            if piece.length > 0 {
                self.bytes.truncate(piece.at);
                return Some(piece.raw.0);
            }
        }
    }

    /// Appends a quote, or merges it with the quote right before it.
    fn quote(&mut self, raw: (usize, usize)) {
        let end = self.bytes.len();
        match self.seen.checked_sub(1).and_then(|before| self.pieces.get_mut(before)) {
            Some(piece) if piece.at + piece.length == end && self.bytes.last() == Some(&b'\'') => {
                piece.raw.1 = raw.1;
                self.piece(raw, &[], false);
            }
            _ => {
                self.piece(raw, b"'", false);
            }
        }
    }

    /// Returns the raw range of a byte of the folded text.
    pub(super) fn raw(&self, at: usize) -> (usize, usize) {
        let next = self.pieces.partition_point(|piece| piece.at <= at);
        let Some(piece) = next.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            return (at, at + 1);
        };
        if at < piece.at + piece.length {
            return piece.raw;
        }
        let start = piece.raw.1 + (at - piece.at - piece.length);
        (start, start + 1)
    }

    /// Returns the start of the piece that contains a raw position.
    pub(super) fn whole(&self, raw: usize) -> usize {
        self.around(raw).map_or(raw, |piece| piece.0)
    }

    /// Shrinks a raw range to exclude partial pieces: half of a control sequence would have another effect.
    pub(super) fn without_halves(&self, (from, to): (usize, usize)) -> (usize, usize) {
        let first = self.around(from).filter(|piece| piece.1 < to);
        let last = self.around(to).filter(|piece| piece.0 > from);
        (first.map_or(from, |piece| piece.0), last.map_or(to, |piece| piece.1))
    }

    /// Returns the piece around a raw position.
    fn around(&self, raw: usize) -> Option<(usize, usize)> {
        let next = self.pieces.partition_point(|piece| piece.raw.0 < raw);
        let piece = self.pieces.get(next.checked_sub(1)?)?;
        (piece.raw.1 > raw).then_some(piece.raw)
    }

    /// Returns whether the text begins or ends with an invisible piece.
    pub(super) fn has_unseen_edge(&self, length: usize) -> bool {
        let is_edge = |piece: &FoldedPiece| piece.length == 0 && (piece.raw.0 == 0 || piece.raw.1 == length);
        self.pieces.iter().any(is_edge)
    }

    /// Finds the first line end in a range of the folded text: its folded and its raw offset.
    pub(super) fn newline(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let first = self.pieces.partition_point(|piece| piece.at <= from);
        let newline =
            self.pieces[first..].iter().take_while(|piece| piece.at < to).find(|piece| piece.is_newline)?;
        Some((newline.at, newline.raw.0))
    }

    /// Returns the base64 word right before a raw position, given the word before the text.
    pub(super) fn word(&self, before: Word, raw: usize) -> Word {
        let next = self.pieces.partition_point(|piece| piece.raw.0 < raw);
        let to = match next.checked_sub(1).and_then(|index| self.pieces.get(index)) {
            Some(piece) => piece.at + piece.length + raw.saturating_sub(piece.raw.1),
            None => raw,
        };
        let newline = self.pieces[..next].iter().rev().find(|piece| piece.is_newline);
        let (from, before) = newline.map_or((0, before), |newline| (newline.at, Word::default()));
        before.after(&self.bytes[from..to.min(self.bytes.len())])
    }

    /// Splits a part of the text into its visible bytes and its invisible pieces.
    pub(super) fn seen_and_unseen(&self, text: &[u8], from: usize) -> (Vec<u8>, Vec<u8>) {
        let (mut seen, mut unseen, mut at) = (Vec::new(), Vec::new(), from);
        for piece in self.pieces.iter().filter(|piece| piece.raw.0 >= from && piece.length == 0) {
            seen.extend_from_slice(text.get(at..piece.raw.0).unwrap_or_default());
            unseen.extend_from_slice(&text[piece.raw.0..piece.raw.1]);
            at = at.max(piece.raw.1);
        }
        seen.extend_from_slice(text.get(at..self.open.unwrap_or(text.len())).unwrap_or_default());
        (seen, unseen)
    }
}

/// Folds a complete text.
pub(super) fn fold(text: &[u8], folding: FoldOptions) -> FoldedText {
    let mut folded = FoldedText::default();
    folded.fold(text, ReadOptions { strip: true, last: true }, folding);
    folded
}

/// Length of the base64 word at the end of a text, given the word before the text; a number, such as a
/// digest, counts as none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Word {
    length: usize,
    is_number: bool,
}

impl Word {
    /// Returns the word after this one was extended by a text.
    fn after(self, text: &[u8]) -> Self {
        let mut word = Self { length: 0, is_number: true };
        for byte in text.iter().rev() {
            if !is_base64(*byte) || word.length > BROKEN && !word.is_number {
                return word;
            }
            word.length += 1;
            word.is_number &= byte.is_ascii_hexdigit();
        }
        Self {
            length: word.length + self.length,
            is_number: word.is_number && (self.is_number || self.length == 0),
        }
    }

    /// Returns whether a line that ends with this word was broken within base64.
    pub(super) fn is_broken(self) -> bool {
        self.length >= BROKEN && !self.is_number
    }
}

/// Returns whether a byte may be part of base64.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
