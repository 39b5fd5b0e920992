//! Markdown for a terminal: paragraphs and tables as wide as it is, headings in colour, addresses of links beside
//! their text. Off a terminal, Markdown is shown as it is written.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::style;

use crate::base::text::{Cell, Fit, Table, width, wrap};

/// Maximum width of a column of a table that is not wrapped: names, not sentences.
const WIDEST_NAME: usize = 24;
/// Minimum width of any other column.
const NARROWEST: usize = 24;
/// Indent of a code block, and of each level of a list.
const INDENT: usize = 2;
/// Columns between two columns of a table.
const GAP: usize = 2;

/// Returns a document as text that is, if possible, not wider than `columns`. `clean` makes the text of a block safe
/// to print: only here are character references (`&#27;`) the characters that they stand for.
#[must_use]
pub fn render(markdown: &str, columns: usize, clean: &dyn Fn(&str) -> String) -> String {
    let mut page = Page {
        columns,
        clean,
        lines: Vec::new(),
        text: String::new(),
        link: None,
        lists: Vec::new(),
        mark: None,
        is_after_item: false,
        rows: Vec::new(),
    };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        page.take(event);
    }
    page.lines.join("\n")
}

/// A page that is being written.
struct Page<'a> {
    columns: usize,
    clean: &'a dyn Fn(&str) -> String,
    lines: Vec<String>,
    /// Text of the current block.
    text: String,
    /// Address of the current link.
    link: Option<String>,
    /// Number of the next item in each list that contains the current block; `None` for a list without numbers.
    lists: Vec<Option<u64>>,
    /// Mark of the current item, until its first block is written.
    mark: Option<String>,
    /// The last line belongs to an item.
    is_after_item: bool,
    rows: Vec<Vec<String>>,
}

