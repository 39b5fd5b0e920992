//! Tables of plain columns that fit a width. What identifies a row is never cut: a column says how it gives way,
//! by being cut, by wrapping between words, or by being left out. Colours are applied after the widths are
//! known, so that they never count.

use std::borrow::Cow;

use super::{safe_line, truncate, width, wrap, wrap_styled};

/// Behaviour of a column when the table is too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Not at all: names, keys, ports, addresses.
    Whole,
    /// Cut at the end: descriptions.
    Cut,
    /// Wrapped between words, below its own beginning: reasons.
    Wrap,
    /// Left out before any other column is narrowed, the last such column first: what another command or format
    /// shows as well.
    Optional,
}

/// A cell: its text, which is made safe for a terminal, and its colour after the text was fitted.
#[derive(Clone)]
pub struct Cell {
    text: String,
    width: usize,
    paint: Option<fn(&str) -> String>,
}

impl Cell {
    /// Creates a cell with a function that colours the text; the function must not change its width.
    pub fn styled(text: impl Into<String>, paint: fn(&str) -> String) -> Self {
        Self { paint: Some(paint), ..Self::from(text) }
    }

    /// Adds a text of the cell to a line.
    fn push(&self, text: &str, is_painted: bool, line: &mut String) {
        match self.paint.filter(|_| is_painted) {
            Some(paint) => line.push_str(&paint(text)),
            None => line.push_str(text),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        let text = safe(text.into());
        Self { width: width(&text), text, paint: None }
    }
}

/// Any text may come from outside: a cell is one line without control characters.
fn safe(text: String) -> String {
    match safe_line(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(safe) => safe,
    }
}

/// Rows of cells.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
    indent: usize,
    fits: Vec<Fit>,
    is_plain: bool,
}

/// Columns between two table columns.
const GAP: usize = 2;
/// Spaces before the rest of a line that is too wide in any case.
const HANG: usize = 4;
/// Minimum width of a column that is cut or wrapped.
const NARROWEST: usize = 12;

impl Table {
    /// Creates an empty table whose rows start after `indent` spaces. Columns without a fit are whole.
    #[must_use]
    pub fn new(indent: usize, fits: &[Fit]) -> Self {
        Self { indent, fits: fits.to_vec(), ..Self::default() }
    }

    /// Paints no cell of a row that fits: for long tables, where no colour is shown.
    pub fn leave_plain(&mut self) {
        self.is_plain = true;
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Returns the lines, if possible none wider than `columns`; `None` is no limit.
    #[must_use]
    pub fn lines(&self, columns: Option<usize>) -> Vec<String> {
        let widths = self.widths(columns);
        let mut lines = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            match self.single_line(row, &widths).filter(|_| columns.is_none()) {
                Some(line) => lines.push(line),
                None => lines.extend(self.fitted_row(row, &widths, columns)),
            }
        }
        lines
    }

    /// Returns the lines of each row.
    #[must_use]
    pub fn rows(&self, columns: Option<usize>) -> Vec<Vec<String>> {
        let widths = self.widths(columns);
        self.rows.iter().map(|row| self.fitted_row(row, &widths, columns)).collect()
    }

    /// Returns the lines of a row. From the first cell on that is too wide for its column, each cell has lines of its
    /// own, since what follows would not be below its heading.
    fn fitted_row(&self, row: &[Cell], widths: &[Option<usize>], columns: Option<usize>) -> Vec<String> {
        let Some(columns) = columns else { return self.row_lines(row, widths) };
        let aligned = self.aligned_cells(row, widths, columns);
        let (first, rest) = row.split_at(aligned);
        let indent = " ".repeat(self.indent + HANG);
        let room = columns.saturating_sub(indent.len()).max(NARROWEST);
        let shown = rest.iter().zip(&widths[aligned.min(widths.len())..]);
        let shown = shown.filter(|(cell, width)| width.is_some() && !cell.text.is_empty());
        let below = shown.flat_map(|(cell, _)| {
            let paint = cell.paint.unwrap_or(str::to_owned);
            wrap(&cell.text, room).into_iter().map(move |line| paint(&line))
        });
        let lines = self.row_lines(first, widths).into_iter().flat_map(|line| folded(line, Some(columns)));
        lines.chain(below.map(|line| format!("{indent}{line}"))).collect()
    }

    /// Returns the number of cells at the beginning of a row that fit their columns. The first one always counts.
    fn aligned_cells(&self, row: &[Cell], widths: &[Option<usize>], columns: usize) -> usize {
        let mut start = self.indent;
        for (column, (cell, room)) in row.iter().zip(widths).enumerate() {
            let Some(room) = *room else { continue };
            let needed = self.fitted(cell, column, room).iter().map(|line| width(line)).max().unwrap_or(0);
            let is_last = row[column + 1..].iter().all(|cell| cell.text.is_empty());
            if column > 0 && (start + needed > columns || (needed > room && !is_last)) {
                return column;
            }
            start += room + GAP;
        }
        row.len()
    }

