//! The directory of a site: written beside its place and exchanged at the end, so that a reader sees the old site or the
//! new one. It replaces only what `cki` has written, which a list in the directory tells.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::base::files::{self, FileError};
use crate::host::scratch;

/// File with the paths of all files of a site.
const LIST: &str = ".cki-site";
/// First line of that file.
const TITLE: &str =
    "Files that `cki inventory site` has written; it replaces this directory if there are no others.";
/// Maximum length of that file in bytes.
const LONGEST: u64 = 256 << 20;
/// Beginning of the names of temporary directories.
const TEMPORARY: &str = ".cki-site-";

/// A directory that is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum SiteDirectoryError {
    /// It is not a directory of `cki`.
    #[error("cannot write the site to `{}`: it is not empty, and no directory that `cki inventory site` has written", .0.display())]
    Other(PathBuf),
    /// It has a file that `cki` has not written.
    #[error("cannot replace `{}`: `cki` has not written `{file}` in it", directory.display())]
    Added {
        /// The directory.
        directory: PathBuf,
        /// The file, relative to it.
        file: String,
    },
    /// It is no directory, or has no name.
    #[error("cannot write the site to `{}`: it is {what}", path.display())]
    Unsuitable {
        /// The path.
        path: PathBuf,
        /// Its kind.
        what: &'static str,
    },
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A site that is being written. Without [`SiteDirectory::finish`], nothing of it stays.
#[derive(Debug)]
pub(super) struct SiteDirectory {
    target: PathBuf,
    temporary: tempfile::TempDir,
    paths: Vec<String>,
}

impl SiteDirectory {
    /// Prepares to write a site with these files to a directory.
    ///
    /// # Errors
    /// Fails if the directory has other files, or a directory cannot be created.
    pub(super) fn new(target: &Path, paths: Vec<String>) -> Result<Self, SiteDirectoryError> {
        // A link to a directory stays, and leads to the new site.
        let target = target.canonicalize().unwrap_or_else(|_| target.to_path_buf());
        check(&target)?;
        let (Some(parent), Some(_)) = (target.parent(), target.file_name()) else {
            return Err(SiteDirectoryError::Unsuitable { path: target, what: "the root of the file system" });
        };
        files::make_directory(parent)?;
        // What cannot be removed takes room, and no more.
        scratch::abandoned(parent, TEMPORARY).iter().for_each(|path| drop(files::remove_directory(path)));
        let temporary =
            scratch::owned(parent, TEMPORARY).map_err(|source| FileError::new("write", parent, source))?;
        let directories: BTreeSet<&Path> =
            paths.iter().flat_map(|path| Path::new(path).ancestors().skip(1)).collect();
        for directory in directories.into_iter().filter(|path| !path.as_os_str().is_empty()) {
            let path = temporary.path().join(directory);
            let made = std::fs::DirBuilder::new().mode(0o755).create(&path);
            made.map_err(|source| FileError::new("create", path, source))?;
        }
        Ok(Self { target, temporary, paths })
    }

    /// Writes one of the files.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub(super) fn put(&self, path: &str, content: &[u8]) -> Result<(), FileError> {
        let path = self.temporary.path().join(path);
        let put = || std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(content);
        put().map_err(|source| FileError::new("write", path.clone(), source))
    }

    /// Puts the directory in its place.
    ///
    /// # Errors
    /// Fails if the old directory cannot be replaced, or has got other files.
    pub(super) fn finish(mut self) -> Result<(), SiteDirectoryError> {
        self.paths.sort_unstable();
        self.put(LIST, format!("{TITLE}\n{}\n", self.paths.join("\n")).as_bytes())?;
        let made = self.temporary.path();
        // A temporary directory is private; the umask decides who may read the site, as it did for its files.
        let list =
            std::fs::metadata(made.join(LIST)).map_err(|source| FileError::new("read", made, source))?;
        let readers = list.permissions().mode() & 0o444;
        let mode = std::fs::Permissions::from_mode(0o700 | readers | readers >> 2);
        std::fs::set_permissions(made, mode).map_err(|source| FileError::new("write", made, source))?;
        check(&self.target)?;
        let fail = |source: io::Error| FileError::new("replace", &self.target, source);
        if !self.target.exists() {
            return Ok(files::rename(made, &self.target)?);
        }
        match renameat2(AT_FDCWD, made, AT_FDCWD, &self.target, RenameFlags::RENAME_EXCHANGE) {
            // What was there before is removed with the temporary directory.
            Ok(()) => Ok(()),
            // Some file systems cannot exchange.
            Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => self.replace_in_two_steps(),
            Err(error) => Err(fail(error.into()).into()),
        }
    }

    /// Replaces the old directory; if that fails, the old one stays in its place.
    fn replace_in_two_steps(&self) -> Result<(), SiteDirectoryError> {
        let made = self.temporary.path();
        let aside = made.with_extension("old");
        files::rename(&self.target, &aside)?;
        if let Err(error) = files::rename(made, &self.target) {
            files::rename(&aside, &self.target)?;
            return Err(error.into());
        }
        Ok(files::remove_directory(&aside)?)
    }
}

