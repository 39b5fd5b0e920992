//! A value of a setting, and where it comes from. Typed values are in `settings`.

use std::fmt;
use std::path::PathBuf;

use crate::model::inventory::InventorySource;

/// Origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingOrigin {
    /// Compiled-in default.
    Default,
    /// The user's file.
    User {
        /// Path of the file.
        file: PathBuf,
        /// Line number, from 1.
        line: usize,
    },
    /// The project's file, found upward from the working directory.
    Project {
        /// Path of the file.
        file: PathBuf,
        /// Line number, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::User { file, line } | Self::Project { file, line } => {
                write!(f, "{}:{line}", file.display())
            }
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value with its origin.
#[derive(Debug, Clone)]
pub struct SettingValue {
    /// The value as text. For a path, only for display: use `path` to open it.
    pub text: String,
    /// The absolute path, if it is one; its bytes need not be UTF-8.
    pub path: Option<PathBuf>,
    /// The sources of an inventory, if it is those.
    pub sources: Vec<InventorySource>,
    /// Origin of the value.
    pub origin: SettingOrigin,
}
