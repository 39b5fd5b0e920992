//! `cki run-local`: starts components with their dependencies in order, watches them while they run, and
//! removes everything when they end, however they end.

mod clean_up;
mod commands;
mod dev_loop;
mod error;
mod execute;
mod image_check;
mod load;
mod outcome;
mod output;
pub mod plan;
mod prepare;
mod ready;
mod request;
mod retain;
mod reuse;
mod running;
mod sources;
mod supervise;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::future::FutureExt as _;

use crate::base::text::{join_and, join_some};
use crate::model::environment::RuleError;
use crate::model::event::{Event, TaskOutcome};
use crate::model::guard::Gate;
use crate::model::identity::{ResourceLabels, RunId};
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::list::{FoundInstances, ListScope, list};
use crate::ops::runtime::ports::reserved::RunPorts;
use crate::ops::runtime::remove::{is_ended, remove_everywhere};
use crate::ops::runtime::select::query_of;
use crate::ops::runtime::start::check_native;
use crate::ops::runtime::start::scope::RunScope;
use crate::ops::runtime::start::service_reuse::PendingServices;
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::run_policy::{RunPolicy, RunPolicyError, SecretStorage};
use crate::systems::native::Native;
pub use error::RunError;
pub use outcome::{PortMapping, RunExit, RunOutcome};
pub use request::{Access, ExistingRun, KeepMode, PublishOptions, RunRequest};
pub use sources::{DryRun, PlannedSource};

/// Returns the plan of a run, without access to an engine or the network.
///
/// # Errors
/// Fails when the inventory is incomplete, or the environment is refused or incomplete.
pub fn dry_run(
    ctx: &OpContext<'_>,
    request: &RunRequest<'_>,
    native: bool,
    storage: SecretStorage,
) -> anyhow::Result<DryRun> {
    let rules = RunPolicy::load(ctx.assets, ctx.inventory, ctx.env, ctx.workspace, storage)?;
    let plan = planned(ctx, request, &rules, native, RunId::new(b"dry run"))?;
    let sources = sources::find(ctx, request, &plan)?;
    Ok(DryRun { plan, sources })
}

/// Loads the input of a plan, makes the plan, and shows its warnings.
fn planned(
    ctx: &OpContext<'_>,
    request: &RunRequest<'_>,
    rules: &RunPolicy,
    native: bool,
    run: RunId,
) -> anyhow::Result<plan::RunPlan> {
    let plan::PlanningResult { plan, warnings } = plan::plan(&load::load(ctx, request, rules, native, run)?);
    warnings.into_iter().for_each(|warning| ctx.events.warn(warning));
    plan
}

