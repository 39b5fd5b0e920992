//! Errors of a release.

use crate::host::signals::Signal;
use crate::model::guard::PolicyViolation;
use crate::model::staging::kubernetes::{ReleaseError, RuleFault};
use crate::ops::clone::source::SourceError;
use crate::ops::shared::cluster_boundary::ClusterBoundaryError;
use crate::ops::shared::deployment::DeployedError;
use crate::ops::shared::run_policy::RunPolicyError;
use crate::ops::stage::StageError;
use crate::systems::kubectl::KubectlError;
use crate::systems::registry::RegistryError;

/// An error of a release.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseStageError {
    /// The merge request cannot be staged.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The cluster failed.
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
    /// The image has no digest.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The deployment cannot be staged.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// A staging rule of the inventory is invalid.
    #[error(transparent)]
    Rule(#[from] RuleFault),
    /// The deployment cannot be read.
    #[error(transparent)]
    Deployed(#[from] DeployedError),
    /// The repository of the deployment cannot be cloned.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A value belongs to production.
    #[error(transparent)]
    Refused(#[from] PolicyViolation),
    /// The rules of the guard cannot be read.
    #[error(transparent)]
    Policy(#[from] RunPolicyError),
    /// The configuration does not name the cluster or the namespace.
    #[error("no {what} is named as staging")]
    NotNamed {
        /// `context` or `namespace`.
        what: &'static str,
    },
    /// The cluster is that of production, or may be.
    #[error(transparent)]
    Boundary(#[from] ClusterBoundaryError),
    /// A text is no name of a namespace.
    #[error("`{0}` is no name of a namespace")]
    Namespace(String),
    /// No entry of the inventory belongs to the project.
    #[error("no component of the inventory belongs to `{project}`, so nothing says how it is deployed")]
    NoComponent {
        /// The project.
        project: String,
    },
    /// The entry names no published image.
    #[error("{place}: the inventory names no `image` of `{component}`")]
    NoImage {
        /// Its entry.
        place: String,
        /// The component.
        component: String,
    },
    /// The image was built from another commit than the head.
    #[error(
        "the image `{image}` was built from commit {}, and the head of the merge request is {}",
        short(stated),
        short(head)
    )]
    ImageCommit {
        /// The image with its tag.
        image: String,
        /// The commit that the image states.
        stated: String,
        /// The head.
        head: String,
    },
    /// The release of a merge request cannot be combined with that of another one.
    #[error("`{merge_request}` cannot be combined with `{with}`: {source}")]
    NotCombined {
        /// `group/project!iid`.
        merge_request: String,
        /// The other one.
        with: String,
        /// The error of its release.
        source: Box<ReleaseStageError>,
    },
    /// Some objects of a release may have been applied, and others not.
    #[error("`{release}` was not applied as a whole: {cause}")]
    Partial {
        /// Name of the release.
        release: String,
        /// `group/project!iid`.
        merge_request: String,
        /// The cause.
        cause: Box<ReleaseStageError>,
    },
    /// A signal ended the work.
    #[error("it was stopped")]
    Signal(Signal),
    /// An object of this name exists, and is not the release's.
    #[error("the namespace `{namespace}` has a {kind} `{name}` that does not belong to this release")]
    Foreign {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// The namespace.
        namespace: String,
    },
}

fn short(sha: &str) -> &str {
    sha.get(..8).unwrap_or(sha)
}
