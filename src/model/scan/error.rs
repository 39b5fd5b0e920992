//! Rules of a scan that do not work.

use crate::base::yaml::YamlError;

/// Rules that do not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RulesError {
    /// The file is not what it should be.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A pattern of paths or names is none.
    #[error("{file}: `{pattern}` is no pattern: {message}")]
    Pattern {
        /// The file.
        file: String,
        /// The pattern.
        pattern: String,
        /// Why.
        message: String,
    },
    /// A query is named that is not there.
    #[error("{file}: {language} names the query `{query}`, and there is no `scan/{query}.scm`")]
    NoQuery {
        /// The file.
        file: String,
        /// The language.
        language: String,
        /// The query.
        query: String,
    },
    /// A query does not fit the grammar.
    #[error("{file}:{line}: {message}")]
    Query {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// Why.
        message: String,
    },
}
