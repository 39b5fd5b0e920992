//! Names and numbers of requests for comments, as files, titles, branches and users write them. Those of a new one are
//! made in `process`.

use super::error::RfcProcessError;
use super::process::{GREATEST, RfcProcess};
use crate::base::text::safe_line;

/// Maximum number of IDs that are read from a text.
const MOST_MENTIONS: usize = 20;

/// Name in the directory of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RfcName {
    /// A document.
    Document {
        /// Its number.
        number: u32,
        /// It is a directory, with the document in `index.md`.
        is_directory: bool,
    },
    /// A document without a valid number.
    Invalid,
    /// Something else, such as the page of the directory or a template.
    Other,
}

impl RfcProcess {
    /// Reads a number as a user types it: `4`, `004` or `CKI-004`.
    ///
    /// # Errors
    /// Fails on any other text.
    pub fn parse_number(&self, text: &str) -> Result<u32, RfcProcessError> {
        let trimmed = text.trim();
        let of_id = self.leading_id(trimmed).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number);
        of_id.or_else(|| number_of(trimmed)).ok_or_else(|| RfcProcessError::Number {
            text: safe_line(text).chars().take(60).collect(),
            example: self.id(1),
        })
    }

    /// Reads the name of a file or directory in the directory of documents.
    #[must_use]
    pub fn name(&self, name: &str) -> RfcName {
        let [before, between, after] = &self.file;
        let Some(rest) = after_prefix(name, before) else { return RfcName::Other };
        // A document with pictures is a directory.
        let (rest, is_directory) = match rest.strip_suffix(after.as_str()) {
            Some(rest) => (rest, false),
            None if after.starts_with('.') && !rest.contains('.') => (rest, true),
            None => return RfcName::Other,
        };
        let (digits, slug) = rest.split_once(between.as_str()).unwrap_or((rest, ""));
        let is_template = !digits.is_empty() && digits.bytes().all(|byte| b"xXnN".contains(&byte));
        let is_written = |number: &u32| self.digits(*number) == digits;
        match number_of(digits).filter(is_written) {
            _ if is_template => RfcName::Other,
            Some(number) if !slug.is_empty() => RfcName::Document { number, is_directory },
            // A directory without a number may be anything.
            _ if is_directory && !digits.starts_with(|c: char| c.is_ascii_digit()) => RfcName::Other,
            _ => RfcName::Invalid,
        }
    }

    /// Returns the number of a document by its name in the directory of documents; `None` for other names.
    #[must_use]
    pub fn number_of_name(&self, name: &str) -> Option<u32> {
        match self.name(name) {
            RfcName::Document { number, .. } => Some(number),
            RfcName::Invalid | RfcName::Other => None,
        }
    }

    /// Returns the number of the document at a path in the repository; `None` for other paths.
    #[must_use]
    pub fn number_of_path(&self, path: &str) -> Option<u32> {
        let below = match self.directory.as_str() {
            "" => path,
            directory => path.strip_prefix(directory)?.strip_prefix('/')?,
        };
        let (name, rest) = below.split_once('/').map_or((below, None), |(name, rest)| (name, Some(rest)));
        match self.name(name) {
            RfcName::Document { number, is_directory } => {
                let is_it = if is_directory { rest.is_some() } else { rest.is_none() };
                is_it.then_some(number)
            }
            RfcName::Invalid | RfcName::Other => None,
        }
    }

    /// Returns the numbers of the IDs in a text, such as a title or the name of a branch: each once, at most 20.
    #[must_use]
    pub fn mentions(&self, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for (at, _) in text.char_indices() {
            let is_start = !text[..at].ends_with(|c: char| c.is_alphanumeric());
            let id = self.leading_id(&text[at..]).filter(|_| is_start);
            found.extend(id.map(|(number, _)| number).filter(|number| !found.contains(number)));
            if found.len() == MOST_MENTIONS {
                break;
            }
        }
        found
    }

    /// Returns the title without the ID that it begins with, and the number of that.
    #[must_use]
    pub fn split_title<'t>(&self, text: &'t str) -> (Option<u32>, &'t str) {
        let text = text.trim();
        match self.leading_id(text) {
            Some((number, rest)) => (Some(number), rest.trim_start_matches([':', '-', '–', '—', ' '])),
            None => (None, text),
        }
    }

    /// Returns the number of the ID at the beginning of a text, and the rest.
    fn leading_id<'t>(&self, text: &'t str) -> Option<(u32, &'t str)> {
        let rest = after_prefix(text, &self.prefix)?.strip_prefix(['-', '_', ' '])?;
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        Some((number_of(&rest[..end])?, &rest[end..]))
    }
}

