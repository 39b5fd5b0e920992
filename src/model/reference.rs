//! Names of entries: `category/name`. Finding the entry of a name belongs in `inventory`.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::base::text::safe_line;

/// Full name of an entry: `cronjob/orphan-hunter`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Category ID.
    pub category: String,
    /// Name within the category.
    pub name: String,
}

impl Reference {
    /// Builds a reference from its two parts.
    pub fn new(category: impl Into<String>, name: impl Into<String>) -> Self {
        Self { category: category.into(), name: name.into() }
    }

    /// Parses `category/name`; returns `None` unless both parts are present and consist of letters,
    /// digits, `-`, `_` and `.`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (category, name) = text.split_once('/')?;
        (is_name(category) && is_name(name)).then(|| Self::new(category, name))
    }
}

/// Returns whether a text is a valid name of a category or an entry. Such a name is safe in a path, a
/// container name and an image tag.
#[must_use]
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An entry may name a target that no entry can be called.
        write!(f, "{}/{}", safe_line(&self.category), safe_line(&self.name))
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is not a reference of the form `category/name`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_parse_requires_two_plain_parts() {
        assert_eq!(Reference::parse("storage/s3-aws"), Some(Reference::new("storage", "s3-aws")));
        for wrong in ["storage", "/x", "a/", "a/b/c", "a/../b", "a/b c", "-a/b"] {
            assert_eq!(Reference::parse(wrong), None, "{wrong}");
        }
    }
}
