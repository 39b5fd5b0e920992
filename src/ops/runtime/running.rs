//! Running instances, as far as the labels tell and an engine answers in a moment: for completion, which has nobody to tell of
//! an error. Commands use `list`.

use std::time::Duration;

use crate::config;
use crate::host::Env;
use crate::model::identity::{INVENTORY, ResourceLabels};
use crate::systems::engine::{EngineChoice, labelled_containers};
use crate::systems::native::Native;

/// An instance by its labels.
#[derive(Debug, Clone)]
pub struct RunningInstance {
    /// The labels.
    pub labels: ResourceLabels,
    /// It has not ended.
    pub is_alive: bool,
}

/// Returns the instances of an inventory. Waits for an engine for at most `patience`; what does not answer has none.
pub async fn running_instances(
    env: &Env,
    engine: config::Engine,
    inventory: &str,
    offline: bool,
    patience: Duration,
) -> Vec<RunningInstance> {
    let wanted = match engine {
        config::Engine::Auto => Some(EngineChoice::Auto),
        config::Engine::Docker => Some(EngineChoice::Docker),
        config::Engine::Podman => Some(EngineChoice::Podman),
        config::Engine::Native => None,
    };
    let mut found = Vec::new();
    if let Some(wanted) = wanted {
        let label = format!("{INVENTORY}={inventory}");
        let asked = labelled_containers(env, wanted, &label, offline);
        for one in tokio::time::timeout(patience, asked).await.unwrap_or_default() {
            let labels = ResourceLabels::from_labels(&one.labels);
            found.extend(labels.map(|labels| RunningInstance { labels, is_alive: one.is_running }));
        }
    }
    for process in Native::new(env).list().unwrap_or_default() {
        found.push(RunningInstance { is_alive: process.is_alive(), labels: process.identity });
    }
    // An engine may know nothing of filters.
    found.retain(|one| one.labels.inventory == inventory);
    found
}
