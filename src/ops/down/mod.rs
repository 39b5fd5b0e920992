//! `cki down`: stops and removes runs.

pub mod volumes;

use std::time::Duration;

use crate::host;
use crate::host::signals::{Shutdown, Signal};
use crate::model::identity::{ResourceLabels, Role};
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::InstanceSummary;
use crate::ops::runtime::remove::RemovedResources;
use crate::systems::native::Native;

/// The runs to remove.
#[derive(Debug, Clone, Copy)]
pub struct DownTargets<'a> {
    /// The selected instances: the whole run of each is removed.
    pub instances: &'a [&'a InstanceSummary],
    /// Also remove resources of runs that have nothing else left.
    pub all: bool,
}

impl DownTargets<'_> {
    fn holds(&self, who: &ResourceLabels) -> bool {
        // A living owner may be about to start a container in a run that has only a network so far.
        let is_left = || self.all && !host::is_alive(&who.owner);
        let is_meant = || self.instances.iter().any(|one| one.identity.run == who.run);
        who.role != Role::Data && (is_meant() || is_left())
    }
}

/// The outcome of a removal.
#[derive(Debug)]
pub struct DownReport {
    /// The names of containers and processes.
    pub names: Vec<String>,
    /// Networks and volumes of runs that had nothing else left.
    pub others: Vec<String>,
    /// The signal that cut the wait short.
    pub hurried: Option<Signal>,
}

/// Stops and removes runs completely, networks included, but not the data of kept services. Instances
/// that do not end in time are killed, and all of them are when a signal comes.
///
/// # Errors
/// Fails when the engine does not answer, or an instance could not be ended. Everything else is then
/// removed.
pub async fn down(
    engine: &RunEngine,
    native: &Native,
    doomed: DownTargets<'_>,
    grace: Duration,
    stop: &Shutdown,
) -> Result<DownReport, InstanceError> {
    let mut hurried = None;
    let swept = tokio::select! {
        swept = end(engine, native, doomed, Some(grace)) => swept?,
        signal = stop.requested() => {
            hurried = Some(signal);
            end(engine, native, doomed, None).await?
        }
    };
    let mut names: Vec<String> = doomed.instances.iter().map(|one| one.identity.name.clone()).collect();
    names.sort();
    let runs: Vec<&str> = doomed.instances.iter().map(|one| one.identity.run.as_str()).collect();
    let others = [
        swept.networks.into_iter().map(|name| ("network", name)).collect::<Vec<_>>(),
        swept.volumes.into_iter().map(|name| ("volume", name)).collect(),
    ];
    let others = others.into_iter().flatten().filter(|(_, name)| !runs.iter().any(|run| name.contains(run)));
    let others = others.map(|(what, name)| format!("{what} `{name}`")).collect();
    Ok(DownReport { names, others, hurried })
}

/// Removes everything selected, and continues after a failure; the first failure is the error.
async fn end(
    engine: &RunEngine,
    native: &Native,
    doomed: DownTargets<'_>,
    grace: Option<Duration>,
) -> Result<RemovedResources, InstanceError> {
    let selects = |who: &ResourceLabels| doomed.holds(who);
    // Processes of this machine are listed whatever the engine.
    let processes = async {
        match engine.is_native() {
            true => Ok(RemovedResources::default()),
            false => RunEngine::Native(native.clone()).remove(selects, grace).await,
        }
    };
    let (removed, ended) = tokio::join!(engine.remove(selects, grace), processes);
    let (removed, ended) = (removed?, ended?);
    match removed.left.into_iter().chain(ended.left).next() {
        Some(error) => Err(error),
        None => Ok(RemovedResources { left: Vec::new(), ..removed }),
    }
}
