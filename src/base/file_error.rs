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

    /// Returns whether the path, or the directory to write it to, does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self.source.kind() {
            io::ErrorKind::NotFound => true,
            // A file is in the way of what should be written.
            io::ErrorKind::NotADirectory => matches!(self.verb, "read" | "find" | "run"),
            _ => false,
        }
    }
}
