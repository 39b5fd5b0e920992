//! What a source text reads of its environment, found with real grammars and by rule. Pure: the
//! rules and queries are handed in as text, and so are the sources. Which files those are is for
//! `ops`. What a language looks like is in `templates/scan/`.

mod compare;
mod dockerfile;
mod env_read;
mod error;
mod grammar;
mod imports;
mod notes;
mod reading;
mod rules;
mod syntax;

use std::collections::BTreeMap;

pub use compare::{Comparison, Given, Known, Place, Use, UseState, compare};
use env_read::shown;
pub use env_read::{FileScan, Find, Need, Unknown};
pub use error::RulesError;
pub use grammar::Grammar;
pub use imports::{Import, candidates};
pub use rules::{Getter, Language, QueryText, ReadError, ScanRules};

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

#[cfg(test)]
mod indirect;
#[cfg(test)]
mod tests;
