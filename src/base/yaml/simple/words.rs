//! Helpers shared by the readers of simple YAML.

use std::collections::HashSet;

/// Maximum depth of nested collections.
pub(super) const DEPTH: usize = 24;

/// Returns `None` if a key occurs twice.
pub(super) fn distinct(keys: &[&str]) -> Option<()> {
    let are = match keys.len() {
        0..=16 => keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key)),
        count => keys.iter().collect::<HashSet<_>>().len() == count,
    };
    are.then_some(())
}

/// Returns the text without leading spaces.
pub(super) fn trim_start(text: &str) -> &str {
    let spaces = text.bytes().position(|byte| byte != b' ').unwrap_or(text.len());
    &text[spaces..]
}

/// Returns the text without trailing spaces.
pub(super) fn trim_end(text: &str) -> &str {
    let end = text.bytes().rposition(|byte| byte != b' ').map_or(0, |last| last + 1);
    &text[..end]
}
