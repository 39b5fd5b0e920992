//! Finds many phrases in a text at once, at the speed of memory for text that has none of them.
//!
//! Every phrase is at least four bytes long, so it can only begin where four bytes in a row are the
//! first four of some phrase: a table of bits answers that for most places, and only what it lets
//! through is compared. An automaton over all phrases (Aho–Corasick) was slower by an order of
//! magnitude as an NFA, and as a DFA takes hundreds of megabytes for a few private keys.

use std::collections::HashMap;

/// Phrases shorter than this cannot be looked for.
pub(super) const SHORTEST: usize = 4;

/// Bits of the table: small enough for the nearest cache.
const BITS: usize = 1 << 16;

/// A set of phrases.
pub(super) struct Phrases {
    /// For each hash of four bytes, whether a phrase begins with such.
    table: Box<[u64; BITS / 64]>,
    /// The phrases by their first four bytes, the longest first.
    by_gram: HashMap<u32, Vec<Box<[u8]>>>,
    /// The first three bytes of every phrase, sorted.
    beginnings: Vec<[u8; SHORTEST - 1]>,
    longest: usize,
}

impl Phrases {
    /// The phrases, of which those that are too short are left out; `None` if there are none.
    pub(super) fn new(phrases: impl IntoIterator<Item = Vec<u8>>) -> Option<Self> {
        let mut set = Self {
            table: Box::new([0; BITS / 64]),
            by_gram: HashMap::new(),
            beginnings: Vec::new(),
            longest: 0,
        };
        for phrase in phrases {
            let Some(first) = phrase.first_chunk() else { continue };
            let gram = u32::from_le_bytes(*first);
            let (word, bit) = place(gram);
            set.table[word] |= bit;
            set.beginnings.push([first[0], first[1], first[2]]);
            set.longest = set.longest.max(phrase.len());
            set.by_gram.entry(gram).or_default().push(phrase.into_boxed_slice());
        }
        set.beginnings.sort_unstable();
        set.beginnings.dedup();
        for same in set.by_gram.values_mut() {
            same.sort_unstable_by_key(|phrase| std::cmp::Reverse(phrase.len()));
            same.dedup();
        }
        (set.longest > 0).then_some(set)
    }

    /// Where phrases are, by their start; where several start, the longest.
    pub(super) fn find(&self, bytes: &[u8], mut found: impl FnMut(usize, usize)) {
        for (start, window) in bytes.windows(SHORTEST).enumerate() {
            let &[a, b, c, d] = window else { continue };
            let gram = u32::from_le_bytes([a, b, c, d]);
            let (word, bit) = place(gram);
            if self.table[word] & bit != 0
                && let Some(phrase) = self.at(gram).find(|phrase| bytes[start..].starts_with(phrase))
            {
                found(start, start + phrase.len());
            }
        }
    }

    /// How many bytes at the end may be the start of a phrase that goes on.
    pub(super) fn open_end(&self, bytes: &[u8]) -> usize {
        let from = bytes.len().saturating_sub(self.longest - 1);
        let may_go_on = |tail: &[u8]| match tail.first_chunk() {
            Some(first) => {
                let gram = u32::from_le_bytes(*first);
                let (word, bit) = place(gram);
                self.table[word] & bit != 0
                    && self.at(gram).any(|phrase| phrase.len() > tail.len() && phrase.starts_with(tail))
            }
            None => {
                let next = self.beginnings.partition_point(|beginning| &beginning[..tail.len()] < tail);
                self.beginnings.get(next).is_some_and(|beginning| beginning.starts_with(tail))
            }
        };
        (from..bytes.len()).find(|start| may_go_on(&bytes[*start..])).map_or(0, |start| bytes.len() - start)
    }

    fn at(&self, gram: u32) -> impl Iterator<Item = &[u8]> {
        self.by_gram.get(&gram).into_iter().flatten().map(AsRef::as_ref)
    }
}

/// The word and the bit in the table for four bytes: multiplicative hashing after Knuth.
fn place(gram: u32) -> (usize, u64) {
    let hash = (gram.wrapping_mul(0x9E37_79B1) >> (u32::BITS - BITS.trailing_zeros())) as usize;
    (hash / 64 % (BITS / 64), 1 << (hash % 64))
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
            texts in prop::collection::vec("[ab]{4,6}|[a-c]{2,9}", 1..12),
            text in "[abc]{0,60}",
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
