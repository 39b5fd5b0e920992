//! The outcome of a scan.

use std::collections::{BTreeMap, BTreeSet};

use super::request::Library;
use crate::model::scan::{Comparison, Unknown};

/// What was found.
#[derive(Debug, Default)]
pub struct ScanOutcome {
    /// The variables.
    pub comparison: Comparison,
    /// Variables whose names are not known before the program runs, with the file.
    pub unknown: Vec<(String, Unknown)>,
    /// Files that were not read, with the reason.
    pub not_read: Vec<(String, String)>,
    /// Files that were not understood to their end, with the lines.
    pub errors: Vec<(String, Vec<usize>)>,
    /// How many files in languages that are not known there were, by the end of their names.
    pub strange: BTreeMap<String, usize>,
    /// How many files were read, by language.
    pub languages: BTreeMap<String, usize>,
    /// Those that were read for being imported.
    pub shared: usize,
    /// Repositories of its sources that are not cloned.
    pub not_cloned: Vec<String>,
    /// Libraries that are not cloned.
    pub libraries: BTreeSet<Library>,
    /// Whether there were more files than are looked at.
    pub cut_short: bool,
}
