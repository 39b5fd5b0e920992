//! Pages of facts about one thing: a label, and its rows after it. What the facts are is up to the reports.

use crate::base::text::{Table, safe_line, wrap_styled};
use crate::ui::{Ui, style};

/// Column at which facts begin.
const LABEL: usize = 16;
/// Column at which facts begin below their label, where they have no room after it.
const BELOW: usize = 2;

/// Printer of a page.
#[derive(Clone, Copy)]
pub(super) struct FactPage<'a> {
    pub(super) ui: &'a Ui,
}

/// A row of a fact: one line without control characters, as any text may come from outside.
#[derive(Debug, Clone)]
pub(super) struct FactRow(String);

impl FactRow {
    /// Creates a dimmed row.
    pub(super) fn dim(text: &str) -> Self {
        Self(style::dim(&safe_line(text)))
    }
}

impl<T: AsRef<str>> From<T> for FactRow {
    fn from(text: T) -> Self {
        Self(safe_line(text.as_ref()).into_owned())
    }
}

impl FactPage<'_> {
    /// Prints a label with its rows, which wrap between words; without any, a dash.
    pub(super) fn rows<R: Clone + Into<FactRow>>(&self, label: &str, rows: &[R]) {
        let rows: Vec<FactRow> = rows.iter().cloned().map(Into::into).collect();
        let lines = |room: Option<usize>| -> Vec<String> {
            rows.iter().flat_map(|row| wrap_styled(&row.0, room.unwrap_or(usize::MAX))).collect()
        };
        let after = lines(self.room(LABEL));
        let is_too_wide = |line: &String| self.room(LABEL).is_some_and(|room| styled_width(line) > room);
        match after.iter().any(is_too_wide) {
            true => self.below(label, &lines(self.room(BELOW))),
            false => self.after(label, &after),
        }
    }

    /// Prints a label with a table.
    pub(super) fn table(&self, label: &str, table: &Table) {
        self.first_that_fits(label, &[table]);
    }

    /// Prints a label with the first of some tables, the widest first, that has room.
    pub(super) fn first_that_fits(&self, label: &str, tables: &[&Table]) {
        for table in tables {
            if table.fits(self.room(LABEL)) {
                return self.after(label, &table.lines(self.room(LABEL)));
            }
            if table.fits(self.room(BELOW)) {
                return self.below(label, &table.lines(self.room(BELOW)));
            }
        }
        let last = tables.last().map(|table| table.lines(self.room(BELOW)));
        self.below(label, &last.unwrap_or_default());
    }

    fn room(&self, indent: usize) -> Option<usize> {
        self.ui.columns().map(|columns| columns.saturating_sub(indent))
    }

    fn after(&self, label: &str, lines: &[String]) {
        let dash = ["–".to_owned()];
        let lines = if lines.is_empty() { &dash } else { lines };
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.ui.data(&format!("{}{line}", style::dim(&format!("{label:<LABEL$}"))));
        }
    }

    fn below(&self, label: &str, lines: &[String]) {
        self.ui.data(&style::dim(label));
        self.ui.lines(lines.iter().map(|line| format!("{}{line}", " ".repeat(BELOW))));
    }
}

fn styled_width(line: &str) -> usize {
    crate::base::text::width(&anstream::adapter::strip_str(line).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_and_cells_have_one_line_without_control_characters(text in "(?s).{0,40}") {
            let is_safe = |line: &str| safe_line(line) == line && !line.contains('\n');
            prop_assert!(is_safe(&FactRow::from(&text).0));
            let mut table = Table::new(0, &[]);
            table.row([text.as_str().into()]);
            let lines = table.lines(None);
            prop_assert!(lines.len() == 1 && is_safe(&lines[0]), "{lines:?}");
        }
    }
}