/// Runs components to their end.
///
/// # Errors
/// Fails when a component cannot be built or started, or one of its dependencies fails.
pub async fn run(
    ctx: &OpContext<'_>,
    engine: &RunEngine,
    request: &RunRequest<'_>,
) -> anyhow::Result<RunOutcome> {
    let entropy = format!("{}-{:?}", ctx.owner.to_label(), std::time::SystemTime::now());
    let run = RunId::new(entropy.as_bytes());
    let rules = RunPolicy::load(ctx.assets, ctx.inventory, ctx.env, ctx.workspace, SecretStorage::Create)?;
    load::fetch_deployments(ctx, request).await?;
    let mut plan = planned(ctx, request, &rules, engine.is_native(), run.clone())?;
    if engine.is_native() {
        // Before a port is taken, or an image looked for.
        check_native(&plan.units)?;
    }
    let up = list(engine, &Native::new(ctx.env), &ListScope::Inventory(ctx.inventory_id.clone())).await?;
    let is_met = request.existing != ExistingRun::Add && reuse::is_met(&up, &plan);
    // A run that is up has the ports that this one would take.
    let ports = (!is_met).then(|| RunPorts::reserve(&plan.units, &ctx.events)).transpose()?;
    let images = prepare::prepare(ctx, engine, request, &plan).await?;
    let gate = Gate::new(&rules.guard, ctx.inventory, &request.allow);
    image_check::check_run(ctx, engine, &gate, &mut plan, &images).await?;
    let (seed, _) = rules.context.stored.open().map_err(RuleError::Keep).map_err(RunPolicyError::Secrets)?;
    if is_met
        && request.existing == ExistingRun::Reuse
        && let Some(found) = reuse::identical(&up, &plan, &images, seed)
    {
        return Ok(already_up(&up, engine, request, &plan, found));
    }
    if is_met {
        replace(ctx, engine, request, &plan, &up).await?;
    }
    for summary in &plan.summaries {
        ctx.events.start("env", "").finish(TaskOutcome::Done, summary.clone());
    }
    if plan.is_group() {
        ctx.events.send(Event::Speakers(plan.requested_names()));
    }

    let pending = PendingServices::new(ctx.owner.clone(), Arc::clone(seed));
    let ports = match ports {
        Some(ports) => ports,
        None => RunPorts::reserve(&plan.units, &ctx.events)?,
    };
    let scope = RunScope {
        run: &plan.run,
        lifetime: request.retention(),
        network: plan.network,
        first: plan.first(),
        ports: &ports,
        pending: &pending,
        gate: &gate,
    };
    let live =
        AssertUnwindSafe(execute::execute(ctx, engine, request, &plan, &images, &scope)).catch_unwind().await;
    let retained = match &live {
        Ok(end) if request.keep.applies(end) => retain::keep(ctx, engine, &plan).await,
        _ => false,
    };
    let is_retained = retained || matches!(live, Ok(Ok(RunExit::Detached(_))));
    let remaining =
        if is_retained { Vec::new() } else { clean_up::clean_up(ctx, engine, &run, &pending).await };
    let exit = match live {
        Ok(result) => result?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let query = if is_retained { query(ctx, engine, request.first(), &run).await } else { String::new() };
    Ok(RunOutcome {
        run,
        components: plan.requested_names(),
        query,
        engine: engine.name(),
        exit,
        retained_services: pending.retained_services(),
        remaining,
        retained,
        reused: false,
    })
}

/// Returns the text that names the first component of a run that is up or retained.
async fn query(ctx: &OpContext<'_>, engine: &RunEngine, first: &str, run: &RunId) -> String {
    let scope = ListScope::Inventory(ctx.inventory_id.clone());
    match list(engine, &Native::new(ctx.env), &scope).await {
        Ok(listing) => query_of(&listing, run, first),
        // The ID of a run is unique.
        Err(_) => run.to_string(),
    }
}

/// Returns the outcome of a run that was up before.
fn already_up(
    up: &FoundInstances,
    engine: &RunEngine,
    request: &RunRequest<'_>,
    plan: &plan::RunPlan,
    (run, reached): (RunId, Vec<PortMapping>),
) -> RunOutcome {
    RunOutcome {
        query: query_of(up, &run, request.first()),
        run,
        components: plan.requested_names(),
        engine: engine.name(),
        exit: RunExit::Detached(reached),
        retained_services: plan.units().filter(|unit| unit.retained).map(|unit| unit.name.clone()).collect(),
        remaining: Vec::new(),
        retained: false,
        reused: true,
    }
}

/// Ends what a request replaces. A run in the foreground that is not forced replaces nothing, and says so.
///
/// # Errors
/// Fails when data would be lost, or the engine refuses.
async fn replace(
    ctx: &OpContext<'_>,
    engine: &RunEngine,
    request: &RunRequest<'_>,
    plan: &plan::RunPlan,
    up: &FoundInstances,
) -> anyhow::Result<()> {
    let is_forced = request.existing == ExistingRun::Replace;
    let old = match reuse::replaced(up, plan, ctx.inventory, is_forced || !request.detach)? {
        old if request.detach || is_forced => old,
        old => {
            let runs: BTreeSet<&str> = old.iter().map(|one| one.identity.run.as_str()).collect();
            let runs = join_and(&runs.into_iter().map(str::to_owned).collect::<Vec<_>>());
            ctx.events.warn(format!(
                "Another run is in the background, with another configuration or from other sources: {runs}."
            ));
            return Ok(());
        }
    };
    let mains: Vec<String> =
        old.iter().filter(|one| one.is_main()).map(|one| one.identity.name.clone()).collect();
    let runs: BTreeSet<RunId> = old.iter().map(|one| one.identity.run.clone()).collect();
    let is_whole = |run: &RunId| {
        let all = up.instances.iter().chain(&up.others).filter(|one| one.identity.run == *run);
        all.count() == old.iter().filter(|one| one.identity.run == *run).count()
    };
    let whole: BTreeSet<RunId> = runs.iter().filter(|run| is_whole(run)).cloned().collect();
    let task = ctx.events.start("replacing", "");
    let selects = |who: &ResourceLabels| is_ended(who, &old, &whole);
    remove_everywhere(engine, &Native::new(ctx.env), selects, Some(ctx.stop_grace)).await?;
    let of = join_and(&runs.iter().map(ToString::to_string).collect::<Vec<_>>());
    task.finish(TaskOutcome::Done, format!("{} of run {of}", join_some(mains.into_iter())));
    Ok(())
}
