//! The commands that run in the units of a run, and the guard over them.

use crate::model::guard::{self, Gate, GatePass, GateSubject, GuardFinding, PolicyViolation};
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::start::unit::Unit;

/// Checks the commands of all units, from any source. Known findings of a component are not repeated.
pub(super) fn commands(guard: &guard::Guard, units: &[Unit], known: &[GuardFinding]) -> Vec<GuardFinding> {
    let all = units.iter().flat_map(|unit| {
        let native = unit.native.iter().map(|native| &native.command);
        let commands = unit.command.iter().chain(native).chain(&unit.setup).cloned();
        let asked = unit.ready.as_ref().map(asked_words);
        commands.chain(asked).filter_map(|words| guard.command(&unit.name, &words, "as it is run here"))
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
            gate.pass(words, GateSubject { name: &unit.name, source, is_component: false })
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
