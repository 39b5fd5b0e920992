//! Removing what is ours. The labels decide, and nothing else: not a name, not a manifest, not
//! what somebody remembers. What does not carry all of them is not seen.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

use super::ContainerEngine;
use super::error::EngineError;
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

        let containers = self.list(None).await?.into_iter().filter(|one| is_doomed(&one.labels));
        let containers = containers.map(|one| (one.id, one.name)).collect();
        let (gone, left) = each(containers, async |id| self.remove(&id).await).await;
        (swept.containers, swept.left) = (gone, left);

        let networks = self.networks().await?.into_iter().filter(|one| is_doomed(&one.labels));
        let networks = networks.map(|one| (one.id, one.name)).collect();
        let (gone, left) = each(networks, async |id| self.remove_network(&id).await).await;
        swept.networks = gone;
        swept.left.extend(left);

        let volumes = self.volumes().await?.into_iter().filter(|one| is_doomed(&one.labels));
        let volumes = volumes.map(|one| (one.name.clone(), one.name)).collect();
        let (gone, left) = each(volumes, async |name| self.remove_volume(&name).await).await;
        swept.volumes = gone;
        swept.left.extend(left);
        Ok(swept)
    }
}

/// Removes several things, some at a time: the names of those that went, and why others did not.
async fn each(
    things: Vec<(String, String)>,
    remove: impl AsyncFn(String) -> Result<(), EngineError>,
) -> (Vec<String>, Vec<EngineError>) {
    let results: Vec<Result<String, EngineError>> = stream::iter(things)
        .map(|(id, name)| {
            let removal = remove(id);
            async move { removal.await.map(|()| name) }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let (mut gone, mut left) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(name) => gone.push(name),
            Err(error) => left.push(error),
        }
    }
    gone.sort();
    (gone, left)
}
