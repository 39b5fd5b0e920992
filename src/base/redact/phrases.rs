//! Finds many phrases in a text at once, faster than a log can come from an engine.
//!
//! The text is looked at through a window as long as the shortest phrase (Wu and Manber, "A fast
//! algorithm for multi-pattern searching", 1994). The last four bytes in it tell how far on the next
//! window is that may be the beginning of a phrase: mostly all of its length, so that most of the text
//! is never looked at. An automaton over all phrases (Aho–Corasick) was slower by an order of magnitude
//! as an NFA, and as a DFA takes hundreds of megabytes for a few private keys.

use std::collections::HashMap;

/// Phrases shorter than this cannot be looked for: so many bytes are looked at in one go.
pub(super) const SHORTEST: usize = 4;

/// A longer window would leave more traces in the table than it saves looks.
const WIDEST: usize = 16;

/// Entries of the table: small enough for the nearest cache.
const SLOTS: usize = 1 << 14;

/// A set of phrases.
pub(super) struct Phrases {
    /// How much of each phrase is in the window.
    window: usize,
    /// For each hash of the last four bytes in the window, how far the window may move; 0 if they are
    /// the last that some phrase has in it.
    skips: Box<[u8; SLOTS]>,
    /// The phrases, sorted.
    sorted: Vec<Box<[u8]>>,
    /// Which of them have these last four bytes in the window, the longest first.
    by_gram: HashMap<u32, Vec<usize>>,
    /// For each pair of bytes, whether a phrase begins with it.
    beginnings: Box<[u64; 1 << 10]>,
    longest: usize,
}

impl Phrases {
    /// The phrases, of which those that are too short are left out; `None` if there are none.
    pub(super) fn new(phrases: impl IntoIterator<Item = Vec<u8>>) -> Option<Self> {
        let mut sorted: Vec<Box<[u8]>> = phrases
            .into_iter()
            .filter(|phrase| phrase.len() >= SHORTEST)
            .map(Vec::into_boxed_slice)
            .collect();
        sorted.sort_unstable();
        sorted.dedup();
        let longest = sorted.iter().map(|phrase| phrase.len()).max()?;
        let window = sorted.iter().map(|phrase| phrase.len()).min()?.min(WIDEST);
        let last = window - SHORTEST;
        let mut set = Self {
            window,
            skips: Box::new([to_byte(last + 1); SLOTS]),
            by_gram: HashMap::new(),
            sorted,
            beginnings: Box::new([0; 1 << 10]),
            longest,
        };
        for (index, phrase) in set.sorted.iter().enumerate() {
            for (at, gram) in phrase[..window].windows(SHORTEST).enumerate() {
                let skip = &mut set.skips[slot(gram_of(gram))];
                *skip = (*skip).min(to_byte(last - at));
            }
            let (word, bit) = pair(phrase[0], phrase[1]);
            set.beginnings[word] |= bit;
            set.by_gram.entry(gram_of(&phrase[last..window])).or_default().push(index);
        }
        for same in set.by_gram.values_mut() {
            same.sort_by_key(|index| std::cmp::Reverse(set.sorted[*index].len()));
        }
        Some(set)
    }

    /// Where phrases are, by their start; where several start, the longest.
    pub(super) fn find(&self, bytes: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut end = self.window;
        while let Some(last) = bytes.get(end - SHORTEST..end) {
            let gram = gram_of(last);
            let skip = usize::from(self.skips[slot(gram)]);
            if skip == 0 {
                let start = end - self.window;
                let here = self.by_gram.get(&gram).into_iter().flatten();
                let mut here = here.map(|index| &self.sorted[*index]);
                if let Some(phrase) = here.find(|phrase| bytes[start..].starts_with(phrase)) {
                    found(start, start + phrase.len());
                }
            }
            end += skip.max(1);
        }
    }

    /// How many bytes at the end may be the start of a phrase that goes on.
    pub(super) fn open_end(&self, bytes: &[u8]) -> usize {
        let from = bytes.len().saturating_sub(self.longest - 1);
        let may_go_on = |tail: &[u8]| {
            if let [first, second, ..] = tail {
                let (word, bit) = pair(*first, *second);
                if self.beginnings[word] & bit == 0 {
                    return false;
                }
            }
            // What goes on after the tail comes right after it.
            let next = self.sorted.partition_point(|phrase| &**phrase <= tail);
            self.sorted.get(next).is_some_and(|phrase| phrase.starts_with(tail))
        };
        (from..bytes.len()).find(|start| may_go_on(&bytes[*start..])).map_or(0, |start| bytes.len() - start)
    }
}

fn gram_of(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |four| u32::from_le_bytes(*four))
}

/// Where four bytes are in the table: multiplicative hashing after Knuth.
fn slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> (u32::BITS - SLOTS.trailing_zeros())) as usize % SLOTS
}

/// The word and the bit for a pair of bytes.
fn pair(first: u8, second: u8) -> (usize, u64) {
    let number = usize::from(u16::from_le_bytes([first, second]));
    (number / 64, 1 << (number % 64))
}

/// A distance in the window, which is never wider than a byte can say.
fn to_byte(distance: usize) -> u8 {
    u8::try_from(distance).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn phrases(texts: &[String]) -> Option<Phrases> {
        Phrases::new(texts.iter().map(|text| text.clone().into_bytes()))
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
            phrases.find(text.as_bytes(), |from, to| found.push((from, to)));
            let expected: Vec<(usize, usize)> = (0..text.len())
                .filter_map(|start| {
                    let here = long.iter().filter(|one| text[start..].starts_with(one.as_str()));
                    here.map(|one| one.len()).max().map(|length| (start, start + length))
                })
                .collect();
            prop_assert_eq!(found, expected);
            let open = (0..text.len())
                .find(|start| long.iter().any(|one| one.len() > text.len() - start && one.starts_with(&text[*start..])))
                .map_or(0, |start| text.len() - start);
            prop_assert_eq!(phrases.open_end(text.as_bytes()), open);
        }
    }
}
