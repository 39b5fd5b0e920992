//! Errors in the rules of a scan.

use crate::base::yaml::YamlError;

/// Invalid rules.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ScanRulesError {
    /// The file is not YAML of the expected form.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A pattern of paths or names is invalid.
    #[error("{file}: `{pattern}` is no pattern: {message}")]
    Pattern {
        /// File.
        file: String,
        /// Pattern.
        pattern: String,
        /// Reason.
        message: String,
    },
    /// A named query does not exist.
    #[error("{file}: {language} names the query `{query}`, and there is no `scan/{query}.scm`")]
    NoQuery {
        /// File.
        file: String,
        /// Language.
        language: String,
        /// Query.
        query: String,
    },
    /// A query does not fit the grammar.
    #[error("{file}:{line}: {message}")]
    Query {
        /// File.
        file: String,
        /// Line.
        line: usize,
        /// Reason.
        message: String,
    },
}
