//! The user's terminal as a device, for programs that run on it through `cki`: raw input and window size.
//! Its settings are restored on drop. Forwarding to a container belongs to the engines.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

use nix::libc;
use nix::sys::termios::{LocalFlags, SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Rows and columns of a window.
pub type Size = (u16, u16);

/// Terminal at standard input, in raw mode: every key is passed on, including Ctrl-C.
#[derive(Debug)]
pub struct Tty {
    before: Termios,
    /// Opened a second time: non-blocking mode belongs to the open file, and the parent process shares the
    /// one of standard input.
    device: AsyncFd<File>,
}

/// Terminal at standard input that does not show what the user types, until this is dropped.
#[derive(Debug)]
pub struct HiddenInput(Termios);

impl HiddenInput {
    /// Stops showing what the user types.
    ///
    /// # Errors
    /// Fails if standard input is not a terminal.
    pub fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}

/// Stream of changes of the window size.
#[derive(Debug)]
pub struct ResizeSignal(Signal);

impl Tty {
    /// Takes over the terminal. Call it within the runtime.
    ///
    /// # Errors
    /// Fails if standard input is not a terminal.
    pub fn take() -> io::Result<(Self, ResizeSignal)> {
        let before = tcgetattr(io::stdin())?;
        let device = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open("/proc/self/fd/0")?;
        let device = watched(device, Interest::READABLE)?;
        let resized = ResizeSignal(signal(SignalKind::window_change())?);
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)?;
        Ok((Self { before, device }, resized))
    }

    /// Returns the next input; nothing at its end. Dropping the future loses no input.
    ///
    /// # Errors
    /// Fails if the terminal is gone.
    pub async fn typed(&self) -> io::Result<Vec<u8>> {
        let read = |mut device: &File| {
            let mut buffer = vec![0; 4096];
            let length = device.read(&mut buffer)?;
            buffer.truncate(length);
            Ok(buffer)
        };
        self.device.async_io(Interest::READABLE, read).await
    }

    /// Returns the size of the window.
    #[must_use]
    pub fn size(&self) -> Option<Size> {
        super::streams::window(self.device.as_fd())
    }
}

impl ResizeSignal {
    /// Waits until the window size changes.
    pub async fn recv(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Wraps a file for non-blocking reads or writes.
fn watched(file: File, interest: Interest) -> io::Result<AsyncFd<File>> {
    #[expect(unsafe_code, reason = "the file keeps its descriptor open for as long as it lives")]
    let watched = unsafe { AsyncFd::register_with_interest(file, interest) };
    Ok(watched?)
}

impl Drop for Tty {
    fn drop(&mut self) {
        // Without draining the output, which may wait for a closed terminal. The terminal may be gone:
        // ignore errors.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before);
    }
}

/// Opens a new terminal with a size: returns the end for the program that runs on it, and the other end.
///
/// # Errors
/// Fails if the system has no more terminals.
pub fn open(size: Size) -> io::Result<(std::os::fd::OwnedFd, PtyMaster)> {
    let (rows, columns) = size;
    let window = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let nix::pty::OpenptyResult { master, slave } = nix::pty::openpty(&window, None)?;
    nix::fcntl::fcntl(&master, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
    for end in [&master, &slave] {
        let flag = nix::fcntl::FdFlag::FD_CLOEXEC;
        nix::fcntl::fcntl(end, nix::fcntl::FcntlArg::F_SETFD(flag))?;
    }
    Ok((slave, PtyMaster(watched(File::from(master), Interest::READABLE | Interest::WRITABLE)?)))
}

/// Controlling end of a new terminal: shows the output of the program on it, and types into it.
#[derive(Debug)]
pub struct PtyMaster(AsyncFd<File>);

impl PtyMaster {
    /// Returns the next output; nothing when no program has the terminal open any more.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub async fn shown(&self) -> io::Result<Vec<u8>> {
        let read = |mut screen: &File| {
            let mut buffer = vec![0; 16 << 10];
            let length = match screen.read(&mut buffer) {
                // Linux reports the closed other end in this way.
                Err(error) if error.raw_os_error() == Some(libc::EIO) => 0,
                other => other?,
            };
            buffer.truncate(length);
            Ok(buffer)
        };
        self.0.async_io(Interest::READABLE, read).await
    }

    /// Types keys.
    ///
    /// # Errors
    /// Fails if no program has the terminal open any more.
    pub async fn type_in(&self, mut keys: &[u8]) -> io::Result<()> {
        while !keys.is_empty() {
            let write = |mut screen: &File| io::Write::write(&mut screen, keys);
            let length = self.0.async_io(Interest::WRITABLE, write).await?;
            keys = &keys[length..];
        }
        Ok(())
    }

    /// Changes the window size, which sends SIGWINCH to the program.
    pub fn resize(&self, size: Size) {
        super::streams::set_window(self.0.as_fd(), size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[tokio::test]
    async fn pty_relays_output_input_and_resize() {
        let (inner, screen) = open((7, 33)).expect("there are terminals");
        let same = || Stdio::from(inner.try_clone().expect("has room"));
        let mut command = Command::new("sh");
        command.args(["-c", "stty size; read line; stty size; echo got $line"]);
        let mut child = command.stdin(same()).stdout(same()).spawn().expect("starts");
        drop((command, inner));
        let mut all = String::new();
        let mut typed = false;
        loop {
            let bytes = screen.shown().await.expect("reads");
            if bytes.is_empty() {
                break;
            }
            all.push_str(&String::from_utf8_lossy(&bytes));
            if !typed && all.contains("7 33") {
                typed = true;
                screen.resize((8, 44));
                screen.type_in(b"hello\n").await.expect("is read");
            }
        }
        child.wait().expect("has ended");
        assert!(all.contains("8 44\r\ngot hello\r\n"), "{all}");
    }
}
