//! Log of a process: a file that keeps its last few megabytes. Its format is in `log_records`. Masking secrets is the
//! task of the caller, for writing and for reading.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _, iter, unfold};
use nix::fcntl::{FallocateFlags, fallocate};
use nix::unistd::{Whence, lseek};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::log_records::{Decoder, encode, encoded_size, ends_line};
use crate::base::files::FileError;
use crate::model::event::Stream;
use crate::model::log::{LogPiece, LogRequest};

/// Maximum bytes of a log to keep. It may lie in memory, as `$XDG_RUNTIME_DIR` does.
const KEPT: i64 = 8 << 20;

/// Multiple of bytes to free. It is one of each file system's blocks, so that no part of a block becomes zeros.
const FREED: i64 = 1 << 20;

/// Time between two checks of a log for new lines.
const PAUSE: Duration = Duration::from_millis(100);

/// Opens a log for appending.
pub(super) fn open(path: &Path) -> Result<File, FileError> {
    let mut options = File::options();
    options.append(true).create(true).mode(0o600);
    options.open(path).map_err(|source| FileError::new("write", path, source))
}

/// Appends output to a log, in one write.
pub(super) fn append<'a>(
    mut log: &File,
    output: impl IntoIterator<Item = (Stream, &'a [u8])>,
) -> io::Result<()> {
    let mut records = Vec::new();
    for (stream, bytes) in output {
        encode(stream, bytes, |record| records.extend_from_slice(record));
    }
    log.write_all(&records)?;
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
        let _ = fallocate(log, flags, 0, (size - KEPT) / FREED * FREED);
    }
}

/// Reads a log, and waits at its end for more while it may grow.
pub(super) fn read(
    path: &Path,
    may_grow: impl Fn() -> bool + Send + Sync + 'static,
    LogRequest { tail, context, .. }: LogRequest,
) -> Result<BoxStream<'static, LogPiece>, FileError> {
    let failed = |source| FileError::new("read", path, source);
    let file = File::open(path).map_err(failed)?;
    let may_grow = Arc::new(may_grow);
    let begin = begin_of(&file);
    let shown_from = match tail {
        Some(lines) => begin_of_tail(&file, begin, lines).map_err(failed)?,
        None => begin,
    };
    // Records take more bytes than their output.
    let context = i64::try_from(encoded_size(context)).unwrap_or(i64::MAX);
    let from = begin.max(shown_from.saturating_sub(context));
    lseek(&file, from, Whence::SeekSet).map_err(|errno| failed(errno.into()))?;
    let log = LogFile {
        // A second description of the file, since a search for its data moves the place of the next read.
        probe: File::open(path).map_err(failed)?,
        file: tokio::fs::File::from_std(file),
        at: from,
        decoder: Decoder::default(),
        // The first record after a hole, or at any place in the context, is incomplete.
        inside_record: from > 0 && (from == begin || from < shown_from),
        context: shown_from.saturating_sub(from).unsigned_abs(),
    };
    let pieces = unfold((log, may_grow), |(mut log, may_grow)| async move {
        let pieces = log.next(&*may_grow).await?;
        Some((iter(pieces), (log, may_grow)))
    });
    Ok(pieces.flatten().boxed())
}

/// A log being read.
struct LogFile {
    probe: File,
    file: tokio::fs::File,
    /// Offset of the next read.
    at: i64,
    decoder: Decoder,
    /// The rest of a record precedes the next one.
    inside_record: bool,
    /// Number of bytes of the file that are context.
    context: u64,
}

