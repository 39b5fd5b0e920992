//! The result of scanning one source: variables with the positions of their reads, and parts that could
//! not be parsed. The comparison with an environment belongs in `compare`.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Import;
use super::rules::Getter;

/// Maximum characters of source text to show.
pub(super) const SHOWN: usize = 72;

/// A read of a variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvRead {
    /// Name.
    pub name: String,
    /// Line, from 1.
    pub line: usize,
    /// Consequence of a missing value.
    pub need: Requirement,
    /// Marks a read when an image is built, not when the component runs.
    pub build: bool,
    /// Marks a read in a test.
    pub test: bool,
}

/// Consequence of a missing value at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// Code uses another value.
    Default,
    /// Program continues without a value.
    Optional,
    /// Program fails.
    Required,
}

/// A read of a variable whose name is computed at run time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// Line, from 1.
    pub line: usize,
    /// Source text, on one line.
    pub text: String,
    /// Marks a read in a test.
    pub test: bool,
}

/// Result of scanning one file.
#[derive(Debug, Clone, Default)]
pub struct FileScan {
    /// Reads of variables.
    pub finds: Vec<EnvRead>,
    /// Reads of variables with a computed name.
    pub unknown: Vec<Unknown>,
    /// Variables that it adds to its own environment or to that of an image, with the line.
    pub sets: Vec<(String, usize)>,
    /// Variables of its own, which are not read from the environment.
    pub assigned: BTreeSet<String>,
    /// Lines that could not be parsed.
    pub errors: Vec<usize>,
    /// Marks a file whose scan was cut off by the timeout.
    pub cut_short: bool,
    /// Imports.
    pub imports: Vec<Import>,
    /// Names of called functions, without their qualifiers.
    pub calls: BTreeSet<String>,
    /// Functions of its own that read the variable named by an argument.
    pub wrappers: BTreeMap<String, Getter>,
}

impl FileScan {
    /// Adds the result of a script that this file contains, with the number of lines before the script.
    pub(super) fn include(&mut self, script: Self, before: usize) {
        let finds = script.finds.into_iter();
        self.finds.extend(finds.map(|find| EnvRead { line: find.line + before, ..find }));
        let unknown = script.unknown.into_iter();
        self.unknown.extend(unknown.map(|one| Unknown { line: one.line + before, ..one }));
        self.cut_short |= script.cut_short;
    }
}

/// Returns source text on one line, shortened.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(4 * SHOWN).collect();
    let words: Vec<&str> = start.split_whitespace().collect();
    crate::base::text::truncate(&words.join(" "), SHOWN)
}
