//! `cki down`: ends and removes runs.

use std::time::Duration;

use super::{Instance, Place, RunningError};
use crate::model::identity::{Identity, Role};
use crate::ops::engine::Engine;
use crate::systems::native::Native;

/// Ends and removes runs: everything of each, the network included, but not what kept services have
/// stored. Gives the names of what was removed.
///
/// # Errors
/// When the engine does not answer.
pub async fn down(
    engine: &Engine,
    native: &Native,
    doomed: &[&Instance],
    grace: Duration,
) -> Result<Vec<String>, RunningError> {
    let runs: Vec<_> = doomed.iter().map(|one| one.identity.run.clone()).collect();
    let is_doomed = |who: &Identity| runs.contains(&who.run) && who.role != Role::Data;
    let stops = doomed.iter().map(async |one| match &one.place {
        Place::Container(..) => Ok(()),
        Place::Process(native, facts) => native.stop(facts, grace).await,
    });
    for stopped in futures_util::future::join_all(stops).await {
        stopped?;
    }
    if let Engine::Containers(engine) = engine {
        let swept = engine.end(is_doomed, Some(grace)).await?;
        if let Some(error) = swept.left.into_iter().next() {
            return Err(error.into());
        }
    }
    native.sweep(is_doomed).await?;
    let mut names: Vec<String> = doomed.iter().map(|one| one.identity.name.clone()).collect();
    names.sort();
    Ok(names)
}
