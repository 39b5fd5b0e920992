//! Log of a process: a file that keeps its last few megabytes. Masking secrets is the task of the caller, for
//! writing and for reading.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use nix::fcntl::{FallocateFlags, fallocate};
use nix::unistd::{Whence, lseek};
use tokio::io::AsyncReadExt as _;

use crate::base::files::FileError;

/// Maximum bytes of a log to keep. It may lie in memory, as `$XDG_RUNTIME_DIR` does.
const KEPT: i64 = 8 << 20;

/// Time between two checks of a log for new lines.
const PAUSE: Duration = Duration::from_millis(100);

/// Opens a log for appending.
pub(super) fn open(path: &Path) -> Result<File, FileError> {
    let mut options = File::options();
    options.append(true).create(true).mode(0o600);
    options.open(path).map_err(|source| FileError::new("write", path, source))
}

/// Appends lines to a log.
pub(super) fn append(mut log: &File, lines: &[u8]) -> io::Result<()> {
    log.write_all(lines)?;
    bound(log);
    Ok(())
}

/// Frees the space of all but the last part of a log, as a hole at its start. If the file system does not
/// support that, the log grows. Allocates nothing, since it is also called after a fork.
pub(super) fn bound(log: impl AsFd) {
    let log = log.as_fd();
    let Ok(size) = lseek(log, 0, Whence::SeekEnd) else { return };
    let begin = lseek(log, 0, Whence::SeekData).unwrap_or(0);
    if size - begin > 2 * KEPT {
        let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        let _ = fallocate(log, flags, 0, size - KEPT);
    }
}

/// Reads a log, and waits at its end for more while it may grow.
pub(super) fn read(
    path: &Path,
    may_grow: impl Fn() -> bool + Send + Sync + 'static,
    tail: Option<usize>,
) -> Result<BoxStream<'static, Bytes>, FileError> {
    let failed = |source| FileError::new("read", path, source);
    let file = File::open(path).map_err(failed)?;
    let may_grow = Arc::new(may_grow);
    // The first line after a hole is incomplete.
    let begin = lseek(&file, 0, Whence::SeekData).unwrap_or(0);
    let from = match tail {
        Some(lines) => begin_of_tail(&file, begin, lines).map_err(failed)?,
        None => begin,
    };
    lseek(&file, from, Whence::SeekSet).map_err(|errno| failed(errno.into()))?;
    let state = (tokio::fs::File::from_std(file), from > 0 && from == begin);
    let chunks = unfold(state, move |(mut file, mut inside_line)| {
        let may_grow = Arc::clone(&may_grow);
        async move {
            loop {
                // Checked before reading, so that no line is missed that was written before the end.
                let goes_on = may_grow();
                let mut buffer = Vec::with_capacity(64 << 10);
                match file.read_buf(&mut buffer).await {
                    Ok(0) if goes_on => tokio::time::sleep(PAUSE).await,
                    Ok(0) | Err(_) => return None,
                    Ok(_) if inside_line => {
                        let Some(end) = buffer.iter().position(|byte| *byte == b'\n') else { continue };
                        inside_line = false;
                        let rest = buffer.split_off(end + 1);
                        if !rest.is_empty() {
                            return Some((Bytes::from(rest), (file, false)));
                        }
                    }
                    Ok(_) => return Some((Bytes::from(buffer), (file, false))),
                }
            }
        }
    });
    Ok(chunks.boxed())
}

/// Returns the offset of the last `lines` lines, at least `begin`.
fn begin_of_tail(file: &File, begin: i64, lines: usize) -> io::Result<i64> {
    let mut at = lseek(file, 0, Whence::SeekEnd)?;
    let mut buffer = vec![0; 64 << 10];
    let mut left = lines;
    let mut is_last = true;
    while at > begin {
        let size = usize::try_from(at - begin).unwrap_or(buffer.len()).min(buffer.len());
        at -= i64::try_from(size).unwrap_or(0);
        file.read_exact_at(&mut buffer[..size], at.unsigned_abs())?;
        for index in (0..size).rev() {
            // The newline of the last line starts no further line.
            let ends_line = buffer[index] == b'\n' && !std::mem::take(&mut is_last);
            is_last = false;
            if ends_line {
                if left <= 1 {
                    return Ok(at + i64::try_from(index + 1).unwrap_or(0));
                }
                left -= 1;
            }
        }
    }
    Ok(begin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn begin_of_tail_counts_whole_lines() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("log");
        let log = open(&path).expect("opens");
        for line in ["one\n", "two\n", "three\n"] {
            append(&log, line.as_bytes()).expect("writes");
        }
        let file = File::open(&path).expect("opens");
        let of = |lines| begin_of_tail(&file, 0, lines).expect("reads");
        assert_eq!((of(1), of(2), of(3), of(9)), (8, 4, 0, 0));
    }

    #[test]
    fn log_frees_space_of_old_output() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let log = open(&directory.path().join("log")).expect("opens");
        let line = [vec![b'x'; (1 << 20) - 1], vec![b'\n']].concat();
        for _ in 0..40 {
            append(&log, &line).expect("writes");
        }
        let facts = log.metadata().expect("is there");
        assert_eq!(facts.len(), 40 << 20);
        assert!(facts.blocks() * 512 <= (2 * KEPT + (2 << 20)).unsigned_abs(), "{}", facts.blocks());
    }
}
