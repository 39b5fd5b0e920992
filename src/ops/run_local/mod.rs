//! `cki run-local`: starts components with their dependencies in order, watches them while they run, and
//! removes everything when they end, however they end.

mod reuse;
mod clean_up;
mod commands;
mod config_hash;
mod error;
mod runtime;
mod guard;
mod handle;
mod retain;
mod execute;
mod outcome;
mod output;
pub mod plan;
mod prepare;
pub(in crate::ops) mod ready;
mod dev_loop;
mod request;
mod running;
mod scope;
mod service_reuse;
pub mod unit;
mod supervise;
mod dev;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::future::FutureExt as _;

use crate::model::environment::RuleError;
use crate::model::event::{Event, State};
use crate::model::guard::Gate;
use crate::model::identity::RunId;
use crate::ops::deployment;
use crate::ops::engine::Engine;
use crate::ops::run_policy::{Rules, RulesError};
use crate::ops::op_context::Tools;
pub use error::RunError;
pub use outcome::{Ended, How, Reached};
pub use request::{Access, Keep, Network, Request};
use service_reuse::Making;

/// Returns the plan of a run, without access to an engine or the network.
///
/// # Errors
/// Fails when the inventory is incomplete, or the environment is refused or incomplete.
pub fn dry_run(tools: &Tools<'_>, request: &Request<'_>, native: bool) -> anyhow::Result<plan::RunPlan> {
    let rules = Rules::load(tools.assets, tools.inventory, tools.env, tools.workspace)?;
    plan::plan(tools, request, &rules, native, RunId::new(b"dry run"))
}

/// Runs components to their end.
///
/// # Errors
/// Fails when a component cannot be built or started, or one of its dependencies fails.
pub async fn run(tools: &Tools<'_>, engine: &Engine, request: &Request<'_>) -> anyhow::Result<Ended> {
    let entropy = format!("{}-{:?}", tools.owner.to_label(), std::time::SystemTime::now());
    let run = RunId::new(entropy.as_bytes());
    let rules = Rules::load(tools.assets, tools.inventory, tools.env, tools.workspace)?;
    deployment::fetch(tools, &request.components, request.merge_request).await?;
    let mut plan = plan::plan(tools, request, &rules, engine.is_native(), run.clone())?;
    let images = prepare::prepare(tools, engine, request, &plan).await?;
    let gate = Gate::new(&rules.guard, tools.inventory, &request.allow);
    guard::watch_over(tools, engine, &gate, &mut plan, &images).await?;
    let (seed, _) = rules.ground.kept.open().map_err(RuleError::Keep).map_err(RulesError::Secrets)?;
    if let Some(ended) = goes_on(engine, request, &plan, &images, seed).await? {
        return Ok(ended);
    }
    for summary in &plan.summaries {
        tools.events.start("env", "").finish(State::Done, summary.clone());
    }
    if plan.is_group() {
        tools.events.send(Event::Speakers(plan.wanted().map(|unit| unit.name.clone()).collect()));
    }

    let making = Making::new(tools.owner.clone(), Arc::clone(seed));
    let live = AssertUnwindSafe(execute::live(tools, engine, request, &plan, &images, &making, &gate))
        .catch_unwind()
        .await;
    let stays = match &live {
        Ok(end) if request.keep.applies(end) => retain::keep(tools, engine, request, &run).await,
        _ => false,
    };
    let goes_on = stays || matches!(live, Ok(Ok(How::Detached(_))));
    let left = if goes_on { Vec::new() } else { clean_up::clean_up(tools, engine, &run, &making).await };
    let how = match live {
        Ok(result) => result?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let components = plan.wanted().map(|unit| unit.name.clone()).collect();
    Ok(Ended {
        run,
        components,
        engine: engine.name(),
        how,
        kept: making.kept(),
        left,
        stays,
        already: false,
    })
}

/// Returns the matching run that is already up, if the request allows reuse.
async fn goes_on(
    engine: &Engine,
    request: &Request<'_>,
    plan: &plan::RunPlan,
    images: &BTreeMap<String, String>,
    workspace: &str,
) -> anyhow::Result<Option<Ended>> {
    let Engine::Containers(containers) = engine else { return Ok(None) };
    if !(request.detach && request.keep_services) {
        return Ok(None);
    }
    let found = reuse::goes_on(containers, plan, images, workspace).await?;
    Ok(found.map(|(run, reached)| Ended {
        run,
        components: plan.wanted().map(|unit| unit.name.clone()).collect(),
        engine: engine.name(),
        how: How::Detached(reached),
        kept: plan.units().filter(|unit| unit.kept).map(|unit| unit.name.clone()).collect(),
        left: Vec::new(),
        stays: false,
        already: true,
    }))
}
