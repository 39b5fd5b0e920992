//! The commands that run in the units of a run, and the guard over them.

use crate::model::guard::{self, Gate, GatePass, GateSubject, GuardFinding, PolicyViolation};
use crate::model::inventory::Inventory;
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::start::unit::Unit;

/// Checks the commands of all units, from any source. Known findings of a component are not repeated.
pub(super) fn commands(guard: &guard::Guard, units: &[Unit], known: &[GuardFinding]) -> Vec<GuardFinding> {
    let all = units.iter().flat_map(|unit| {
        all_of(unit).filter_map(|words| guard.command(&unit.name, &words, "as it is run here"))
    });
    let mut found: Vec<GuardFinding> = Vec::new();
    for finding in all {
        let is_known = |one: &GuardFinding| {
            one.name == finding.name && finding.reasons.iter().all(|reason| one.reasons.contains(reason))
        };
        if !known.iter().chain(&found).any(is_known) {
            found.push(finding);
        }
    }
    found
}

/// Refuses commands of components that replace a locked variable, before anything is prepared. The gate sees those of
/// images, too.
///
/// # Errors
/// Fails at the first such command.
pub(super) fn check_locked(units: &[Unit], inventory: &Inventory) -> Result<(), PolicyViolation> {
    for unit in units.iter().filter(|unit| unit.is_component) {
        for command in all_of(unit) {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            guard::check_replaced(&unit.name, &words, &inventory.production.environment)?;
        }
    }
    Ok(())
}

/// Returns all commands of a unit: its own, in a container and outside of one, those that set it up, and its probe.
fn all_of(unit: &Unit) -> impl Iterator<Item = Vec<String>> {
    let native = unit.native.iter().map(|native| &native.command);
    let commands = unit.command.iter().chain(native).chain(&unit.setup).cloned();
    commands.chain(unit.ready.as_ref().map(asked_words))
}

/// Returns the words of a readiness probe's command.
pub(super) fn asked_words(ready: &ReadinessProbe) -> Vec<String> {
    match ready {
        ReadinessProbe::Exec(command) => command.clone(),
        ReadinessProbe::Http { path, .. } => vec![path.clone()],
        ReadinessProbe::Tcp(_) | ReadinessProbe::Log(_) => Vec::new(),
    }
}

/// The commands that run in a unit after its start. They have passed the gate with it.
#[derive(Debug, Clone)]
pub(super) struct GuardedCommands {
    /// The command of its readiness probe.
    pub(super) ready: GatePass<Vec<String>>,
    /// The commands that set it up.
    pub(super) setup: Vec<GatePass<Vec<String>>>,
}

impl GuardedCommands {
    /// Passes the commands of a unit through the gate before its start.
    pub(super) fn of(unit: &Unit, gate: &Gate<'_>) -> Result<Self, PolicyViolation> {
        let pass = |words: Vec<String>, source| {
            gate.pass(words, GateSubject { name: &unit.name, source, is_component: unit.is_component })
        };
        let ready = unit.ready.as_ref().map_or_else(Vec::new, asked_words);
        Ok(Self {
            ready: pass(ready, "its readiness probe")?,
            setup: unit
                .setup
                .iter()
                .map(|one| pass(one.clone(), "its setup command"))
                .collect::<Result<_, _>>()?,
        })
    }
}
