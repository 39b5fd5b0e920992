//! Errors of the configuration. Hints and exit codes are in `cli::error`.

use std::path::PathBuf;

use crate::base::files::FileError;

/// Unusable configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is not TOML.
    #[error("{}:{line}:{column}: {message}", file.display())]
    Toml {
        /// Path of the file.
        file: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// Column number, from 1.
        column: usize,
        /// Reason from the parser.
        message: String,
    },
    /// Invalid value.
    #[error("{place}: `{key}` cannot be `{value}`: {why}")]
    SettingValue {
        /// Name of the setting.
        key: String,
        /// The given value.
        value: String,
        /// Its origin: `file:line:column`, a variable, a flag.
        place: String,
        /// Description of valid values.
        why: String,
    },
    /// Setting that a project may not make.
    #[error("{place}: a project's file may not set `{key}`{why}; only your own may")]
    Personal {
        /// Name of the setting.
        key: String,
        /// `file:line:column`.
        place: String,
        /// The value that it may not have, if others are allowed.
        why: String,
    },
}
