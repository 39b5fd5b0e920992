//! A source file before and after it is read. Selecting files is in `files`, reading them in `read`.

use std::path::PathBuf;

use super::store::SourceTree;
use crate::model::scan::FileScan;

/// A repository.
pub(super) struct SourceRepository {
    /// Its name in the inventory.
    pub(super) name: String,
    /// Its files.
    pub(super) store: SourceTree,
}

/// A file to scan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WantedFile {
    /// The index of its repository.
    pub(super) repository: usize,
    /// Its path in the repository.
    pub(super) path: PathBuf,
    /// An image is built from this file, whatever its name.
    pub(super) is_build_file: bool,
    /// The file is only imported.
    pub(super) shared: bool,
}

/// A scanned file.
#[derive(Debug)]
pub(super) struct FileReading {
    pub(super) wanted: WantedFile,
    pub(super) fate: ReadOutcome,
}

/// The result of a file.
#[derive(Debug, Clone)]
pub(super) enum ReadOutcome {
    /// The file was scanned.
    Read { language: usize, scan: FileScan },
    /// The language is unknown.
    Strange,
    /// The file contains no code.
    NoCode,
    /// The file was not read, with the reason.
    NotRead(String),
}
