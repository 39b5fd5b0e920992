//! A source file before and after it is read. Which files are read is decided in `files`; `read` reads
//! them.

use std::path::PathBuf;

use super::store::Store;
use crate::model::scan::FileScan;

/// A repository.
pub(super) struct Repository {
    /// Its name in the inventory.
    pub(super) name: String,
    /// Its files.
    pub(super) store: Store,
}

/// A file to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// The number of its repository.
    pub(super) repository: usize,
    /// Its path in there.
    pub(super) path: PathBuf,
    /// Whether an image is built from it, whatever it is called.
    pub(super) is_build_file: bool,
    /// Whether it is looked at only for being imported.
    pub(super) shared: bool,
}

/// One file.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) wanted: Wanted,
    pub(super) fate: Fate,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Fate {
    /// It was read.
    Read { language: usize, scan: FileScan },
    /// It is in no language that is known.
    Strange,
    /// It is none that holds code.
    NoCode,
    /// It was not read.
    NotRead(String),
}
