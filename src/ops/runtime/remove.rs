//! Removal of the resources that carry labels of `cki` (containers, networks, volumes and processes), and the
//! mark that keeps a run from it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use super::engine::RunEngine;
use super::error::InstanceError;
use super::list::InstanceSummary;
use crate::model::identity::{ResourceLabels, Retention, Role, RunId};
use crate::systems::engine::ContainerEngine;
use crate::systems::native::{ForwarderFacts, Native, NativeError};

/// Name of the resource that marks a run as retained.
pub(in crate::ops) const RETAINED_MARK: &str = "kept";

/// Removed resources.
#[derive(Debug, Default)]
pub(in crate::ops) struct RemovedResources {
    /// Names of networks.
    pub(in crate::ops) networks: Vec<String>,
    /// Names of volumes.
    pub(in crate::ops) volumes: Vec<String>,
    /// Errors of failed removals, which did not stop the others.
    pub(in crate::ops) errors: Vec<InstanceError>,
}

impl RunEngine {
    /// Stops and removes everything whose labels are selected. With `grace`, running instances first get that
    /// time to end; otherwise they are killed.
    ///
    /// # Errors
    /// Fails when the engine does not list its resources.
    pub(in crate::ops) async fn remove(
        &self,
        selects: impl Fn(&ResourceLabels) -> bool + Send + Sync,
        grace: Option<Duration>,
    ) -> Result<RemovedResources, InstanceError> {
        match self {
            Self::Containers(engine) => {
                let report = engine.end(selects, grace).await?;
                let errors = report.errors.into_iter().map(InstanceError::from).collect();
                Ok(RemovedResources { networks: report.networks, volumes: report.volumes, errors })
            }
            Self::Native(native) => {
                let errors = end_processes(native, None, selects, grace.unwrap_or_default()).await?;
                let errors = errors.into_iter().map(InstanceError::from).collect();
                Ok(RemovedResources { errors, ..RemovedResources::default() })
            }
        }
    }

    /// Keeps all resources of a run of this process, from now on and after its end.
    ///
    /// # Errors
    /// Fails when the engine refuses.
    pub(in crate::ops) async fn retain(&self, mut who: ResourceLabels) -> Result<(), InstanceError> {
        who.lifetime = Retention::Retained;
        who.name = RETAINED_MARK.to_owned();
        match self {
            Self::Containers(engine) => {
                engine.create_volume(&format!("cki-{}-{RETAINED_MARK}", who.run), who.to_labels()).await?;
            }
            Self::Native(native) => native.keep(&who.run)?,
        }
        Ok(())
    }
}

/// Removes everything selected from an engine and from this machine, and continues after a failure; the first failure is
/// the error.
///
/// # Errors
/// Fails when the engine does not list its resources, or something could not be removed.
pub(in crate::ops) async fn remove_everywhere(
    engine: &RunEngine,
    native: &Native,
    selects: impl Fn(&ResourceLabels) -> bool + Send + Sync,
    grace: Option<Duration>,
) -> Result<RemovedResources, InstanceError> {
    // Processes of this machine are listed whatever the engine.
    let processes = async {
        match engine.containers().map(ContainerEngine::address) {
            None => Ok(Vec::new()),
            address => end_processes(native, address, &selects, grace.unwrap_or_default()).await,
        }
    };
    let (removed, failed) = tokio::join!(engine.remove(&selects, grace), processes);
    let (removed, failed) = (removed?, failed?);
    match removed.errors.into_iter().chain(failed.into_iter().map(InstanceError::from)).next() {
        Some(error) => Err(error),
        None => Ok(RemovedResources { errors: Vec::new(), ..removed }),
    }
}

/// Returns whether a resource belongs to an instance that ends: to the instance itself, or to its run if that is one of
/// the `whole` ones, whose networks and volumes end as well.
pub(in crate::ops) fn is_ended(
    who: &ResourceLabels,
    instances: &[InstanceSummary],
    whole: &BTreeSet<RunId>,
) -> bool {
    let is_itself = |one: &InstanceSummary| {
        let ResourceLabels { run, role, name, .. } = &one.identity;
        who.run == *run && who.role == *role && who.name == *name
    };
    who.role != Role::Data && (whole.contains(&who.run) || instances.iter().any(is_itself))
}

/// Ends processes and removes their directories; returns the failures. Ends the forwarders of processes, and those of
/// containers of the engine at this address, and no others: their containers still run.
///
/// # Errors
/// Fails when the processes cannot be listed.
pub(in crate::ops) async fn end_processes(
    native: &Native,
    engine: Option<&str>,
    selects: impl Fn(&ResourceLabels) -> bool,
    grace: Duration,
) -> Result<Vec<NativeError>, NativeError> {
    // First: a forwarder that ends with its instance takes away its record before it has ended.
    let is_here = |facts: &ForwarderFacts| facts.engine.is_none() || facts.engine.as_deref() == engine;
    let forwarders = native.forwarders()?.into_iter();
    let forwarders = forwarders.filter(|facts| is_here(facts) && selects(&facts.identity));
    let selected = native.list()?.into_iter().filter(|facts| selects(&facts.identity));
    let ends = selected.map(async |facts| {
        native.stop(&facts, grace).await?;
        native.remove(&facts).await
    });
    let ended = join_all(ends).await;
    let forwarders = join_all(forwarders.map(async |facts| native.end_forwarder(&facts).await)).await;
    // A process that was about to start has left a directory.
    let report = native.prune(selects).await.map(drop);
    Ok(ended.into_iter().chain(forwarders).chain([report]).filter_map(Result::err).collect())
}
