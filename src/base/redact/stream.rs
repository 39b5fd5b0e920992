//! One stream being masked: what may be the beginning of a secret is held back until it is clear.

use std::sync::Arc;

use super::folded::{Folded, Folding, Word, is_base64};
use super::phrases::{Phrase, Phrases};
use super::terminal::ReadOptions;
use super::tokens::TokenStream;
use super::{dump, views};
use crate::base::secret::MASK;

/// Beside what the longest phrase needs, so much is held back for what nobody sees.
const ROOM: usize = 64 << 10;

/// In a folded text, a byte may be written in so many bytes.
const WIDEST: usize = 16;

/// A phrase that is shorter than this is looked for across the end of a line only where a line was broken.
const ACROSS: usize = 8;

/// So much of a phrase before the end of a line makes it likely that it goes on after it. With less, a line
/// that ends in an ordinary word would be held back until the next one comes.
const LIKELY: usize = 12;

/// So much of a line before what is held is remembered: more than a line of a dump has.
const LINE: usize = 256;

/// The phrases to find.
pub(super) struct Sought {
    /// In the text as it is.
    pub(super) raw: Phrases,
    /// In the folded text.
    pub(super) folded: Option<Phrases>,
    /// Some of the first are not among the second.
    pub(super) needs_raw: bool,
    /// Options of folding.
    pub(super) folding: Folding,
}

impl Sought {
    /// More than this is never held back.
    fn most(&self) -> usize {
        let longest = self.folded.as_ref().map_or(0, |folded| folded.longest).max(self.raw.longest);
        longest * WIDEST + ROOM
    }
}

/// One stream being masked.
pub struct RedactStream {
    sought: Option<Arc<Sought>>,
    /// Bytes that may start a phrase, or were masked and may still run on.
    held: Vec<u8>,
    /// So many bytes at the start of `held` belong to a phrase that was found.
    masked: usize,
    /// The last thing written was a mask.
    in_mask: bool,
    /// The word that `held` goes on with.
    word: Word,
    /// What was written of the line that `held` goes on with, to read numbers in.
    line: Vec<u8>,
    folded: Folded,
    /// The search for tokens by their form, in the text that is left.
    tokens: Option<TokenStream>,
    shown: Vec<u8>,
}

impl std::fmt::Debug for RedactStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedactStream").finish_non_exhaustive()
    }
}

/// Result of searching the held bytes.
struct Look {
    /// The parts that belong to phrases.
    hidden: Vec<(usize, usize)>,
    /// From here on, it depends on what comes next.
    open: usize,
}

impl RedactStream {
    pub(super) fn new(sought: Option<Arc<Sought>>, tokens: Option<TokenStream>) -> Self {
        Self {
            tokens,
            shown: Vec::new(),
            sought,
            held: Vec::new(),
            masked: 0,
            in_mask: false,
            word: Word::default(),
            line: Vec::new(),
            folded: Folded::default(),
        }
    }

