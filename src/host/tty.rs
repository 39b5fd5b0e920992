//! The person's terminal as a device, for programs that run on it through this one: what is typed
//! as it is typed, and the size of the window. Put back as it was when this is dropped.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

use nix::libc;
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The rows and columns of a window.
pub type Size = (u16, u16);

/// The terminal at standard input, in raw mode: every key is passed on, Ctrl-C as well.
#[derive(Debug)]
pub struct Tty {
    before: Termios,
    /// Opened anew, since not to block is a matter of what was opened, and standard input is shared
    /// with whoever started this program.
    device: AsyncFd<File>,
}

/// Tells when the window has another size.
#[derive(Debug)]
pub struct Resized(Signal);

impl Tty {
    /// Takes it over. Call it within the runtime.
    ///
    /// # Errors
    /// When standard input is no terminal.
    pub fn take() -> io::Result<(Self, Resized)> {
        let before = tcgetattr(io::stdin())?;
        let device = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open("/proc/self/fd/0")?;
        let device = watched(device, Interest::READABLE)?;
        let resized = Resized(signal(SignalKind::window_change())?);
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)?;
        Ok((Self { before, device }, resized))
    }

    /// What is typed next; nothing at its end. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn typed(&self) -> io::Result<Vec<u8>> {
        let read = |mut device: &File| {
            let mut buffer = vec![0; 4096];
            let length = device.read(&mut buffer)?;
            buffer.truncate(length);
            Ok(buffer)
        };
        self.device.async_io(Interest::READABLE, read).await
    }

    /// The size of the window.
    #[must_use]
    pub fn size(&self) -> Option<Size> {
        super::streams::window(self.device.as_fd())
    }
}

impl Resized {
    /// Waits until the window has another size.
    pub async fn again(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// A file that is read or written when it can be.
fn watched(file: File, interest: Interest) -> io::Result<AsyncFd<File>> {
    #[expect(unsafe_code, reason = "the file keeps its descriptor open for as long as it lives")]
    let watched = unsafe { AsyncFd::register_with_interest(file, interest) };
    Ok(watched?)
}

impl Drop for Tty {
    fn drop(&mut self) {
        // At once: what has not been written may wait for a terminal that is gone. Nothing is left
        // to be done if it is.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before);
    }
}

/// A new terminal of a size: the end for the program that runs on it, and the other.
///
/// # Errors
/// When there are no more terminals.
pub fn open(size: Size) -> io::Result<(std::os::fd::OwnedFd, Screen)> {
    let (rows, columns) = size;
    let window = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let nix::pty::OpenptyResult { master, slave } = nix::pty::openpty(&window, None)?;
    nix::fcntl::fcntl(&master, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
    for end in [&master, &slave] {
        let flag = nix::fcntl::FdFlag::FD_CLOEXEC;
        nix::fcntl::fcntl(end, nix::fcntl::FcntlArg::F_SETFD(flag))?;
    }
    Ok((slave, Screen(watched(File::from(master), Interest::READABLE | Interest::WRITABLE)?)))
}

/// What a program on a terminal of our own shows, and where it is typed.
#[derive(Debug)]
pub struct Screen(AsyncFd<File>);

impl Screen {
    /// What is shown next; nothing when nobody has the terminal open any more.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn shown(&self) -> io::Result<Vec<u8>> {
        let read = |mut screen: &File| {
            let mut buffer = vec![0; 16 << 10];
            let length = match screen.read(&mut buffer) {
                // So Linux says that the other end is closed.
                Err(error) if error.raw_os_error() == Some(libc::EIO) => 0,
                other => other?,
            };
            buffer.truncate(length);
            Ok(buffer)
        };
        self.0.async_io(Interest::READABLE, read).await
    }

    /// Types something.
    ///
    /// # Errors
    /// When nobody has the terminal open any more.
    pub async fn type_in(&self, mut keys: &[u8]) -> io::Result<()> {
        while !keys.is_empty() {
            let write = |mut screen: &File| io::Write::write(&mut screen, keys);
            let length = self.0.async_io(Interest::WRITABLE, write).await?;
            keys = &keys[length..];
        }
        Ok(())
    }

    /// Gives it another size; who runs on it is told.
    pub fn resize(&self, size: Size) {
        super::streams::set_window(self.0.as_fd(), size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[tokio::test]
    async fn a_program_on_a_terminal_is_seen_and_typed_at() {
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
