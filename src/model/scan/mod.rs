//! Detection of the variables that a source reads from its environment, with real grammars and rules.
//! Pure: the caller provides rules, queries and sources as text. The selection of files belongs in
//! `ops`, the description of a language in `templates/scan/`.

mod analysis;
mod arithmetic;
mod build_values;
mod capture_sites;
mod captures;
mod ci;
mod command;
mod compare;
mod conditions;
mod dockerfile;
mod env_read;
mod error;
mod grammar;
mod imports;
mod mentions;
mod names;
mod references;
mod rules;
mod settings_class;
mod source_notes;
mod syntax;
mod tags;

use std::collections::BTreeMap;

pub use build_values::{build_pairs, expand_build_values};
pub use command::scan_command;
pub use compare::{CompareInput, Comparison, KnownVariable, ReadSite, UseState, VarUsage, compare};
use env_read::shown;
pub use env_read::{EnvRead, FileScan, Requirement, Unknown};
pub use error::ScanRulesError;
pub use grammar::Grammar;
pub use imports::{Import, candidates};
pub use rules::{Getter, Language, QueryText, ReadError, ScanRules};

/// Scans one file in a language. `more` holds functions of other files that read the variable named by
/// an argument.
///
/// # Errors
/// Fails when a query of the language is invalid.
pub fn scan(
    language: &Language,
    text: &str,
    more: &BTreeMap<String, Getter>,
) -> Result<FileScan, ScanRulesError> {
    let mut scan = match language.grammar {
        Grammar::Dockerfile => dockerfile::scan(language, text)?,
        Grammar::Ci => ci::scan(language, text)?,
        grammar => analysis::scan(language, grammar, text, more)?,
    };
    let is_kept =
        |find: &EnvRead| !(language.is_own(&find.name) || find.build && language.is_of_builder(&find.name));
    scan.finds.retain(is_kept);
    scan.finds.sort();
    scan.finds.dedup();
    scan.unknown.sort();
    scan.unknown.dedup();
    Ok(scan)
}

/// Returns the instructions of a Dockerfile: each keyword in capitals, and its arguments with their line breaks.
#[must_use]
pub fn instructions_of(text: &str) -> Vec<(String, String)> {
    dockerfile::pairs(text)
}

#[cfg(test)]
mod indirect;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