    /// Returns the line of a row whose cells fit as they are, as most do in long tables.
    fn single_line(&self, row: &[Cell], widths: &[Option<usize>]) -> Option<String> {
        let length: usize = row.iter().map(|cell| cell.text.len() + 2 * GAP).sum();
        let mut line = String::with_capacity(self.indent + length);
        line.extend(std::iter::repeat_n(' ', self.indent));
        let mut pending = 0;
        for (cell, room) in row.iter().zip(widths).filter_map(|(cell, width)| Some((cell, (*width)?))) {
            if cell.width > room {
                return None;
            }
            if !cell.text.is_empty() {
                line.extend(std::iter::repeat_n(' ', pending));
                pending = 0;
                cell.push(&cell.text, !self.is_plain, &mut line);
            }
            pending += room - cell.width + GAP;
        }
        Some(line)
    }

    /// Returns the lines of a row; a width of `None` leaves its column out.
    fn row_lines(&self, row: &[Cell], widths: &[Option<usize>]) -> Vec<String> {
        let cells: Vec<(Vec<String>, &Cell, usize)> = row
            .iter()
            .zip(widths)
            .enumerate()
            .filter_map(|(column, (cell, width))| {
                Some((self.fitted(cell, column, (*width)?), cell, (*width)?))
            })
            .collect();
        let height = cells.iter().map(|(lines, ..)| lines.len()).max().unwrap_or(1).max(1);
        (0..height)
            .map(|at| {
                let mut line = " ".repeat(self.indent);
                let mut pending = 0;
                for (lines, cell, room) in &cells {
                    let text = lines.get(at).map_or("", String::as_str);
                    if !text.is_empty() {
                        line.extend(std::iter::repeat_n(' ', pending));
                        pending = 0;
                        cell.push(text, true, &mut line);
                    }
                    pending += room.saturating_sub(width(text)) + GAP;
                }
                line
            })
            .collect()
    }

    /// Returns the lines of a cell.
    fn fitted(&self, cell: &Cell, column: usize, room: usize) -> Vec<String> {
        match self.fit(column) {
            _ if cell.width <= room => vec![cell.text.clone()],
            Fit::Cut => vec![truncate(&cell.text, room)],
            Fit::Wrap => wrap(&cell.text, room),
            Fit::Whole | Fit::Optional => vec![cell.text.clone()],
        }
    }

    fn fit(&self, column: usize) -> Fit {
        self.fits.get(column).copied().unwrap_or(Fit::Whole)
    }

    /// Returns whether the lines have room for every row, without a break that no column asks for.
    #[must_use]
    pub fn fits(&self, columns: Option<usize>) -> bool {
        columns.is_none_or(|columns| {
            let widths = self.kept(Some(columns));
            self.narrowed(&widths, &vec![NARROWEST; widths.len()], columns).is_some()
        })
    }

    /// Returns the width of each column, and `None` for one that is left out.
    fn widths(&self, columns: Option<usize>) -> Vec<Option<usize>> {
        let widths = self.kept(columns);
        let Some(columns) = columns else { return widths };
        // If possible, no word is wider than its column.
        self.narrowed(&widths, &self.longest_words(), columns)
            .or_else(|| self.narrowed(&widths, &vec![NARROWEST; widths.len()], columns))
            .unwrap_or_else(|| self.narrowest(&widths))
    }

