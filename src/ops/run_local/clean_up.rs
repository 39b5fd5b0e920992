//! The end of a run: removes everything with its ID.

use std::time::Duration;

use crate::model::identity::RunId;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::shared::op_context::OpContext;
use crate::systems::native::{Native, NativeError};

use super::service_reuse::PendingServices;

/// Timeout for cleaning up: more than an engine may take for one removal.
const LIMIT: Duration = Duration::from_secs(120);

/// Ends the processes of a run, and removes their directories. After a panic they may still live, since
/// their supervisors end on their own.
async fn end_processes(native: &Native, run: &RunId) -> Result<(), NativeError> {
    for facts in native.list()?.into_iter().filter(|facts| facts.identity.run == *run) {
        native.stop(&facts, Duration::ZERO).await?;
    }
    native.sweep(|who| who.run == *run).await?;
    Ok(())
}

/// Removes everything that a run has created, and reports failures.
pub(super) async fn clean_up(
    tools: &OpContext<'_>,
    engine: &RunEngine,
    run: &RunId,
    pending: &PendingServices,
) -> Vec<String> {
    let swept = tokio::time::timeout(LIMIT, async {
        match engine {
            RunEngine::Containers(engine) => {
                match engine.sweep(|who| who.run == *run || pending.holds(who)).await {
                    Ok(swept) => swept.left.iter().map(ToString::to_string).collect(),
                    Err(error) => vec![error.to_string()],
                }
            }
            RunEngine::Native(native) => {
                end_processes(native, run).await.err().map(|error| error.to_string()).into_iter().collect()
            }
        }
    });
    let left = swept.await.unwrap_or_else(|_| vec!["the engine did not answer in time".to_owned()]);
    for one in &left {
        tools.events.warn(format!(
            "Left behind: {one}. The next `cki` that uses the engine removes it; what was to go on, `cki down` \
             removes."
        ));
    }
    left
}
