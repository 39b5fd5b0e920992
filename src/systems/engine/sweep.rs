//! Removing what is ours. The labels decide, and nothing else: not a name, not a manifest, not
//! what somebody remembers. What does not carry all of them is not seen.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

use super::ContainerEngine;
use super::error::{EngineError, Thing};
use crate::model::container::ContainerFacts;
use crate::model::identity::Identity;

/// So many removals at a time.
const AT_ONCE: usize = 8;

/// What a sweep removed.
#[derive(Debug, Default)]
pub struct Swept {
    /// Containers, by what people call them, or by name.
    pub containers: Vec<String>,
    /// Networks, by name.
    pub networks: Vec<String>,
    /// Volumes, by name.
    pub volumes: Vec<String>,
    /// What could not be removed, and why.
    pub left: Vec<EngineError>,
}

impl Swept {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty()
            && self.networks.is_empty()
            && self.volumes.is_empty()
            && self.left.is_empty()
    }
}

impl ContainerEngine {
    /// Removes every container, network and volume of ours for which `doomed` holds. It begins
    /// when nothing is being made any more through this engine value, so that what a cancelled
    /// piece of work left behind is found. One thing that cannot be removed does not keep the
    /// others.
    ///
    /// # Errors
    /// When the engine does not say what there is.
    pub async fn sweep(
        &self,
        doomed: impl Fn(&Identity) -> bool + Send + Sync,
    ) -> Result<Swept, EngineError> {
        self.settled().await;
        let is_doomed = |labels: &BTreeMap<String, String>| {
            Identity::from_labels(|key| labels.get(key).map(String::as_str)).is_some_and(|who| doomed(&who))
        };
        let mut swept = Swept::default();

        let listed = tokio::join!(self.list(None), self.networks(), self.volumes());
        let (containers, networks, volumes) = (listed.0?, listed.1?, listed.2?);
        let (containers, others): (Vec<_>, Vec<_>) =
            containers.into_iter().partition(|one| is_doomed(&one.labels));
        let networks: Vec<_> = networks.into_iter().filter(|one| is_doomed(&one.labels)).collect();
        // What goes on without a network that goes leaves it.
        let guests: Vec<_> = networks
            .iter()
            .flat_map(|network| {
                let is_here = |one: &&ContainerFacts| {
                    one.networks.iter().any(|id| *id == network.id || *id == network.name)
                };
                others.iter().filter(is_here).map(|one| self.disconnect_network(&network.id, &one.id))
            })
            .collect();
        let containers = containers.into_iter();
        let removals = swept.each(containers.map(|one| self.gone(Thing::Container, one.id, one.name)));
        let (removed, left) = tokio::join!(removals, futures_util::future::join_all(guests));
        swept.containers = removed;
        swept.left.extend(left.into_iter().filter_map(Result::err));
        let networks = networks.into_iter();
        swept.networks = swept.each(networks.map(|one| self.gone(Thing::Network, one.id, one.name))).await;
        let volumes = volumes.into_iter().filter(|one| is_doomed(&one.labels));
        let volumes = volumes.map(|one| self.gone(Thing::Volume, one.name.clone(), one.name));
        swept.volumes = swept.each(volumes).await;
        Ok(swept)
    }

    /// Removes one thing by its id; returns its name.
    fn gone(
        &self,
        thing: Thing,
        id: String,
        name: String,
    ) -> impl Future<Output = Result<String, EngineError>> + Send + 'static {
        let engine = self.clone();
        async move {
            match thing {
                Thing::Container => engine.remove(&id).await?,
                Thing::Network => engine.remove_network(&id).await?,
                Thing::Volume => engine.remove_volume(&id).await?,
                Thing::Image => {
                    engine.remove_image(&id).await?;
                }
            }
            Ok(name)
        }
    }
}

impl Swept {
    /// Does several removals, some at a time: returns the names of what went, keeps why the others
    /// did not.
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
                Err(error) => self.left.push(error),
            }
        }
        gone.sort();
        gone
    }
}
