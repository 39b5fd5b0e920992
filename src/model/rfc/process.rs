//! The facts about a group's requests for comments, and the names and the number of a new one. Names and numbers of
//! existing ones are read in `name`.

use super::error::RfcProcessError;
use crate::base::text::is_invisible;
use crate::model::inventory::{Inventory, RfcDecl};

/// Greatest number.
pub(super) const GREATEST: u32 = 99_999;
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
    /// Beginning of each ID, without the separator.
    pub(super) prefix: String,
    digits: usize,
    /// Parts of the name of a document: before the number, between number and slug, after the slug.
    pub(super) file: [String; 3],
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

    /// Returns a process with documents in a directory.
    #[cfg(test)]
    pub(super) fn sample(directory: &str) -> Self {
        let sections = ["Abstract", "Motivation", "Approach"].map(str::to_owned).to_vec();
        let (repo, prefix) = ("d".to_owned(), "CKI".to_owned());
        let decl = RfcDecl { repo, directory: directory.to_owned(), prefix, sections, ..RfcDecl::default() };
        Self::read(&decl).expect("is valid")
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
    pub(super) fn digits(&self, number: u32) -> String {
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

    #[test]
    fn new_documents_have_the_words_of_their_titles() {
        let process = RfcProcess::sample("/content/rfcs/");
        assert_eq!(process.path(4, "Größe: One & two!"), "content/rfcs/cki-004-gr-e-one-two.md");
        assert_eq!(process.branch(1234, "日本"), "cki-1234-rfc");
        assert!(process.path(1, &"word ".repeat(40)).len() < 80);
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
}
