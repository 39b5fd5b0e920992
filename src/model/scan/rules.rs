//! Rules of a scan: languages, their file names, and their ways to read the environment. They are in the
//! template `scan/rules.yaml`, with one or more queries for each language. Their application belongs in
//! `analysis`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use super::error::ScanRulesError;
use super::grammar::{Grammar, ProgramGrammar};
use crate::base::files::FileError;
use crate::base::yaml;

#[derive(Debug, Deserialize)]
struct RawScanRules {
    #[serde(default)]
    languages: Vec<RawLanguage>,
    #[serde(default)]
    system: Vec<String>,
    #[serde(default)]
    libraries: Vec<String>,
    #[serde(default)]
    tests: Vec<String>,
    #[serde(default)]
    skipped: Vec<String>,
    #[serde(default)]
    no_code: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct RawLanguage {
    name: String,
    grammar: Grammar,
    #[serde(default)]
    queries: Vec<String>,
    #[serde(default)]
    extensions: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    own: Vec<String>,
    #[serde(default)]
    builder: Vec<String>,
    #[serde(default)]
    nothing: Vec<String>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    #[serde(default)]
    watched: Vec<String>,
    #[serde(default)]
    tables: BTreeMap<String, RawRuleTable>,
    #[serde(default)]
    getters: BTreeMap<String, Getter>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    prefix_tags: Vec<String>,
    #[serde(default)]
    settings: Vec<String>,
}

/// Consequence of a missing value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawMissing {
    /// Failure.
    Error,
}

/// An object that holds the environment.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct RawRuleTable {
    pub(super) missing: Option<RawMissing>,
}

/// A function that reads a variable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Getter {
    /// Position of the argument with the name.
    #[serde(default)]
    pub(super) name: usize,
    /// Keyword of that argument.
    pub(super) key: Option<String>,
    /// Position of the argument with the default.
    pub(super) default: Option<usize>,
    /// Keyword of that argument.
    pub(super) keyword: Option<String>,
    pub(super) missing: Option<RawMissing>,
    /// Marks a read at build time.
    #[serde(default)]
    pub(super) build: bool,
    /// Variables that it always reads.
    #[serde(default)]
    pub(super) reads: Vec<String>,
    /// Marks a read of all variables, or of names that no argument tells.
    #[serde(default)]
    pub(super) all: bool,
    /// Marks an argument that is a text with references: `$X`.
    #[serde(default)]
    pub(super) template: bool,
    /// Marks a function whose further arguments are names, too.
    #[serde(default)]
    pub(super) each: bool,
    /// Marks a function that makes the name from a key if it has no other argument.
    #[serde(default)]
    pub(super) derived: bool,
    /// Marks a function that puts a prefix before the names in a block.
    #[serde(default)]
    pub(super) prefix: bool,
}

/// A language.
#[derive(Debug)]
pub struct Language {
    /// Name for display.
    pub name: String,
    /// Parser.
    pub grammar: Grammar,
    pub(super) nothing: Vec<String>,
    /// Paths that are other names for paths in the rules.
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) tables: BTreeMap<String, RawRuleTable>,
    pub(super) getters: BTreeMap<String, Getter>,
    pub(super) tags: Vec<String>,
    pub(super) prefix_tags: Vec<String>,
    /// Paths of which each mention is a read or is reported.
    pub(super) watched: BTreeMap<String, ()>,
    /// Base classes whose fields are variables.
    pub(super) settings: BTreeMap<String, ()>,
    extensions: Vec<String>,
    programs: Vec<String>,
    names: GlobSet,
    own: GlobSet,
    builder: GlobSet,
    /// Queries, each with the name of its file.
    queries: Vec<(String, String)>,
    program: OnceLock<Result<ProgramGrammar, ScanRulesError>>,
}

impl Language {
    /// Returns whether a variable belongs to the language itself.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.own.is_match(name)
    }

    /// Returns whether imported files can be found by name.
    #[must_use]
    pub fn follows_imports(&self) -> bool {
        self.grammar == Grammar::Python
    }

    /// Returns whether image builders know a variable.
    pub(super) fn is_of_builder(&self, name: &str) -> bool {
        self.builder.is_match(name)
    }

    /// Returns the compiled queries, which are compiled on first use.
    pub(super) fn program(&self) -> Result<&ProgramGrammar, ScanRulesError> {
        self.program
            .get_or_init(|| ProgramGrammar::new(self.grammar, &self.queries))
            .as_ref()
            .map_err(Clone::clone)
    }
}

/// File name and text of a query, if it exists.
pub type QueryText = Result<Option<(String, String)>, FileError>;

/// All rules.
#[derive(Debug)]
pub struct ScanRules {
    /// Languages.
    pub languages: Vec<Language>,
    system: GlobSet,
    libraries: GlobSet,
    tests: GlobSet,
    /// Names of directories to skip.
    pub skipped: Vec<String>,
    no_code: GlobSet,
}

