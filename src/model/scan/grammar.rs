//! The grammars, and the queries that are asked of what they parse. Bounded in time and depth, so that
//! no text holds the program up.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tree_sitter::{ParseOptions, Parser, Query, Tree};

use super::error::RulesError;

/// So long may the parsing of one file take.
const PATIENCE: Duration = Duration::from_secs(2);

/// No text that people write has more different indentations.
const DEEPEST: usize = 200;

/// A way to parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grammar {
    /// Shell.
    Bash,
    /// Files that images are built from. They are read line by line; their commands are shell.
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
    /// The grammar; for those that have none of their own, that of the shell.
    fn language(self) -> tree_sitter::Language {
        match self {
            Self::Bash | Self::Dockerfile => tree_sitter_bash::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        }
    }

    /// The tree of a text; `None` if that takes too long, or is too deep.
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

/// Whether a Python text cannot be indented so deep that the grammar's own memory of it overflows,
/// which holds more than 380 levels; Python itself stops at 100. There are no more levels than
/// different indentations, and those that are put together from several lines.
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

/// The queries of a language, ready for use.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) query: Query,
}

impl Program {
    pub(super) fn new(grammar: Grammar, queries: &[(String, String)]) -> Result<Self, RulesError> {
        let text: String = queries.iter().map(|(_, text)| format!("{text}\n")).collect();
        let query = Query::new(&grammar.language(), &text).map_err(|error| {
            let (file, line) = place(queries, error.row);
            RulesError::Query { file, line, message: message(&error) }
        })?;
        Ok(Self { query })
    }
}

/// Which file and line a row of all queries together is.
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
