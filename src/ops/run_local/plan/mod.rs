//! The plan of a local run, made before anything is started. Planning is pure: it reads its input alone
//! (`input`), and its warnings are part of its result.

mod aliases;
mod builder;
mod dev;
pub(super) mod input;
mod publish;
mod service;
mod units;

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::model::guard::{self, GuardFinding};
use crate::model::identity::RunId;
use crate::ops::shared::production::BlockedHosts;

use super::commands::{check_locked, commands};
use super::error::RunError;
use crate::ops::runtime::start::reach::Reach;
use crate::ops::runtime::start::scope::Network;
use crate::ops::runtime::start::unit::{Unit, production_hosts};
use builder::PlanBuilder;
use input::PlanInput;

/// Everything that a run starts.
#[derive(Debug)]
pub struct RunPlan {
    /// The run's ID.
    pub run: RunId,
    /// The units, each after its dependencies.
    pub units: Vec<Unit>,
    /// The units are processes of this machine, not containers.
    pub native: bool,
    /// The reach of the units.
    pub network: Network,
    /// The units go on in the background.
    pub detach: bool,
    /// The environment of each requested component, and that which each requested service provides, in a few words.
    pub summaries: Vec<String>,
    /// Findings that the guard refuses unless the user allows them.
    pub findings: Vec<GuardFinding>,
    /// Hosts to block where the network or a build is open.
    pub production: BlockedHosts,
    /// The names of the units that others need.
    pub(crate) needed: OnceLock<HashSet<String>>,
}

impl RunPlan {
    /// Returns all units in the order of their start.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter()
    }

    /// Returns the requested components and services.
    pub fn requested(&self) -> impl Iterator<Item = &Unit> {
        self.units().filter(|unit| unit.requested)
    }

    /// Returns the names of the requested components and services.
    pub fn requested_names(&self) -> Vec<String> {
        self.requested().map(|unit| unit.name.clone()).collect()
    }

    /// Returns whether several components or services were requested.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.requested().nth(1).is_some()
    }

    /// Returns whether another unit needs this one.
    #[must_use]
    pub fn is_needed(&self, unit: &Unit) -> bool {
        let needed = || self.units().flat_map(|unit| unit.needs.iter().cloned()).collect();
        self.needed.get_or_init(needed).contains(&unit.name)
    }

    /// Returns whether a unit must be ready before the run goes on: another one needs it, or it is set up then.
    #[must_use]
    pub fn is_awaited(&self, unit: &Unit) -> bool {
        self.is_needed(unit) || !unit.setup.is_empty()
    }

    /// Returns whether changes to sources take effect during the run.
    #[must_use]
    pub fn is_dev(&self) -> bool {
        self.units().any(|unit| unit.dev.reload.is_some())
    }

    /// Returns whether the user asked for published ports.
    #[must_use]
    pub fn is_asked_to_publish(&self) -> bool {
        self.units().any(|unit| unit.dev.publish.iter().any(|one| one.is_asked))
    }

    /// Returns the reference of the component or service that owns the shared resources of the units.
    #[must_use]
    pub fn first(&self) -> &str {
        self.requested().next().map_or("", |unit| &unit.component)
    }

    /// Returns the reach of the requested components within the run.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach::of(&self.units)
    }
}

/// A plan, or the reason why there is none, with warnings for the user in any case.
#[derive(Debug)]
pub(super) struct PlanningResult {
    pub(super) plan: anyhow::Result<RunPlan>,
    pub(super) warnings: Vec<String>,
}

/// Plans a run from its input alone. The plan fails when the inventory is incomplete, or the environment is
/// refused or incomplete.
pub(super) fn plan(input: &PlanInput<'_>) -> PlanningResult {
    let mut draft = PlanBuilder::new(input);
    let plan = complete(&mut draft, input);
    PlanningResult { plan, warnings: draft.warnings }
}

fn complete<'a>(draft: &mut PlanBuilder<'a>, input: &'a PlanInput<'a>) -> anyhow::Result<RunPlan> {
    let PlanInput { request, native, policy, .. } = *input;
    if native && request.keep_services {
        return Err(RunError::KeepNative.into());
    }
    if let Some(name) = request.services.first().filter(|_| request.keep_services) {
        return Err(RunError::KeepRequested { name: (*name).to_owned() }.into());
    }
    for component in &request.components {
        if !component.is_runnable() && request.image.is_none() {
            let service = input.inventory.service_of(component);
            let (component, place) = (component.name().to_owned(), component.source_map.place(""));
            return Err(RunError::NotRunnable { component, place, service }.into());
        }
        draft.add(component, &component.reference.to_string())?;
    }
    for service in &request.services {
        draft.request_service(service)?;
    }
    draft.findings.extend(policy.guard.command(request.first(), &request.args, "after `--`"));
    let components = request.components.iter().map(|component| component.name());
    let summaries = components.chain(request.services.iter().copied()).map(|name| {
        let summary = draft.summaries.get(name).cloned().unwrap_or_default();
        if request.count() > 1 { format!("{name}: {summary}") } else { summary }
    });
    let summaries = summaries.collect();
    let (network, detach) = (request.network, request.detach);
    let (units, needed) = (draft.settle()?, OnceLock::new());
    let mut findings = std::mem::take(&mut draft.findings);
    findings.extend(commands(&policy.guard, &units, &findings));
    guard::enforce(&findings, &request.allow, input.inventory)?;
    check_locked(&units, input.inventory)?;
    let plan = RunPlan {
        run: input.run.clone(),
        units,
        native,
        network,
        detach,
        summaries,
        findings,
        production: BlockedHosts::default(),
        needed,
    };
    // A closed network does not need the list, and a large inventory makes it long.
    let has_builds = plan.units().any(|unit| unit.dev.build.is_some());
    let is_open = network == Network::Internet || plan.is_asked_to_publish() || has_builds;
    Ok(match is_open {
        true => RunPlan { production: production_hosts(&plan.units, input.inventory), ..plan },
        false => plan,
    })
}

#[cfg(test)]
mod tests;
