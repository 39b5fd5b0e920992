//! What the readers of the simple way share.

use std::collections::HashSet;

/// Greatest depth of collections in each other.
pub(super) const DEPTH: usize = 24;

/// Returns nothing if one of the keys is there twice.
pub(super) fn distinct(keys: &[&str]) -> Option<()> {
    let are = match keys.len() {
        0..=16 => keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key)),
        count => keys.iter().collect::<HashSet<_>>().len() == count,
    };
    are.then_some(())
}

/// The text without the spaces before it.
pub(super) fn trim_start(text: &str) -> &str {
    let spaces = text.bytes().position(|byte| byte != b' ').unwrap_or(text.len());
    &text[spaces..]
}

/// The text without the spaces after it.
pub(super) fn trim_end(text: &str) -> &str {
    let end = text.bytes().rposition(|byte| byte != b' ').map_or(0, |last| last + 1);
    &text[..end]
}
