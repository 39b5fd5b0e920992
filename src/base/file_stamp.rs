//! State of a file or directory as the system tells it without reading: if it is the same as before, so is the content.
//! Reading files is in [`super::files`]; what to do with unchanged ones is up to the callers.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::packed::{PackedReader, PackedWriter};

/// Least time between the last change of a file and its reading. The clocks of file systems are as coarse as this (two
/// seconds for FAT, one for old network file systems), so a change within it could leave the same timestamp behind.
const SETTLED: Duration = Duration::from_secs(2);

/// State of a file or directory. A change of the content changes it: the size, the time of the last change, or the
/// time of the last change of its attributes, which no program can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Nanoseconds since the epoch.
    modified: i64,
    /// Nanoseconds since the epoch.
    changed: i64,
}

impl FileStamp {
    /// Bytes of its stored form.
    pub const STORED: usize = 5 * 8;

    /// Returns the state that the system tells.
    #[must_use]
    pub fn of(facts: &Metadata) -> Self {
        Self {
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.size(),
            modified: nanoseconds(facts.mtime(), facts.mtime_nsec()),
            changed: nanoseconds(facts.ctime(), facts.ctime_nsec()),
        }
    }

    /// Returns the state of the answer to a system call.
    #[must_use]
    pub fn of_stat(facts: &nix::sys::stat::FileStat) -> Self {
        Self {
            device: facts.st_dev,
            inode: facts.st_ino,
            size: facts.st_size.cast_unsigned(),
            modified: nanoseconds(facts.st_mtime, facts.st_mtime_nsec),
            changed: nanoseconds(facts.st_ctime, facts.st_ctime_nsec),
        }
    }

    /// Returns whether a later change would show, given that the content was read at a time or later: the last change
    /// was well before it. The rule of git for its index has the same reason.
    #[must_use]
    pub fn is_settled_at(&self, read: SystemTime) -> bool {
        let Ok(read) = read.duration_since(UNIX_EPOCH) else { return false };
        let Some(latest) = read.checked_sub(SETTLED) else { return false };
        let latest = i64::try_from(latest.as_nanos()).unwrap_or(i64::MAX);
        self.modified <= latest && self.changed <= latest
    }

    /// Writes the state.
    pub fn store(&self, writer: &mut PackedWriter) {
        writer.number(self.device);
        writer.number(self.inode);
        writer.number(self.size);
        writer.number(self.modified.cast_unsigned());
        writer.number(self.changed.cast_unsigned());
    }

    /// Reads a state that [`Self::store`] wrote.
    pub fn stored(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            device: reader.number()?,
            inode: reader.number()?,
            size: reader.number()?,
            modified: reader.number()?.cast_signed(),
            changed: reader.number()?.cast_signed(),
        })
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(path: &std::path::Path) -> FileStamp {
        FileStamp::of(&path.metadata().expect("is there"))
    }

    #[test]
    fn file_stamp_shows_each_kind_of_change() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("file");
        std::fs::write(&path, "one").expect("writes");
        let first = state(&path);
        assert_eq!(first, state(&path));
        let stat = nix::sys::stat::stat(&path).expect("is there");
        assert_eq!(FileStamp::of_stat(&stat), first);
        // Another file of the same size and with the same timestamp of its content.
        let other = directory.path().join("other");
        std::fs::write(&other, "two").expect("writes");
        let modified = path.metadata().and_then(|facts| facts.modified()).expect("has one");
        std::fs::File::options()
            .write(true)
            .open(&other)
            .and_then(|file| file.set_modified(modified))
            .expect("sets");
        std::fs::rename(&other, &path).expect("renames");
        assert_eq!((state(&path).size, state(&path).modified), (first.size, first.modified));
        assert_ne!(state(&path), first);
    }

    #[test]
    fn file_stamp_is_settled_two_seconds_after_both_timestamps() {
        let at = |seconds: f64| (seconds * 1e9) as i64;
        let time = |seconds: f64| UNIX_EPOCH + Duration::from_secs_f64(seconds);
        let state = |modified, changed| FileStamp {
            device: 1,
            inode: 1,
            size: 1,
            modified: at(modified),
            changed: at(changed),
        };
        assert!(state(10.0, 10.0).is_settled_at(time(12.0)));
        assert!(!state(10.5, 1.0).is_settled_at(time(12.0)));
        // A program can set back the first timestamp, and not the second.
        assert!(!state(1.0, 10.5).is_settled_at(time(12.0)));
        // Timestamps in the future may come again.
        assert!(!state(99.0, 1.0).is_settled_at(time(12.0)) && !state(1.0, 1.0).is_settled_at(time(1.0)));
    }
}
