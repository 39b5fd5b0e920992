//! The error of an operation on a file, with its path. The operations are in `files`.

use std::io;
use std::path::PathBuf;

/// A failed operation on a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} `{}`: {source}", path.display())]
pub struct FileError {
    /// The operation: `read`, `write`, …
    pub verb: &'static str,
    /// File or directory.
    pub path: PathBuf,
    /// Underlying error.
    pub source: io::Error,
}

impl FileError {
    /// Creates the error of an operation on a path.
    pub fn new(verb: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self { verb, path: path.into(), source }
    }

    /// Returns whether something that should be there does not exist: not a place to write to.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.verb, "read" | "find" | "run") && is_absent(&self.source)
    }
}

/// Returns whether an error means that the path does not exist: no such name, or a parent that is not a
/// directory.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