impl ScanRules {
    /// Reads the rules. `query` returns the text of a query by its name, with the name of its file.
    ///
    /// # Errors
    /// Fails when the rules are invalid, or a query cannot be read.
    pub fn read(file: &str, text: &str, query: &dyn Fn(&str) -> QueryText) -> Result<Self, ReadError> {
        let (raw, _) = yaml::parse::<RawScanRules>(file, text).map_err(ScanRulesError::from)?;
        let set = |patterns: &[String]| glob_set(file, patterns);
        let language = |one: RawLanguage| -> Result<Language, ReadError> {
            let mut queries = Vec::new();
            for name in &one.queries {
                let named = query(name)?.ok_or_else(|| ScanRulesError::NoQuery {
                    file: file.to_owned(),
                    language: one.name.clone(),
                    query: name.clone(),
                })?;
                queries.push(named);
            }
            Ok(Language {
                names: set(&one.names)?,
                own: set(&one.own)?,
                builder: set(&one.builder)?,
                name: one.name,
                grammar: one.grammar,
                nothing: one.nothing,
                aliases: one.aliases,
                tables: one.tables,
                getters: one.getters,
                tags: one.tags,
                prefix_tags: one.prefix_tags,
                watched: one.watched.into_iter().map(|path| (path, ())).collect(),
                settings: one.settings.into_iter().map(|name| (name, ())).collect(),
                extensions: one.extensions,
                programs: one.programs,
                queries,
                program: OnceLock::new(),
            })
        };
        Ok(Self {
            languages: raw.languages.into_iter().map(language).collect::<Result<_, _>>()?,
            system: set(&raw.system)?,
            libraries: set(&raw.libraries)?,
            tests: set(&raw.tests)?,
            skipped: raw.skipped,
            no_code: set(&raw.no_code)?,
        })
    }

    /// Returns the index of a file's language, by its path below the root of its repository and by the
    /// beginning of its text.
    #[must_use]
    pub fn language(&self, path: &Path, text: &str) -> Option<usize> {
        self.language_of_path(path).or_else(|| {
            let program = program_of(text)?;
            self.languages.iter().position(|language| language.programs.iter().any(|one| one == program))
        })
    }

    /// Returns the index of a file's language, by its path alone.
    #[must_use]
    pub fn language_of_path(&self, path: &Path) -> Option<usize> {
        let name = Path::new(path.file_name()?);
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let by_name = |one: &Language| one.names.is_match(name) || one.names.is_match(path);
        let by_extension = |one: &Language| one.extensions.iter().any(|other| other == extension);
        let languages = &self.languages;
        languages.iter().position(by_name).or_else(|| languages.iter().position(by_extension))
    }

    /// Returns the index of the language of Dockerfiles.
    #[must_use]
    pub fn build_files(&self) -> Option<usize> {
        self.languages.iter().position(|language| language.grammar == Grammar::Dockerfile)
    }

    /// Returns whether every system gives a variable to every program.
    #[must_use]
    pub fn is_of_system(&self, name: &str) -> bool {
        self.system.is_match(name)
    }

    /// Returns whether runtimes and common libraries read a variable, so that sources need not mention it.
    #[must_use]
    pub fn is_of_library(&self, name: &str) -> bool {
        self.libraries.is_match(name)
    }

    /// Returns whether a file is a test, by its path below the root of its repository.
    #[must_use]
    pub fn is_test(&self, path: &Path) -> bool {
        self.tests.is_match(path)
    }

    /// Returns whether a file of this name contains no code.
    #[must_use]
    pub fn is_no_code(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.no_code.is_match(name))
    }
}

/// Rules that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The rules are invalid.
    #[error(transparent)]
    Rules(#[from] ScanRulesError),
}

/// Returns the value of a table for a path, or for the end of it.
pub(super) fn by_end<'a, T>(table: &'a BTreeMap<String, T>, path: &str) -> Option<&'a T> {
    let mut rest = path;
    loop {
        if let Some(found) = table.get(rest) {
            return Some(found);
        }
        rest = &rest[rest.find(['.', ':', '/'])? + 1..];
    }
}

fn glob_set(file: &str, patterns: &[String]) -> Result<GlobSet, ScanRulesError> {
    let wrong = |pattern: &str, error: globset::Error| ScanRulesError::Pattern {
        file: file.to_owned(),
        pattern: pattern.to_owned(),
        message: error.kind().to_string(),
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob: Glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| wrong(pattern, error))?;
        set.add(glob);
    }
    set.build().map_err(|error| wrong(&patterns.join(", "), error))
}

/// Returns the program of a `#!` line: `python3` of `#!/usr/bin/env -S python3 -u`.
fn program_of(text: &str) -> Option<&str> {
    let line = text.strip_prefix("#!")?.lines().next()?;
    let base = |word| Path::new(word).file_name().and_then(|name| name.to_str());
    let mut words = line.split_whitespace();
    let first = base(words.next()?)?;
    if first != "env" {
        return Some(first);
    }
    base(words.find(|word| !word.starts_with('-') && !word.contains('='))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_of_reads_shebang() {
        assert_eq!(program_of("#!/bin/sh\n"), Some("sh"));
        assert_eq!(program_of("#! /usr/bin/env -S X=1 python3 -u\nx"), Some("python3"));
        assert_eq!(program_of("#!/usr/bin/env\n"), None);
        assert_eq!(program_of("# no"), None);
    }
}