/// Checks that a directory is missing, empty, or has files of a site only.
fn check(target: &Path) -> Result<(), SiteDirectoryError> {
    match std::fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::new("read", target, error).into()),
        Ok(facts) if facts.is_dir() => {}
        Ok(_) => {
            return Err(SiteDirectoryError::Unsuitable { path: target.to_path_buf(), what: "no directory" });
        }
    }
    let names = files::all_names_in(target)?;
    if names.is_empty() {
        return Ok(());
    }
    if !names.iter().any(|name| name == LIST) {
        return Err(SiteDirectoryError::Other(target.to_path_buf()));
    }
    let list = files::read_text(&target.join(LIST), LONGEST)?;
    let mut lines = list.lines();
    if lines.next() != Some(TITLE) {
        return Err(SiteDirectoryError::Other(target.to_path_buf()));
    }
    let known: BTreeSet<&Path> = lines.map(Path::new).chain([Path::new(LIST)]).collect();
    match added(target, &known)? {
        None => Ok(()),
        Some(file) => Err(SiteDirectoryError::Added {
            directory: target.to_path_buf(),
            file: file.display().to_string(),
        }),
    }
}

/// Returns a file or link below a directory that is not known, or a directory in which no known file can be.
fn added(root: &Path, known: &BTreeSet<&Path>) -> Result<Option<PathBuf>, FileError> {
    let above: BTreeSet<&Path> = known.iter().flat_map(|path| path.ancestors().skip(1)).collect();
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        for name in files::all_names_in(&root.join(&directory))? {
            let path = directory.join(name);
            let facts = root.join(&path).symlink_metadata();
            let facts = facts.map_err(|source| FileError::new("read", root.join(&path), source))?;
            match facts.is_dir() {
                true if above.contains(path.as_path()) => open.push(path),
                false if facts.is_file() && known.contains(path.as_path()) => {}
                _ => return Ok(Some(path)),
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(target: &Path, files: &[&str]) -> Result<(), SiteDirectoryError> {
        let site = SiteDirectory::new(target, files.iter().map(|&path| path.to_owned()).collect())?;
        for path in files {
            site.put(path, path.as_bytes())?;
        }
        site.finish()
    }

    fn names(path: &Path) -> Vec<String> {
        files::list_dir(path).expect("lists")
    }

    #[test]
    fn site_directory_replaces_its_own_files_only() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let target = directory.path().join("deep/site");
        write(&target, &["index.html", "a/b/c.html"]).expect("writes");
        write(&target, &["index.html", "d.html"]).expect("replaces");
        assert_eq!(names(&target), [".cki-site", "d.html", "index.html"]);
        assert_eq!(names(&directory.path().join("deep")), ["site"], "nothing else is left");
        let mode = |path: &Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o700;
        assert_eq!((mode(&target), mode(&target.join("d.html"))), (0o700, 0o600));

        std::fs::create_dir(target.join(".git")).expect("makes");
        let error = write(&target, &["x"]).expect_err("has something else").to_string();
        assert!(error.contains("has not written `.git`"), "{error}");
        std::fs::remove_dir(target.join(".git")).expect("removes");
        std::os::unix::fs::symlink("/etc/passwd", target.join("link")).expect("links");
        write(&target, &["x"]).expect_err("has a link");
        assert_eq!(names(&directory.path().join("deep")), ["site"]);
    }

    #[test]
    fn site_directory_refuses_directories_of_others() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let target = directory.path().join("site");
        std::fs::create_dir(&target).expect("makes");
        write(&target, &["x"]).expect("replaces an empty directory");
        let other = directory.path().join("other");
        std::fs::create_dir(&other).expect("makes");
        std::fs::write(other.join("thesis.txt"), "text").expect("writes");
        assert!(matches!(write(&other, &["x"]), Err(SiteDirectoryError::Other(_))));
        std::fs::write(other.join(LIST), "thesis.txt").expect("writes");
        assert!(matches!(write(&other, &["x"]), Err(SiteDirectoryError::Other(_))));
        assert_eq!(names(&other), [LIST, "thesis.txt"]);
        for path in [other.join("thesis.txt"), PathBuf::from("/")] {
            write(&path, &["x"]).expect_err("is no place for a site");
        }
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("site", &link).expect("links");
        write(&link, &["y"]).expect("replaces the site that the link leads to");
        assert!(link.is_symlink() && target.join("y").exists());
    }

    #[test]
    fn site_directory_replaces_where_nothing_can_be_exchanged() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let target = directory.path().join("site");
        write(&target, &["old"]).expect("writes");
        let site = SiteDirectory::new(&target, vec!["new".into()]).expect("begins");
        site.put("new", b"new").expect("writes");
        site.replace_in_two_steps().expect("replaces");
        drop(site);
        assert_eq!(
            (names(directory.path()), names(&target)),
            (vec!["site".to_owned()], vec!["new".to_owned()])
        );
    }

    #[test]
    fn site_directory_leaves_nothing_if_it_is_dropped() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        // A process that was killed left this one.
        std::fs::create_dir(
            directory.path().join(format!(".cki-site-1-999999999999-{}-x", crate::host::place())),
        )
        .expect("makes");
        let site = SiteDirectory::new(&directory.path().join("site"), vec!["x".into()]).expect("begins");
        site.put("x", b"x").expect("writes");
        assert_eq!(names(directory.path()).len(), 1);
        drop(site);
        assert!(names(directory.path()).is_empty());
    }
}
