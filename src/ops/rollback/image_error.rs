//! Errors of the temporary way back.

use crate::base::text::join_and;
use crate::model::staging::StagingError;
use crate::ops::shared::cluster_boundary::ClusterBoundaryError;
use crate::ops::shared::production_cluster::ProductionClusterError;
use crate::systems::gitlab::GitLabError;
use crate::systems::kubectl::KubectlError;
use crate::systems::registry::RegistryError;

/// An error of the temporary way back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The configuration names no production.
    #[error(transparent)]
    Cluster(#[from] ProductionClusterError),
    /// The cluster that is named as production is staging, or may be.
    #[error(transparent)]
    Boundary(#[from] ClusterBoundaryError),
    /// The cluster failed.
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// GitLab failed.
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    /// The record cannot be written.
    #[error(transparent)]
    Text(#[from] StagingError),
    /// No workload belongs to the component.
    #[error(
        "the namespace `{namespace}` has no workload of `{component}`: none is called {}",
        join_and(names)
    )]
    NoWorkload {
        /// Namespace.
        namespace: String,
        /// Component.
        component: String,
        /// Names that a workload may have.
        names: Vec<String>,
    },
    /// Several workloads belong to the component.
    #[error("`{component}` has several workloads: {}", join_and(workloads))]
    Several {
        /// Component.
        component: String,
        /// `kind/name` of each.
        workloads: Vec<String>,
    },
    /// It is not known which container is meant.
    #[error("`{workload}` has the containers {}", join_and(containers))]
    Container {
        /// Workload.
        workload: String,
        /// Its containers.
        containers: Vec<String>,
    },
    /// The cluster keeps no earlier image.
    #[error("the cluster knows no image that `{workload}` ran before")]
    NoPrevious {
        /// Workload.
        workload: String,
        /// The component.
        component: String,
    },
    /// The ImageStream is elsewhere or absent.
    #[error("`{workload}` gets its image from the ImageStream `{stream}`, which the namespace does not have")]
    NoStream {
        /// Workload.
        workload: String,
        /// ImageStream.
        stream: String,
    },
    /// The ImageStream has no such image.
    #[error("the ImageStream `{stream}` has no image {digest}")]
    NotInStream {
        /// ImageStream.
        stream: String,
        /// Digest.
        digest: String,
    },
    /// It runs the image already.
    #[error("`{workload}` runs {digest} already")]
    Same {
        /// Workload.
        workload: String,
        /// Digest.
        digest: String,
    },
    /// The workload is no longer as it was shown.
    #[error("`{name}` has changed since it was shown")]
    Changed {
        /// Workload.
        name: String,
    },
    /// Nobody confirmed the change.
    #[error(
        "a change of production needs the name of `{component}` as a confirmation, and there is no terminal to ask on"
    )]
    Unconfirmed {
        /// Component.
        component: String,
    },
    /// The team does not change production now.
    #[error("by `production.quiet`, now is no time for changes: {reason}")]
    QuietTime {
        /// Reason, as a clause.
        reason: String,
    },
    /// There is no merge request for the record.
    #[error("nothing says which merge request production runs, so there is no place for the record")]
    NoRecord,
}
