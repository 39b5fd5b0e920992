//! Variables in the texts of a Compose file, as far as a draft needs them: their values in an `.env` file, and their
//! defaults.

use std::collections::BTreeMap;

use crate::base::dotenv::{DotenvText, statements};

/// Maximum rounds of replacement: a value of an `.env` file may have a variable of that file.
const ROUNDS: usize = 4;
/// Maximum length of a text in bytes.
const LONGEST: usize = 4096;

/// Returns the values of an `.env` file, with its own variables replaced.
#[must_use]
pub fn dotenv_values(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for statement in statements(text).into_iter().flatten() {
        let value = match statement.value {
            Some(DotenvText::Literal(value)) => value,
            Some(DotenvText::Template(value)) => interpolated(&value, &values),
            None => continue,
        };
        values.insert(statement.name, value);
    }
    values
}

/// Replaces `$NAME` and `${NAME…}` in a text by the values; a variable without one stays.
#[must_use]
pub fn interpolated(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let next = round(&text, values);
        if next == text || next.len() > LONGEST {
            break;
        }
        text = next;
    }
    text
}

fn round(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        made.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let inner = after.strip_prefix('{');
        let name: String =
            inner.unwrap_or(after).chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let end = match inner {
            Some(inner) => inner.find('}').map(|end| end + 2),
            None => Some(name.len()),
        };
        match (values.get(&name).filter(|_| !name.is_empty()), end) {
            (Some(value), Some(end)) => {
                made.push_str(value);
                rest = &after[end..];
            }
            _ => {
                made.push('$');
                rest = after;
            }
        }
    }
    made.push_str(rest);
    made
}

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
