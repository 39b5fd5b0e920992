//! The commands that run in the units of a run, and the guard over them.

use super::unit::Unit;
use crate::model::guard::{self, Finding, Gate, Passed, Refusal, Starting};
use crate::model::probe::Ready;

/// Checks the commands of all units, whatever planned them. Findings of a component that are known
/// already are not repeated.
pub(super) fn commands(guard: &guard::Guard, units: &[Unit], known: &[Finding]) -> Vec<Finding> {
    let all = units.iter().flat_map(|unit| {
        let native = unit.native.iter().map(|native| &native.command);
        let commands = unit.command.iter().chain(native).chain(&unit.setup).cloned();
        let asked = unit.ready.as_ref().map(asked_words);
        commands.chain(asked).filter_map(|words| guard.command(&unit.name, &words, "as it is run here"))
    });
    let mut found: Vec<Finding> = Vec::new();
    for finding in all {
        let is_known = |one: &Finding| {
            one.name == finding.name && finding.reasons.iter().all(|reason| one.reasons.contains(reason))
        };
        if !known.iter().chain(&found).any(is_known) {
            found.push(finding);
        }
    }
    found
}

/// The words of a question.
pub(super) fn asked_words(ready: &Ready) -> Vec<String> {
    match ready {
        Ready::Exec(command) => command.clone(),
        Ready::Http { path, .. } => vec![path.clone()],
        Ready::Tcp(_) | Ready::Log(_) => Vec::new(),
    }
}

/// The commands that are run in a unit once it has started: they have passed the gate with it.
#[derive(Debug, Clone)]
pub(super) struct GuardedCommands {
    /// That which asks whether it is ready.
    pub(super) ready: Passed<Vec<String>>,
    /// Those that set it up.
    pub(super) setup: Vec<Passed<Vec<String>>>,
}

impl GuardedCommands {
    /// Those of a unit that is about to be started.
    pub(super) fn of(unit: &Unit, gate: &Gate<'_>) -> Result<Self, Refusal> {
        let pass = |words: Vec<String>, source| {
            gate.pass(words, Starting { name: &unit.name, source, is_component: false })
        };
        let ready = unit.ready.as_ref().map_or_else(Vec::new, asked_words);
        Ok(Self {
            ready: pass(ready, "the question whether it is ready")?,
            setup: unit
                .setup
                .iter()
                .map(|one| pass(one.clone(), "what sets it up"))
                .collect::<Result<_, _>>()?,
        })
    }
}
