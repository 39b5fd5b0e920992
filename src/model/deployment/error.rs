//! A deployment that cannot be read, and findings: what in it was not understood.

use crate::base::text;
use crate::base::yaml::tree::Spot;
use crate::base::yaml::{Position, YamlError};
use crate::model::inventory::Finding;

/// A deployment that cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeploymentError {
    /// A file is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileTrouble),
    /// The inventory names something that is not there.
    #[error("{place}: the deployment has no file or folder `{path}`")]
    Missing {
        /// Where it is named.
        place: String,
        /// The path.
        path: String,
    },
    /// A path leads out of the repository.
    #[error("{place}: `{path}` leads out of the repository")]
    Outside {
        /// Where it is named.
        place: String,
        /// The path.
        path: String,
    },
    /// More files than any deployment needs.
    #[error("{file}: the deployment is too large to be read: more than 4000 files, or 64 MiB")]
    TooMuch {
        /// Where it became too much.
        file: String,
    },
    /// Kustomizations that build on each other.
    #[error("{place}: the kustomization `{path}` is built on itself")]
    Cycle {
        /// Where it is named.
        place: String,
        /// The folder.
        path: String,
    },
    /// Something that makes no sense.
    #[error("{place}: {message}")]
    Wrong {
        /// `file:line`.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// Nothing in there runs anything.
    #[error("{place}: the deployment has no container: no workload of Kubernetes, no Compose service")]
    NoContainer {
        /// Where the inventory names it.
        place: String,
        /// What was not understood, and may be why.
        #[source]
        because: Option<Box<Because>>,
    },
    /// The container that is meant is not there.
    #[error("{place}: the deployment has no container `{wanted}`; it has {}", text::join_and(candidates))]
    NoSuch {
        /// Where the inventory names it.
        place: String,
        /// What is meant.
        wanted: String,
        /// What there is.
        candidates: Vec<String>,
        /// What was not understood, and may be why.
        #[source]
        because: Option<Box<Because>>,
    },
    /// Several containers may be meant.
    #[error("{place}: which container is `{component}`? The deployment has {}", text::join_and(candidates))]
    Ambiguous {
        /// Where the inventory names the deployment.
        place: String,
        /// The component.
        component: String,
        /// What there is.
        candidates: Vec<String>,
        /// What was not understood, and may be why.
        #[source]
        because: Option<Box<Because>>,
    },
}

/// Something that was not understood, and the next.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{finding}")]
pub struct Because {
    finding: Finding,
    #[source]
    next: Option<Box<Because>>,
}

impl Because {
    /// The first of what was not understood.
    pub(super) fn of(findings: &[Finding]) -> Option<Box<Self>> {
        let shown = findings.iter().take(SHOWN).rev();
        shown.fold(None, |next, finding| Some(Box::new(Self { finding: finding.clone(), next })))
    }
}

/// So many reasons are shown of an error.
pub(super) const SHOWN: usize = 5;

impl DeploymentError {
    /// The same as something that was not understood, where the rest still holds.
    pub(super) fn into_finding(self) -> Finding {
        let message = self.to_string();
        let (place, message) = match self {
            Self::Yaml(YamlError { file, position, message }) => return Finding { file, position, message },
            Self::File(FileTrouble { path, why }) => {
                return Finding {
                    file: path,
                    position: None,
                    message: format!("this cannot be read: {why}"),
                };
            }
            Self::TooMuch { file } => return Finding { file, position: None, message },
            Self::Wrong { place, message } => (place, message),
            Self::Missing { place, path } => (place, format!("there is no file or folder `{path}`")),
            Self::Outside { place, path } => (place, format!("`{path}` leads out of the repository")),
            Self::Cycle { place, path } => (place, format!("the kustomization `{path}` is built on itself")),
            Self::NoContainer { place, .. } | Self::NoSuch { place, .. } | Self::Ambiguous { place, .. } => {
                (place, message)
            }
        };
        let at = place.rsplit_once(':').and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
        match at {
            Some((file, line)) => Finding { file, position: Some(Position { line, column: 1 }), message },
            None => Finding { file: place, position: None, message },
        }
    }
}

/// What is wrong at a place.
pub(super) fn wrong(spot: &Spot, message: impl Into<String>) -> DeploymentError {
    DeploymentError::Wrong { place: spot.line(), message: message.into() }
}

/// What was not understood at a place.
pub(super) fn finding(spot: &Spot, message: impl Into<String>) -> Finding {
    Finding { file: spot.file.to_string(), position: Some(spot.position), message: message.into() }
}

/// A path that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read `{path}`: {why}")]
pub struct FileTrouble {
    /// The path.
    pub path: String,
    /// Why not.
    pub why: String,
}