/// Returns the rest of a text after a prefix, whatever the case of its letters.
fn after_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let begin = text.get(..prefix.len())?;
    begin.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Reads a number of digits only.
fn number_of(text: &str) -> Option<u32> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && (1..=GREATEST).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_numbers_are_read_as_they_are_written() {
        let process = RfcProcess::sample("content/rfcs");
        let document = |number, is_directory| RfcName::Document { number, is_directory };
        for (name, meant) in [
            ("cki-001-feedback.md", document(1, false)),
            ("CKI-014-Feedback-two.md", document(14, false)),
            ("cki-1234-x.md", document(1234, false)),
            ("cki-007-with-pictures", document(7, true)),
            ("cki-1-x.md", RfcName::Invalid),
            ("cki-0001-x.md", RfcName::Invalid),
            ("cki-000-x.md", RfcName::Invalid),
            ("cki-99999999999999999999-x.md", RfcName::Invalid),
            ("cki-001.md", RfcName::Invalid),
            ("cki-001-.md", RfcName::Invalid),
            ("cki-one-x.md", RfcName::Invalid),
            ("cki-xxx-template.md", RfcName::Other),
            ("cki-pictures", RfcName::Other),
            ("cki-001-feedback.png", RfcName::Other),
            ("_index.md", RfcName::Other),
            ("ckü-001-x.md", RfcName::Other),
            ("", RfcName::Other),
        ] {
            assert_eq!(process.name(name), meant, "{name}");
        }
        for (text, number) in [("4", 4), (" 004 ", 4), ("cki-004", 4), ("CKI 12", 12)] {
            assert_eq!(process.parse_number(text), Ok(number), "{text}");
        }
        for text in
            ["", "0", "-1", "+1", "x", "CKI-", "CKI-0", "ABC-1", "1.5", "100000", "99999999999999999999", "١"]
        {
            assert!(process.parse_number(text).is_err(), "{text}");
        }
        let paths = ["content/rfcs/cki-002-x.md", "content/rfcs/cki-003-x/index.md"];
        assert_eq!(paths.map(|path| process.number_of_path(path)), [Some(2), Some(3)]);
        for path in
            ["content/cki-002-x.md", "content/rfcs/a/cki-002-x.md", "content/rfcs/cki-002-x.md/y", "x"]
        {
            assert_eq!(process.number_of_path(path), None, "{path}");
        }
    }

    #[test]
    fn mentions_and_titles_name_ids_as_whole_words() {
        let process = RfcProcess::sample("content/rfcs");
        assert_eq!(process.mentions("Draft: CKI-004: better, like cki-2 and CKI-004"), [4, 2]);
        assert_eq!(process.mentions("rfc/cki-012-new_thing"), [12]);
        let many: String = (1..1000).map(|number| format!("CKI-{number} ")).collect();
        assert_eq!(process.mentions(&many), Vec::from_iter(1..=20));
        assert_eq!(process.mentions("xcki-1 CKI-4th CKI CKI- CKI-123456789012"), [] as [u32; 0]);
        assert_eq!(process.split_title("CKI-001: A title"), (Some(1), "A title"));
        assert_eq!(process.split_title("cki-12 - A title"), (Some(12), "A title"));
        assert_eq!(process.split_title("Another title"), (None, "Another title"));
    }

    proptest! {
        #[test]
        fn any_text_names_no_number_beyond_the_greatest(text in "(?s).{0,40}", digits in "[cCkKiI0-9-]{0,20}") {
            let process = RfcProcess::sample("content/rfcs");
            for text in [text.as_str(), &digits, &format!("CKI-{digits}"), &format!("cki-{digits}-x.md")] {
                let numbers = process.mentions(text).into_iter().chain(process.parse_number(text).ok());
                prop_assert!(numbers.chain(process.split_title(text).0).all(|number| (1..=GREATEST).contains(&number)));
                if let RfcName::Document { number, .. } = process.name(text) {
                    prop_assert!((1..=GREATEST).contains(&number));
                }
            }
        }
    }
}
