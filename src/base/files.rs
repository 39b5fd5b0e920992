//! Files and directories, with the path in every error. Writing a file is in `file_write`, its content up to the
//! callers.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

pub use super::file_error::FileError;
pub use super::file_write::{DirectoryLock, create, replace, write_atomic, write_output};

/// Opens a file to read it. Rejects anything but a regular file: a pipe would wait for a writer, a device
/// might have side effects, and both may be endless.
///
/// # Errors
/// Fails if it cannot be opened, or is not a regular file.
pub fn open(path: &Path) -> Result<File, FileError> {
    // Check before opening, which alone may have side effects, and after it, since the path may have
    // changed.
    refuse_others(path)?;
    open_checked(path).map(|(file, _)| file)
}

/// Rejects anything but a regular file, before it is opened.
pub(super) fn refuse_others(path: &Path) -> Result<(), FileError> {
    let fail = |source| FileError::new("read", path, source);
    only_file(&path.metadata().map_err(fail)?).map_err(fail)
}

/// Opens a path that was a regular file a moment ago, and checks that it still is.
pub(super) fn open_checked(path: &Path) -> Result<(File, Metadata), FileError> {
    let fail = |source| FileError::new("read", path, source);
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(fail)?;
    let facts = file.metadata().map_err(fail)?;
    only_file(&facts).map_err(fail)?;
    Ok((file, facts))
}

/// Rejects anything but a file or a directory, after following links, for programs and libraries that open
/// the path by themselves. A missing path or a dangling link is accepted.
///
/// # Errors
/// Fails if it is a pipe, a socket or a device.
pub fn refuse_special(path: &Path) -> Result<(), FileError> {
    match path.metadata() {
        Ok(facts) if !facts.is_dir() => {
            only_file(&facts).map_err(|source| FileError::new("read", path, source))
        }
        _ => Ok(()),
    }
}

/// Does the same for a directory and everything below it: `suspects` maps each name to the paths to check,
/// relative to its directory. Links to directories are not followed.
///
/// # Errors
/// Fails at the first pipe, socket or device.
pub fn refuse_special_below<'p>(
    root: &Path,
    suspects: impl Fn(&OsStr) -> &'p [&'p str],
) -> Result<(), FileError> {
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        // A directory that cannot be listed cannot be opened by others either.
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            for suspect in suspects(&entry.file_name()) {
                refuse_special(&directory.join(suspect))?;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    Ok(())
}

fn only_file(facts: &Metadata) -> io::Result<()> {
    let kind = facts.file_type();
    let (error, what) = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_symlink() => (io::ErrorKind::InvalidInput, "a link"),
        () if kind.is_dir() => (io::ErrorKind::IsADirectory, "a directory"),
        () if kind.is_fifo() => (io::ErrorKind::InvalidInput, "a pipe"),
        () if kind.is_socket() => (io::ErrorKind::InvalidInput, "a socket"),
        () => (io::ErrorKind::InvalidInput, "a device"),
    };
    Err(io::Error::new(error, format!("it is {what}, not a file")))
}

/// Returns whether a path below a directory leads into a git directory. That belongs to git and to the user: it
/// may hold logins, and is no part of the sources.
#[must_use]
pub fn is_of_git(below: &Path) -> bool {
    below.components().any(|part| part.as_os_str() == ".git")
}

/// Rejects an open file that is not at a path without links: a directory above it was replaced by a link after
/// it was checked.
///
/// # Errors
/// Fails if the file is somewhere else, or if the system does not tell its place.
pub fn only_at(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd as _;
    let place = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    if place == path {
        return Ok(());
    }
    Err(io::Error::other("a directory above it was replaced while it was read"))
}

/// Opens a regular file at a path without links: neither the file nor a directory above it may be one, also if
/// another process replaces them meanwhile.
///
/// # Errors
/// Fails if there is no such file, or if it is somewhere else.
pub fn open_exactly(path: &Path) -> io::Result<File> {
    only_file(&path.symlink_metadata()?)?;
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    only_file(&file.metadata()?)?;
    only_at(&file, path)?;
    Ok(file)
}

/// Returns whether a user is this one, or root, who may do everything anyway.
#[must_use]
pub fn is_own(user: u32) -> bool {
    user == nix::unistd::geteuid().as_raw() || user == 0
}

/// Returns the name of a user, or the number of one without a name.
#[must_use]
pub fn user_name(user: u32) -> String {
    let known = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(user));
    known.ok().flatten().map_or_else(|| user.to_string(), |user| user.name)
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// Fails if it cannot be read, is not a regular file, or is longer than `limit`.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    content(open(path)?, path, limit)
}

/// Reads an open file of at most `limit` bytes.
pub(super) fn content(file: File, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let fail = |source| FileError::new("read", path, source);
    let bytes = bytes_of(file, limit).map_err(fail)?;
    if bytes.len() as u64 > limit {
        return Err(fail(too_long(limit)));
    }
    Ok(bytes)
}

fn too_long(limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {limit} bytes"))
}

/// Bytes of the buffer for short files, whose length is not queried.
const SHORT: usize = 8 << 10;

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// Fails if it cannot be read, is not a regular file, is longer than `limit`, or is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    text(read(path, limit)?, path)
}

/// Returns the content of a file as text.
///
/// # Errors
/// Fails if it is not UTF-8, with the place.
pub fn text(bytes: Vec<u8>, path: &Path) -> Result<String, FileError> {
    let fail = |source| FileError::new("read", path, source);
    String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        fail(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is no text in UTF-8, from line {line}, column {column} on"),
        ))
    })
}

