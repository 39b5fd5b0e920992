//! Writes of files, each as a whole: files of `cki`, changes to a file of the user that was read before, and outputs at a
//! path that the user typed. Reading files is in `files`.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::file_error::FileError;

/// Beginning of the names of temporary files.
const TEMPORARY: &str = ".cki-";
/// Number of characters after it.
const RANDOM: usize = 6;
/// Age from which on a temporary file that no process has locked is a leftover.
const LEFTOVER_AGE: Duration = Duration::from_secs(60);
/// Longest wait for the lock of a directory.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at a lock that another process holds.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Writes a file through a temporary file in the same directory, so that a reader sees the old content or
/// the new, never a part. `mode` is the Unix permission bits.
///
/// # Errors
/// Fails if the directory cannot be created, or the file cannot be written or renamed.
pub fn write_atomic(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
    let directory = parent(path);
    std::fs::create_dir_all(directory).map_err(|source| FileError::new("create", directory, source))?;
    let file = temporary(path, content, mode)?;
    file.persist(path).map_err(|error| FileError::new("write", path, error.error))?;
    Ok(())
}

/// Writes a file that must not be there yet, as [`write_atomic`] does. Its directory must exist.
///
/// # Errors
/// Fails if the path exists, also if another process created it just now, or cannot be written.
pub fn create(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
    remove_leftovers(parent(path), LEFTOVER_AGE);
    let file = temporary(path, content, mode)?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => {
            let why = io::Error::new(io::ErrorKind::AlreadyExists, "it is there already");
            FileError::new("create", path, why)
        }
        _ => FileError::new("write", path, error.error),
    })?;
    Ok(())
}

/// Replaces the content of a file of the user that had the text `before`, and keeps its mode. A link stays one. Hold the
/// [`DirectoryLock`] from reading on, so that commands of `cki` wait for each other; a change by any other program
/// makes the call fail.
///
/// # Errors
/// Fails if the file has another text now, or cannot be written; it is then unchanged.
pub fn replace(path: &Path, before: &str, after: &str) -> Result<(), FileError> {
    let fail = |source| FileError::new("replace", path, source);
    let real = path.canonicalize().map_err(fail)?;
    let facts = real.metadata().map_err(fail)?;
    if facts.len() != before.len() as u64 || !std::fs::read(&real).is_ok_and(|now| now == before.as_bytes()) {
        return Err(fail(io::Error::other("another program changed it meanwhile; repeat the command")));
    }
    let mode = facts.permissions().mode() & 0o7777;
    remove_leftovers(parent(&real), LEFTOVER_AGE);
    write_atomic(&real, after.as_bytes(), mode)
}

