//! Search for many phrases at once, faster than an engine delivers a log. Meaning and masking of phrases
//! are in `stream`.
//!
//! The search reads four bytes of the text at distances that leave no room for a phrase: each phrase has
//! at least the bytes of the window, so one of these quadruples is in it. Few quadruples are in the set of
//! those that phrases contain. Around such a place, the search moves the window over the text (Wu and Manber,
//! "A fast algorithm for multi-pattern searching", 1994): a table maps its last four bytes to the distance of
//! the next possible match. An automaton over all phrases (Aho–Corasick) is in `docs/decisions/0031-masking.md`.

use std::collections::HashMap;

/// Minimum bytes of a phrase: the number of bytes that the search hashes at once.
pub(super) const SHORTEST: usize = 4;

/// Maximum bytes of the window: a wider one would fill the table more than it saves look-ups.
const WIDEST: usize = 16;

/// Entries of the table: small enough for the CPU cache, large enough for the forms of 50 secrets.
const SLOTS: usize = 1 << 16;

/// Words of the set of byte quadruples, which fits into the fastest cache.
const WORDS: usize = 1 << 11;

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
    /// Set of four adjacent bytes in the window of a phrase, as bits by hash.
    grams: Box<[u64; WORDS]>,
    /// Distance to move the window, by hash of its last four bytes; 0 if a phrase has them at that place.
    skips: Box<[u8; SLOTS]>,
    /// All phrases, sorted.
    sorted: Vec<Phrase>,
    /// Indices of phrases by the last four bytes in the window, longest first.
    by_gram: HashMap<u32, Vec<usize>>,
    /// Set of byte pairs that begin a phrase, as bits.
    beginnings: Box<[u64; 1 << 10]>,
    pub(super) longest: usize,
    pub(super) shortest: usize,
    /// Set of adjacent bytes within a phrase, as bits.
    pairs: Box<[u64; 1 << 10]>,
    /// Bytes that begin a phrase, and bytes that end one.
    ends: [[bool; 256]; 2],
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
        let shortest = sorted.iter().map(|phrase| phrase.bytes.len()).min()?;
        let window = shortest.min(WIDEST);
        let last = window - SHORTEST;
        let mut set = Self {
            window,
            grams: Box::new([0; WORDS]),
            skips: Box::new([to_byte(last + 1); SLOTS]),
            by_gram: HashMap::new(),
            sorted,
            beginnings: Box::new([0; 1 << 10]),
            longest,
            shortest,
            pairs: Box::new([0; 1 << 10]),
            ends: [[false; 256]; 2],
            before: [false; 256],
        };
        for (index, Phrase { bytes: phrase, before, .. }) in set.sorted.iter().enumerate() {
            for byte in before {
                set.before[usize::from(*byte)] = true;
            }
            for (at, gram) in phrase[..window].windows(SHORTEST).enumerate() {
                let skip = &mut set.skips[slot(gram_of(gram))];
                *skip = (*skip).min(to_byte(last - at));
                let (word, bit) = gram_bit(gram_of(gram));
                set.grams[word] |= bit;
            }
            let (word, bit) = pair(phrase[0], phrase[1]);
            set.beginnings[word] |= bit;
            set.ends[0][usize::from(phrase[0])] = true;
            set.ends[1][usize::from(phrase[phrase.len() - 1])] = true;
            for (word, bit) in phrase.windows(2).map(|two| pair(two[0], two[1])) {
                set.pairs[word] |= bit;
            }
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
        let step = self.window - SHORTEST + 1;
        // Each phrase contains the four bytes at one of these places.
        let mut at = step - 1;
        while let Some(ahead) = bytes.get(at..at + 3 * step + SHORTEST) {
            let places = [0, step, 2 * step, 3 * step];
            let may_be = places.map(|place| self.is_gram(&ahead[place..place + SHORTEST]));
            if may_be.iter().any(|is| *is) {
                for place in places {
                    self.find_around(bytes, at + place, &mut take);
                }
            }
            at += 4 * step;
        }
        while at + SHORTEST <= bytes.len() {
            self.find_around(bytes, at, &mut take);
            at += step;
        }
    }

    /// Finds the phrases whose window contains the four bytes at a place, but not those one step before.
    fn find_around(&self, bytes: &[u8], at: usize, take: &mut impl FnMut(usize, &Phrase) -> bool) {
        if !self.is_gram(&bytes[at..at + SHORTEST]) {
            return;
        }
        let mut end = at + SHORTEST;
        let last_end = bytes.len().min(at + self.window);
        while end <= last_end {
            let gram = gram_of(&bytes[end - SHORTEST..end]);
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

    /// Returns whether four bytes may occur in the window of a phrase.
    fn is_gram(&self, four: &[u8]) -> bool {
        let (word, bit) = gram_bit(gram_of(four));
        self.grams[word] & bit != 0
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

    /// Returns whether a phrase may contain some bytes with these right before and after them; `None` for
    /// an unknown byte.
    pub(super) fn may_contain(&self, before: Option<u8>, bytes: &[u8], after: Option<u8>) -> bool {
        let is_pair = |first: u8, second: u8| {
            let (word, bit) = pair(first, second);
            self.pairs[word] & bit != 0
        };
        let (Some(first), Some(last)) = (bytes.first().copied(), bytes.last().copied()) else {
            return before.zip(after).is_none_or(|(before, after)| is_pair(before, after));
        };
        before.is_none_or(|before| self.ends[0][usize::from(first)] || is_pair(before, first))
            && after.is_none_or(|after| self.ends[1][usize::from(last)] || is_pair(last, after))
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

/// Returns the word and the bit for four bytes.
fn gram_bit(gram: u32) -> (usize, u64) {
    let hash = gram.wrapping_mul(0x9E37_79B1) >> (u32::BITS - WORDS.trailing_zeros() - 6);
    ((hash / 64) as usize % WORDS, 1 << (hash % 64))
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
        fn find_agrees_with_naive_search(
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
