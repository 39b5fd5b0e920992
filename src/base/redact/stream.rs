//! Masking of one stream: bytes that may begin a secret are held back until the following bytes decide. The
//! search for phrases is in `phrases`.

use std::sync::Arc;

use super::folded::{FoldedText, Word};
use super::phrases::PatternSet;
use super::sought::{ROOM, Sought};
use super::stream_view::StreamView;
use super::terminal::ReadOptions;
use super::tokens::TokenStream;
use super::{dump, numbers, views};
use crate::base::secret::MASK;

/// Minimum bytes of a phrase that may cross any line end; a shorter one crosses only line breaks within
/// base64.
const ACROSS: usize = 8;

/// Bytes of the current line to remember before the held ones: more than a line of a dump has.
const LINE: usize = 256;

/// A stream being masked.
pub struct RedactStream {
    sought: Option<Arc<Sought>>,
    /// Output so far of the current line, in which to read numbers, and the held bytes, which may start a
    /// phrase, or were masked and may continue it.
    text: Vec<u8>,
    /// Start of the held bytes.
    held: usize,
    /// Number of bytes at the start of the held ones that belong to a found phrase.
    masked: usize,
    /// The last output was a mask.
    in_mask: bool,
    /// Number of bytes at the start of the held ones that are context, and are not shown.
    unseen: usize,
    /// The search for tokens has those bytes already.
    is_context_passed: bool,
    /// Masked context of the current piece, for the search for tokens.
    context: Vec<u8>,
    /// Base64 word before the held bytes.
    word: Word,
    folded: FoldedText,
    /// Search for tokens by their form, in the masked text.
    tokens: Option<TokenStream>,
    shown: Vec<u8>,
}

impl std::fmt::Debug for RedactStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedactStream").finish_non_exhaustive()
    }
}

/// Result of a search in the held bytes.
struct StreamLook {
    /// Ranges that belong to phrases.
    hidden: Vec<(usize, usize)>,
    /// Start of the bytes to hold back, whose meaning depends on the following bytes.
    open: usize,
}

impl RedactStream {
    pub(super) fn new(sought: Option<Arc<Sought>>, tokens: Option<TokenStream>) -> Self {
        Self {
            tokens,
            shown: Vec::new(),
            sought,
            text: Vec::new(),
            held: 0,
            masked: 0,
            in_mask: false,
            unseen: 0,
            is_context_passed: false,
            context: Vec::new(),
            word: Word::default(),
            folded: FoldedText::default(),
        }
    }

    /// Accepts bytes that precede the shown ones. Nothing of them appears in the output, but a secret that begins in
    /// them is masked where it continues. Must come before the first [`RedactStream::push`].
    pub fn push_context(&mut self, bytes: &[u8]) {
        let mut shown = Vec::new();
        if self.sought.is_some() {
            self.unseen += bytes.len();
            self.push_secrets(bytes, &mut shown);
        } else {
            self.context.extend_from_slice(bytes);
        }
        self.pass_context();
    }

    /// Passes masked context on to the search for tokens.
    fn pass_context(&mut self) {
        if let Some(tokens) = &mut self.tokens {
            tokens.push_context(&self.context);
        }
        self.context.clear();
    }

