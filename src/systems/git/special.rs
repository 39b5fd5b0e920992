//! Special files in a clone. libgit2 opens the files of a clone without a check: a named pipe in place of a
//! file makes it block forever, unreachable for signals. So `cki` checks each repository before it opens it,
//! and refuses anything but files and directories. The opening itself is `tree`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::GitError;
use super::config_paths::paths_in;
use crate::base::files::{self, FileError};

/// Name of a repository in its working tree, or of the file that points to one.
const REPOSITORY: &str = ".git";
/// Maximum number of files and directories to check; no repository in which git still works has more.
const MOST: usize = 4_000_000;
/// Maximum bytes of a file that names another path.
const LONGEST_PLACE: u64 = 64 << 10;
/// Maximum bytes of a configuration file; a longer one was not written by hand.
const LONGEST_CONFIG: u64 = 1 << 20;
/// Socket of git's own file system monitor, which libgit2 does not open.
const MONITOR: &str = "fsmonitor--daemon.ipc";

/// The part of a clone that libgit2 will read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The files that it opens with the repository, and those of its configuration.
    Configuration,
    /// Also its objects, its references and its working tree.
    Everything,
}

/// Refuses a clone in which libgit2 would open something other than a file: in its repository, in the places
/// to which that points, and among its ignore files.
///
/// # Errors
/// Fails at the first pipe, socket or device.
pub(super) fn refuse(directory: &Path, extent: Extent) -> Result<(), GitError> {
    let mut search = Search { extent, open: Vec::new(), seen: BTreeSet::new(), count: 0 };
    let repository = directory.join(REPOSITORY);
    if repository.symlink_metadata().is_ok() {
        match extent {
            Extent::Configuration => search.repository(&repository)?,
            Extent::Everything => search.working_tree(directory)?,
        }
    } else if directory.join("HEAD").symlink_metadata().is_ok() {
        search.open.push(directory.to_owned());
    }
    search.finish()
}

/// Progress of the search.
struct Search {
    extent: Extent,
    /// Directories of repositories still to check.
    open: Vec<PathBuf>,
    /// Checked directories and configuration files, by device and inode.
    seen: BTreeSet<(u64, u64)>,
    count: usize,
}

impl Search {
    /// Checks the files of a working tree that libgit2 reads by name, and queues the repositories in it: its
    /// own, and those of submodules.
    fn working_tree(&mut self, root: &Path) -> Result<(), GitError> {
        let mut open = vec![root.to_owned()];
        while let Some(directory) = open.pop() {
            let Ok(entries) = std::fs::read_dir(&directory) else { continue };
            for entry in entries.flatten() {
                self.count_one(&directory)?;
                match entry.file_name().as_bytes() {
                    b".gitignore" | b".gitattributes" | b".gitmodules" => {
                        files::refuse_special(&entry.path())?;
                    }
                    b".git" => self.repository(&entry.path())?,
                    _ if entry.file_type().is_ok_and(|kind| kind.is_dir()) => open.push(entry.path()),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Queues a repository, or the one to which a `.git` file points.
    fn repository(&mut self, path: &Path) -> Result<(), GitError> {
        files::refuse_special(path)?;
        if path.is_dir() {
            self.open.push(path.to_owned());
            return Ok(());
        }
        let here = path.parent().unwrap_or(Path::new("/"));
        self.open.extend(places(path, b"gitdir:")?.into_iter().map(|place| here.join(place)));
        Ok(())
    }

    /// Checks all queued repositories, and those to which they point.
    fn finish(mut self) -> Result<(), GitError> {
        while let Some(directory) = self.open.pop() {
            let Ok(facts) = directory.metadata() else { continue };
            if !self.is_new(&facts) {
                continue;
            }
            let Ok(entries) = std::fs::read_dir(&directory) else { continue };
            for entry in entries.flatten() {
                self.count_one(&directory)?;
                self.entry(&directory, &entry)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, directory: &Path, entry: &std::fs::DirEntry) -> Result<(), GitError> {
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(kind) = entry.file_type() else { return Ok(()) };
        if kind.is_dir() || kind.is_symlink() && path.is_dir() {
            // Of the directories, opening reads `info` only.
            if self.extent == Extent::Everything || name == "info" {
                self.open.push(path);
            }
            return Ok(());
        }
        if name == MONITOR {
            return Ok(());
        }
        // The directory has told the type already: objects are many.
        if !kind.is_file() {
            files::refuse_special(&path)?;
        }
        match name.as_bytes() {
            b"commondir" => self.open.extend(places(&path, b"")?.into_iter().map(|to| directory.join(to))),
            b"alternates" => {
                // Paths are relative to the directory of objects, the parent of this `info`.
                let objects = directory.parent().unwrap_or(directory);
                self.open.extend(places(&path, b"")?.into_iter().map(|to| objects.join(to)));
            }
            b"config" | b"config.worktree" => self.config(path)?,
            _ => {}
        }
        Ok(())
    }

    /// Checks the files that a configuration file names, and those that they include.
    fn config(&mut self, first: PathBuf) -> Result<(), GitError> {
        let mut open = vec![first];
        while let Some(path) = open.pop() {
            files::refuse_special(&path)?;
            let Ok(facts) = path.metadata() else { continue };
            if !facts.is_file() || !self.is_new(&facts) {
                continue;
            }
            self.count_one(&path)?;
            let here = path.parent().unwrap_or(Path::new("/"));
            for named in paths_in(&read(&path, LONGEST_CONFIG)?) {
                // An include is relative to the file, any other path to the working directory.
                for place in [here.join(&named), named] {
                    files::refuse_special(&place)?;
                    open.push(place);
                }
            }
        }
        Ok(())
    }

    fn is_new(&mut self, facts: &Metadata) -> bool {
        self.seen.insert((facts.dev(), facts.ino()))
    }

    fn count_one(&mut self, at: &Path) -> Result<(), GitError> {
        self.count += 1;
        if self.count <= MOST {
            return Ok(());
        }
        let why = format!("more than {MOST} files and directories are in it");
        Err(FileError::new("read", at, std::io::Error::other(why)).into())
    }
}

/// Returns the paths in a file that has one on each line, after a prefix.
fn places(path: &Path, word: &[u8]) -> Result<Vec<PathBuf>, GitError> {
    let text = read(path, LONGEST_PLACE)?;
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(word));
    let lines = lines.map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    Ok(lines.map(|line| PathBuf::from(OsStr::from_bytes(line))).collect())
}

/// Returns the content of a file; empty if it is unreadable, since libgit2 cannot read it, either.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, GitError> {
    match files::read(path, limit) {
        Err(error) if error.source.kind() == std::io::ErrorKind::FileTooLarge => Err(error.into()),
        read => Ok(read.unwrap_or_default()),
    }
}
