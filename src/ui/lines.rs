//! The names before lines of output when several speak: aligned, each in its colour.

use super::style;
use crate::base::text;

/// Who has spoken so far.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    subjects: Vec<String>,
    widest: usize,
    /// Several were announced.
    several: bool,
}

impl Prefixes {
    /// Announces who will speak, so that the first line is aligned already.
    pub(super) fn announce(&mut self, subjects: &[String]) {
        self.several = subjects.len() > 1;
        for subject in subjects {
            self.prefix(subject);
        }
    }

    /// Whether lines need a name wherever they go.
    pub(super) fn are_needed(&self) -> bool {
        self.several
    }

    /// The prefix of a line: `name │ `.
    pub(super) fn prefix(&mut self, subject: &str) -> String {
        let number = self.subjects.iter().position(|known| known == subject).unwrap_or_else(|| {
            self.subjects.push(subject.to_owned());
            self.widest = self.widest.max(text::width(subject));
            self.subjects.len() - 1
        });
        let padding = " ".repeat(self.widest - text::width(subject));
        format!("{}{padding} {} ", style::distinct(number, subject), style::dim("│"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_align() {
        let mut prefixes = Prefixes::default();
        let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
        assert!(!prefixes.are_needed());
        prefixes.announce(&["longer".to_owned(), "ab".to_owned()]);
        assert!(prefixes.are_needed());
        assert_eq!(plain(prefixes.prefix("ab")), "ab     │ ");
        assert_eq!(plain(prefixes.prefix("longer")), "longer │ ");
    }
}
