//! Standard output and error, and the properties of their terminals. Content and form of the output are
//! decided in `ui`.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Env;
use crate::base::redact::{RedactStream, Redactor, without_tokens};
use crate::base::secret::Secret;

/// Output stream, shared by its holders. It remembers its first failure, so that writers need not check:
/// the end of the program reports a failure in one place.
#[derive(Clone)]
pub struct OutputSink(Arc<SharedOutput>);

struct SharedOutput {
    writer: Mutex<Box<dyn Write + Send>>,
    failure: OnceLock<io::Error>,
    mask: Mutex<Mask>,
    /// Callback for the first failure.
    alarm: Mutex<Option<Alarm>>,
    /// A piece of a longer stream could not be written.
    has_lost_pieces: AtomicBool,
    /// Callback for the first such piece.
    loss_alarm: Mutex<Option<Alarm>>,
}

/// Text to mask: all known secrets, and the user's own logins.
#[derive(Default)]
struct Mask {
    secrets: Vec<Secret>,
    redactor: Redactor,
    stream: Option<RedactStream>,
}

type Alarm = Box<dyn FnOnce() + Send>;

impl OutputSink {
    /// Wraps any writer.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        let writer = Mutex::new(Box::new(writer) as Box<dyn Write + Send>);
        Self(Arc::new(SharedOutput {
            writer,
            failure: OnceLock::new(),
            mask: Mutex::default(),
            alarm: Mutex::default(),
            has_lost_pieces: AtomicBool::new(false),
            loss_alarm: Mutex::default(),
        }))
    }

    /// Returns the standard output of this process.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(Descriptor(io::stdout()))
    }

    /// Returns the standard error of this process.
    #[must_use]
    pub fn stderr() -> Self {
        Self::new(Descriptor(io::stderr()))
    }

    /// Returns a stream into memory and its content, for tests.
    #[must_use]
    pub fn memory() -> (Self, Arc<Mutex<Vec<u8>>>) {
        struct MemoryOutput(Arc<Mutex<Vec<u8>>>);
        impl Write for MemoryOutput {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let bytes = Arc::new(Mutex::new(Vec::new()));
        (Self::new(MemoryOutput(bytes.clone())), bytes)
    }

    /// Masks secrets in all later output.
    pub fn hide<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) {
        let mut mask = self.mask();
        let known = mask.secrets.len();
        for secret in secrets {
            if !mask.secrets.contains(secret) {
                mask.secrets.push(secret.clone());
            }
        }
        if mask.secrets.len() > known {
            mask.redactor = Redactor::new(&mask.secrets);
            // Write the text that the old stream holds back before anything else.
            let mut held = Vec::new();
            if let Some(mut old) = mask.stream.take() {
                old.finish(&mut held);
            }
            mask.stream = (!mask.redactor.is_idle()).then(|| mask.redactor.stream());
            drop(mask);
            self.write_out(&held);
        }
    }

    /// Returns the text masked, and without tokens that are recognised by their form. Masking comes before
    /// any other change of the text, so that it finds each secret.
    #[must_use]
    pub fn masked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let redactor = self.mask().redactor.clone();
        if redactor.is_idle() {
            return without_tokens(text);
        }
        Cow::Owned(without_tokens(&redactor.text(text)).into_owned())
    }

    fn mask(&self) -> MutexGuard<'_, Mask> {
        self.0.mask.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all bytes at once. After a failure, writes nothing more.
    pub fn write(&self, bytes: &[u8]) {
        self.write_masked(bytes, true);
    }

    /// Writes a piece of a longer stream. The end of the piece may be the beginning of a secret: it is held
    /// back until the next [`OutputSink::write`], [`OutputSink::pass_through`] or [`OutputSink::finish`].
    pub fn pass_through(&self, bytes: &[u8]) {
        self.write_masked(bytes, false);
        self.note_loss(!bytes.is_empty());
    }

    /// Writes bytes held back, as nothing follows them for a while: see [`RedactStream::pause`].
    pub fn pause(&self) {
        let mut shown = Vec::new();
        if let Some(stream) = &mut self.mask().stream {
            stream.pause(&mut shown);
        }
        self.write_out(&shown);
        self.note_loss(!shown.is_empty());
    }

    /// Writes the bytes held back.
    pub fn finish(&self) {
        let held = self.write_masked(&[], true);
        self.note_loss(held > 0);
    }

    /// Masks bytes and writes them; returns their number.
    fn write_masked(&self, bytes: &[u8], whole: bool) -> usize {
        let mut mask = self.mask();
        let Some(stream) = &mut mask.stream else {
            drop(mask);
            self.write_out(bytes);
            return bytes.len();
        };
        let mut shown = Vec::with_capacity(bytes.len());
        stream.push(bytes, &mut shown);
        if whole {
            stream.finish(&mut shown);
        }
        drop(mask);
        self.write_out(&shown);
        shown.len()
    }

    /// Records that a piece of a longer stream was not written.
    fn note_loss(&self, has_piece: bool) {
        if has_piece && self.failure().is_some() {
            self.0.has_lost_pieces.store(true, Ordering::Relaxed);
            ring(&self.0.loss_alarm);
        }
    }

    fn write_out(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.failure().is_some() {
            return;
        }
        let mut writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let result = writer.write_all(bytes).and_then(|()| writer.flush());
        drop(writer);
        if let Err(error) = result
            && self.0.failure.set(error).is_ok()
        {
            ring(&self.0.alarm);
        }
    }

    /// Returns the first failure, if there was one.
    #[must_use]
    pub fn failure(&self) -> Option<&io::Error> {
        self.0.failure.get()
    }

    /// Returns the first failure, if a piece of a longer stream was lost: the data of a component. A lost message about
    /// progress is no failure of the command.
    #[must_use]
    pub fn piece_failure(&self) -> Option<&io::Error> {
        self.failure().filter(|_| self.0.has_lost_pieces.load(Ordering::Relaxed))
    }

    /// Calls the function at the first failure, immediately if that has happened.
    pub fn on_failure(&self, alarm: impl FnOnce() + Send + 'static) {
        set_alarm(&self.0.alarm, alarm, self.failure().is_some());
    }

    /// Calls the function when the first piece of a longer stream is lost, immediately if that has happened.
    pub fn on_lost_piece(&self, alarm: impl FnOnce() + Send + 'static) {
        set_alarm(&self.0.loss_alarm, alarm, self.piece_failure().is_some());
    }
}

