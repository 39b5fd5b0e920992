//! The record of a read of an inventory: the state of each file and directory that decided something. If all are the
//! same later, another read would give the same. The use of that is in `cache`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use nix::sys::stat::{SFlag, fstatat};

use crate::base::file_stamp::FileStamp;
use crate::base::packed::{PackedReader, PackedWriter};
use crate::base::share;

/// Number of paths for each thread.
const SHARE: usize = 512;
/// Fewest bytes of a stored path.
const LEAST: usize = 9;
/// Stands for no component among the numbers of components.
const NONE: usize = u32::MAX as usize;

/// State of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathState {
    /// A file or directory whose content counts.
    Stamp(FileStamp),
    /// No directory, and that alone counts.
    NoDirectory,
}

/// Record of the paths that a read saw.
#[derive(Debug)]
pub(super) struct Footprint {
    seen: Mutex<Vec<(PathBuf, PathState)>>,
    /// Something may change without a trace, or nobody wants the record.
    is_void: AtomicBool,
    started: SystemTime,
}

impl Footprint {
    /// Starts the record of a read that begins at a time.
    pub(super) fn new(started: SystemTime) -> Self {
        Self { seen: Mutex::default(), is_void: AtomicBool::new(false), started }
    }

    /// Returns a record that keeps nothing.
    pub(super) fn void() -> Self {
        Self { is_void: AtomicBool::new(true), ..Self::new(SystemTime::UNIX_EPOCH) }
    }

    pub(super) fn is_void(&self) -> bool {
        self.is_void.load(Ordering::Relaxed)
    }

    /// Gives up the record, since something was read whose changes it would not show.
    pub(super) fn give_up(&self) {
        self.is_void.store(true, Ordering::Relaxed);
    }

    /// Records the state that a file had before it was read. A file that changed a moment ago ends the record: it could
    /// change once more without another timestamp.
    pub(super) fn note(&self, path: &Path, state: FileStamp) {
        if !state.is_settled_at(self.started) {
            self.give_up();
        }
        self.add(path, PathState::Stamp(state));
    }

    /// Records the state of a file or directory before it is read.
    pub(super) fn note_before(&self, path: &Path) {
        if self.is_void() {
            return;
        }
        match path.metadata() {
            Ok(facts) => self.note(path, FileStamp::of(&facts)),
            Err(_) => self.give_up(),
        }
    }

    /// Records that a path is no directory.
    pub(super) fn note_no_directory(&self, path: &Path) {
        self.add(path, PathState::NoDirectory);
    }

    fn add(&self, path: &Path, state: PathState) {
        if !self.is_void() {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push((path.to_path_buf(), state));
        }
    }

    /// Returns the record in the form that [`is_unchanged`] reads; `None` if it is void. `component_of` returns the number
    /// of the component that files of a name alone tell of.
    pub(super) fn store(self, component_of: impl Fn(&OsStr) -> Option<usize>) -> Option<Vec<u8>> {
        if self.is_void() {
            return None;
        }
        let seen = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut directories: BTreeMap<&Path, Vec<(&OsStr, PathState)>> = BTreeMap::new();
        for (path, state) in &seen {
            directories.entry(path.parent()?).or_default().push((path.file_name()?, *state));
        }
        let mut writer = PackedWriter::default();
        writer.short(directories.len());
        for (directory, paths) in directories {
            writer.bytes(directory.as_os_str().as_bytes());
            writer.short(paths.len());
            for (name, state) in paths {
                writer.bytes(name.as_bytes());
                writer.short(component_of(name).unwrap_or(NONE));
                match state {
                    PathState::Stamp(state) => {
                        writer.byte(0);
                        state.store(&mut writer);
                    }
                    PathState::NoDirectory => writer.byte(1),
                }
            }
        }
        Some(writer.finish())
    }
}

/// A path of a record, by its directory.
struct RecordedPath<'a> {
    directory: usize,
    name: &'a OsStr,
    state: PathState,
}

/// Returns whether every path of a stored record is as it was, except for files of components whose number is not
/// needed, which are not looked at.
pub(super) fn is_unchanged(record: &[u8], is_needed: impl Fn(usize) -> bool) -> bool {
    let read = || {
        let (directories, portions) = stored(record, is_needed)?;
        let holds = |paths: Vec<RecordedPath<'_>>| paths.iter().all(|path| path.holds(&directories));
        Some(share::map(portions, 1, holds).into_iter().all(|holds| holds))
    };
    read().unwrap_or(false)
}

impl RecordedPath<'_> {
    fn holds(&self, directories: &[File]) -> bool {
        let found = fstatat(&directories[self.directory], self.name, nix::fcntl::AtFlags::empty());
        match (&self.state, found) {
            (PathState::Stamp(state), Ok(found)) => FileStamp::of_stat(&found) == *state,
            (PathState::Stamp(_), Err(_)) => false,
            (PathState::NoDirectory, Ok(found)) => {
                SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT != SFlag::S_IFDIR
            }
            (PathState::NoDirectory, Err(_)) => true,
        }
    }
}

/// Reads the needed paths of a record in portions for threads, with their directories open; `None` if one is gone.
fn stored(
    record: &[u8],
    is_needed: impl Fn(usize) -> bool,
) -> Option<(Vec<File>, Vec<Vec<RecordedPath<'_>>>)> {
    let mut reader = PackedReader::open(record)?;
    let (mut directories, mut portions) = (Vec::new(), Vec::<Vec<RecordedPath<'_>>>::new());
    for directory in 0..reader.count(LEAST)? {
        let path = Path::new(OsStr::from_bytes(reader.bytes()?));
        let flags = nix::libc::O_PATH | nix::libc::O_DIRECTORY;
        directories.push(std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?);
        for _ in 0..reader.count(LEAST)? {
            let name = OsStr::from_bytes(reader.bytes()?);
            let component = reader.short()? as usize;
            let state = match reader.byte()? {
                0 => PathState::Stamp(FileStamp::stored(&mut reader)?),
                _ => PathState::NoDirectory,
            };
            if component != NONE && !is_needed(component) {
                continue;
            }
            let path = RecordedPath { directory, name, state };
            match portions.last_mut().filter(|last| last.len() < SHARE) {
                Some(last) => last.push(path),
                None => {
                    let mut portion = Vec::with_capacity(SHARE);
                    portion.push(path);
                    portions.push(portion);
                }
            }
        }
    }
    Some((directories, portions))
}
