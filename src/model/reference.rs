//! Names of entries: `category/name`. Finding the entry of a name belongs in `inventory`.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::base::text::{safe_line, shown_name};

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

/// Maximum length of a name.
const LONGEST: usize = 100;

/// Returns the reason why a text is no name, as a clause; for a text that is one, the whole rule.
#[must_use]
pub fn name_fault(text: &str) -> String {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() {
        return "a name is not empty".to_owned();
    }
    if let Some(wrong) = text.chars().find(|c| !is_of_name(*c)) {
        let wrong = shown_name(&wrong.to_string()).into_owned();
        return format!(
            "`{wrong}` is none of the letters, digits, `-`, `_` and `.` of which a name consists"
        );
    }
    if text.len() > LONGEST {
        return format!("it has {} characters, and a name has {LONGEST} at most", text.len());
    }
    "a name begins with a letter or digit".to_owned()
}

/// Returns whether a text is a valid name of a category or an entry. Such a name is safe in a path, a
/// container name and an image tag.
#[must_use]
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
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
    fn name_fault_names_the_rule_that_is_broken() {
        for (name, part) in [
            ("", "is not empty"),
            ("a\u{1}b", r"`\u{1}` is none of the letters"),
            ("a b", "` ` is none"),
            ("-a", "begins with a letter or digit"),
            (&"x".repeat(101), "it has 101 characters, and a name has 100 at most"),
        ] {
            assert!(!is_name(name) && name_fault(name).contains(part), "{}", name_fault(name));
        }
        assert!(is_name(&"x".repeat(100)));
    }

    #[test]
    fn reference_parse_requires_two_plain_parts() {
        assert_eq!(Reference::parse("storage/s3-aws"), Some(Reference::new("storage", "s3-aws")));
        for wrong in ["storage", "/x", "a/", "a/b/c", "a/../b", "a/b c", "-a/b"] {
            assert_eq!(Reference::parse(wrong), None, "{wrong}");
        }
    }
}
