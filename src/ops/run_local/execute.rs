//! The life of a run: creates its runtime, starts each unit as soon as its dependencies are ready, and
//! then watches over all of them. The caller removes what is left.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::sync::watch;

use crate::base::redact::Redactor;
use crate::model::event::TaskOutcome;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::shared::op_context::OpContext;

use super::commands::GuardedCommands;
use super::dev_loop::{DevLoop, Watcher};
use super::outcome::RunExit;
use super::plan::RunPlan;
use super::request::RunRequest;
use super::running::RunningUnit;
use super::supervise::{UnitStates, supervise};
use crate::ops::runtime::instance::Instance;
use crate::ops::runtime::start::Runtime;
use crate::ops::runtime::start::scope::RunScope;
use crate::ops::runtime::start::service_reuse::ServiceReuse;
use crate::ops::runtime::start::unit::Unit;
use crate::systems::native::Native;

/// Timeout for reading the rest of the output of an ended unit.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs everything from the first change on an engine to the last.
pub(super) async fn execute(
    ctx: &OpContext<'_>,
    engine: &RunEngine,
    request: &RunRequest<'_>,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
    scope: &RunScope<'_>,
) -> anyhow::Result<RunExit> {
    let watchers = Watcher::all(plan)?;
    let start = async {
        let runtime = Runtime::prepare(ctx, engine, &plan.units, scope).await?;
        let units = bring_up(ctx, &runtime, plan, images, scope, request.detach).await?;
        anyhow::Ok((runtime, units))
    };
    let (runtime, mut units) = tokio::select! {
        started = start => started?,
        signal = ctx.stop.requested() => {
            ctx.events.start("stopping", "").finish(TaskOutcome::Done, "before it had started");
            return Ok(RunExit::Stopped(signal));
        }
    };
    let meets: Vec<_> = units.iter().map(|one| (one.name.clone(), one.started.instance.clone())).collect();
    let watch = async {
        if plan.is_dev() {
            let images = images.clone();
            let dev_loop = DevLoop { ctx, engine, request, plan, runtime: &runtime, scope, images, watchers };
            dev_loop.run(&mut units).await
        } else {
            let mut state = UnitStates::new(units.len());
            supervise(ctx, request, plan, scope.ports, &units, &mut state).await
        }
    };
    let exit = tokio::select! {
        exit = watch => exit,
        lost = check_contact(&runtime, meets, ctx) => Err(lost),
    };
    if matches!(exit, Ok(RunExit::Detached(_))) {
        scope.ports.hand_over(&Native::new(ctx.env)).await?;
    } else {
        // The rest of the output is read to its end, without waiting for an orphaned process that holds
        // it open.
        let pumps = units.iter_mut().filter(|one| one.requested).filter_map(|one| one.pump.take());
        tokio::select! {
            _ = tokio::time::timeout(DRAIN, join_all(pumps)) => {}
            // Units that were not stopped write until they are removed.
            _ = ctx.stop.force_requested() => {}
        }
    }
    exit
}

/// Tests whether running units reach each other, and returns only if they do not.
async fn check_contact(
    runtime: &Runtime,
    started: Vec<(String, Instance)>,
    ctx: &OpContext<'_>,
) -> anyhow::Error {
    for (name, instance) in started {
        if let Err(error) = runtime.meet(&name, &instance, ctx).await {
            return error;
        }
    }
    std::future::pending().await
}

/// Starts each unit as soon as its dependencies are ready, and no sooner. When this returns, all
/// dependencies are ready, and those that end by themselves have succeeded.
async fn bring_up(
    ctx: &OpContext<'_>,
    runtime: &Runtime,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
    scope: &RunScope<'_>,
    detach: bool,
) -> anyhow::Result<Vec<RunningUnit>> {
    let secrets: Vec<_> = plan.units().flat_map(Unit::secrets).collect();
    let redactor = Redactor::new(secrets.iter().copied());
    ctx.events.hide(secrets);
    let ready_signals = ReadySignals::of(plan);
    let starts = plan.units().map(async |unit| {
        ready_signals.wait_for(&unit.needs).await;
        let is_awaited = plan.is_awaited(unit);
        let task = is_awaited.then(|| ctx.events.start(unit.name.clone(), "starting"));
        let image = images.get(&unit.name).map(String::as_str);
        let asked = GuardedCommands::of(unit, scope.gate)?;
        let started = runtime.start(unit, image, ctx, scope).await?;
        let mut running = RunningUnit::attach(unit, started, asked, &redactor, ctx);
        // A requested component is tested while it runs (`check_contact`): it obeys signals from its first line on.
        if is_awaited || detach {
            runtime.meet(&unit.name, &running.started.instance, ctx).await?;
        }
        if let Some(task) = task {
            let done = running.wait_until_ready(unit, &task, ctx).await?;
            scope.pending.done(unit);
            task.ready(running.started.reuse.map_or(done, ServiceReuse::word), scope.ports.of(&unit.name));
            ready_signals.open(&unit.name);
        } else if unit.ready.is_none() {
            // Nothing will tell when it is ready.
            let ports = scope.ports.of(&unit.name);
            if !ports.is_empty() {
                ctx.events.start(unit.name.clone(), "").ready("started", ports);
            }
        }
        anyhow::Ok((unit.requested || !unit.one_shot).then_some(running))
    });
    Ok(try_join_all(starts).await?.into_iter().flatten().collect())
}

/// The ready_signals at which units wait for their dependencies. A plan has no cycles, so all ready_signals open unless a
/// start fails.
struct ReadySignals(BTreeMap<String, watch::Sender<bool>>);

impl ReadySignals {
    fn of(plan: &RunPlan) -> Self {
        Self(plan.units().map(|unit| (unit.name.clone(), watch::Sender::new(false))).collect())
    }

    fn open(&self, name: &str) {
        if let Some(gate) = self.0.get(name) {
            gate.send_replace(true);
        }
    }

    async fn wait_for(&self, names: &[String]) {
        for gate in names.iter().filter_map(|name| self.0.get(name)) {
            // The ready_signals outlive their waiters.
            let _ = gate.subscribe().wait_for(|is_open| *is_open).await;
        }
    }
}
