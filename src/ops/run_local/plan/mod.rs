//! What a local run will start, worked out before anything is started: pure, given the inventory,
//! the templates and the user's wishes.

mod draft;

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::model::guard::{self, Finding};
use crate::model::identity::RunId;
use crate::model::inventory::Inventory;
use crate::model::service::Surroundings;
use crate::ops::production::BlockedHosts;
use crate::ops::rules::Rules;
use crate::ops::tools::Tools;

use super::commands::commands;
use super::error::RunError;
use super::request::{Network, Request};
use super::unit::Unit;
use draft::Draft;

/// Everything that a run starts.
#[derive(Debug)]
pub struct RunPlan {
    /// Names the run.
    pub run: RunId,
    /// The units, each after all that it needs.
    pub units: Vec<Unit>,
    /// Whether the units are processes of this machine, and no containers.
    pub native: bool,
    /// What they may reach.
    pub network: Network,
    /// Whether they go on in the background.
    pub detach: bool,
    /// In a few words, the environment of each component that was asked for.
    pub summaries: Vec<String>,
    /// What the guard would refuse, did the user not allow it.
    pub findings: Vec<Finding>,
    /// Hosts that stay out of reach where something is open: the network, or a build.
    pub production: BlockedHosts,
    /// The names of the units that others need.
    pub(crate) needed: OnceLock<HashSet<String>>,
}

impl RunPlan {
    /// All units, those that are started first first.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter()
    }

    /// The components that were asked for.
    pub fn wanted(&self) -> impl Iterator<Item = &Unit> {
        self.units().filter(|unit| unit.wanted)
    }

    /// Whether several components were asked for.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.wanted().nth(1).is_some()
    }

    /// Whether another unit needs this one.
    #[must_use]
    pub fn is_needed(&self, unit: &Unit) -> bool {
        let needed = || self.units().flat_map(|unit| unit.needs.iter().cloned()).collect();
        self.needed.get_or_init(needed).contains(&unit.name)
    }

    /// Whether changes to sources are to take effect.
    #[must_use]
    pub fn is_worked_on(&self) -> bool {
        self.units().any(|unit| unit.work.reload.is_some())
    }

    /// Whether this machine is to reach ports.
    #[must_use]
    pub fn publishes(&self) -> bool {
        self.units().any(|unit| !unit.work.publish.is_empty())
    }

    /// The hosts of production that are known to this run.
    #[must_use]
    pub fn production_of(&self, inventory: &Inventory) -> BlockedHosts {
        let environment = self.units().flat_map(|unit| &unit.environment).map(|(_, value)| value.expose());
        let commands = self.units().flat_map(|unit| unit.command.iter().flatten()).map(String::as_str);
        BlockedHosts::of(inventory, environment.chain(commands))
    }

    /// The reference of the component that what the units share belongs to.
    #[must_use]
    pub fn first(&self) -> &str {
        self.wanted().next().map_or("", |unit| &unit.of)
    }

    /// What those who were asked for reach within the run, as the end of a sentence.
    #[must_use]
    pub fn reach(&self) -> String {
        let lasting = self.units().filter(|unit| !unit.wanted && !unit.once);
        let others = lasting.map(|unit| unit.name.as_str());
        let (who, each) =
            if self.is_group() { ("they reach", Some("each other")) } else { ("it reaches", None) };
        let names: Vec<&str> = each.into_iter().chain(others).collect();
        if names.is_empty() { format!("{who} nothing") } else { format!("{who} {}", names.join(", ")) }
    }
}

/// Works out a run.
///
/// # Errors
/// When the inventory does not say enough, or the environment is refused or incomplete.
pub fn plan(
    tools: &Tools<'_>,
    request: &Request<'_>,
    rules: &Rules,
    native: bool,
    run: RunId,
) -> anyhow::Result<RunPlan> {
    if native && request.keep_services {
        return Err(RunError::KeepNative.into());
    }
    let host = if native { "127.0.0.1" } else { "" };
    let around = Surroundings { host, program: &tools.program, ground: &rules.ground, rules: &rules.secrets };
    let mut draft = Draft::new(tools, request, rules, around, native);
    let is_group = request.components.len() > 1;
    for component in &request.components {
        if !component.is_runnable() && request.image.is_none() {
            let (component, place) = (component.name().to_owned(), component.written.place(""));
            return Err(RunError::NotRunnable { component, place }.into());
        }
        draft.add(component, &component.reference.to_string())?;
    }
    let first = request.components.first().map_or("", |component| component.name());
    draft.findings.extend(rules.guard.command(first, &request.args, "after `--`"));
    let summaries = request.components.iter().map(|component| {
        let summary = draft.summaries.get(component.name()).cloned().unwrap_or_default();
        if is_group { format!("{}: {summary}", component.name()) } else { summary }
    });
    let summaries = summaries.collect();
    let mut findings = std::mem::take(&mut draft.findings);
    let (network, detach) = (request.network, request.detach);
    let (units, needed) = (draft.settle()?, OnceLock::new());
    findings.extend(commands(&rules.guard, &units, &findings));
    guard::judge(&findings, &request.allow, tools.inventory)?;
    let production = BlockedHosts::default();
    let plan = RunPlan { run, units, native, network, detach, summaries, findings, production, needed };
    // A closed network has no need of them, and a large inventory has many.
    let has_builds = plan.units().any(|unit| unit.work.build.is_some());
    let is_open = network == Network::Internet || plan.publishes() || has_builds;
    Ok(if is_open { RunPlan { production: plan.production_of(tools.inventory), ..plan } } else { plan })
}

#[cfg(test)]
mod tests;