/// Writes an output at a path that the user typed: a regular file as a whole, through a link if it is one; anything else
/// that can be written, such as a pipe or a device, as it is. `mode` is for a new file.
///
/// # Errors
/// Fails if its directory is missing, it is a directory or a socket, or it cannot be written.
pub fn write_output(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
    let fail = |source| FileError::new("write", path, source);
    match path.metadata() {
        Ok(facts) if facts.is_file() => {
            let real = path.canonicalize().map_err(fail)?;
            remove_leftovers(parent(&real), LEFTOVER_AGE);
            write_atomic(&real, content, facts.permissions().mode() & 0o777)
        }
        Ok(facts) if facts.is_dir() => {
            Err(fail(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; name a file in it")))
        }
        Ok(facts) if facts.file_type().is_socket() => {
            Err(fail(io::Error::new(io::ErrorKind::InvalidInput, "it is a socket, not a file")))
        }
        Ok(_) => {
            let opened = File::options().write(true).custom_flags(nix::libc::O_NOCTTY).open(path);
            opened.and_then(|mut file| file.write_all(content)).map_err(fail)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if path.is_symlink() {
                return Err(fail(io::Error::new(error.kind(), "it is a link to a file that does not exist")));
            }
            let directory = parent(path);
            if !directory.is_dir() {
                let why = format!("there is no directory `{}`; create it first", directory.display());
                return Err(fail(io::Error::new(error.kind(), why)));
            }
            remove_leftovers(directory, LEFTOVER_AGE);
            write_atomic(path, content, mode)
        }
        Err(error) => Err(fail(error)),
    }
}

/// The right to change files in a directory: other commands of `cki` wait. The kernel releases it however its holder
/// dies. On a file system without locks, it promises nothing.
#[derive(Debug)]
pub struct DirectoryLock {
    _directory: Option<File>,
}

impl DirectoryLock {
    /// Waits until no other command holds the lock, up to half a minute.
    #[must_use]
    pub fn wait(directory: &Path) -> Self {
        let Ok(file) = File::open(directory) else { return Self { _directory: None } };
        let began = Instant::now();
        while let Err(std::fs::TryLockError::WouldBlock) = file.try_lock() {
            if began.elapsed() > PATIENCE {
                return Self { _directory: None };
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Self { _directory: Some(file) }
    }

    /// Waits for the lock of the directory of a file, as [`Self::wait`] does; a link is followed.
    #[must_use]
    pub fn wait_for(file: &Path) -> Self {
        let real = file.canonicalize();
        Self::wait(parent(real.as_deref().unwrap_or(file)))
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a temporary file beside a path. It is locked while its process lives.
fn temporary(path: &Path, content: &[u8], mode: u32) -> Result<tempfile::NamedTempFile, FileError> {
    let fail = |source| FileError::new("write", path, source);
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .rand_bytes(RANDOM)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(parent(path))
        .map_err(fail)?;
    // Without locks, leftovers stay: see `remove_leftovers`.
    let _ = file.as_file().try_lock();
    file.write_all(content).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    // The umask may have removed bits of the mode.
    file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(fail)?;
    Ok(file)
}

/// Removes temporary files of processes that were killed. What cannot be removed takes room, and no more.
fn remove_leftovers(directory: &Path, age: Duration) {
    let is_temporary = |name: &OsStr| {
        let random = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY)).unwrap_or_default();
        random.len() == RANDOM && random.bytes().all(|one| one.is_ascii_alphanumeric())
    };
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let entries = entries.flatten().filter(|entry| is_temporary(&entry.file_name()));
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| is_leftover(path, age)).for_each(|path| drop(std::fs::remove_file(path)));
}

fn is_leftover(path: &PathBuf, age: Duration) -> bool {
    let user = nix::unistd::geteuid().as_raw();
    // A process locks its file a moment after it has created it.
    let is_old = |changed: SystemTime| SystemTime::now().duration_since(changed).is_ok_and(|old| old >= age);
    let Ok(facts) = path.symlink_metadata() else { return false };
    facts.is_file()
        && facts.uid() == user
        && facts.modified().is_ok_and(is_old)
        && File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(path: &Path) -> String {
        std::fs::read_to_string(path).expect("reads")
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).expect("lists").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn write_atomic_replaces_content_and_sets_mode() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("deep/file");
        write_atomic(&path, b"one", 0o600).expect("writes");
        write_atomic(&path, b"two", 0o600).expect("writes again");
        assert_eq!(read_text(&path), "two");
        let mode = std::fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(names(&directory.path().join("deep")), ["file"]);
    }

    #[test]
    fn replace_and_create_keep_what_another_program_wrote() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        create(&at("a"), b"1", 0o640).expect("creates");
        let error = create(&at("a"), b"2", 0o640).expect_err("is there").to_string();
        assert!(error.ends_with("/a`: it is there already"), "{error}");
        std::os::unix::fs::symlink("a", at("link")).expect("links");
        replace(&at("link"), "1", "2").expect("replaces");
        let error = replace(&at("link"), "1", "3").expect_err("has another text").to_string();
        assert!(error.ends_with("another program changed it meanwhile; repeat the command"), "{error}");
        assert_eq!(read_text(&at("a")), "2");
        assert_eq!(at("a").metadata().expect("is there").permissions().mode() & 0o777, 0o640);
        assert!(at("link").is_symlink());
        assert_eq!(names(directory.path()), ["a", "link"]);
    }

    #[test]
    fn directory_lock_orders_changes_of_a_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("file");
        std::fs::write(&file, "").expect("writes");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _lock = DirectoryLock::wait_for(&file);
                    let before = read_text(&file);
                    replace(&file, &before, &format!("{before}x")).expect("nobody else changes it");
                });
            }
        });
        assert_eq!(read_text(&file), "xxxxxxxx");
    }

    #[test]
    fn write_output_follows_links_and_writes_into_pipes() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        let written = |name: &str| write_output(&at(name), b"text", 0o644).map_err(|error| error.to_string());
        std::fs::write(at("file"), "old").expect("writes");
        std::os::unix::fs::symlink("file", at("link")).expect("links");
        written("link").expect("writes");
        assert!(at("link").is_symlink());
        assert_eq!(read_text(&at("file")), "text");
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| std::fs::read_to_string(at("pipe")));
            written("pipe").expect("writes");
            reader.join().expect("ends")
        });
        assert_eq!(read.expect("reads"), "text");
        assert!(at("pipe").metadata().is_ok_and(|facts| facts.file_type().is_fifo()));
        std::os::unix::fs::symlink("nothing", at("dangling")).expect("links");
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("binds");
        for (name, why) in [
            ("none/x", "none`; create it first"),
            ("dangling", "does not exist"),
            ("socket", "is a socket, not a file"),
            (".", "is a directory; name a file in it"),
        ] {
            let error = written(name).expect_err(name);
            assert!(error.ends_with(why), "{error}");
        }
        assert!(!at("none").exists());
    }

    #[test]
    fn leftovers_of_dead_processes_are_removed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        for name in [".cki-aB3dE6", ".cki-a", ".cki-aB3d-6", "other"] {
            std::fs::write(at(name), "").expect("writes");
        }
        let alive = temporary(&at("x"), b"", 0o600).expect("writes");
        remove_leftovers(directory.path(), LEFTOVER_AGE);
        assert!(at(".cki-aB3dE6").exists(), "its process may not have locked it yet");
        remove_leftovers(directory.path(), Duration::ZERO);
        assert!(alive.path().exists() && !at(".cki-aB3dE6").exists());
        assert_eq!(names(directory.path()).len(), 4);
    }
}
