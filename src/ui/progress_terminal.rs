//! The terminal under the lines of progress. The cursor rests at the beginning of the last line: indicatif leaves it behind the
//! last column, where a terminal echoes the `^C` of a user into the line below, and the first line is never removed.

use std::io;

use console::Term;
use indicatif::TermLike;

/// Standard error, with the cursor at the beginning of the last line between two draws.
#[derive(Debug)]
pub(super) struct ProgressTerminal(Term);

impl ProgressTerminal {
    pub(super) fn stderr() -> Self {
        // Nothing else uses `console`, which takes the colours of standard output otherwise.
        console::set_colors_enabled(console::colors_enabled_stderr());
        Self(Term::buffered_stderr())
    }
}

impl TermLike for ProgressTerminal {
    fn width(&self) -> u16 {
        TermLike::width(&self.0)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.0)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}
