//! `cki down`: ends and removes runs.

use std::time::Duration;

use super::{Instance, Place, RunningError};
use crate::host;
use crate::host::signals::{Signal, Stop};
use crate::model::identity::{Identity, Role};
use crate::ops::engine::Engine;
use crate::systems::engine::Swept;
use crate::systems::native::Native;

/// What is to go.
#[derive(Debug, Clone, Copy)]
pub struct Doomed<'a> {
    /// What was found to run, or to have ended: of each, the whole run goes.
    pub instances: &'a [&'a Instance],
    /// So does what runs have left of which nothing else is there any more.
    pub all: bool,
}

impl Doomed<'_> {
    fn holds(&self, who: &Identity) -> bool {
        // Who lives may be about to start something in a run that has only a network so far.
        let is_left = || self.all && !host::is_alive(&who.owner);
        let is_meant = || self.instances.iter().any(|one| one.identity.run == who.run);
        who.role != Role::Data && (is_meant() || is_left())
    }
}

/// What is gone.
#[derive(Debug)]
pub struct Gone {
    /// The names of containers and processes.
    pub names: Vec<String>,
    /// Networks and volumes of runs of which nothing else was there.
    pub others: Vec<String>,
    /// What has put an end to waiting.
    pub hurried: Option<Signal>,
}

/// Ends and removes runs: everything of each, the network included, but not what kept services have
/// stored. What does not end in time is killed, and so is all of it when a signal comes.
///
/// # Errors
/// When the engine does not answer, or something could not be ended. All else is gone then.
pub async fn down(
    engine: &Engine,
    native: &Native,
    doomed: Doomed<'_>,
    grace: Duration,
    stop: &Stop,
) -> Result<Gone, RunningError> {
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
    Ok(Gone { names, others, hurried })
}

/// Ends all of it, at once or with a time of grace, whatever cannot be ended; the first of that is
/// the error.
async fn end(
    engine: &Engine,
    native: &Native,
    doomed: Doomed<'_>,
    grace: Option<Duration>,
) -> Result<Swept, RunningError> {
    let stops = doomed.instances.iter().map(async |one| match &one.place {
        Place::Container(..) => Ok(()),
        Place::Process(native, facts) => native.stop(facts, grace.unwrap_or_default()).await,
    });
    let containers = async {
        match engine {
            Engine::Containers(engine) => engine.end(|who| doomed.holds(who), grace).await,
            Engine::Native(_) => Ok(Swept::default()),
        }
    };
    let (stopped, swept) = tokio::join!(futures_util::future::join_all(stops), containers);
    let cleared = native.sweep(|who| doomed.holds(who)).await;
    stopped.into_iter().collect::<Result<Vec<()>, _>>()?;
    let mut swept = swept?;
    if !swept.left.is_empty() {
        return Err(swept.left.swap_remove(0).into());
    }
    cleared?;
    Ok(swept)
}
