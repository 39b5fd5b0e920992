//! The names and numbers of a group's requests for comments. The documents are in `document`.

use super::error::RfcProcessError;
use crate::base::text::{is_invisible, safe_line};
use crate::model::inventory::{Inventory, RfcDecl};

/// Greatest number.
const GREATEST: u32 = 99_999;
/// Maximum characters of a title.
const LONGEST_TITLE: usize = 120;
/// Maximum characters of the part of a file name that comes from the title.
const LONGEST_SLUG: usize = 50;

/// The process of a group.
#[derive(Debug, Clone)]
pub struct RfcProcess {
    /// Repository with the documents, by its name in the inventory.
    pub repo: String,
    /// Directory in the repository, without slashes around it.
    pub directory: String,
    /// Sections that each document has, in their order.
    pub sections: Vec<String>,
    /// Days for feedback.
    pub window_days: u32,
    /// Project on the GitLab server, if the inventory names it.
    pub project: Option<String>,
    /// Key of the author in the front matter.
    pub author_key: String,
    /// Key of the merge request in the front matter.
    pub merge_request_key: String,
    /// Key of the status in the front matter.
    pub status_key: String,
    prefix: String,
    digits: usize,
    /// Parts of the name of a document: before the number, between number and slug, after the slug.
    file: [String; 3],
}

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
    /// Reads the process from the head of an inventory.
    ///
    /// # Errors
    /// Fails if the inventory has none, or one of its values cannot be used.
    pub fn of(inventory: &Inventory) -> Result<Self, RfcProcessError> {
        let Some(decl) = &inventory.rfcs else {
            return Err(RfcProcessError::NotDeclared { inventory: inventory.label() });
        };
        Self::read(decl).map_err(|(key, fault)| RfcProcessError::Value {
            place: inventory.source_map.place(&format!("rfcs.{key}")),
            key,
            fault,
        })
    }

    /// Reads the process; an error is a key of the declaration with its fault.
    pub(super) fn read(decl: &RfcDecl) -> Result<Self, (&'static str, String)> {
        let is_word = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let prefix = decl.prefix.trim();
        if !is_word(prefix) || prefix.ends_with(['-', '_']) {
            let fault = "is no beginning of an ID: letters and digits, as in `CKI`".to_owned();
            return Err(("prefix", fault));
        }
        let directory = decl.directory.trim_matches('/');
        if directory
            .split('/')
            .any(|part| matches!(part, "." | ".." | ".git") || part.contains(char::is_control))
        {
            return Err(("directory", "leads out of the repository".to_owned()));
        }
        let digits = usize::from(decl.digits.unwrap_or(3));
        if !(1..=5).contains(&digits) {
            return Err(("digits", "is not from 1 to 5".to_owned()));
        }
        let window_days = decl.window_days.unwrap_or(7);
        if !(1..=365).contains(&window_days) {
            return Err(("window_days", "is not from 1 to 365".to_owned()));
        }
        let pattern =
            decl.file.clone().unwrap_or_else(|| format!("{}-{{number}}-{{slug}}.md", prefix.to_lowercase()));
        let file = pattern.split_once("{number}").and_then(|(before, rest)| {
            let (between, after) = rest.split_once("{slug}")?;
            let parts = [before, between, after].map(str::to_owned);
            let is_plain =
                |part: &String| !part.contains(['/', '{', '}']) && !part.contains(char::is_control);
            (!before.is_empty() && !between.is_empty() && parts.iter().all(is_plain)).then_some(parts)
        });
        let file = file.ok_or_else(|| {
            ("file", "is no name with `{number}` and `{slug}`, as in `cki-{number}-{slug}.md`".to_owned())
        })?;
        let key = |key: &Option<String>, otherwise: &str| key.clone().unwrap_or_else(|| otherwise.to_owned());
        Ok(Self {
            repo: decl.repo.clone(),
            directory: directory.to_owned(),
            sections: decl.sections.iter().map(|section| section.trim().to_owned()).collect(),
            window_days,
            project: decl.project.clone(),
            author_key: key(&decl.author_key, "author"),
            merge_request_key: key(&decl.merge_request_key, "merge_request"),
            status_key: key(&decl.status_key, "status"),
            prefix: prefix.to_owned(),
            digits,
            file,
        })
    }

    /// Returns the number as it is written in names: `004`.
    fn digits(&self, number: u32) -> String {
        format!("{number:0width$}", width = self.digits)
    }

    /// Returns the ID of a number: `CKI-004`.
    #[must_use]
    pub fn id(&self, number: u32) -> String {
        format!("{}-{}", self.prefix, self.digits(number))
    }

    /// Returns the path of a new document in the repository.
    #[must_use]
    pub fn path(&self, number: u32, title: &str) -> String {
        let [before, between, after] = &self.file;
        let name = format!("{before}{}{between}{}{after}", self.digits(number), slug(title));
        self.path_of(&name)
    }

    /// Returns the path of a name in the directory of documents.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        if self.directory.is_empty() { name.to_owned() } else { format!("{}/{name}", self.directory) }
    }

    /// Returns the name of the branch of a new document.
    #[must_use]
    pub fn branch(&self, number: u32, title: &str) -> String {
        format!("{}-{}-{}", self.prefix.to_lowercase(), self.digits(number), slug(title))
    }

    /// Reads a number as a user types it: `4`, `004` or `CKI-004`.
    ///
    /// # Errors
    /// Fails on any other text.
    pub fn parse_number(&self, text: &str) -> Result<u32, RfcProcessError> {
        let trimmed = text.trim();
        let rest = after_prefix(trimmed, &self.prefix).and_then(|rest| rest.strip_prefix(['-', '_', ' ']));
        number_of(rest.unwrap_or(trimmed)).ok_or_else(|| RfcProcessError::Number {
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

    /// Returns the numbers of the IDs in a text, such as a title or the name of a branch.
    #[must_use]
    pub fn mentions(&self, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for (at, _) in text.char_indices() {
            let is_start = !text[..at].ends_with(|c: char| c.is_alphanumeric());
            let rest = after_prefix(&text[at..], &self.prefix).filter(|_| is_start);
            let Some(rest) = rest.and_then(|rest| rest.strip_prefix(['-', '_', ' '])) else { continue };
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            found.extend(number_of(&rest[..end]).filter(|number| !found.contains(number)));
        }
        found
    }

    /// Returns the title without the ID that it begins with, and the number of that.
    #[must_use]
    pub fn split_title<'t>(&self, text: &'t str) -> (Option<u32>, &'t str) {
        let text = text.trim();
        let split = || {
            let rest = after_prefix(text, &self.prefix)?.strip_prefix(['-', '_', ' '])?;
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let number = number_of(&rest[..end])?;
            Some((number, rest[end..].trim_start_matches([':', '-', '–', '—', ' '])))
        };
        split().map_or((None, text), |(number, rest)| (Some(number), rest))
    }

    /// Returns the number after the greatest one of the documents, and after those that are claimed elsewhere.
    #[must_use]
    pub fn next_number(documents: &[u32], claimed: &[u32]) -> Option<u32> {
        let first = documents.iter().max().map_or(1, |greatest| greatest + 1);
        (first..=GREATEST).find(|number| !claimed.contains(number))
    }

    /// Checks a title, and returns it without spaces around it.
    ///
    /// # Errors
    /// Fails if it is empty, too long, or has characters that cannot be seen.
    pub fn title(text: &str) -> Result<&str, RfcProcessError> {
        let text = text.trim();
        let fault = if text.is_empty() {
            "is empty"
        } else if text.chars().count() > LONGEST_TITLE {
            "is longer than 120 characters"
        } else if text.contains(|c: char| c.is_control() || is_invisible(c)) {
            "has characters that cannot be seen"
        } else {
            return Ok(text);
        };
        Err(RfcProcessError::Title { fault })
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

/// Returns the words of a title for the name of a file.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words.map(str::to_ascii_lowercase) {
        if !slug.is_empty() && slug.len() + 1 + word.len() > LONGEST_SLUG {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word[..word.len().min(LONGEST_SLUG)]);
    }
    if slug.is_empty() { "rfc".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn process() -> RfcProcess {
        let sections = ["Abstract", "Motivation", "Approach"].map(str::to_owned).to_vec();
        let decl = RfcDecl {
            repo: "docs".into(),
            directory: "/content/rfcs/".into(),
            prefix: "CKI".into(),
            sections,
            ..RfcDecl::default()
        };
        RfcProcess::read(&decl).expect("is valid")
    }

    #[test]
    fn names_and_numbers_are_read_as_they_are_written() {
        let process = process();
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
        assert_eq!(process.path(4, "Größe: One & two!"), "content/rfcs/cki-004-gr-e-one-two.md");
        assert_eq!(process.branch(1234, "日本"), "cki-1234-rfc");
        assert!(process.path(1, &"word ".repeat(40)).len() < 80);
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
        let process = process();
        assert_eq!(process.mentions("Draft: CKI-004: better, like cki-2 and CKI-004"), [4, 2]);
        assert_eq!(process.mentions("rfc/cki-012-new_thing"), [12]);
        assert_eq!(process.mentions("xcki-1 CKI-4th CKI CKI- CKI-123456789012"), [] as [u32; 0]);
        assert_eq!(process.split_title("CKI-001: A title"), (Some(1), "A title"));
        assert_eq!(process.split_title("cki-12 - A title"), (Some(12), "A title"));
        assert_eq!(process.split_title("Another title"), (None, "Another title"));
    }

    #[test]
    fn next_number_is_free_in_the_tree_and_elsewhere() {
        assert_eq!(RfcProcess::next_number(&[], &[]), Some(1));
        assert_eq!(RfcProcess::next_number(&[1, 2], &[3, 5]), Some(4));
        // A withdrawn number stays a gap; a far claim takes no more than itself.
        assert_eq!(RfcProcess::next_number(&[1, 7], &[8, 900, 2]), Some(9));
        assert_eq!(RfcProcess::next_number(&[GREATEST], &[]), None);
    }

    #[test]
    fn process_refuses_values_that_name_no_files() {
        let base =
            RfcDecl { repo: "d".into(), directory: "x".into(), prefix: "A".into(), ..RfcDecl::default() };
        let fault = |change: fn(&mut RfcDecl)| {
            let mut decl = base.clone();
            change(&mut decl);
            RfcProcess::read(&decl).map(|_| "").map_err(|(key, _)| key)
        };
        assert_eq!(fault(|_| ()), Ok(""));
        assert_eq!(fault(|decl| decl.prefix = "A B".into()), Err("prefix"));
        assert_eq!(fault(|decl| decl.prefix = String::new()), Err("prefix"));
        assert_eq!(fault(|decl| decl.directory = "a/../../b".into()), Err("directory"));
        assert_eq!(fault(|decl| decl.digits = Some(0)), Err("digits"));
        assert_eq!(fault(|decl| decl.window_days = Some(0)), Err("window_days"));
        for file in ["{slug}-{number}.md", "{number}-{slug}", "a-{number}{slug}", "a/{number}-{slug}", "a"] {
            let decl = RfcDecl { file: Some(file.into()), ..base.clone() };
            assert_eq!(RfcProcess::read(&decl).map(|_| ()).map_err(|(key, _)| key), Err("file"), "{file}");
        }
        assert!(RfcProcess::title("A title").is_ok());
        for title in ["", " ", "a\u{202e}b", "a\nb"] {
            assert!(RfcProcess::title(title).is_err(), "{title:?}");
        }
        assert!(RfcProcess::title(&"x".repeat(121)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_names_no_number_beyond_the_greatest(text in "(?s).{0,40}", digits in "[cCkKiI0-9-]{0,20}") {
            let process = process();
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
