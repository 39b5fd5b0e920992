//! Phrases that a stream searches for, and what their lengths say about the bytes to hold back.

use super::folded::FoldOptions;
use super::phrases::{PatternSet, SHORTEST};

/// Bytes held back for invisible characters, in addition to those for the longest phrase.
pub(super) const ROOM: usize = 64 << 10;

/// Maximum raw bytes of a byte in the folded text.
pub(super) const WIDEST: usize = 16;

/// Phrases to find.
pub(super) struct Sought {
    /// Phrases in the raw text.
    pub(super) raw: PatternSet,
    /// Phrases in the folded text.
    pub(super) folded: Option<PatternSet>,
    /// Some raw phrase has no folded counterpart.
    pub(super) needs_raw: bool,
    /// Options of folding.
    pub(super) folding: FoldOptions,
}

impl Sought {
    /// Returns the bytes of the longest phrase.
    pub(super) fn longest(&self) -> usize {
        self.folded.as_ref().map_or(0, |folded| folded.longest).max(self.raw.longest)
    }

    /// Returns whether visible bytes are too few for any secret.
    pub(super) fn is_too_short(bytes: &[u8]) -> bool {
        bytes.len() < SHORTEST
    }

    /// Returns the maximum bytes to hold back.
    pub(super) fn most(&self) -> usize {
        self.longest() * WIDEST + ROOM
    }
}
