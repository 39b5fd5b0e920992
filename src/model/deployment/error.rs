//! Errors that make a deployment unreadable, and findings about parts of it that `cki` does not
//! understand.

use crate::base::text;
use crate::base::yaml::tree::Location;
use crate::base::yaml::{Position, YamlError};
use crate::model::inventory::InventoryFinding;

/// An unreadable deployment.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeploymentError {
    /// A file is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileTrouble),
    /// A path that the inventory names does not exist.
    #[error("{place}: the deployment has no file or directory `{path}`")]
    Missing {
        /// Position in the inventory.
        place: String,
        /// Path.
        path: String,
    },
    /// A path leads out of the repository.
    #[error("{place}: `{path}` leads out of the repository")]
    Outside {
        /// Position of the path.
        place: String,
        /// Path.
        path: String,
    },
    /// There are too many or too large files.
    #[error("{file}: the deployment is too large to be read: more than 4000 files, or 64 MiB")]
    TooMuch {
        /// File at which the limit was exceeded.
        file: String,
    },
    /// Kustomizations build on each other.
    #[error("{place}: the kustomization `{path}` is built on itself")]
    Cycle {
        /// Position of the reference.
        place: String,
        /// Directory.
        path: String,
    },
    /// A file contradicts itself or its format.
    #[error("{place}: {message}")]
    Wrong {
        /// `file:line`.
        place: String,
        /// Description of the fault.
        message: String,
    },
    /// The deployment contains no container.
    #[error("{place}: the deployment has no container: no workload of Kubernetes, no Compose service")]
    NoContainer {
        /// Position in the inventory.
        place: String,
        /// Findings that may explain it.
        #[source]
        because: Option<Box<Because>>,
    },
    /// The named container does not exist.
    #[error("{place}: the deployment has no container `{wanted}`; it has {}", text::join_and(candidates))]
    NoSuch {
        /// Position in the inventory.
        place: String,
        /// Named container.
        wanted: String,
        /// Existing containers.
        candidates: Vec<String>,
        /// Findings that may explain it.
        #[source]
        because: Option<Box<Because>>,
    },
    /// Several containers may be the component's.
    #[error("{place}: which container is `{component}`? The deployment has {}", text::join_and(candidates))]
    Ambiguous {
        /// Position of the deployment in the inventory.
        place: String,
        /// Component.
        component: String,
        /// Existing containers.
        candidates: Vec<String>,
        /// Findings that may explain it.
        #[source]
        because: Option<Box<Because>>,
    },
}

/// A finding that may explain an error, with the next one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{finding}")]
pub struct Because {
    finding: InventoryFinding,
    #[source]
    next: Option<Box<Because>>,
}

impl Because {
    /// Returns the chain of findings.
    pub(super) fn of(findings: &[InventoryFinding]) -> Option<Box<Self>> {
        let shown = findings.iter().take(SHOWN).rev();
        shown.fold(None, |next, finding| Some(Box::new(Self { finding: finding.clone(), next })))
    }
}

/// Maximum findings to show below an error.
pub(super) const SHOWN: usize = 5;

impl DeploymentError {
    /// Converts the error to a finding, where the rest of the deployment is still usable.
    pub(super) fn into_finding(self) -> InventoryFinding {
        let message = self.to_string();
        let (place, message) = match self {
            Self::Yaml(YamlError { file, position, message }) => {
                return InventoryFinding { file, position, message, variable: None };
            }
            Self::File(FileTrouble { path, why }) => {
                return InventoryFinding {
                    file: path,
                    position: None,
                    message: format!("this cannot be read: {why}"),
                    variable: None,
                };
            }
            Self::TooMuch { file } => {
                return InventoryFinding { file, position: None, message, variable: None };
            }
            Self::Wrong { place, message } => (place, message),
            Self::Missing { place, path } => (place, format!("there is no file or directory `{path}`")),
            Self::Outside { place, path } => (place, format!("`{path}` leads out of the repository")),
            Self::Cycle { place, path } => (place, format!("the kustomization `{path}` is built on itself")),
            Self::NoContainer { place, .. } | Self::NoSuch { place, .. } | Self::Ambiguous { place, .. } => {
                (place, message)
            }
        };
        let at = place.rsplit_once(':').and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
        match at {
            Some((file, line)) => {
                let position = Some(Position { line, column: 1 });
                InventoryFinding { file, position, message, variable: None }
            }
            None => InventoryFinding { file: place, position: None, message, variable: None },
        }
    }
}

/// Returns an error at a position.
pub(super) fn wrong(spot: &Location, message: impl Into<String>) -> DeploymentError {
    DeploymentError::Wrong { place: spot.line(), message: message.into() }
}

/// Returns a finding at a position.
pub(super) fn finding(spot: &Location, message: impl Into<String>) -> InventoryFinding {
    let position = Some(spot.position);
    InventoryFinding { file: spot.file.to_string(), position, message: message.into(), variable: None }
}

/// Returns a finding at a position, that a variable has no known value.
pub(super) fn no_value(spot: &Location, name: &str, message: impl Into<String>) -> InventoryFinding {
    InventoryFinding { variable: Some(name.to_owned()), ..finding(spot, message) }
}

/// A path that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read `{path}`: {why}")]
pub struct FileTrouble {
    /// Path.
    pub path: String,
    /// Reason.
    pub why: String,
}
