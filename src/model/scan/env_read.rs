//! What reading one source gives: the variables that it reads, each with its place, and what was not
//! understood.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Import;
use super::rules::Getter;

/// What is written at a place is shown so far.
pub(super) const SHOWN: usize = 72;

/// A variable that is read somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Find {
    /// Its name.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What happens there if it has no value.
    pub need: Need,
    /// Whether it is read when an image is built, not when the component runs.
    pub build: bool,
    /// Whether this is a test.
    pub test: bool,
}

/// What happens at a place if a variable has no value there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Another value is used.
    Default,
    /// The program goes on without.
    Optional,
    /// It fails.
    Required,
}

/// A place that reads a variable whose name is made at run time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// The line, from 1.
    pub line: usize,
    /// What is written there, on one line.
    pub text: String,
    /// Whether this is a test.
    pub test: bool,
}

/// What was found in one file.
#[derive(Debug, Clone, Default)]
pub struct FileScan {
    /// What it reads.
    pub finds: Vec<Find>,
    /// What it reads under a name that is not written there.
    pub unknown: Vec<Unknown>,
    /// What it puts into the environment, its own or that of an image, with the line.
    pub sets: Vec<(String, usize)>,
    /// Variables of its own, which are not read from the environment.
    pub assigned: BTreeSet<String>,
    /// Lines that could not be understood.
    pub errors: Vec<usize>,
    /// Whether it was not read to its end, since that took too long.
    pub cut_short: bool,
    /// What it makes use of.
    pub imports: Vec<Import>,
    /// The functions that it calls, without what is in front of their names.
    pub calls: BTreeSet<String>,
    /// Functions of its own that read a variable which they are given the name of.
    pub wrappers: BTreeMap<String, Getter>,
}

/// What is written at a place, on one line.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(4 * SHOWN).collect();
    let words: Vec<&str> = start.split_whitespace().collect();
    crate::base::text::truncate(&words.join(" "), SHOWN)
}
