//! A small process in the group of the program that ends the group once `cki` is gone, even by SIGKILL: its end of a pipe
//! closes then. So login plugins, of which the kernel knows only that they are children of the program, end as well.

use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::os::fd::AsRawFd as _;

use nix::libc;

/// The caller's end. Dropping it ends the group.
#[derive(Debug)]
pub(super) struct Leash(PipeWriter);

impl Leash {
    /// Creates both ends; the other one is for [`watch`].
    pub(super) fn new() -> io::Result<(Self, PipeReader)> {
        let (reader, writer) = io::pipe()?;
        Ok((Self(writer), reader))
    }

    /// Leaves the group alone: the program has ended.
    pub(super) fn release(mut self) {
        // Without a watching process, there is nobody to tell.
        let _ = self.0.write_all(b".");
    }
}

/// Starts the watching process, between fork and exec of the program: nothing but system calls, since this is the copy of a
/// program with threads. Without it, plugins end with their own patience.
#[cfg(target_os = "linux")]
pub(super) fn watch(reader: &PipeReader) {
    let pipe = reader.as_raw_fd();
    #[expect(unsafe_code, reason = "only system calls, on descriptors and memory of this function")]
    unsafe {
        if libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) != 0 {
            return;
        }
        // Nobody may wait for the end of a stream that this process holds.
        let others = [(0, pipe - 1), (pipe + 1, libc::c_int::MAX)];
        if others
            .iter()
            .any(|(from, to)| from <= to && libc::syscall(libc::SYS_close_range, *from, *to, 0) != 0)
        {
            libc::_exit(0);
        }
        let mut byte = 0u8;
        loop {
            match libc::read(pipe, (&raw mut byte).cast(), 1) {
                0 => {
                    libc::kill(0, libc::SIGKILL);
                }
                count if count < 0 && *libc::__errno_location() == libc::EINTR => continue,
                _ => {}
            }
            libc::_exit(0);
        }
    }
}

/// Does nothing: another kernel gives no signal to the program either.
#[cfg(not(target_os = "linux"))]
pub(super) fn watch(_: &PipeReader) {}