impl Page<'_> {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) => {
                self.text.push('`');
                self.text.push_str(&code);
                self.text.push('`');
            }
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            // A remark for those who change the page says nothing to its readers.
            _ => {}
        }
    }

    /// Takes the text of the current block, which is safe to print from here on.
    fn clean_text(&mut self) -> String {
        (self.clean)(&std::mem::take(&mut self.text))
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::List(first) => {
                self.block();
                self.lists.push(first);
            }
            Tag::Item => {
                let number = self.lists.last_mut().and_then(Option::as_mut);
                self.mark = Some(match number {
                    Some(number) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    None => "- ".to_owned(),
                });
            }
            Tag::CodeBlock(_) => {
                self.block();
            }
            Tag::Link { dest_url, .. } => {
                self.link = Some(dest_url.into_string()).filter(|url| url.starts_with("https://"));
            }
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let heading = self.clean_text();
                self.gap();
                self.lines.extend(wrap(&heading, self.columns).iter().map(|line| style::heading(line)));
            }
            TagEnd::Paragraph | TagEnd::Item => self.block(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.is_after_item &= !self.lists.is_empty();
            }
            TagEnd::CodeBlock => {
                let code = self.clean_text();
                self.gap();
                let indent = " ".repeat(self.indent() + INDENT);
                self.lines.extend(code.lines().map(|line| format!("{indent}{line}").trim_end().to_owned()));
            }
            TagEnd::Link => {
                if let Some(url) = self.link.take() {
                    self.text.push_str(&format!(" <{url}>"));
                }
            }
            TagEnd::TableCell => {
                let cell = self.clean_text();
                self.rows.last_mut().into_iter().for_each(|row| row.push(cell.clone()));
            }
            TagEnd::Table => self.table(),
            _ => {}
        }
    }

    /// Writes the text of a paragraph or an item.
    fn block(&mut self) {
        let text = self.clean_text();
        if text.trim().is_empty() {
            return;
        }
        let mark = self.mark.take();
        if mark.is_none() || !self.is_after_item {
            self.gap();
        }
        self.is_after_item = !self.lists.is_empty();
        let indent = self.indent();
        let begin = " ".repeat(indent.saturating_sub(mark.as_deref().map_or(0, width)));
        let first = format!("{begin}{}", mark.unwrap_or_default());
        for (at, line) in wrap(&text, self.columns.saturating_sub(indent)).into_iter().enumerate() {
            let begin = if at == 0 { first.clone() } else { " ".repeat(indent) };
            self.lines.push(format!("{begin}{line}"));
        }
    }

    /// Writes the rows of a table: in columns if they fit, else each row as a list of its cells.
    fn table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
        let widths: Vec<usize> = (0..count).filter_map(widest).collect();
        let least = widths
            .iter()
            .map(|width| GAP + if *width <= WIDEST_NAME { *width } else { NARROWEST })
            .sum::<usize>();
        self.gap();
        if least > self.columns {
            self.records(&rows);
        } else {
            self.columns(rows, &widths);
        }
    }

    fn columns(&mut self, rows: Vec<Vec<String>>, widths: &[usize]) {
        let fit = |width: &usize| if *width <= WIDEST_NAME { Fit::Whole } else { Fit::Wrap };
        let fits: Vec<Fit> = widths.iter().map(fit).collect();
        let mut table = Table::new(self.indent(), &fits);
        for (at, row) in rows.into_iter().enumerate() {
            table.row(row.into_iter().map(|cell| match at {
                0 => Cell::styled(cell, style::dim),
                _ => cell.into(),
            }));
        }
        let rows = table.rows(Some(self.columns));
        let is_long = rows.iter().any(|lines| lines.len() > 1);
        for (at, lines) in rows.into_iter().enumerate() {
            // Rows of several lines need a line between them.
            if is_long && at > 0 {
                self.gap();
            }
            self.lines.extend(lines);
        }
    }

    fn records(&mut self, rows: &[Vec<String>]) {
        let Some((head, rows)) = rows.split_first() else { return };
        for row in rows {
            self.gap();
            for (at, (title, cell)) in head.iter().zip(row).enumerate() {
                let (text, indent) = match at {
                    0 => (cell.clone(), 0),
                    _ => (format!("{title}: {cell}"), INDENT),
                };
                let lines = wrap(&text, self.columns.saturating_sub(indent));
                self.lines.extend(lines.into_iter().map(|line| format!("{}{line}", " ".repeat(indent))));
            }
        }
    }

    fn indent(&self) -> usize {
        let numbers = self.lists.iter().flatten().count();
        self.lists.len() * INDENT + numbers
    }

    /// Writes an empty line, except at the beginning and after another.
    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(markdown: &str, columns: usize) -> String {
        anstream::adapter::strip_str(&render(markdown, columns, &str::to_owned)).to_string()
    }

    #[test]
    fn render_fits_paragraphs_lists_and_code() {
        let page = "# Title\n\n<!-- a remark -->\n\nSome words of\n[a link](https://x.example/y) and [a file](z.md).\n\n\
                    - one item that is long\n- two\n\n1. first\n2. second\n\n```text\na  b\n\nc\n```\n";
        let shown = "Title\n\nSome words of a link\n<https://x.example/y>\nand a file.\n\n- one item that is\n  \
                     long\n- two\n\n1. first\n2. second\n\n  a  b\n\n  c";
        assert_eq!(plain(page, 21), shown);
    }

    #[test]
    fn render_cleans_what_character_references_stand_for() {
        let clean =
            |text: &str| text.lines().map(crate::base::text::safe_line).collect::<Vec<_>>().join("\n");
        let sign = "&#27;]0;x&#x7;&#27;[2J";
        let page = format!(
            "# T{sign}\n\na{sign} [l{sign}](https://x.example/&#27;[2J)\n\n- i{sign}\n\n> q{sign}\n\n|h{sign}|\n|-|\n|c{sign}|\n"
        );
        let shown = render(&page, 80, &clean);
        let plain = anstream::adapter::strip_str(&shown).to_string();
        assert_eq!(plain, "T\n\na [lJ <https://x.example/>\n\n- i\n\nq\n\nh\nc");
    }

    #[test]
    fn render_wraps_the_cells_of_tables() {
        let page =
            "| Key | Meaning |\n|---|---|\n| `a` | short |\n| `b` | a sentence that takes two lines |\n";
        assert_eq!(
            plain(page, 32),
            "Key  Meaning\n\n`a`  short\n\n`b`  a sentence that takes two\n     lines"
        );
        assert_eq!(
            plain(page, 12),
            "`a`\n  Meaning:\n  short\n\n`b`\n  Meaning: a\n  sentence\n  that takes\n  two lines"
        );
        assert_eq!(plain(page, 60), "Key  Meaning\n`a`  short\n`b`  a sentence that takes two lines");
    }
}
