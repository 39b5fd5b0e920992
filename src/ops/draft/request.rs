//! Scope and result of a draft. Making it belongs in `drafting`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::draft::{DraftFinding, DraftedComponent};

/// Name of the file with the JSON Schema of inventories, which is written next to an inventory.
pub const SCHEMA: &str = "inventory.schema.json";

/// The components that a draft is about.
#[derive(Debug, Clone, Copy)]
pub enum DraftScope<'a> {
    /// All.
    All,
    /// One component.
    One {
        /// Its name.
        name: &'a str,
        /// Directory of its sources in the repository, if its name does not tell it.
        directory: Option<&'a str>,
        /// Includes the components of the repository that it needs.
        with_needs: bool,
    },
}

impl<'a> DraftScope<'a> {
    /// Returns the name of the one component.
    pub(super) fn name(self) -> Option<&'a str> {
        match self {
            Self::All => None,
            Self::One { name, .. } => Some(name),
        }
    }

    /// Returns the directory of the one component.
    pub(super) fn directory(self) -> Option<&'a str> {
        match self {
            Self::All => None,
            Self::One { directory, .. } => {
                directory.map(|path| path.trim_start_matches("./").trim_matches('/'))
            }
        }
    }
}

/// The draft of a repository.
#[derive(Debug)]
pub struct RepositoryDraft {
    /// The root of the repository.
    pub root: PathBuf,
    /// Its short name.
    pub repo: String,
    /// Its address, or `.` without a remote.
    pub address: String,
    /// Images of the Compose file for backing services.
    pub images: BTreeMap<String, String>,
    /// The components; the one of the scope is the first.
    pub components: Vec<DraftedComponent>,
    /// Text of an inventory of these components.
    pub text: String,
    /// The command line that runs the first component with a page, without `cki`.
    pub next: Vec<String>,
    /// Facts that the files do not tell.
    pub findings: Vec<DraftFinding>,
}
