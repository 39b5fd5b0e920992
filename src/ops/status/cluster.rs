//! Reads the workloads of components from a namespace of a cluster, with three calls of `kubectl`. Changes nothing.

use serde_json::Value;

use super::{ClusterPlace, ClusterStatus, WorkloadStatus};
use crate::model::inventory::{Component, Inventory};
use crate::model::workload::{DEPLOYMENT_CONFIGS, belongs_to, workloads};
use crate::ops::shared::deployment;
use crate::ops::shared::workspace::Workspace;
use crate::systems::kubectl::{Kubectl, KubectlError};

/// Kinds of workloads, for `kubectl`.
const WORKLOAD_KINDS: &str = "deployments.apps,statefulsets.apps,daemonsets.apps,cronjobs.batch";

/// Reads the workloads of a namespace, with the DeploymentConfigs of OpenShift where the cluster knows them.
///
/// # Errors
/// Fails if the cluster does not answer, or refuses one of the kinds that every cluster has.
pub async fn read_workloads(kubectl: &Kubectl) -> Result<Vec<Value>, KubectlError> {
    let (objects, configs) = tokio::join!(kubectl.all(WORKLOAD_KINDS), kubectl.all(DEPLOYMENT_CONFIGS));
    let mut objects = objects?;
    match configs {
        Ok(configs) => objects.extend(configs),
        // Another cluster than OpenShift, or a login that may not read what hardly anybody has.
        Err(KubectlError::NotFound { .. } | KubectlError::Forbidden { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(objects)
}

/// The components to look for, and where their deployment files are.
#[derive(Debug, Clone, Copy)]
pub struct ClusterReading<'a> {
    /// The components.
    pub components: &'a [&'a Component],
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The directory of clones.
    pub workspace: &'a Workspace,
}

impl ClusterReading<'_> {
    /// Returns the names that a workload of a component may have: that of its entry, and that in its deployment files if
    /// they are cloned.
    #[must_use]
    pub fn names_of(&self, component: &Component) -> Vec<String> {
        let mut names = vec![component.name().to_owned()];
        // Without files, or with broken ones, the name of the entry has to do.
        if let Ok(found) = deployment::load_objects(component, self.inventory, self.workspace)
            && !found.workload.name().is_empty()
        {
            names.push(found.workload.name().to_owned());
        }
        names
    }
}

/// Reads a namespace. What cannot be read is in the outcome.
pub async fn read_cluster(
    kubectl: &Kubectl,
    place: ClusterPlace,
    reading: ClusterReading<'_>,
) -> ClusterStatus {
    let mut status =
        ClusterStatus { place, target: kubectl.target().clone(), workloads: Vec::new(), unread: Vec::new() };
    let read = async {
        kubectl.check_context().await?;
        let (objects, pods) = tokio::join!(read_workloads(kubectl), kubectl.all("pods"));
        Ok::<(Vec<Value>, Result<Vec<Value>, KubectlError>), KubectlError>((objects?, pods))
    };
    let (objects, pods) = match read.await {
        Ok(read) => read,
        Err(error) => {
            status.unread.push(format!("Not read: {error}."));
            return status;
        }
    };
    let pods = pods.unwrap_or_else(|error| {
        status.unread.push(format!("Digests of images that tags name are not read: {error}."));
        Vec::new()
    });
    let found = workloads(&objects, &pods);
    for component in reading.components {
        let names = reading.names_of(component);
        let own = found.iter().filter(|one| belongs_to(one, &names));
        status.workloads.extend(
            own.map(|one| WorkloadStatus { component: component.name().to_owned(), workload: one.clone() }),
        );
    }
    status
}
