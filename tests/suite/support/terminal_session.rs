//! A program on a pseudo-terminal, which it has for all three streams, and the keys that a user types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::Pid;

use super::cli::Cli;

/// A program on a terminal; it is killed when this is dropped.
pub(crate) struct TerminalSession {
    child: Child,
    outer: File,
    /// Kept open, so that the terminal can be looked at when the program has ended.
    inner: OwnedFd,
    before: Termios,
    shown: Arc<Mutex<Vec<u8>>>,
}

fn size(rows: u16, columns: u16) -> nix::libc::winsize {
    nix::libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

nix::ioctl_write_ptr_bad!(
    #[allow(unsafe_code, reason = "the macro writes an unsafe function around ioctl(2)")]
    set_window_size,
    nix::libc::TIOCSWINSZ,
    nix::libc::winsize
);

impl TerminalSession {
    /// Starts a command line on a terminal of 33 rows and 111 columns.
    pub(crate) fn start(cli: &Cli, line: &str) -> Self {
        let words = shell_words::split(&cli.fill(line)).expect("a command line");
        let ends = nix::pty::openpty(&size(33, 111), None).expect("there are terminals");
        let (outer, inner) = (File::from(ends.master), ends.slave);
        let before = tcgetattr(&inner).expect("is a terminal");
        let same = || inner.try_clone().expect("has room for another descriptor");
        let mut command = Command::new(env!("CARGO_BIN_EXE_cki"));
        command.args(words).env_clear().envs(&cli.variables).env("TERM", "xterm").current_dir(cli.project());
        let child = command.stdin(same()).stdout(same()).stderr(same()).spawn().expect("starts");
        cli.processes.borrow_mut().extend(cki::host::owner(child.id()));
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut from, to) = (outer.try_clone().expect("has room for another descriptor"), shown.clone());
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut piece) {
                to.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..length]);
            }
        });
        Self { child, outer, inner, before, shown }
    }

    /// Returns all output so far.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Waits until this is shown.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) {
        let _wait = super::limit::waits(format!("`{text}` to be shown"));
        assert!(super::comes_true(|| self.output().contains(text)), "never `{text}`:\n{}", self.output());
    }

    /// Types keys.
    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.outer.write_all(keys.as_bytes()).expect("is read");
    }

    /// Resizes the window and sends SIGWINCH, as a terminal would.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let window = size(rows, columns);
        #[expect(unsafe_code, reason = "TIOCSWINSZ reads the struct that it is given")]
        unsafe {
            use std::os::fd::AsRawFd as _;
            set_window_size(self.outer.as_raw_fd(), &raw const window).expect("is a terminal");
        }
        // The program does not lead the session of this terminal, which would be told by the kernel.
        self.send_signal(Signal::SIGWINCH);
    }

    pub(crate) fn send_signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(id), signal).expect("is there");
    }

    /// Returns whether the terminal is as it was before.
    pub(crate) fn is_terminal_restored(&self) -> bool {
        tcgetattr(&self.inner).expect("is a terminal") == self.before
    }

    /// Waits for its end by a signal that it could not do anything about.
    #[track_caller]
    pub(crate) fn ends_with_signal(mut self) {
        assert_eq!(self.end().and_then(|status| status.code()), None, "{}", self.output());
    }

    /// Waits for its end; the test fails if that does not come.
    #[track_caller]
    fn end(&mut self) -> Option<ExitStatus> {
        let mut status = None;
        super::comes_true(|| {
            status = self.child.try_wait().expect("waits");
            status.is_some()
        });
        assert!(status.is_some(), "does not end: {}", self.output());
        status
    }

    /// Waits for the end of the program, which leaves the terminal as it was.
    #[track_caller]
    pub(crate) fn ends_with(mut self, code: i32) {
        assert_eq!(self.end().and_then(|status| status.code()), Some(code), "{}", self.output());
        assert!(self.is_terminal_restored(), "{}", self.output());
    }
}

impl Drop for TerminalSession {
    fn drop(&mut self) {
        // Most have ended, and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
