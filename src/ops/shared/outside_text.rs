//! Texts and addresses from servers, shortened and safe to show. Texts of local files are made safe by `report`.

use crate::base::redact::without_tokens;
use crate::base::text::{safe_line, truncate};

/// Returns foreign text as one safe line of bounded length.
#[must_use]
pub fn shown(text: &str, columns: usize) -> String {
    truncate(&without_tokens(&safe_line(text)), columns)
}

/// Returns an address that is safe to show and to open.
#[must_use]
pub fn web_address(url: &str) -> Option<String> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    (is_web && url.len() <= 2000 && *safe_line(url) == *url && !url.contains(char::is_whitespace))
        .then(|| url.to_owned())
}