fn set_alarm(place: &Mutex<Option<Alarm>>, alarm: impl FnOnce() + Send + 'static, is_due: bool) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(alarm));
    if is_due {
        ring(place);
    }
}

/// Calls the function that waits for an event, once.
fn ring(alarm: &Mutex<Option<Alarm>>) {
    let alarm = alarm.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(alarm) = alarm {
        alarm();
    }
}

/// Standard stream without the standard library's line buffer, and without its rule that a write to a
/// closed descriptor counts as success.
struct Descriptor<T>(T);

impl<T: AsFd> Write for Descriptor<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match nix::unistd::write(&self.0, bytes) {
                // Another program set the shared stream to non-blocking. Wait here instead.
                Err(Errno::EAGAIN) => {
                    let mut room = [PollFd::new(self.0.as_fd(), PollFlags::POLLOUT)];
                    poll(&mut room, PollTimeout::NONE)?;
                }
                other => return Ok(other?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until the reader of standard output is gone. Only a pipe reports that; for anything else, the
/// function never returns.
pub async fn reader_gone() {
    if watch_reader().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn watch_reader() -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt as _;
    let stdout = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?);
    if !stdout.metadata()?.file_type().is_fifo() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    #[expect(unsafe_code, reason = "the file keeps its descriptor open for as long as it lives")]
    let watched = unsafe { AsyncFd::register_with_interest(stdout, Interest::ERROR) }?;
    loop {
        let mut guard = watched.ready(Interest::ERROR).await?;
        if guard.ready().is_error() {
            return Ok(());
        }
        guard.clear_ready();
    }
}

impl std::fmt::Debug for OutputSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

/// Properties of the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamTerminal {
    /// Standard input is a terminal, so that questions get an answer.
    pub stdin: bool,
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// Width in columns, on a terminal.
    pub columns: Option<usize>,
    /// Non-ASCII characters are displayed.
    pub unicode: bool,
    /// Colour and animation are not supported: `TERM=dumb`.
    pub dumb: bool,
    /// Links (OSC 8) are displayed as such.
    pub links: bool,
}

impl StreamTerminal {
    /// No terminal at all.
    pub const NONE: Self = Self {
        stdin: false,
        stdout: false,
        stderr: false,
        columns: None,
        unicode: true,
        dumb: false,
        links: false,
    };

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
            // An empty locale is common in containers, and their terminals do display UTF-8.
            unicode: !matches!(locale, "C" | "POSIX") && env.get("TERM") != Some("linux"),
            dumb: env.get("TERM") == Some("dumb"),
            links: has_links(env),
        }
    }
}

/// Returns whether the terminal displays links. Terminals cannot be asked; these are known to, and others show the
/// text at best. `FORCE_HYPERLINK` decides, as in other programs.
fn has_links(env: &Env) -> bool {
    if let Some(forced) = env.get("FORCE_HYPERLINK") {
        return !matches!(forced, "" | "0");
    }
    let term = env.get("TERM").unwrap_or_default();
    let is_program = |name: &str| env.get("TERM_PROGRAM") == Some(name);
    let is_vte =
        || env.get("VTE_VERSION").and_then(|text| text.parse::<u32>().ok()).is_some_and(|vte| vte >= 5000);
    ["xterm-kitty", "alacritty", "foot", "wezterm", "xterm-ghostty", "contour"].contains(&term)
        || ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby"].iter().any(|name| is_program(name))
        || env.get("WT_SESSION").is_some()
        || env.get("KONSOLE_VERSION").is_some()
        || is_vte()
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

/// Returns the rows and columns of a terminal's window.
pub(super) fn window(terminal: BorrowedFd<'_>) -> Option<(u16, u16)> {
    let mut size = nix::libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    #[expect(unsafe_code, reason = "TIOCGWINSZ fills the struct that it is given")]
    let answer = unsafe { ioctl::window_size(terminal.as_raw_fd(), &raw mut size) };
    (answer.is_ok() && size.ws_col > 0).then_some((size.ws_row, size.ws_col))
}

/// Sets the rows and columns; does nothing without a terminal.
pub(super) fn set_window(terminal: BorrowedFd<'_>, (rows, columns): (u16, u16)) {
    let size = nix::libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    #[expect(unsafe_code, reason = "TIOCSWINSZ reads the struct that it is given")]
    let _ = unsafe { ioctl::set_window_size(terminal.as_raw_fd(), &raw const size) };
}
