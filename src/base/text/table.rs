//! Tables of plain columns that fit a width: the widest column shrinks first, and no cell wraps into the
//! next column. Colours are applied after the widths are known, so that they never count.

use std::borrow::Cow;

use super::{truncate, width};

/// A cell: its text, and its colour after the text was fitted.
#[derive(Clone)]
pub struct Cell {
    text: String,
    paint: Option<fn(&str) -> String>,
}

impl Cell {
    /// Creates a cell with a function that colours the text; the function must not change its width.
    pub fn styled(text: impl Into<String>, paint: fn(&str) -> String) -> Self {
        Self { text: text.into(), paint: Some(paint) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), paint: None }
    }
}

/// Rows of cells.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
    indent: usize,
    floor: Vec<usize>,
}

/// Columns between two table columns.
const GAP: usize = 2;
/// Minimum width of a column, in terminal columns.
const NARROWEST: usize = 8;

impl Table {
    /// Creates an empty table whose rows start after `indent` spaces.
    #[must_use]
    pub fn new(indent: usize) -> Self {
        Self { rows: Vec::new(), indent, floor: Vec::new() }
    }

    /// Sets the minimum width of a column.
    #[must_use]
    pub fn min_width(mut self, column: usize, columns: usize) -> Self {
        self.floor.resize(self.floor.len().max(column + 1), 0);
        self.floor[column] = columns;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Returns whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the lines, if possible none wider than `columns`; `None` is no limit.
    #[must_use]
    pub fn lines(&self, columns: Option<usize>) -> Vec<String> {
        let widths = self.widths(columns);
        self.rows.iter().map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = " ".repeat(self.indent);
        let mut pending = 0;
        for (index, cell) in row.iter().enumerate() {
            let own = width(&cell.text);
            let text = match own <= widths[index] {
                true => Cow::Borrowed(cell.text.as_str()),
                false => Cow::Owned(truncate(&cell.text, widths[index])),
            };
            let used = if let Cow::Owned(text) = &text { width(text) } else { own };
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', pending));
                pending = 0;
                match cell.paint {
                    Some(paint) => line.push_str(&paint(&text)),
                    None => line.push_str(&text),
                }
            }
            pending += widths[index] - used + GAP;
        }
        line
    }

    fn widths(&self, columns: Option<usize>) -> Vec<usize> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths = self.floor.clone();
        widths.resize(count.max(widths.len()), 0);
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                widths[column] = widths[column].max(width(&cell.text));
            }
        }
        if let Some(columns) = columns {
            let gaps = self.indent + GAP * count.saturating_sub(1);
            let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(columns);
            while excess > 0 {
                let Some(widest) = (0..widths.len()).max_by_key(|column| widths[*column]) else { break };
                if widths[widest] <= NARROWEST {
                    break;
                }
                let second = widths
                    .iter()
                    .enumerate()
                    .filter(|(column, _)| *column != widest)
                    .map(|(_, width)| *width)
                    .max()
                    .unwrap_or(0)
                    .max(NARROWEST);
                let give = excess.min(widths[widest].saturating_sub(second).max(1));
                widths[widest] -= give;
                excess -= give;
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(2);
        table.row(["name".into(), "a description that is rather long".into(), "infra".into()]);
        table.row(["longer-name".into(), "short".into(), "".into()]);
        table
    }

    #[test]
    fn table_aligns_columns_without_trailing_space() {
        let lines = sample().lines(None);
        assert_eq!(lines[0], "  name         a description that is rather long  infra");
        assert_eq!(lines[1], "  longer-name  short");
    }

    #[test]
    fn table_truncates_widest_column() {
        let lines = sample().lines(Some(40));
        assert_eq!(lines[0], "  name         a description tha…  infra");
        assert!(lines.iter().all(|line| width(line) <= 40));
    }
}
