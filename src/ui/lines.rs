//! Prefixes of lines of output from several subjects: aligned, each in its colour. A name keeps its colour
//! between calls as long as no other name on the screen has it.

use super::style;
use crate::base::text;

/// Prefixes in use so far.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    /// Names with their colours.
    subjects: Vec<(String, usize)>,
    widest: usize,
    announced: usize,
}

impl Prefixes {
    /// Announces the names that will write.
    pub(super) fn announce(&mut self, names: &[String]) {
        // Assign colours in sorted order, so that the order of the arguments does not matter.
        let mut names = names.to_vec();
        names.sort();
        names.dedup();
        for name in &names {
            self.number(name);
        }
        self.announced = self.announced.max(names.len());
    }

    /// Returns whether more than one name was announced.
    pub(super) fn are_needed(&self) -> bool {
        self.announced > 1
    }

    /// Returns whether another subject than this one was announced or has written.
    pub(super) fn is_one_of_several(&mut self, subject: &str) -> bool {
        self.number(subject);
        self.announced > 1 || self.subjects.len() > 1
    }

    /// Returns the prefix of a line: `name │ `.
    pub(super) fn prefix(&mut self, subject: &str) -> String {
        let color = self.number(subject);
        let padding = " ".repeat(self.widest - text::width(subject));
        format!("{}{padding} {} ", style::distinct(color, subject), style::dim("│"))
    }

    /// Returns the colour number of a name: its own, or the next free one.
    fn number(&mut self, subject: &str) -> usize {
        if let Some((_, color)) = self.subjects.iter().find(|(known, _)| known == subject) {
            return *color;
        }
        let own = subject.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let is_free = |color: &usize| !self.subjects.iter().any(|(_, taken)| taken == color);
        let choices = (0..style::DISTINCT).map(|step| (own + step) % style::DISTINCT);
        let color = choices.clone().find(is_free).unwrap_or(own % style::DISTINCT);
        self.subjects.push((subject.to_owned(), color));
        self.widest = self.widest.max(text::width(subject));
        color
    }
}

/// Formats the time of a line, always with the same width for lines of one engine.
pub(super) fn time(time: jiff::Timestamp) -> String {
    // Podman has whole seconds, and more digits would suggest more precision.
    if time.subsec_nanosecond() == 0 { format!("{time:.0}") } else { format!("{time:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_align_names_and_keep_colors() {
        let mut prefixes = Prefixes::default();
        let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
        prefixes.announce(&["longer".to_owned(), "ab".to_owned()]);
        assert!(prefixes.are_needed());
        let painted = prefixes.prefix("ab");
        assert_eq!(plain(painted.clone()), "ab     │ ");
        assert_eq!(plain(prefixes.prefix("longer")), "longer │ ");
        let mut other = Prefixes::default();
        other.announce(&["ab".to_owned(), "longer".to_owned()]);
        assert_eq!(other.prefix("ab"), painted);
    }

    #[test]
    fn prefixes_use_distinct_colors_first() {
        let mut prefixes = Prefixes::default();
        let mut colors: Vec<_> =
            (0..style::DISTINCT).map(|number| prefixes.number(&number.to_string())).collect();
        colors.sort_unstable();
        colors.dedup();
        assert_eq!(colors.len(), style::DISTINCT);
        prefixes.number("one more");
    }

    #[test]
    fn time_shows_at_most_milliseconds_in_utc() {
        let at = |text: &str| time(text.parse().expect("a time"));
        assert_eq!(at("2026-11-22T10:00:00.123456789Z"), "2026-11-22T10:00:00.123Z");
        assert_eq!(at("2026-11-22T10:00:00+01:00"), "2026-11-22T09:00:00Z");
    }
}
