//! The names before lines of output when several speak: aligned, each in its colour.

use super::style;
use crate::base::text;

/// Who has spoken so far.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    subjects: Vec<String>,
    widest: usize,
}

impl Prefixes {
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
        prefixes.prefix("longer");
        assert_eq!(plain(prefixes.prefix("ab")), "ab     │ ");
        assert_eq!(plain(prefixes.prefix("longer")), "longer │ ");
    }
}
