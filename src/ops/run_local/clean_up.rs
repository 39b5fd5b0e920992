//! The end of a run: removes everything with its ID.

use std::time::Duration;

use crate::model::identity::RunId;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::shared::op_context::OpContext;

use crate::ops::runtime::start::service_reuse::PendingServices;

/// Timeout for cleaning up: more than an engine may take for one removal.
const LIMIT: Duration = Duration::from_secs(120);

/// Removes everything that a run has created, and reports failures.
pub(super) async fn clean_up(
    ctx: &OpContext<'_>,
    engine: &RunEngine,
    run: &RunId,
    pending: &PendingServices,
) -> Vec<String> {
    let removed = tokio::time::timeout(LIMIT, async {
        match engine.remove(|who| who.run == *run || pending.holds(who), None).await {
            Ok(removed) => removed.errors.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        }
    });
    let left = removed.await.unwrap_or_else(|_| vec!["the engine did not answer in time".to_owned()]);
    for one in &left {
        ctx.events.warn(format!(
            "Left behind: {one}. The next `cki` that uses the engine removes it; `cki down` removes retained \
             runs."
        ));
    }
    left
}
