//! Watches over a started run until it ends.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use crate::model::event::TaskOutcome;
use crate::model::identity::Role;
use crate::ops::shared::op_context::OpContext;

use super::error::RunError;
use super::outcome::{PortMapping, RunExit};
use super::plan::RunPlan;
use super::request::RunRequest;
use super::running::RunningUnit;
use crate::ops::runtime::ports::reserved::RunPorts;
use crate::ops::runtime::start::unit::Unit;

/// The state of the units so far.
pub(super) struct UnitStates {
    alive: Vec<bool>,
    /// The readiness has been reported.
    ready: Vec<bool>,
}

impl UnitStates {
    pub(super) fn new(units: usize) -> Self {
        Self { alive: vec![true; units], ready: vec![false; units] }
    }

    pub(super) fn is_alive(&self, index: usize) -> bool {
        self.alive[index]
    }

    pub(super) fn ended(&mut self, index: usize) {
        self.alive[index] = false;
    }

    pub(super) fn started(&mut self, index: usize) {
        (self.alive[index], self.ready[index]) = (true, false);
    }
}

/// Waits for the first of these events: all components end, one of them fails, a dependency ends, a unit
/// is not ready in time, or a signal comes.
pub(super) async fn supervise(
    ctx: &OpContext<'_>,
    request: &RunRequest<'_>,
    plan: &RunPlan,
    ports: &RunPorts,
    units: &[RunningUnit],
    state: &mut UnitStates,
) -> anyhow::Result<RunExit> {
    let UnitStates { alive, ready } = state;
    let planned = planned(plan, units.iter());
    let unit = |index: usize| planned[index];
    let needing = needing(&planned);
    let mut endings: FuturesUnordered<_> =
        units.iter().enumerate().filter(|(index, _)| alive[*index]).map(ending).collect();
    let mut asking: FuturesUnordered<_> = (0..units.len())
        .filter(|index| alive[*index] && !ready[*index])
        .filter(|index| unit(*index).requested && !unit(*index).one_shot && !plan.is_awaited(unit(*index)))
        .filter_map(|index| Some((index, unit(index).ready.as_ref()?)))
        .map(async |(index, ready)| {
            // Its result is reported below, or the end of the unit is.
            let task = ctx.events.start(units[index].name.clone(), "").silent();
            let show = |step: String| task.detail(step);
            (index, units[index].ask_ready(ready, show, ctx.ready_timeout).await)
        })
        .collect();
    let is_worked_on = plan.is_dev();
    let serves = |unit: &Unit| unit.role == Role::Service || plan.is_needed(unit);
    let holds = |index: usize| unit(index).requested && !(request.once && serves(unit(index)));
    // The run lasts as long as one of them.
    let mut going = (0..units.len()).filter(|index| alive[*index] && holds(*index)).count();
    let exit = loop {
        if request.detach && asking.is_empty() {
            return Ok(RunExit::Detached(reached(units, ports)));
        }
        tokio::select! {
            Some((index, code)) = endings.next() => {
                let code = code?;
                alive[index] = false;
                going -= usize::from(holds(index));
                if is_worked_on && unit(index).requested {
                    report_waiting(ctx, &units[index].name, code);
                    continue;
                }
                if !may_end(unit(index), &needing, alive) {
                    units[index].show_last(ctx).await;
                    return Err(RunError::ServiceEnded { name: units[index].name.clone(), code }.into());
                }
                if plan.is_group() {
                    report_end(ctx, &units[index].name, code);
                }
                if code != 0 || going == 0 {
                    break RunExit::Exited(code);
                }
            }
            Some((index, answer)) = asking.next() => {
                ready[index] = true;
                match answer {
                    // The end of a unit is reported elsewhere.
                    Err(_) if !alive[index] => continue,
                    Err(error) if is_worked_on => {
                        ctx.events.warn(format!("{error}. Waiting for the next change."));
                        continue;
                    }
                    answer => answer?,
                }
                let name = &units[index].name;
                ctx.events.start(name.clone(), "").ready("ready", ports.of(name));
            }
            signal = ctx.stop.requested() => break RunExit::Stopped(signal),
        }
    };
    drop((endings, asking));
    let going = units.iter().zip(&*alive).filter_map(|(one, alive)| alive.then_some(one)).collect();
    end(ctx, plan, &exit, going).await?;
    Ok(exit)
}

/// Returns the plans of running units, in their order.
fn planned<'a, 'r>(plan: &'a RunPlan, units: impl Iterator<Item = &'r RunningUnit>) -> Vec<&'a Unit> {
    let by_name: HashMap<&str, &Unit> = plan.units().map(|unit| (unit.name.as_str(), unit)).collect();
    units.map(|one| *by_name.get(one.name.as_str()).expect("what runs was planned")).collect()
}