    /// Returns the minimum width of each column that no word is wider than.
    fn longest_words(&self) -> Vec<usize> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut longest = vec![NARROWEST; count];
        for (column, cell) in self.rows.iter().flat_map(|row| row.iter().enumerate()) {
            if self.fit(column) == Fit::Wrap {
                let words = cell.text.split_whitespace().map(width);
                longest[column] = words.fold(longest[column], usize::max);
            }
        }
        longest
    }

    /// Returns the natural width of each column, and `None` for one that is left out.
    fn kept(&self, columns: Option<usize>) -> Vec<Option<usize>> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut natural = vec![0; count];
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                natural[column] = natural[column].max(cell.width);
            }
        }
        let mut widths: Vec<Option<usize>> = natural.into_iter().map(Some).collect();
        let Some(columns) = columns else { return widths };
        while self.excess(&widths, columns) > 0 {
            let is_optional =
                |column: &usize| self.fit(*column) == Fit::Optional && widths[*column].is_some();
            let Some(last) = (0..count).rev().find(is_optional) else { break };
            widths[last] = None;
        }
        widths
    }

    /// Returns the number of columns by which a line is too wide.
    fn excess(&self, widths: &[Option<usize>], columns: usize) -> usize {
        let shown = widths.iter().flatten().count();
        let total = widths.iter().flatten().sum::<usize>() + self.indent + GAP * shown.saturating_sub(1);
        total.saturating_sub(columns)
    }

    /// Returns the widths after columns were narrowed to no less than `least`, the widest first, so that a line fits;
    /// `None` if it cannot.
    fn narrowed(
        &self,
        widths: &[Option<usize>],
        least: &[usize],
        columns: usize,
    ) -> Option<Vec<Option<usize>>> {
        let mut widths = widths.to_vec();
        let mut excess = self.excess(&widths, columns);
        while excess > 0 {
            let is_flexible = |column: &usize| {
                matches!(self.fit(*column), Fit::Cut | Fit::Wrap)
                    && widths[*column].is_some_and(|width| width > least[*column])
            };
            let mut by_width: Vec<(usize, usize)> = (0..widths.len())
                .filter(is_flexible)
                .filter_map(|column| Some((widths[column]?, column)))
                .collect();
            by_width.sort_unstable();
            let (widest, column) = by_width.pop()?;
            let second = by_width.last().map_or(0, |(width, _)| *width).max(least[column]);
            let give = excess.min(widest.saturating_sub(second).max(1));
            widths[column] = Some(widest - give);
            excess -= give;
        }
        Some(widths)
    }

    /// Returns the widths for a terminal in which nothing fits: lines are folded.
    fn narrowest(&self, widths: &[Option<usize>]) -> Vec<Option<usize>> {
        let narrow = |(column, width): (usize, &Option<usize>)| match self.fit(column) {
            Fit::Cut | Fit::Wrap => width.map(|width| width.min(NARROWEST)),
            Fit::Whole | Fit::Optional => *width,
        };
        widths.iter().enumerate().map(narrow).collect()
    }
}

/// Breaks a line that is too wide all the same between words: a terminal would do so within them.
fn folded(line: String, columns: Option<usize>) -> Vec<String> {
    let Some(columns) = columns else { return vec![line] };
    let mut lines = wrap_styled(&line, columns);
    if lines.len() > 1 {
        lines = wrap_styled(&line, columns.saturating_sub(HANG));
        lines.iter_mut().skip(1).for_each(|line| line.insert_str(0, &" ".repeat(HANG)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(description: Fit) -> Table {
        let mut table = Table::new(2, &[Fit::Whole, description, Fit::Optional]);
        table.row(["name".into(), "a description that is rather long and detailed".into(), "infra".into()]);
        table.row(["longer-name".into(), "short".into(), "".into()]);
        table
    }

    #[test]
    fn table_aligns_columns_without_trailing_space() {
        let lines = sample(Fit::Cut).lines(None);
        assert_eq!(lines[0], "  name         a description that is rather long and detailed  infra");
        assert_eq!(lines[1], "  longer-name  short");
    }

    #[test]
    fn table_leaves_optional_columns_out_then_cuts_descriptions_and_keeps_names() {
        let lines = |columns| sample(Fit::Cut).lines(Some(columns));
        assert_eq!(lines(70)[0], "  name         a description that is rather long and detailed  infra");
        assert_eq!(lines(44)[0], "  name         a description that is rather…");
        assert_eq!(lines(30)[0], "  name         a description…");
        // Where nothing fits, lines break between words.
        let narrow = lines(10);
        let at = narrow.iter().position(|line| line == "  longer-name").expect("is whole");
        assert_eq!(narrow[at + 1], "      short", "{narrow:?}");
    }

    #[test]
    fn table_gives_cells_that_are_too_wide_lines_of_their_own() {
        let mut table = Table::new(2, &[Fit::Whole, Fit::Wrap, Fit::Wrap]);
        table.row(["name".into(), "a few words".into(), "and some more of them".into()]);
        table.row(["other".into(), "/a/path/that/is/longer/than/all/words".into(), "is below".into()]);
        let lines = table.lines(Some(40));
        assert_eq!(
            lines,
            [
                "  name   a few words      and some more",
                "                          of them",
                "  other",
                "      /a/path/that/is/longer/than/all/words",
                "      is below",
            ],
            "{lines:#?}"
        );
        // Where there is room, the longest word decides.
        let lines = table.lines(Some(60));
        assert_eq!(lines[2], "  other  /a/path/that/is/longer/than/all/words  is below", "{lines:#?}");
    }

    #[test]
    fn table_wraps_between_words_below_the_column() {
        let lines = sample(Fit::Wrap).lines(Some(44));
        assert_eq!(lines[0], "  name         a description that is rather");
        assert_eq!(lines[1], "               long and detailed");
        assert_eq!(lines[2], "  longer-name  short");
    }
}
