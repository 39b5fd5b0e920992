//! A secret within a longer text. Finding it belongs in `secret_part` and `secret_form`.

use std::ops::Range;

/// Maximum secrets in a text.
pub(super) const MOST: usize = 100;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretPart {
    /// Byte range.
    pub(super) range: Range<usize>,
    /// Kind: `password of an address`.
    pub(super) what: String,
}

/// Returns whether a text is a reference that is filled in later.
pub(super) fn is_open(text: &str) -> bool {
    text.is_empty()
        || text.starts_with(['<', '{', '*'])
        || ["$(", "${", "$", "%("].iter().any(|sign| text.starts_with(sign))
}
