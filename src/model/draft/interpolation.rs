//! Variables in the texts of a Compose file, as far as a draft needs them: their defaults.

/// Replaces `${NAME:-default}` and `${NAME-default}` by the default; a variable without one stays.
pub(super) fn default_of(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}').map(|end| at + end) else { break };
        let inner = &rest[at + 2..end];
        made.push_str(&rest[..at]);
        match inner.split_once(":-").or_else(|| inner.split_once('-')) {
            Some((_, default)) => made.push_str(default),
            None => made.push_str(&rest[at..=end]),
        }
        rest = &rest[end + 1..];
    }
    made.push_str(rest);
    made
}
