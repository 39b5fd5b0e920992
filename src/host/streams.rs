//! Standard output and error, and what is at their other ends. What is written to them, and how it
//! looks, is decided in `ui`.

use std::io::{self, IsTerminal as _, Write};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};

use super::Env;

/// A stream to write to, shared by whoever holds it.
#[derive(Clone)]
pub struct Output(Arc<Mutex<Box<dyn Write + Send>>>);

impl Output {
    /// Any writer.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(writer))))
    }

    /// Standard output of this process.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(io::stdout())
    }

    /// Standard error of this process.
    #[must_use]
    pub fn stderr() -> Self {
        Self::new(io::stderr())
    }

    /// Memory, and a way to read what was written: for tests.
    #[must_use]
    pub fn memory() -> (Self, Arc<Mutex<Vec<u8>>>) {
        struct Memory(Arc<Mutex<Vec<u8>>>);
        impl Write for Memory {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let bytes = Arc::new(Mutex::new(Vec::new()));
        (Self::new(Memory(bytes.clone())), bytes)
    }

    /// Writes all of it at once and flushes.
    ///
    /// # Errors
    /// When the other end is gone or full.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(bytes)?;
        writer.flush()
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

/// What the streams are connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// A person can be asked.
    pub stdin: bool,
    /// A person reads the data.
    pub stdout: bool,
    /// A person reads the messages.
    pub stderr: bool,
    /// Columns, where there is a terminal.
    pub columns: Option<usize>,
    /// It can show more than ASCII.
    pub unicode: bool,
    /// It wants no colour, and no moving parts: `TERM=dumb`.
    pub dumb: bool,
}

impl Terminal {
    /// No terminal at all.
    pub const NONE: Self =
        Self { stdin: false, stdout: false, stderr: false, columns: None, unicode: true, dumb: false };

    pub(super) fn of_this_process(env: &Env) -> Self {
        let stdout = io::stdout().is_terminal();
        let stderr = io::stderr().is_terminal();
        let columns = env
            .get("COLUMNS")
            .and_then(|columns| columns.parse().ok())
            .or_else(|| (stdout || stderr).then(window_columns).flatten());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env.get(name)).unwrap_or("");
        Self {
            stdin: io::stdin().is_terminal(),
            stdout,
            stderr,
            columns,
            // An empty locale is common in containers, and their terminals do show UTF-8.
            unicode: !matches!(locale, "C" | "POSIX") && env.get("TERM") != Some("linux"),
            dumb: env.get("TERM") == Some("dumb"),
        }
    }
}

mod ioctl {
    #![allow(unsafe_code, missing_docs, reason = "the macro writes unsafe functions around ioctl(2)")]
    nix::ioctl_read_bad!(window_size, nix::libc::TIOCGWINSZ, nix::libc::winsize);
    nix::ioctl_write_ptr_bad!(set_window_size, nix::libc::TIOCSWINSZ, nix::libc::winsize);
}

fn window_columns() -> Option<usize> {
    let columns = |stream: BorrowedFd<'_>| window(stream).map(|(_, columns)| usize::from(columns));
    columns(io::stdout().as_fd()).or_else(|| columns(io::stderr().as_fd()))
}

/// The rows and columns of a terminal's window.
pub(super) fn window(terminal: BorrowedFd<'_>) -> Option<(u16, u16)> {
    let mut size = nix::libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    #[expect(unsafe_code, reason = "TIOCGWINSZ fills the struct that it is given")]
    let answer = unsafe { ioctl::window_size(terminal.as_raw_fd(), &raw mut size) };
    (answer.is_ok() && size.ws_col > 0).then_some((size.ws_row, size.ws_col))
}

/// Sets them; what is no terminal has none.
pub(super) fn set_window(terminal: BorrowedFd<'_>, (rows, columns): (u16, u16)) {
    let size = nix::libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    #[expect(unsafe_code, reason = "TIOCSWINSZ reads the struct that it is given")]
    let _ = unsafe { ioctl::set_window_size(terminal.as_raw_fd(), &raw const size) };
}
