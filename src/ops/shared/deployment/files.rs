//! The files of a deployment, from a clone or from a commit in it. Access is read-only, and nothing
//! outside of the clone is read.

use std::path::{Path, PathBuf};

use crate::base::files::FileError;
use crate::base::source_dir::{SourceDir, SourceKind};
use crate::model::deployment::{DeploymentFileSet, FileKind, FileTrouble};
use crate::systems::git::Tree;

/// Maximum bytes of a file of a deployment: bundles of definitions have some MiB. The model bounds the
/// sum of all files.
const LIMIT: u64 = 16 << 20;

/// The files of a clone.
pub(super) struct CloneFiles(SourceDir);

impl CloneFiles {
    pub(super) fn new(root: PathBuf) -> Result<Self, FileError> {
        Ok(Self(SourceDir::new(root)?))
    }

    fn trouble(&self, path: &str, error: &FileError) -> FileTrouble {
        let why = if error.is_missing() { "it is not there".to_owned() } else { error.source.to_string() };
        FileTrouble { path: self.label(path), why }
    }
}

impl DeploymentFileSet for CloneFiles {
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
        let kind = self.0.kind(Path::new(path)).map_err(|error| self.trouble(path, &error))?;
        Ok(kind.map(|kind| match kind {
            SourceKind::Directory => FileKind::Directory,
            SourceKind::File => FileKind::File,
        }))
    }

    fn text(&self, path: &str) -> Result<String, FileTrouble> {
        self.0.read_text(Path::new(path), LIMIT).map_err(|error| self.trouble(path, &error))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>, FileTrouble> {
        let names = self.0.names(Path::new(directory)).map_err(|error| self.trouble(directory, &error))?;
        // A name that is not UTF-8 is then not found, which is reported.
        Ok(names.iter().map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn label(&self, path: &str) -> String {
        label(self.0.path(), path)
    }

    fn working_directory(&self, directory: &str) -> String {
        label(self.0.path(), directory)
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

    fn working_directory(&self, directory: &str) -> String {
        label(self.0.root(), directory)
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
        let files = CloneFiles::new(root.clone()).expect("opens");
        assert_eq!(files.text("deploy/in.yaml").as_deref(), Ok("kind: Pod"));
        assert_eq!(files.kind("deploy"), Ok(Some(FileKind::Directory)));
        assert_eq!(files.kind("none"), Ok(None));
        assert_eq!(files.names("deploy").map(|names| names.len()), Ok(3));
        nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
        for wrong in ["deploy/out/passwd", "deploy/out", ".git/config", "long", "none", "pipe"] {
            assert!(files.text(wrong).is_err(), "{wrong}");
        }
        assert!(files.kind("deploy/out").is_err());
        let pipe = files.kind("pipe").expect_err("is no file");
        assert_eq!(pipe.why, "it is a pipe, not a file");
    }
}
