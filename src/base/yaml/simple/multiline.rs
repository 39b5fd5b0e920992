//! Scalars that may continue on other lines: without quotes, and block scalars. Scalars on one line are in
//! `scalar`.

use std::borrow::Cow;

use super::super::tape::YamlToken;
use super::scalar::{is_start, plain_line};
use super::{SimpleReader, trim_start};

impl<'a> SimpleReader<'a> {
    /// Reads a scalar without quotes, which may continue on lines with more indentation.
    pub(super) fn plain(&mut self, value: &'a str, indent: usize) -> Option<()> {
        let (text, commented) = plain_line(value)?;
        is_start(text).then_some(())?;
        let mut text = Cow::Borrowed(text);
        let mut commented = commented;
        self.advance();
        while let Some(line) = self.line.filter(|line| line.indent > indent) {
            let (more, comment) = plain_line(line.content).filter(|_| !line.apart && !commented)?;
            commented = comment;
            let text = text.to_mut();
            text.push(' ');
            text.push_str(more);
            self.advance();
        }
        self.tokens.push(YamlToken::Plain(text));
        Some(())
    }

    /// Reads a block scalar after `|` or `>`: the following lines with more indentation.
    pub(super) fn block_scalar(&mut self, header: &'a str, indent: usize) -> Option<()> {
        let (style, rest) = header.split_at(1);
        let (chomp, rest) = match rest.as_bytes().first() {
            Some(b'-' | b'+') => rest.split_at(1),
            _ => ("", rest),
        };
        let after = trim_start(rest);
        (after.is_empty() || (after.starts_with('#') && after.len() < rest.len())).then_some(())?;
        let mut text = String::new();
        let mut column = None;
        // Line ends not written yet.
        let mut breaks = 0;
        loop {
            let start = self.next;
            let Some(line) = self.take_line() else { break };
            let content = trim_start(line);
            let spaces = line.len() - content.len();
            if content.is_empty() {
                // Spaces beyond the column would count, or be an error before the first line.
                (spaces <= column.unwrap_or(indent + 1)).then_some(())?;
                breaks += 1;
                continue;
            }
            let column = *column.get_or_insert(spaces);
            if spaces < column || column <= indent {
                self.next = start;
                break;
            }
            // Lines with more indentation are not folded, nor are adjacent ones.
            let is_folded = style == ">" && !text.is_empty();
            (style == "|" || spaces == column).then_some(())?;
            match breaks {
                1 if is_folded => text.push(' '),
                _ => text.extend(std::iter::repeat_n('\n', breaks - usize::from(is_folded))),
            }
            text.push_str(&line[column..]);
            breaks = 1;
        }
        // Without any line, or a line end after the last one, leave the text to the full parser.
        (!text.is_empty() && self.text[..self.next.min(self.text.len())].ends_with('\n')).then_some(())?;
        let breaks = match chomp {
            "-" => 0,
            "+" => breaks,
            _ => 1,
        };
        text.extend(std::iter::repeat_n('\n', breaks));
        self.tokens.push(YamlToken::Quoted(text.into()));
        self.advance();
        self.ends(indent)
    }
}
