//! A directory whose files other people wrote (a clone, a build context), and the one way to read those of its files
//! that decide something. Nothing outside of it is read, nor its git directory, nor anything but a regular file,
//! nor a file of another user; all of that is checked on the open file, which no process can exchange after the
//! check. The content of files is up to the callers.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::files::{self, FileError};

/// Maximum attempts to open a file that is being replaced.
const ATTEMPTS: usize = 3;

/// A directory of other people's files.
#[derive(Debug, Clone)]
pub struct SourceDir {
    path: PathBuf,
    real: PathBuf,
    /// The user who owns the directory.
    owner: u32,
}

/// Kind of an existing path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

impl SourceDir {
    /// Opens a directory.
    ///
    /// # Errors
    /// Fails if it does not exist.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        let facts = path.canonicalize().and_then(|real| Ok((real.metadata()?.uid(), real)));
        let (owner, real) = facts.map_err(|source| FileError::new("find", &path, source))?;
        Ok(Self { path, real, owner })
    }

    /// Returns its path as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path below it to which a path leads, with links followed; `None` if nothing is there. The given path
    /// is relative to the directory, or begins with it.
    ///
    /// # Errors
    /// Fails if the path leads out of the directory, or into a git directory.
    pub fn locate(&self, path: &Path) -> Result<Option<PathBuf>, FileError> {
        let whole = self.path.join(path);
        let fail = |why: &str| FileError::new("read", &whole, io::Error::other(why.to_owned()));
        let real = match whole.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::new("read", whole, error)),
        };
        let below = real.strip_prefix(&self.real).map_err(|_| fail("a link leads out of the clone"))?;
        if files::is_of_git(below) {
            return Err(fail("it belongs to git"));
        }
        Ok(Some(below.to_path_buf()))
    }

    /// Returns the kind of a path; `None` if nothing is there.
    ///
    /// # Errors
    /// As [`SourceDir::locate`]; also fails for a pipe, a socket or a device.
    pub fn kind(&self, path: &Path) -> Result<Option<SourceKind>, FileError> {
        let Some(below) = self.locate(path)? else { return Ok(None) };
        let real = self.real.join(below);
        if real.is_dir() {
            return Ok(Some(SourceKind::Directory));
        }
        files::refuse_special(&real)?;
        Ok(Some(SourceKind::File))
    }

    /// Opens a regular file.
    ///
    /// # Errors
    /// As [`SourceDir::kind`]; also fails if the file is missing, or belongs to another user.
    pub fn open(&self, path: &Path) -> Result<File, FileError> {
        let whole = self.path.join(path);
        let fail = |source| FileError::new("read", &whole, source);
        let attempt = || {
            let below = self.locate(path)?.ok_or_else(|| fail(io::ErrorKind::NotFound.into()))?;
            files::open_exactly(&self.real.join(below)).map_err(fail)
        };
        // An editor may replace the file meanwhile.
        let file = (1..ATTEMPTS).find_map(|_| attempt().ok()).map_or_else(attempt, Ok)?;
        let owner = file.metadata().map_err(fail)?.uid();
        // The owner of a clone may be another user, if git's `safe.directory` has an exception for it.
        if owner != self.owner && !files::is_own(owner) {
            let why = format!("it belongs to the user {}", files::user_name(owner));
            return Err(fail(io::Error::new(io::ErrorKind::PermissionDenied, why)));
        }
        Ok(file)
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`SourceDir::open`]; also fails if the file is longer.
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        let whole = self.path.join(path);
        files::content(self.open(path)?, &whole, limit)
    }

    /// Reads a text file of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`SourceDir::read`]; also fails if the file is not UTF-8.
    pub fn read_text(&self, path: &Path, limit: u64) -> Result<String, FileError> {
        files::text(self.read(path, limit)?, &self.path.join(path))
    }

    /// Returns all names in a directory, sorted.
    ///
    /// # Errors
    /// Fails if it is no directory, or cannot be read.
    pub fn names(&self, path: &Path) -> Result<Vec<OsString>, FileError> {
        let whole = self.path.join(path);
        let fail = |source| FileError::new("read", &whole, source);
        let below = self.locate(path)?.ok_or_else(|| fail(io::ErrorKind::NotFound.into()))?;
        let real = self.real.join(below);
        let flags = nix::libc::O_DIRECTORY | nix::libc::O_NOFOLLOW;
        let directory = OpenOptions::new().read(true).custom_flags(flags).open(&real).map_err(fail)?;
        files::only_at(&directory, &real).map_err(fail)?;
        // By its number, since another directory may be at its path by now.
        files::all_names_in(Path::new(&format!("/proc/self/fd/{}", directory.as_raw_fd())))
            .map_err(|error| fail(error.source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn directory() -> (tempfile::TempDir, SourceDir) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("clone");
        for (path, text) in [("clone/a/x", "in"), ("clone/.git/config", "secret"), ("token", "secret")] {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("makes");
            std::fs::write(path, text).expect("writes");
        }
        for (link, target) in [("in", "a"), ("out", ".."), ("token", "../token"), ("git", ".git")] {
            symlink(target, root.join(link)).expect("links");
        }
        symlink("/dev/zero", root.join("zero")).expect("links");
        nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("binds");
        (directory, SourceDir::new(root).expect("is there"))
    }

    #[test]
    fn source_dir_reads_regular_files_inside_only() {
        let (_directory, sources) = directory();
        let text = |path: &str| sources.read_text(Path::new(path), 9);
        for path in ["a/x", "in/x", "./a/../a/x"] {
            assert_eq!(text(path).expect("is inside"), "in", "{path}");
        }
        assert_eq!(text(&sources.path().join("a/x").display().to_string()).expect("is inside"), "in");
        for (path, why) in [
            ("out/token", "a link leads out"),
            ("token", "a link leads out"),
            ("../token", "a link leads out"),
            ("/etc/passwd", "a link leads out"),
            (".git/config", "belongs to git"),
            ("git/config", "belongs to git"),
            ("zero", "a link leads out"),
            ("pipe", "it is a pipe"),
            ("socket", "it is a socket"),
            ("a", "it is a directory"),
        ] {
            let error = text(path).expect_err(path);
            assert!(error.to_string().contains(why) && !error.is_missing(), "{path}: {error}");
        }
        assert!(text("none").expect_err("is missing").is_missing());
        assert!(sources.read_text(Path::new("a/x"), 1).is_err(), "is too long");
        let kind = |path: &str| sources.kind(Path::new(path)).ok().flatten();
        assert_eq!((kind("in"), kind("in/x")), (Some(SourceKind::Directory), Some(SourceKind::File)));
        assert!(sources.kind(Path::new("pipe")).is_err() && sources.kind(Path::new("none")).is_ok());
        assert_eq!(sources.names(Path::new("in")).expect("lists"), ["x"]);
        assert!(sources.names(Path::new("out")).is_err() && sources.names(Path::new("a/x")).is_err());
    }

    #[test]
    fn source_dir_refuses_files_of_other_users() {
        let (_directory, sources) = directory();
        let path = sources.path().join("a/x");
        if std::os::unix::fs::chown(&path, Some(65_534), None).is_ok() {
            let error = sources.read_text(Path::new("a/x"), 9).expect_err("is another user's").to_string();
            assert!(error.contains("it belongs to the user"), "{error}");
            // Git has accepted such a clone.
            let sources = SourceDir { owner: 65_534, ..sources };
            assert_eq!(sources.read_text(Path::new("a/x"), 9).expect("is the owner's"), "in");
        } else {
            // Without root, the other user is the one whose files these are.
            let owner = path.metadata().expect("is there").uid();
            assert!(files::is_own(owner) && files::is_own(0) && !files::is_own(owner.wrapping_add(1).max(1)));
        }
    }

    #[test]
    fn source_dir_never_follows_a_link_that_replaces_a_file() {
        let (directory, sources) = directory();
        let (path, other) = (sources.path().join("a/x"), sources.path().join("a/y"));
        symlink(directory.path().join("token"), &other).expect("links");
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let flags = nix::fcntl::RenameFlags::RENAME_EXCHANGE;
                    let exchanged = nix::fcntl::renameat2(
                        nix::fcntl::AT_FDCWD,
                        &path,
                        nix::fcntl::AT_FDCWD,
                        &other,
                        flags,
                    );
                    if exchanged.is_err() {
                        return;
                    }
                }
            });
            for _ in 0..3000 {
                if let Ok(text) = sources.read_text(Path::new("a/x"), 9) {
                    assert_eq!(text, "in");
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