    /// Accepts bytes, and appends the masked output to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(mut tokens) = self.tokens.take() else { return self.push_secrets(bytes, out) };
        match self.sought {
            None => tokens.push(bytes, out),
            Some(_) => {
                let mut shown = std::mem::take(&mut self.shown);
                self.push_secrets(bytes, &mut shown);
                tokens.push_context(&self.context);
                self.context.clear();
                tokens.push(&shown, out);
                shown.clear();
                self.shown = shown;
            }
        }
        self.tokens = Some(tokens);
    }

    /// Ends the stream, and appends the bytes held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let Some(mut tokens) = self.tokens.take() else { return self.finish_secrets(out) };
        let mut shown = Vec::new();
        self.finish_secrets(&mut shown);
        tokens.push_context(&self.context);
        self.context.clear();
        tokens.push(&shown, out);
        tokens.finish(out);
        self.tokens = Some(tokens);
    }

    /// Appends bytes held back to `out`, as nothing follows them for a while. Of a possible secret, at most
    /// three characters are shown; the rest is masked if it follows after all.
    pub fn pause(&mut self, out: &mut Vec<u8>) {
        self.pause_secrets(out);
        if let Some(tokens) = &mut self.tokens {
            tokens.pause(out);
        }
    }

    fn pause_secrets(&mut self, out: &mut Vec<u8>) {
        let Some(sought) = self.sought.clone() else { return };
        if self.masked > 0 || self.held().len() <= self.unseen {
            return;
        }
        let mut folded = std::mem::take(&mut self.folded);
        folded.fold(self.held(), ReadOptions { strip: true, last: true }, sought.folding);
        let is_short = Sought::is_too_short(&folded.bytes);
        self.folded = folded;
        if !is_short {
            return;
        }
        let shown = self.held()[self.unseen..].to_vec();
        self.unseen = self.held().len();
        self.is_context_passed = true;
        self.in_mask = false;
        match &mut self.tokens {
            Some(tokens) => tokens.push(&shown, out),
            None => out.extend_from_slice(&shown),
        }
    }

    fn push_secrets(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(sought) = self.sought.clone() else { return out.extend_from_slice(bytes) };
        self.text.extend_from_slice(bytes);
        let look = self.look(&sought, false);
        self.write(&look.hidden, look.open, out);
        if self.held().len() > sought.most() {
            self.relieve(&sought, out);
        }
    }

    fn finish_secrets(&mut self, out: &mut Vec<u8>) {
        let Some(sought) = self.sought.clone() else { return };
        let look = self.look(&sought, true);
        self.write(&look.hidden, self.held().len(), out);
        self.in_mask = false;
        self.word = Word::default();
        self.text.clear();
        self.held = 0;
    }

    /// Returns the bytes of memory in use beyond the held bytes.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.text.capacity() - self.held().len()
    }

    /// Returns the bytes held back.
    pub(super) fn held(&self) -> &[u8] {
        &self.text[self.held..]
    }

    fn look(&mut self, sought: &Sought, last: bool) -> StreamLook {
        let held = &self.text[self.held..];
        let mut look = StreamLook { hidden: vec![(0, self.masked)], open: held.len() };
        let mut folded = std::mem::take(&mut self.folded);
        folded.fold(held, ReadOptions { strip: true, last }, sought.folding);
        self.look_into(&folded, sought.folded.as_ref(), last, &mut look);
        if folded.has_sequences {
            // A terminal hides the address of a link, but a file shows it.
            let mut whole = FoldedText::default();
            whole.fold(held, ReadOptions { strip: false, last }, sought.folding);
            self.look_into(&whole, sought.folded.as_ref(), last, &mut look);
        }
        self.look_into_views(&folded, sought, last, &mut look);
        self.look_into_numbers(sought, last, &mut look);
        if sought.needs_raw || folded.is_escaped {
            sought.raw.find(held, |start, phrase| {
                look.hidden.push((start, start + phrase.bytes.len()));
                true
            });
            look.open = look.open.min(sought.raw.partial_match_len(held, |_| true));
        }
        look.open = folded.whole(look.open.min(folded.open.unwrap_or(look.open)));
        for part in &mut look.hidden {
            *part = folded.without_halves(*part);
        }
        look.hidden.sort_unstable();
        self.folded = folded;
        look
    }

    /// Searches the other readings of the text, if it has any.
    fn look_into_views(&self, read: &FoldedText, sought: &Sought, last: bool, look: &mut StreamLook) {
        let held = self.held();
        let is_overstruck = views::may_be_overstruck(held, read, last);
        let overstruck = is_overstruck.then(|| views::written_over(held, last));
        let raw = Some(&sought.raw);
        let [caret, backquote] = views::ESCAPES.map(|sign| views::unescaped(held, sign, &sought.raw, last));
        let views = [
            (overstruck, raw),
            (views::unquoted(held, &sought.raw, last), raw),
            (caret, raw),
            (backquote, raw),
            (views::joined(held, last), sought.folded.as_ref()),
        ];
        for (view, phrases) in views {
            let Some(view) = view else { continue };
            self.look_into(&view, phrases, last, look);
            look.open = look.open.min(view.open.unwrap_or(look.open));
        }
    }

    /// Searches numbers that stand for bytes. What is before them in their line decides about their meaning.
    fn look_into_numbers(&self, sought: &Sought, last: bool, look: &mut StreamLook) {
        let (raw, text) = (&sought.raw, &self.text[..]);
        let candidates = numbers::candidates(text, raw.shortest, last);
        if candidates.is_empty() {
            return;
        }
        let mut whole = StreamLook { hidden: Vec::new(), open: text.len() };
        for view in dump::read(text, &candidates, raw, last) {
            self.look_into(&view, Some(raw), last, &mut whole);
            whole.open = whole.open.min(view.open.unwrap_or(whole.open));
        }
        let place = |at: usize| at.saturating_sub(self.held);
        look.hidden.extend(whole.hidden.into_iter().map(|(from, to)| (place(from), place(to))));
        look.open = look.open.min(place(whole.open));
    }

    fn look_into(
        &self,
        folded: &FoldedText,
        phrases: Option<&PatternSet>,
        last: bool,
        look: &mut StreamLook,
    ) {
        let Some(phrases) = phrases else { return };
        let StreamLook { hidden, open } = look;
        let bytes = &folded.bytes;
        let view = StreamView { folded, word: self.word };
        phrases.find(bytes, |start, phrase| {
            let end = start + phrase.bytes.len();
            let newline = folded.newline(start, end).filter(|_| phrase.bytes.len() < ACROSS);
            if newline.is_some_and(|(_, newline)| !view.is_broken(newline)) {
                return false;
            }
            let from = if start > 0 && phrase.before.contains(&bytes[start - 1]) { start - 1 } else { start };
            let (to, is_open) = view.end(phrase, end);
            let (from, to) = (folded.raw(from).0, folded.raw(to - 1).1);
            hidden.push((from, to));
            let is_open = is_open || end + folded.unsettled > bytes.len();
            if is_open && !last {
                *open = from.min(*open);
            }
            true
        });
        if last {
            return;
        }
        let mut start = phrases.partial_match_len(bytes, |start| view.may_go_on(start));
        if let Some(before) = start.checked_sub(1)
            && phrases.may_precede(bytes[before])
            && view.may_go_on(before)
        {
            start = before;
        }
        if start < bytes.len() {
            *open = folded.raw(start).0.min(*open);
        }
    }

    /// Writes the held bytes up to an end, each unbroken run of hidden bytes as one mask, and keeps the rest.
    fn write(&mut self, hidden: &[(usize, usize)], end: usize, out: &mut Vec<u8>) {
        if end == 0 {
            return;
        }
        let held = self.held;
        let mut at = 0;
        // The next search finds the phrases that begin in the kept part.
        for (from, to) in hidden.iter().copied().take_while(|(from, _)| *from < end) {
            if from > at {
                self.show((at, from), out);
            }
            if to > at {
                self.mask(to, out);
            }
            at = at.max(to);
        }
        if end > at {
            self.show((at, end), out);
        }
        self.masked = at.saturating_sub(end);
        self.unseen = self.unseen.saturating_sub(end);
        self.word = self.folded.word(self.word, end);
        let done = held + end;
        let line = memchr::memrchr(b'\n', &self.text[..done]).map_or(0, |newline| newline + 1);
        self.text.drain(..line.max(done.saturating_sub(LINE)));
        self.held = done.min(LINE).min(done - line);
    }

    /// Writes a part of the held bytes, unless it is context.
    fn show(&mut self, (from, to): (usize, usize), out: &mut Vec<u8>) {
        let seen = self.unseen.clamp(from, to);
        if !self.is_context_passed {
            self.context.extend_from_slice(&self.text[self.held + from..self.held + seen]);
        }
        out.extend_from_slice(&self.text[self.held + seen..self.held + to]);
        self.in_mask = false;
    }

    /// Writes a mask for hidden bytes up to an end. One that begins in the context is shown if its bytes continue after it.
    fn mask(&mut self, to: usize, out: &mut Vec<u8>) {
        if to <= self.unseen {
            if !self.is_context_passed {
                self.context.extend_from_slice(MASK.as_bytes());
            }
        } else if !self.in_mask {
            out.extend_from_slice(MASK.as_bytes());
            self.in_mask = true;
        }
    }

    /// Writes out the invisible bytes within a possible phrase. The visible bytes count as a phrase from
    /// here on, so that nothing of it is shown if it continues.
    fn relieve(&mut self, sought: &Sought, out: &mut Vec<u8>) {
        let held = self.text.split_off(self.held);
        let mut folded = std::mem::take(&mut self.folded);
        folded.fold(&held, ReadOptions { strip: true, last: false }, sought.folding);
        let (mut kept, invisible) = folded.seen_and_unseen(&held, 0);
        // As far as the bytes are context, nothing of them is shown.
        let (is_context, mut dropped) = (held.len() <= self.unseen, Vec::new());
        let out = if self.unseen > 0 { &mut dropped } else { out };
        if !kept.is_empty() && !is_context {
            self.mask(held.len(), out);
        }
        out.extend_from_slice(&invisible);
        self.masked = kept.len();
        let open = &held[folded.open.unwrap_or(held.len())..];
        match open.len().checked_sub(sought.raw.longest).filter(|middle| *middle > ROOM / 2) {
            // Keep the first bytes and the end of an unfinished sequence, and write out its middle.
            Some(middle) => {
                let (begins, rest) = open.split_at(2);
                out.extend_from_slice(&rest[..middle - 2]);
                kept.extend_from_slice(begins);
                self.masked = kept.len();
                kept.extend_from_slice(&rest[middle - 2..]);
            }
            None => kept.extend_from_slice(open),
        }
        self.in_mask = !is_context;
        self.folded = folded;
        if kept.len() > held.len() / 4 * 3 {
            kept.clear();
            self.masked = 0;
        }
        self.unseen = if is_context { kept.len() } else { 0 };
        self.text.extend_from_slice(&kept);
    }
}
