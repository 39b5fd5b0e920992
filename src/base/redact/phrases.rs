//! Search for many phrases at once, faster than an engine delivers a log. Meaning and masking of phrases
//! are in `stream`.
//!
//! The search moves a window as long as the shortest phrase over the text (Wu and Manber, "A fast algorithm
//! for multi-pattern searching", 1994). A table maps the last four bytes of the window to the distance of
//! the next possible match, mostly the whole window, so that most of the text is never read. An automaton
//! over all phrases (Aho–Corasick) was slower by an order of magnitude as an NFA, and takes hundreds of
//! megabytes for a few private keys as a DFA.

use std::collections::HashMap;

/// Minimum bytes of a phrase: the number of bytes that the search hashes at once.
pub(super) const SHORTEST: usize = 4;

/// Maximum bytes of the window: a wider one would fill the table more than it saves look-ups.
const WIDEST: usize = 16;

/// Entries of the table: small enough for the CPU cache, large enough for the forms of 50 secrets.
const SLOTS: usize = 1 << 16;

/// A phrase to search for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Phrase {
    /// Bytes to find.
    pub(super) bytes: Box<[u8]>,
    /// Bytes that belong to the phrase if right before it.
    pub(super) before: Box<[u8]>,
    /// Maximum bytes after the phrase that belong to it: a character of its alphabet, and padding; 0 for
    /// none.
    pub(super) goes_on: usize,
}

impl Phrase {
    /// Creates a phrase without adjacent bytes.
    pub(super) fn plain(bytes: &[u8]) -> Self {
        Self { bytes: bytes.into(), before: Box::default(), goes_on: 0 }
    }
}

/// A set of phrases.
pub(super) struct PatternSet {
    /// Bytes of the window.
    window: usize,
    /// Distance to move the window, by hash of its last four bytes; 0 if a phrase has them at that place.
    skips: Box<[u8; SLOTS]>,
    /// All phrases, sorted.
    sorted: Vec<Phrase>,
    /// Indices of phrases by the last four bytes in the window, longest first.
    by_gram: HashMap<u32, Vec<usize>>,
    /// Set of byte pairs that begin a phrase, as bits.
    beginnings: Box<[u64; 1 << 10]>,
    pub(super) longest: usize,
    /// Bytes that may belong to a phrase from right before it.
    before: [bool; 256],
}

impl PatternSet {
    /// Creates a set, without phrases that are too short; `None` if none is left.
    pub(super) fn new(phrases: impl IntoIterator<Item = Phrase>) -> Option<Self> {
        let mut sorted: Vec<Phrase> =
            phrases.into_iter().filter(|phrase| phrase.bytes.len() >= SHORTEST).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let longest = sorted.iter().map(|phrase| phrase.bytes.len()).max()?;
        let window = sorted.iter().map(|phrase| phrase.bytes.len()).min()?.min(WIDEST);
        let last = window - SHORTEST;
        let mut set = Self {
            window,
            skips: Box::new([to_byte(last + 1); SLOTS]),
            by_gram: HashMap::new(),
            sorted,
            beginnings: Box::new([0; 1 << 10]),
            longest,
            before: [false; 256],
        };
        for (index, Phrase { bytes: phrase, before, .. }) in set.sorted.iter().enumerate() {
            for byte in before {
                set.before[usize::from(*byte)] = true;
            }
            for (at, gram) in phrase[..window].windows(SHORTEST).enumerate() {
                let skip = &mut set.skips[slot(gram_of(gram))];
                *skip = (*skip).min(to_byte(last - at));
            }
            let (word, bit) = pair(phrase[0], phrase[1]);
            set.beginnings[word] |= bit;
            set.by_gram.entry(gram_of(&phrase[last..window])).or_default().push(index);
        }
        for same in set.by_gram.values_mut() {
            same.sort_by_key(|index| std::cmp::Reverse(set.sorted[*index].bytes.len()));
        }
        Some(set)
    }

