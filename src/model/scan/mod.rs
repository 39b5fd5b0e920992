//! What a source text reads of its environment, found with real grammars and by rule. Pure: the
//! rules and queries are handed in as text, and so are the sources. Which files those are is for
//! `ops`. What a language looks like is in `templates/scan/`.

mod compare;
mod dockerfile;
mod grammar;
mod imports;
mod notes;
mod reading;
mod ruby;
mod rules;
mod syntax;

use std::collections::{BTreeMap, BTreeSet};

pub use compare::{Comparison, Given, Known, Place, Use, UseState, compare};
pub use grammar::Grammar;
pub use imports::{Import, candidates};
pub use rules::{Getter, Language, QueryText, ReadError, RulesError, ScanRules};

/// What is written at a place is shown so far.
const SHOWN: usize = 72;

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

/// Reads one file in a language. `more` are functions of other files that read a variable which they
/// are given the name of.
///
/// # Errors
/// When a query of the language does not work.
pub fn scan(
    language: &Language,
    text: &str,
    more: &BTreeMap<String, Getter>,
) -> Result<FileScan, RulesError> {
    let mut scan = match language.grammar {
        Grammar::Dockerfile => dockerfile::scan(language, text)?,
        Grammar::Ruby => ruby::scan(language, text),
        grammar => reading::scan(language, grammar, text, more)?,
    };
    let is_kept =
        |find: &Find| !(language.is_own(&find.name) || find.build && language.is_of_builder(&find.name));
    scan.finds.retain(is_kept);
    scan.finds.sort();
    scan.finds.dedup();
    scan.unknown.sort();
    scan.unknown.dedup();
    Ok(scan)
}

/// What is written at a place, on one line.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(4 * SHOWN).collect();
    let words: Vec<&str> = start.split_whitespace().collect();
    crate::base::text::truncate(&words.join(" "), SHOWN)
}

#[cfg(test)]
mod indirect;
#[cfg(test)]
mod tests;
