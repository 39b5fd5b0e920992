//! Keeps a run after its end, for the user to look at.

use crate::model::event::TaskOutcome;
use crate::model::identity::{ResourceLabels, Retention, Role};
use crate::ops::runtime::engine::RunEngine;
use crate::ops::shared::op_context::OpContext;

use super::plan::RunPlan;

/// Retains all resources of a run, and reports the next commands. On failure, nothing is retained.
pub(super) async fn keep(ctx: &OpContext<'_>, engine: &RunEngine, plan: &RunPlan) -> bool {
    let Some(first) = plan.requested().next() else { return false };
    let run = &plan.run;
    let who = ResourceLabels {
        run: run.clone(),
        component: first.component.clone(),
        role: Role::Component,
        name: String::new(),
        owner: ctx.owner.clone(),
        lifetime: Retention::Retained,
        inventory: ctx.inventory_id.clone(),
    };
    if let Err(error) = engine.retain(who).await {
        ctx.events.warn(format!("Nothing is retained: {error}."));
        return false;
    }
    let name = &first.name;
    let shell = if engine.is_native() { String::new() } else { format!("cki shell {name} · ") };
    let next = format!("run {run}: cki logs {name} · {shell}cki down {name}");
    ctx.events.start("retained", "").finish(TaskOutcome::Done, next);
    true
}