    /// Finds phrases in the order of their starts; of several at one place, the longest that `take`
    /// accepts.
    pub(super) fn find(&self, bytes: &[u8], mut take: impl FnMut(usize, &Phrase) -> bool) {
        let mut end = self.window;
        while let Some(last) = bytes.get(end - SHORTEST..end) {
            let gram = gram_of(last);
            let skip = usize::from(self.skips[slot(gram)]);
            if skip == 0 {
                let start = end - self.window;
                for phrase in self.by_gram.get(&gram).into_iter().flatten().map(|index| &self.sorted[*index])
                {
                    if bytes[start..].starts_with(&phrase.bytes) && take(start, phrase) {
                        break;
                    }
                }
            }
            end += skip.max(1);
        }
    }

    /// Finds the first place near the end, accepted by `take`, that may begin an unfinished phrase.
    pub(super) fn partial_match_len(&self, bytes: &[u8], take: impl Fn(usize) -> bool) -> usize {
        let from = bytes.len().saturating_sub(self.longest - 1);
        (from..bytes.len())
            .find(|start| self.may_go_on(&bytes[*start..]) && take(*start))
            .unwrap_or(bytes.len())
    }

    fn may_go_on(&self, tail: &[u8]) -> bool {
        if let [first, second, ..] = tail {
            let (word, bit) = pair(*first, *second);
            if self.beginnings[word] & bit == 0 {
                return false;
            }
        }
        // Patterns that continue the tail directly follow it in sorted order.
        let next = self.sorted.partition_point(|phrase| &*phrase.bytes <= tail);
        self.sorted.get(next).is_some_and(|phrase| phrase.bytes.starts_with(tail))
    }

    /// Returns whether a phrase begins with a byte in the range.
    pub(super) fn begins_with(&self, bytes: std::ops::RangeInclusive<u8>) -> bool {
        let next = self.sorted.partition_point(|phrase| phrase.bytes[0] < *bytes.start());
        self.sorted.get(next).is_some_and(|phrase| bytes.contains(&phrase.bytes[0]))
    }

    /// Returns whether a byte may belong to a phrase that begins right after it.
    pub(super) fn may_precede(&self, byte: u8) -> bool {
        self.before[usize::from(byte)]
    }
}

fn gram_of(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |four| u32::from_le_bytes(*four))
}

/// Returns the table index of four bytes: multiplicative hashing after Knuth.
fn slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> (u32::BITS - SLOTS.trailing_zeros())) as usize % SLOTS
}

/// Returns the word and the bit for a pair of bytes.
fn pair(first: u8, second: u8) -> (usize, u64) {
    let number = usize::from(u16::from_le_bytes([first, second]));
    (number / 64, 1 << (number % 64))
}

/// Converts a distance in the window, which always fits into a byte.
fn to_byte(distance: usize) -> u8 {
    u8::try_from(distance).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn phrases(texts: &[String]) -> Option<PatternSet> {
        PatternSet::new(texts.iter().map(|text| Phrase::plain(text.as_bytes())))
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_is_there(
            texts in prop::collection::vec("[ab]{4,6}|[a-c]{2,9}|[ab]{7,30}", 1..12),
            text in "[abc]{0,90}",
        ) {
            let long: Vec<&String> = texts.iter().filter(|one| one.len() >= SHORTEST).collect();
            let Some(phrases) = phrases(&texts) else {
                prop_assert!(long.is_empty());
                return Ok(());
            };
            let mut found = Vec::new();
            phrases.find(text.as_bytes(), |from, phrase| {
                found.push((from, from + phrase.bytes.len()));
                true
            });
            let expected: Vec<(usize, usize)> = (0..text.len())
                .filter_map(|start| {
                    let here = long.iter().filter(|one| text[start..].starts_with(one.as_str()));
                    here.map(|one| one.len()).max().map(|length| (start, start + length))
                })
                .collect();
            prop_assert_eq!(found, expected);
            let open = (0..text.len())
                .find(|start| long.iter().any(|one| one.len() > text.len() - start && one.starts_with(&text[*start..])))
                .unwrap_or(text.len());
            prop_assert_eq!(phrases.partial_match_len(text.as_bytes(), |_| true), open);
        }
    }
}