impl LogFile {
    /// Returns the next pieces; `None` at the end.
    async fn next(&mut self, may_grow: &(impl Fn() -> bool + Sync)) -> Option<Vec<LogPiece>> {
        loop {
            // Checked before reading, so that no line is missed that was written before the end.
            let goes_on = may_grow();
            let mut buffer = Vec::with_capacity(64 << 10);
            let is_context = self.context > 0;
            let read = match is_context {
                true => (&mut self.file).take(self.context).read_buf(&mut buffer).await,
                false => self.file.read_buf(&mut buffer).await,
            };
            match read {
                Ok(0) if goes_on => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
            // The process may have written so much meanwhile that the start of the log was freed up to here and further.
            let begin = begin_of(&self.probe);
            if begin > self.at {
                self.context = self.context.saturating_sub(begin.abs_diff(self.at));
                self.file.seek(io::SeekFrom::Start(begin.unsigned_abs())).await.ok()?;
                (self.at, self.inside_record) = (begin, true);
                match self.decoder.cut() {
                    Some(end) => return Some(vec![piece(end, is_context)]),
                    None => continue,
                }
            }
            self.at += i64::try_from(buffer.len()).unwrap_or(0);
            self.context = self.context.saturating_sub(buffer.len() as u64);
            let mut bytes = buffer.as_slice();
            if self.inside_record {
                let Some(end) = memchr::memchr(b'\n', bytes) else { continue };
                self.inside_record = false;
                bytes = &bytes[end + 1..];
            }
            let pieces = self.decoder.decode(bytes).into_iter();
            return Some(pieces.map(|output| piece(output, is_context)).collect());
        }
    }
}

fn piece((stream, bytes): (Stream, Bytes), is_context: bool) -> LogPiece {
    LogPiece { stream, bytes, time: None, is_context }
}

/// Returns the offset of the first byte that was not freed.
fn begin_of(log: &File) -> i64 {
    lseek(log, 0, Whence::SeekData).unwrap_or(0)
}

/// Returns the offset of the last `lines` lines, of both streams together; at least `begin`.
fn begin_of_tail(file: &File, begin: i64, lines: usize) -> io::Result<i64> {
    let end = lseek(file, 0, Whence::SeekEnd)?;
    let mut at = end;
    let mut buffer = vec![0; 64 << 10];
    // The offset of the record found last, the byte at the start of the one before it, and the count of lines.
    let (mut start, mut first, mut count) = (end, None, 0_usize);
    while at > begin {
        let size = usize::try_from(at - begin).unwrap_or(buffer.len()).min(buffer.len());
        at -= i64::try_from(size).unwrap_or(0);
        file.read_exact_at(&mut buffer[..size], at.unsigned_abs())?;
        for index in (0..size).rev() {
            let is_newline = buffer[index] == b'\n';
            let place = at + i64::try_from(index).unwrap_or(0);
            let tag = match (is_newline, first) {
                (true, Some(tag)) => Some((tag, place + 1)),
                _ if place == 0 => Some((buffer[0], 0)),
                _ => None,
            };
            first = Some(buffer[index]);
            let Some((tag, from)) = tag else { continue };
            // The last line counts although it is not finished.
            let is_last = start == end;
            count += usize::from(ends_line(tag) || is_last);
            if count > lines {
                return Ok(start);
            }
            start = from;
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
            append(&log, [(Stream::Stdout, line.as_bytes())]).expect("writes");
        }
        let file = File::open(&path).expect("opens");
        let of = |lines| begin_of_tail(&file, 0, lines).expect("reads");
        assert_eq!((of(0), of(1), of(2), of(3), of(9)), (17, 10, 5, 0, 0));
        append(&log, [(Stream::Stderr, b"un".as_slice()), (Stream::Stderr, b"finished".as_slice())])
            .expect("writes");
        assert_eq!((of(0), of(1), of(2)), (31, 17, 10));
    }

    #[tokio::test]
    async fn log_returns_context_before_its_tail() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("log");
        let log = open(&path).expect("opens");
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            append(&log, [(Stream::Stdout, line.as_bytes())]).expect("writes");
        }
        for (context, wanted) in [(0, ""), (3, "three\n"), (6, "two\nthree\n"), (99, "one\ntwo\nthree\n")] {
            let request = LogRequest { tail: Some(1), context, ..LogRequest::default() };
            let pieces: Vec<LogPiece> = read(&path, || false, request).expect("reads").collect().await;
            let (before, shown): (Vec<LogPiece>, Vec<LogPiece>) =
                pieces.into_iter().partition(|piece| piece.is_context);
            let text = |pieces: Vec<LogPiece>| -> Vec<u8> {
                pieces.iter().flat_map(|piece| piece.bytes.to_vec()).collect()
            };
            assert_eq!((text(before), text(shown)), (wanted.into(), b"four\n".to_vec()), "{context}");
        }
    }

    #[tokio::test]
    async fn log_freed_while_it_is_read_continues_with_a_whole_line() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("log");
        let log = open(&path).expect("opens");
        let many = |count: usize| -> Vec<u8> {
            (0..count).flat_map(|number| format!("line {number}\n").into_bytes()).collect()
        };
        append(&log, [(Stream::Stdout, &many(20_000)[..])]).expect("writes");
        let mut pieces = read(&path, || false, LogRequest::default()).expect("reads");
        let mut text = pieces.next().await.expect("has lines").bytes.to_vec();
        assert!(text.starts_with(b"line 0\nline 1\n"));
        append(&log, [(Stream::Stdout, &many(2_000_000)[..])]).expect("writes");
        assert!(begin_of(&File::open(&path).expect("opens")) > 1 << 20, "the file system frees space");
        while let Some(piece) = pieces.next().await {
            text.extend_from_slice(&piece.bytes);
        }
        let text = String::from_utf8(text).expect("has no rubbish");
        let is_line = |line: &str| {
            line.strip_prefix("line ").is_some_and(|number| number.parse::<u32>().is_ok())
                || "line ".starts_with(line)
        };
        assert_eq!(text.lines().find(|line| !is_line(line)), None);
        assert!(text.ends_with("\nline 1999999\n") && text.len() > 4 << 20);
    }

    #[test]
    fn log_frees_space_of_old_output() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let log = open(&directory.path().join("log")).expect("opens");
        let line = [vec![b'x'; (1 << 20) - 1], vec![b'\n']].concat();
        for _ in 0..40 {
            append(&log, [(Stream::Stdout, line.as_slice())]).expect("writes");
        }
        let facts = log.metadata().expect("is there");
        assert_eq!(facts.len(), 40 * ((1 << 20) + 1));
        assert!(facts.blocks() * 512 <= (2 * KEPT + (2 << 20)).unsigned_abs(), "{}", facts.blocks());
    }
}
