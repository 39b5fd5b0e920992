//! Removal of everything that belongs to `cki`. Only the labels decide: no name, no manifest, no memory.
//! Resources without all of them are ignored.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::Notify;

use super::error::{EngineError, ResourceKind};
use super::{ContainerEngine, NetworkFacts};
use crate::model::container::{ContainerSummary, Status};
use crate::model::identity::ResourceLabels;

/// Maximum number of concurrent removals.
const AT_ONCE: usize = 8;
/// First and last pause between tries to remove a network that is in use.
const FIRST_TRY: Duration = Duration::from_millis(10);
const LAST_TRY: Duration = Duration::from_millis(200);

/// Result of a removal by labels.
#[derive(Debug, Default)]
pub struct PruneReport {
    /// Containers, by display name, or by name.
    pub containers: Vec<String>,
    /// Networks, by name.
    pub networks: Vec<String>,
    /// Volumes, by name.
    pub volumes: Vec<String>,
    /// Errors of failed removals.
    pub errors: Vec<EngineError>,
}

impl ContainerEngine {
    /// Removes every container, network and volume of `cki` for which `doomed` returns true. Begins when no
    /// request through this engine value is creating anything any more, so that results of cancelled work are
    /// found. A failed removal does not stop the others.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn prune(
        &self,
        doomed: impl Fn(&ResourceLabels) -> bool + Send + Sync,
    ) -> Result<PruneReport, EngineError> {
        self.end(doomed, None).await
    }

    /// Removes the same; with `grace`, running containers first get that time to end.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn end(
        &self,
        doomed: impl Fn(&ResourceLabels) -> bool + Send + Sync,
        grace: Option<Duration>,
    ) -> Result<PruneReport, EngineError> {
        self.wait_for_pending().await;
        let is_doomed = |labels: &BTreeMap<String, String>| {
            ResourceLabels::from_labels(labels).is_some_and(|who| doomed(&who))
        };
        let mut report = PruneReport::default();

        let listed = tokio::join!(self.list(None), self.networks(), self.volumes());
        let (containers, networks, volumes) = (listed.0?, listed.1?, listed.2?);
        let (containers, others): (Vec<_>, Vec<_>) =
            containers.into_iter().partition(|one| is_doomed(&one.labels));
        let networks: Vec<_> = networks.into_iter().filter(|one| is_doomed(&one.labels)).collect();
        // Containers that stay must leave a network that is removed.
        let guests: Vec<_> = networks
            .iter()
            .flat_map(|network| {
                let is_here = |one: &&ContainerSummary| {
                    one.networks.iter().any(|id| *id == network.id || *id == network.name)
                };
                others.iter().filter(is_here).map(|one| self.disconnect_network(&network.id, &one.id))
            })
            .collect();
        let leaving = DepartureTracker::default();
        let emptied = leaving.emptied(self, &networks);
        let removals = async {
            let gone = containers.into_iter().map(|one| self.ended(one, grace, &leaving));
            let (removed, left) = tokio::join!(report.each(gone), futures_util::future::join_all(guests));
            report.containers = removed;
            report.errors.extend(left.into_iter().filter_map(Result::err));
            leaving.end();
        };
        tokio::join!(removals, emptied);
        let networks = networks.into_iter();
        report.networks =
            report.each(networks.map(|one| self.gone(ResourceKind::Network, one.id, one.name))).await;
        let volumes = volumes.into_iter().filter(|one| is_doomed(&one.labels));
        let volumes = volumes.map(|one| self.gone(ResourceKind::Volume, one.name.clone(), one.name));
        report.volumes = report.each(volumes).await;
        Ok(report)
    }

    /// Removes a container after its end; returns its name.
    async fn ended(
        &self,
        one: ContainerSummary,
        grace: Option<Duration>,
        leaving: &DepartureTracker,
    ) -> Result<String, EngineError> {
        if let Some(grace) = grace.filter(|_| one.status == Status::Running) {
            self.stop(&one.id, grace).await?;
            leaving.one_is_out();
        }
        self.remove(&one.id).await?;
        Ok(one.name)
    }

    /// Removes one resource by its id; returns its name.
    fn gone(
        &self,
        kind: ResourceKind,
        id: String,
        name: String,
    ) -> impl Future<Output = Result<String, EngineError>> + Send + 'static {
        let engine = self.clone();
        async move {
            match kind {
                ResourceKind::Container => engine.remove(&id).await?,
                ResourceKind::Network => engine.remove_network(&id).await?,
                ResourceKind::Volume => engine.remove_volume(&id).await?,
                ResourceKind::Image => {
                    engine.remove_image(&id).await?;
                }
            }
            Ok(name)
        }
    }
}

/// Tracker of containers that leave their networks. A network can be removed as soon as the last one is out,
/// which is before the engine has finished that container: so removal is tried from the first departure on.
#[derive(Default)]
struct DepartureTracker {
    one_is_out: Notify,
    all_are_out: Notify,
    is_over: AtomicBool,
}

impl DepartureTracker {
    fn one_is_out(&self) {
        self.one_is_out.notify_one();
    }

    /// Marks all containers as out.
    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.all_are_out.notify_waiters();
        self.one_is_out();
    }

    /// Tries to remove the networks until all containers are out; a network that remains is no error yet.
    async fn emptied(&self, engine: &ContainerEngine, networks: &[NetworkFacts]) {
        self.one_is_out.notified().await;
        let tries = networks.iter().map(async |network| {
            let mut pause = FIRST_TRY;
            while !self.is_over.load(Ordering::Relaxed) {
                if !matches!(engine.try_remove_network(&network.id).await, Ok(false)) {
                    break;
                }
                // No engine reports that a network is empty.
                let _ = tokio::time::timeout(pause, self.all_are_out.notified()).await;
                pause = (pause * 2).min(LAST_TRY);
            }
        });
        futures_util::future::join_all(tries).await;
    }
}

impl PruneReport {
    /// Runs removals, several at a time: returns the names of removed resources, and stores the errors.
    async fn each<F>(&mut self, removals: impl Iterator<Item = F>) -> Vec<String>
    where
        F: Future<Output = Result<String, EngineError>>,
    {
        let removals: Vec<F> = removals.collect();
        let results: Vec<_> = stream::iter(removals).buffer_unordered(AT_ONCE).collect().await;
        let mut gone = Vec::new();
        for result in results {
            match result {
                Ok(name) => gone.push(name),
                Err(error) => self.errors.push(error),
            }
        }
        gone.sort();
        gone
    }
}