    /// Takes bytes in and appends what may be shown to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(mut tokens) = self.tokens.take() else { return self.push_secrets(bytes, out) };
        match self.sought {
            None => tokens.push(bytes, out),
            Some(_) => {
                let mut shown = std::mem::take(&mut self.shown);
                self.push_secrets(bytes, &mut shown);
                tokens.push(&shown, out);
                shown.clear();
                self.shown = shown;
            }
        }
        self.tokens = Some(tokens);
    }

    /// Ends the stream: what was held back cannot become a phrase any more.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let Some(mut tokens) = self.tokens.take() else { return self.finish_secrets(out) };
        let mut shown = Vec::new();
        self.finish_secrets(&mut shown);
        tokens.push(&shown, out);
        tokens.finish(out);
        self.tokens = Some(tokens);
    }

    fn push_secrets(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(sought) = self.sought.clone() else { return out.extend_from_slice(bytes) };
        self.held.extend_from_slice(bytes);
        let look = self.look(&sought, false);
        self.write(&look.hidden, look.open, out);
        if self.held.len() > sought.most() {
            self.relieve(&sought, out);
        }
    }

    fn finish_secrets(&mut self, out: &mut Vec<u8>) {
        let Some(sought) = self.sought.clone() else { return };
        let look = self.look(&sought, true);
        self.write(&look.hidden, self.held.len(), out);
        self.in_mask = false;
        self.word = Word::default();
        self.line.clear();
    }

    /// Number of bytes held back.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    fn look(&mut self, sought: &Sought, last: bool) -> Look {
        let mut look = Look { hidden: vec![(0, self.masked)], open: self.held.len() };
        let mut folded = std::mem::take(&mut self.folded);
        folded.fold(&self.held, ReadOptions { strip: true, last }, sought.folding);
        self.look_into(&folded, sought.folded.as_ref(), last, &mut look);
        if folded.has_sequences {
            // A link has an address that nobody sees on a terminal, but in a file.
            let mut whole = Folded::default();
            whole.fold(&self.held, ReadOptions { strip: false, last }, sought.folding);
            self.look_into(&whole, sought.folded.as_ref(), last, &mut look);
        }
        self.look_into_views(sought, last, &mut look);
        if sought.needs_raw || folded.is_escaped {
            sought.raw.find(&self.held, |start, phrase| {
                look.hidden.push((start, start + phrase.bytes.len()));
                true
            });
            look.open = look.open.min(sought.raw.open_end(&self.held, |_| true));
        }
        look.open = folded.whole(look.open.min(folded.open.unwrap_or(look.open)));
        for part in &mut look.hidden {
            *part = folded.without_halves(*part);
        }
        look.hidden.sort_unstable();
        self.folded = folded;
        look
    }

    /// Looks into the other readings of the text, as far as it has any.
    fn look_into_views(&self, sought: &Sought, last: bool, look: &mut Look) {
        let raw = &sought.raw;
        let views = [views::written_over(&self.held, last), views::unquoted(&self.held, last)];
        for view in views.into_iter().flatten() {
            self.look_into(&view, Some(raw), last, look);
            look.open = look.open.min(view.open.unwrap_or(look.open));
        }
        // Numbers mean something else by what is before them in their line.
        let (shift, text) = (self.line.len(), [&self.line[..], &self.held].concat());
        let candidates = dump::candidates(&text, last);
        let mut whole = Look { hidden: Vec::new(), open: text.len() };
        for base in dump::BASES.iter().filter(|_| !candidates.is_empty()) {
            let view = dump::read(&text, &candidates, *base, raw, last);
            self.look_into(&view, Some(raw), last, &mut whole);
            whole.open = whole.open.min(view.open.unwrap_or(whole.open));
        }
        let place = |at: usize| at.saturating_sub(shift);
        look.hidden.extend(whole.hidden.into_iter().map(|(from, to)| (place(from), place(to))));
        look.open = look.open.min(place(whole.open));
    }

    fn look_into(&self, folded: &Folded, phrases: Option<&Phrases>, last: bool, look: &mut Look) {
        let Some(phrases) = phrases else { return };
        let Look { hidden, open } = look;
        let bytes = &folded.bytes;
        let view = View { folded, word: self.word };
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
        let mut start = phrases.open_end(bytes, |start| view.may_go_on(start));
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

    /// Writes `held[..end]`, each unbroken run of hidden bytes as one mask, and keeps the rest.
    fn write(&mut self, hidden: &[(usize, usize)], end: usize, out: &mut Vec<u8>) {
        if end == 0 {
            return;
        }
        let mut at = 0;
        // What begins in the part held back is found again when more has come.
        for (from, to) in hidden.iter().copied().take_while(|(from, _)| *from < end) {
            if from > at {
                out.extend_from_slice(&self.held[at..from]);
                self.in_mask = false;
            }
            if to > at {
                self.mask(out);
            }
            at = at.max(to);
        }
        if end > at {
            out.extend_from_slice(&self.held[at..end]);
            self.in_mask = false;
        }
        self.masked = at.saturating_sub(end);
        self.word = self.folded.word(self.word, end);
        let begins = memchr::memrchr(b'\n', &self.held[..end]).map(|newline| newline + 1);
        if begins.is_some() {
            self.line.clear();
        }
        self.line.extend_from_slice(&self.held[begins.unwrap_or(0).max(end.saturating_sub(LINE))..end]);
        self.line.drain(..self.line.len().saturating_sub(LINE));
        self.held.drain(..end);
    }

    fn mask(&mut self, out: &mut Vec<u8>) {
        if !self.in_mask {
            out.extend_from_slice(MASK.as_bytes());
            self.in_mask = true;
        }
    }

    /// Lets go of what nobody sees although it is in the midst of what may be a phrase: that is taken
    /// for one, so that nothing of it is shown if it goes on.
    fn relieve(&mut self, sought: &Sought, out: &mut Vec<u8>) {
        let before = self.held.len();
        let mut folded = std::mem::take(&mut self.folded);
        folded.fold(&self.held, ReadOptions { strip: true, last: false }, sought.folding);
        let (mut kept, unseen) = folded.seen_and_unseen(&self.held, 0);
        if !kept.is_empty() {
            self.mask(out);
        }
        out.extend_from_slice(&unseen);
        self.masked = kept.len();
        let open = &self.held[folded.open.unwrap_or(before)..];
        match open.len().checked_sub(sought.raw.longest).filter(|middle| *middle > ROOM / 2) {
            // It goes on as what it began as.
            Some(middle) => {
                let (begins, rest) = open.split_at(2);
                out.extend_from_slice(&rest[..middle - 2]);
                kept.extend_from_slice(begins);
                self.masked = kept.len();
                kept.extend_from_slice(&rest[middle - 2..]);
            }
            None => kept.extend_from_slice(open),
        }
        self.in_mask = true;
        self.held = kept;
        self.folded = folded;
        if self.held.len() > before / 4 * 3 {
            self.held.clear();
            self.masked = 0;
        }
    }
}

/// A folded text, and the word that it goes on with.
struct View<'a> {
    folded: &'a Folded,
    word: Word,
}

impl View<'_> {
    /// Whether the line whose end is at this place of the text was broken there.
    fn is_broken(&self, newline: usize) -> bool {
        self.folded.word(self.word, newline).is_broken()
    }

    /// Whether a phrase that begins here and reaches the end may go on. The end of a line ends most
    /// phrases: else the last line of a log would wait for the next one.
    fn may_go_on(&self, start: usize) -> bool {
        match self.folded.newline(start, self.folded.bytes.len() + 1) {
            Some((at, newline)) => at - start >= LIKELY || self.is_broken(newline),
            None => true,
        }
    }

    /// Whether one byte belongs to the one before it: there is no end of a line in between, or the line
    /// was broken.
    fn belongs(&self, at: usize) -> bool {
        self.folded.newline(at - 1, at + 1).is_none_or(|(_, newline)| self.is_broken(newline))
    }

    /// Returns the end of all that belongs to a phrase, and whether the next bytes may move it.
    fn end(&self, phrase: &Phrase, end: usize) -> (usize, bool) {
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
