//! The outcome of a scan.

use std::collections::{BTreeMap, BTreeSet};

use super::request::Library;
use crate::model::scan::{Comparison, Unknown};

/// The outcome of a scan.
#[derive(Debug, Default)]
pub struct ScanOutcome {
    /// The variables.
    pub comparison: Comparison,
    /// Variables whose names are only known at run time, with the file.
    pub unknown: Vec<(String, Unknown)>,
    /// Files that were not read, with the reason.
    pub not_read: Vec<(String, String)>,
    /// Files that could not be parsed completely, with the lines.
    pub errors: Vec<(String, Vec<usize>)>,
    /// Number of files in unknown languages, by file name extension.
    pub strange: BTreeMap<String, usize>,
    /// Number of scanned files, by language.
    pub languages: BTreeMap<String, usize>,
    /// Number of files that were read because of imports.
    pub shared: usize,
    /// Repositories of its sources that are not cloned.
    pub not_cloned: Vec<String>,
    /// Libraries that are not cloned.
    pub libraries: BTreeSet<Library>,
    /// Some files were left out because of the maximum.
    pub cut_short: bool,
}