/// Returns, for each name, the indices of the units that need it.
fn needing<'a>(units: &[&'a Unit]) -> HashMap<&'a str, Vec<usize>> {
    let mut needing: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, unit) in units.iter().enumerate() {
        for need in &unit.needs {
            needing.entry(need).or_default().push(at);
        }
    }
    needing
}

/// Returns the indices of the units in rounds: the units of a round stop at the same time, after all
/// their dependents.
fn rounds(units: &[&Unit]) -> Vec<Vec<usize>> {
    let places: HashMap<&str, usize> =
        units.iter().enumerate().map(|(at, unit)| (unit.name.as_str(), at)).collect();
    let needed = |at: usize| units[at].needs.iter().filter_map(|need| places.get(need.as_str()).copied());
    let mut waiting_for = vec![0_usize; units.len()];
    (0..units.len()).flat_map(needed).for_each(|at| waiting_for[at] += 1);
    let mut now: Vec<usize> = (0..units.len()).filter(|at| waiting_for[*at] == 0).collect();
    let mut rounds = Vec::new();
    while !now.is_empty() {
        let mut next = Vec::new();
        for at in now.iter().flat_map(|at| needed(*at)) {
            waiting_for[at] -= 1;
            if waiting_for[at] == 0 {
                next.push(at);
            }
        }
        rounds.push(std::mem::replace(&mut now, next));
    }
    rounds
}

/// Waits for the end of a unit.
async fn ending((index, one): (usize, &RunningUnit)) -> (usize, anyhow::Result<i64>) {
    (index, one.started.waiter().ended().await)
}

/// Returns whether the end of a unit is expected: it was requested, and no living unit needs it, unless
/// it ends on its own.
fn may_end(unit: &Unit, needing: &HashMap<&str, Vec<usize>>, alive: &[bool]) -> bool {
    let is_needed = || needing.get(unit.name.as_str()).is_some_and(|all| all.iter().any(|at| alive[*at]));
    unit.requested && (unit.one_shot || !is_needed())
}

/// Reports the end of one component of a group.
fn report_end(ctx: &OpContext<'_>, name: &str, code: i64) {
    let task = ctx.events.start(name, "");
    match code {
        0 => task.finish(TaskOutcome::Done, "ended"),
        code => task.finish(TaskOutcome::Failed, format!("ended with exit code {code}")),
    }
}

/// Stops the components that still run, dependents first.
async fn end(
    ctx: &OpContext<'_>,
    plan: &RunPlan,
    exit: &RunExit,
    going: Vec<&RunningUnit>,
) -> anyhow::Result<()> {
    if matches!(exit, RunExit::Exited(_)) && !going.iter().any(|one| one.requested) {
        return Ok(());
    }
    let (wanted, others): (Vec<&RunningUnit>, Vec<&RunningUnit>) =
        going.into_iter().partition(|one| one.requested);
    let others: Vec<&RunningUnit> = others.into_iter().filter(|one| one.started.reuse.is_none()).collect();
    let names: Vec<&str> = wanted.iter().chain(&others).map(|one| one.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let task = ctx.events.start("stopping", format!("{} (again to force)", names.join(", ")));
    let stops = async {
        for now in rounds(&planned(plan, wanted.iter().copied())) {
            let stops = now.into_iter().map(|at| wanted[at].started.stop(ctx.stop_grace));
            for stopped in join_all(stops).await {
                stopped?;
            }
        }
        anyhow::Ok(())
    };
    let force = async {
        match exit {
            RunExit::Stopped(_) => ctx.stop.force_requested().await,
            _ => ctx.stop.requested().await,
        }
    };
    tokio::select! {
        stopped = stops => stopped?,
        _ = force => {}
    }
    task.finish(TaskOutcome::Done, names.join(", "));
    Ok(())
}

/// Returns the published ports of all units.
fn reached(units: &[RunningUnit], ports: &RunPorts) -> Vec<PortMapping> {
    let mappings = units.iter().flat_map(|one| {
        let component = one.name.clone();
        ports.of(&one.name).into_iter().map(move |port| PortMapping { component: component.clone(), port })
    });
    mappings.collect()
}

/// Reports the end of a unit that waits for a change of its sources.
fn report_waiting(ctx: &OpContext<'_>, name: &str, code: i64) {
    let task = ctx.events.start(name, "");
    let state = if code == 0 { TaskOutcome::Done } else { TaskOutcome::Failed };
    task.finish(state, format!("ended with exit code {code}; waiting for a change"));
}
