//! Grammars, and the queries on their syntax trees. Time and depth are bounded, so that no input blocks
//! the program. The interpretation of matches belongs in `source_notes`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tree_sitter::{ParseOptions, Parser, Query, Tree};

use super::error::ScanRulesError;

/// Timeout of parsing one file.
const PATIENCE: Duration = Duration::from_secs(2);

/// Maximum number of different indentations in a file.
const DEEPEST: usize = 200;

/// Maximum unparsed lines to report.
const ERRORS: usize = 20;

/// Parser of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grammar {
    /// Shell.
    Bash,
    /// Pipelines in YAML, whose scripts are shell.
    Ci,
    /// Dockerfiles, which are parsed line by line; their commands are shell.
    Dockerfile,
    /// Go.
    Go,
    /// JavaScript, with JSX.
    JavaScript,
    /// Python.
    Python,
    /// Rust.
    Rust,
    /// TypeScript with JSX.
    Tsx,
    /// TypeScript.
    TypeScript,
}

impl Grammar {
    /// Returns the tree-sitter grammar; languages without one use that of the shell.
    fn language(self) -> tree_sitter::Language {
        match self {
            Self::Bash | Self::Ci | Self::Dockerfile => tree_sitter_bash::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        }
    }

    /// Parses a text; returns `None` after the timeout, or if the text is nested too deeply.
    pub(super) fn parse(self, text: &str) -> Option<Tree> {
        if self == Self::Python && !is_shallow(text) {
            return None;
        }
        let mut parser = Parser::new();
        parser.set_language(&self.language()).ok()?;
        let end = Instant::now() + PATIENCE;
        let mut go_on = |_: &_| match Instant::now() < end {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        };
        let options = ParseOptions::new().progress_callback(&mut go_on);
        let bytes = text.as_bytes();
        let mut from = |offset: usize, _| bytes.get(offset..).unwrap_or_default();
        parser.parse_with_options(&mut from, None, Some(options))
    }
}

/// Returns whether the indentation of a Python text is shallow enough for the grammar, whose stack holds
/// 380 levels; Python itself stops at 100. The number of levels is at most that of the different
/// indentations, including those of continued lines.
fn is_shallow(text: &str) -> bool {
    let mut widths = BTreeSet::new();
    let mut joined = 0;
    for line in text.split(['\n', '\r']) {
        let rest = line.trim_start_matches([' ', '\t', '\u{c}']);
        let indent = line[..line.len() - rest.len()].rsplit('\u{c}').next().unwrap_or_default();
        widths.insert(indent.chars().map(|c| if c == '\t' { 8 } else { 1 }).sum::<usize>());
        joined += usize::from(rest.trim_end() == "\\");
    }
    widths.len() + joined <= DEEPEST
}

/// Compiled queries of a language.
#[derive(Debug)]
pub(super) struct ProgramGrammar {
    pub(super) query: Query,
}

impl ProgramGrammar {
    pub(super) fn new(grammar: Grammar, queries: &[(String, String)]) -> Result<Self, ScanRulesError> {
        let text: String = queries.iter().map(|(_, text)| format!("{text}\n")).collect();
        let query = Query::new(&grammar.language(), &text).map_err(|error| {
            let (file, line) = place(queries, error.row);
            ScanRulesError::Query { file, line, message: message(&error) }
        })?;
        Ok(Self { query })
    }
}

/// Returns file and line of a row in the concatenated queries.
fn place(queries: &[(String, String)], row: usize) -> (String, usize) {
    let mut before = 0;
    for (file, text) in queries {
        let rows = text.matches('\n').count() + 1;
        if row < before + rows {
            return (file.clone(), row - before + 1);
        }
        before += rows;
    }
    (queries.last().map(|(file, _)| file.clone()).unwrap_or_default(), row + 1)
}

fn message(error: &tree_sitter::QueryError) -> String {
    use tree_sitter::QueryErrorKind as Kind;
    let what = error.message.split('\n').next().unwrap_or_default().trim_matches('"');
    match error.kind {
        Kind::NodeType => format!("the grammar has no node `{what}`"),
        Kind::Field => format!("the grammar has no field `{what}`"),
        Kind::Capture => format!("nothing captures `@{what}`"),
        Kind::Structure => "the grammar has nothing of this form".to_owned(),
        Kind::Syntax => "this is no query".to_owned(),
        Kind::Predicate => what.to_owned(),
        Kind::Language => "the grammar is of another version".to_owned(),
    }
}

/// Returns the lines that the grammar cannot parse.
pub(super) fn errors(tree: &Tree) -> Vec<usize> {
    let mut lines = Vec::new();
    if !tree.root_node().has_error() {
        return lines;
    }
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            let line = node.start_position().row + 1;
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
        if lines.len() >= ERRORS {
            return lines;
        }
        if node.has_error() && !node.is_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return lines;
            }
        }
    }
}
