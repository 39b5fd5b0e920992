//! Output of a detached component on its way into the log: the supervisor reads it from pipes and writes records.
//!
//! All of this runs after a fork and allocates nothing (see `kernel::fork`).

use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};

use nix::errno::Errno;
use nix::unistd::{read, write};

use super::log_records::{encode, encoded_size};
use super::{kernel, logs};
use crate::model::event::Stream;

/// Bytes to read at once.
const PIECE: usize = 32 << 10;

/// Bytes to write before the size of the log is checked.
const UNCHECKED: usize = 1 << 20;

/// The log of a component, and its output.
pub(super) struct LogPump {
    log: BorrowedFd<'static>,
    /// Ends of the pipes to read, which do not block; `None` after their end.
    sources: [Option<BorrowedFd<'static>>; 2],
    input: [u8; PIECE],
    records: [u8; encoded_size(PIECE)],
    /// Bytes written since the last check.
    unchecked: usize,
}

impl LogPump {
    /// Creates it for descriptors that are never closed: the log, standard output and standard error.
    pub(super) fn new([log, stdout, stderr]: [RawFd; 3]) -> Self {
        Self {
            log: kernel::borrow_fd(log),
            sources: [stdout, stderr].map(|source| Some(kernel::borrow_fd(source))),
            input: [0; PIECE],
            records: [0; encoded_size(PIECE)],
            unchecked: 0,
        }
    }

    /// Returns the descriptors to wait for; negative ones have ended.
    pub(super) fn sources(&self) -> [RawFd; 2] {
        self.sources.map(|source| source.map_or(-1, |source| source.as_raw_fd()))
    }

    /// Writes available output of both streams, at most one piece of each. Returns whether there was any.
    pub(super) fn pass_on(&mut self) -> bool {
        let passed = [Stream::Stdout, Stream::Stderr].map(|stream| self.pass_on_one(stream));
        passed.contains(&true)
    }

    fn pass_on_one(&mut self, stream: Stream) -> bool {
        let index = usize::from(stream == Stream::Stderr);
        let Some(source) = self.sources[index] else { return false };
        let length = match read(source, &mut self.input) {
            Ok(0) => {
                self.sources[index] = None;
                return false;
            }
            Ok(length) => length,
            Err(_) => return false,
        };
        let (mut end, records) = (0, &mut self.records);
        encode(stream, &self.input[..length], |record| {
            records[end..end + record.len()].copy_from_slice(record);
            end += record.len();
        });
        self.unchecked += end;
        self.write(end);
        if self.unchecked >= UNCHECKED {
            self.unchecked = 0;
            logs::bound(self.log);
        }
        true
    }

    /// Writes the records. On a full disk, output is lost, and the component continues.
    fn write(&self, end: usize) {
        let mut rest = &self.records[..end];
        while !rest.is_empty() {
            match write(self.log, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }
}
