//! Errors of a scan.

use crate::base::files::FileError;
use crate::model::scan::{ReadError, ScanRulesError};
use crate::systems::git::GitError;

/// An error of a scan.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The rules cannot be loaded.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A query is invalid.
    #[error(transparent)]
    Rules(#[from] ScanRulesError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A clone cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The component has no sources.
    #[error("the inventory names no sources of `{component}`")]
    NoSources {
        /// Name of the component.
        component: String,
    },
    /// No source is cloned.
    #[error("no source of `{component}` is cloned")]
    NotCloned {
        /// Name of the component.
        component: String,
    },
    /// The clones do not have the revision.
    #[error("no source of `{component}` has the revision `{revision}`")]
    NoRevision {
        /// Name of the component.
        component: String,
        /// The revision.
        revision: String,
    },
    /// Required variables have no value.
    #[error("{}", lacking_message(component, variables))]
    Lacking {
        /// Name of the component.
        component: String,
        /// The variables, each with a place that reads it.
        variables: Vec<(String, String)>,
    },
}

impl ScanError {
    /// Returns whether there are no sources to scan.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NoSources { .. } | Self::NotCloned { .. } | Self::NoRevision { .. })
    }
}

pub(super) fn lacking_message(component: &str, variables: &[(String, String)]) -> String {
    let noun = crate::base::text::plural(variables.len(), "variable");
    format!(
        "`{component}` fails without {noun} that nothing gives: {}",
        super::super::env::names_of(variables)
    )
}
