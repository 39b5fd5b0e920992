//! A scan that cannot be made, or that found what must not be.

use crate::base::files::FileError;
use crate::model::scan::{ReadError, RulesError};
use crate::systems::git::GitError;

/// A scan that cannot be made, or that found what must not be.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The rules cannot be had.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A query does not work.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A clone cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There is nothing to look at.
    #[error("the inventory names no sources of `{component}`")]
    NoSources {
        /// Whose.
        component: String,
    },
    /// There is nothing here yet to look at.
    #[error("no source of `{component}` is cloned")]
    NotCloned {
        /// Whose.
        component: String,
    },
    /// What is here has no such revision.
    #[error("no source of `{component}` has the revision `{revision}`")]
    NoRevision {
        /// Whose.
        component: String,
        /// What was asked for.
        revision: String,
    },
    /// It would fail.
    #[error("{}", lacking_message(component, variables))]
    Lacking {
        /// Which component.
        component: String,
        /// The variables, each with a place that reads it.
        variables: Vec<(String, String)>,
    },
}

impl ScanError {
    /// Whether there is nothing to look at.
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
