//! The files of a deployment, from a clone or from a commit in it. Access is read-only, and nothing
//! outside of the clone is read.

use std::path::{Path, PathBuf};

use crate::base::files::{self, FileError};
use crate::model::deployment::{DeploymentFileSet, FileKind, FileTrouble};
use crate::systems::git::Tree;

/// Maximum bytes of a file of a deployment: bundles of definitions have some MiB. The model bounds the
/// sum of all files.
const LIMIT: u64 = 16 << 20;

/// The files of a clone.
pub(super) struct CloneFiles {
    root: PathBuf,
    real: PathBuf,
}

impl CloneFiles {
    pub(super) fn new(root: PathBuf) -> Result<Self, FileError> {
        let real = root.canonicalize().map_err(|source| FileError::new("find", &root, source))?;
        Ok(Self { root, real })
    }

    /// Returns the real path of a file, unless a symbolic link leads out of the clone.
    fn find(&self, path: &str) -> Result<Option<PathBuf>, FileTrouble> {
        let trouble = |why: String| FileTrouble { path: self.label(path), why };
        let real = match self.root.join(path).canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(trouble(error.to_string())),
        };
        let inside = real.strip_prefix(&self.real);
        let inside = inside.map_err(|_| trouble("a link leads out of the clone".to_owned()))?;
        // The `.git` directory is not part of the sources.
        if files::is_of_git(inside) {
            return Err(trouble("it belongs to git".to_owned()));
        }
        Ok(Some(real))
    }

    fn must_find(&self, path: &str) -> Result<PathBuf, FileTrouble> {
        let missing = || FileTrouble { path: self.label(path), why: "it is not there".to_owned() };
        self.find(path)?.ok_or_else(missing)
    }
}

impl DeploymentFileSet for CloneFiles {
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
        Ok(self.find(path)?.and_then(|real| {
            if real.is_dir() {
                Some(FileKind::Directory)
            } else {
                // Reading a pipe or device would never end.
                real.is_file().then_some(FileKind::File)
            }
        }))
    }

    fn text(&self, path: &str) -> Result<String, FileTrouble> {
        let trouble = |why: String| FileTrouble { path: self.label(path), why };
        let real = self.must_find(path)?;
        if !real.is_file() {
            return Err(trouble("it is no file".to_owned()));
        }
        files::read_text(&real, LIMIT).map_err(|error| trouble(error.source.to_string()))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>, FileTrouble> {
        let real = self.must_find(directory)?;
        // A name that is not UTF-8 is then not found, which is reported.
        files::all_names_in(&real)
            .map(|names| names.iter().map(|name| name.to_string_lossy().into_owned()).collect())
            .map_err(|error| FileTrouble { path: self.label(directory), why: error.source.to_string() })
    }

    fn label(&self, path: &str) -> String {
        label(&self.root, path)
    }
}

fn label(root: &Path, path: &str) -> String {
    let whole = if path.is_empty() { root.to_path_buf() } else { root.join(path) };
    whole.display().to_string()
}

/// The files of a commit.
pub(super) struct TreeFiles(pub(super) Tree);

impl TreeFiles {
    fn trouble(&self, path: &str, why: &dyn std::fmt::Display) -> FileTrouble {
        FileTrouble { path: self.label(path), why: why.to_string() }
    }
}

impl DeploymentFileSet for TreeFiles {
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
        let is_directory = self.0.is_directory(path).map_err(|error| self.trouble(path, &error))?;
        Ok(is_directory.map(|is| if is { FileKind::Directory } else { FileKind::File }))
    }

    fn text(&self, path: &str) -> Result<String, FileTrouble> {
        let content = self.0.content(path, LIMIT).map_err(|error| self.trouble(path, &error))?;
        let content = content.ok_or_else(|| self.trouble(path, &"it is not there, or longer than 16 MiB"))?;
        String::from_utf8(content).map_err(|_| self.trouble(path, &"it is no text in UTF-8"))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>, FileTrouble> {
        self.0.names(directory).map_err(|error| self.trouble(directory, &error))
    }

    fn label(&self, path: &str) -> String {
        format!("{}@{}", label(self.0.root(), path), self.0.revision())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clone_files_reads_nothing_outside_clone() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("clone");
        std::fs::create_dir_all(root.join("deploy")).expect("makes");
        std::fs::create_dir_all(root.join(".git")).expect("makes");
        std::fs::write(root.join("deploy/a.yaml"), "kind: Pod").expect("writes");
        std::fs::write(root.join(".git/config"), "secret").expect("writes");
        std::os::unix::fs::symlink("/etc", root.join("deploy/out")).expect("links");
        std::os::unix::fs::symlink("a.yaml", root.join("deploy/in.yaml")).expect("links");
        let long = std::fs::File::create(root.join("long")).expect("makes");
        long.set_len(LIMIT + 1).expect("takes no room");
        let files = CloneFiles::new(root).expect("opens");
        assert_eq!(files.text("deploy/in.yaml").as_deref(), Ok("kind: Pod"));
        assert_eq!(files.kind("deploy"), Ok(Some(FileKind::Directory)));
        assert_eq!(files.kind("none"), Ok(None));
        assert_eq!(files.names("deploy").map(|names| names.len()), Ok(3));
        for wrong in ["deploy/out/passwd", "deploy/out", ".git/config", "long", "none"] {
            assert!(files.text(wrong).is_err(), "{wrong}");
        }
        assert!(files.kind("deploy/out").is_err());
    }
}