/// Reads a file, but at most one byte more than the limit.
fn bytes_of(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut file = file.take(limit.saturating_add(1));
    // Most files are short: read them at once into memory of their length.
    let mut short = [0; SHORT];
    let mut length = 0;
    while length < SHORT {
        match file.read(&mut short[length..]) {
            Ok(0) => return Ok(short[..length].to_vec()),
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if file.get_ref().metadata()?.len() > limit {
        return Err(too_long(limit));
    }
    let mut bytes = short.to_vec();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Creates a directory and its parents.
///
/// # Errors
/// Fails if it cannot be created.
pub fn make_directory(path: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(path).map_err(|source| FileError::new("create", path, source))
}

/// Removes a directory and its content; a missing directory is not an error.
///
/// # Errors
/// Fails if something in it cannot be removed.
pub fn remove_directory(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError::new("remove", path, source))
        }
        _ => Ok(()),
    }
}

/// Returns the error for a file name that is not UTF-8.
#[must_use]
pub fn no_text(path: PathBuf) -> FileError {
    FileError::new("read", path, io::Error::new(io::ErrorKind::InvalidData, "its name is not UTF-8"))
}

/// Moves a file or directory within one file system.
///
/// # Errors
/// Fails if the system refuses it.
pub fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    std::fs::rename(from, to).map_err(|source| FileError::new("rename", from, source))
}

/// Returns the UTF-8 names in a directory, sorted: for directories in which only names written by `cki`
/// matter. A missing directory has none.
///
/// # Errors
/// Fails if it cannot be read.
pub fn list_dir(path: &Path) -> Result<Vec<String>, FileError> {
    Ok(all_names_in(path)?.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirectoryName {
    /// The name.
    pub name: OsString,
    /// The list tells that it is a regular file: the check before it is opened.
    pub is_file: bool,
}

/// Returns all names in a directory, sorted; a missing directory has none.
///
/// # Errors
/// Fails if it cannot be read.
pub fn names_in(directory: &Path) -> Result<Vec<DirectoryName>, FileError> {
    let fail = |source| FileError::new("read", directory, source);
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(fail(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        names.push(DirectoryName { name: entry.file_name(), is_file });
    }
    names.sort_unstable();
    Ok(names)
}

/// Returns the names of [`names_in`] alone.
///
/// # Errors
/// Fails if it cannot be read.
pub fn all_names_in(directory: &Path) -> Result<Vec<OsString>, FileError> {
    Ok(names_in(directory)?.into_iter().map(|one| one.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_text_refuses_special_files_without_blocking() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("binds");
        std::fs::create_dir(at("directory")).expect("makes");
        std::os::unix::fs::symlink("/dev/zero", at("device")).expect("links");
        for name in ["pipe", "socket", "directory", "device"] {
            let error = read_text(&at(name), 10).expect_err(name);
            assert!(!error.is_missing(), "{error}");
            assert!(error.to_string().ends_with(&format!("it is a {name}, not a file")), "{error}");
        }
    }

    #[test]
    fn refuse_special_below_reports_path_of_special_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let deep = directory.path().join("a/b");
        std::fs::create_dir_all(&deep).expect("makes");
        nix::unistd::mkfifo(&deep.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
        let look = |name: &'static str| {
            refuse_special_below(directory.path(), |found| if found == name { &["pipe"] } else { &[] })
        };
        look("other").expect("nobody opens it");
        let error = look("pipe").expect_err("is a pipe");
        assert_eq!(error.path, deep.join("pipe"));
        std::os::unix::fs::symlink("/nowhere", deep.join("dangling")).expect("links");
        refuse_special(&deep.join("dangling")).expect("is nothing");
        std::os::unix::fs::symlink("pipe", deep.join("link")).expect("links");
        refuse_special(&deep.join("link")).expect_err("leads to a pipe");
    }

    #[test]
    fn only_at_rejects_a_file_behind_a_replaced_directory() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().canonicalize().expect("is there");
        for name in ["sources", "secrets"] {
            std::fs::create_dir(root.join(name)).expect("makes");
            std::fs::write(root.join(name).join("x"), name).expect("writes");
        }
        let path = root.join("sources/x");
        only_at(&File::open(&path).expect("opens"), &path).expect("is there");
        std::fs::rename(root.join("sources"), root.join("old")).expect("renames");
        std::os::unix::fs::symlink("secrets", root.join("sources")).expect("links");
        let error = only_at(&File::open(&path).expect("opens"), &path).expect_err("is elsewhere");
        assert!(error.to_string().contains("was replaced"), "{error}");
        assert!(is_of_git(Path::new("a/.git/config")) && !is_of_git(Path::new(".gitignore")));
    }

    #[test]
    fn read_text_names_path_and_refuses_oversized_files() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("x");
        let error = read_text(&path, 1).expect_err("is missing");
        assert!(error.is_missing() && error.to_string().contains("x`"));
        std::fs::write(&path, "long").expect("writes");
        assert!(read_text(&path, 1).is_err());
        // A file that is longer than memory, and has no blocks on the disk.
        File::options().write(true).open(&path).and_then(|file| file.set_len(1 << 40)).expect("grows");
        let error = read_text(&path, 1 << 39).expect_err("is long").to_string();
        assert!(error.ends_with("it is longer than 549755813888 bytes"), "{error}");
        std::fs::write(&path, b"a\n\xc3\xa9\xff").expect("writes");
        let error = read_text(&path, 9).expect_err("is no text").to_string();
        assert!(error.ends_with("from line 2, column 2 on"), "{error}");
    }
}
