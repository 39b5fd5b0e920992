//! The guard over a run. Each thing passes the gate when it is started (`ground`), and its commands
//! with it ([`GuardedCommands`]); what would not pass is told before that, as soon as it is known, so that
//! nothing is started in vain.

use std::collections::BTreeMap;

use super::plan::RunPlan;
use super::unit::Unit;
use crate::base::secret::Secret;
use crate::model::guard::{self, Finding, Gate, Passed, Reason, Refusal, Starting};
use crate::model::probe::Ready;
use crate::ops::engine::Engine;
use crate::ops::tools::Tools;
use crate::systems::engine::ContainerEngine;

/// Refuses the run if an image brings along what the guard refuses, and says loudly what the user
/// allows. What looks like a credential in an image is a secret of its unit from then on.
pub(super) async fn watch_over(
    tools: &Tools<'_>,
    engine: &Engine,
    gate: &Gate<'_>,
    plan: &mut RunPlan,
    images: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let mut findings = plan.findings.clone();
    if let Engine::Containers(engine) = engine {
        for unit in &mut plan.units {
            let Some(name) = images.get(&unit.name) else { continue };
            findings.extend(look_at_image(engine, gate, unit, name).await?);
        }
        guard::judge(&findings, gate.allowed(), tools.inventory)?;
    }
    for sentence in guard::sentences(&findings, gate.allowed()) {
        tools.events.warn(sentence);
    }
    Ok(())
}

/// Refuses an image that was built again, as [`watch_over`] does.
pub(super) async fn watch_over_one(
    tools: &Tools<'_>,
    engine: &ContainerEngine,
    gate: &Gate<'_>,
    unit: &mut Unit,
    image: &str,
) -> anyhow::Result<()> {
    let findings = look_at_image(engine, gate, unit, image).await?;
    guard::judge(&findings, gate.allowed(), tools.inventory)?;
    guard::used(&findings, gate.allowed()).for_each(|sentence| tools.events.warn(sentence));
    Ok(())
}

/// Checks the environment, commands and health check of an image.
async fn look_at_image(
    engine: &ContainerEngine,
    gate: &Gate<'_>,
    unit: &mut Unit,
    name: &str,
) -> anyhow::Result<Vec<Finding>> {
    let Some(image) = engine.image(name).await? else { return Ok(Vec::new()) };
    let source = format!("image {name}");
    let mut findings = Vec::new();
    for (variable, value) in &image.environment {
        if unit.environment.iter().any(|(known, _)| known == variable) {
            continue;
        }
        let reasons = gate.guard().reasons(Some(variable), value);
        if reasons.iter().any(|reason| matches!(reason, Reason::Credential { .. })) {
            unit.secret.push(variable.clone());
            unit.hidden.push(Secret::new(value));
        }
        findings.extend(Finding::new(&unit.name, variable, &source, reasons));
    }
    let mut words = image.health;
    if !unit.replaces_entrypoint() || unit.command.is_none() {
        words.extend(image.entrypoint);
    }
    if unit.command.is_none() {
        words.extend(image.command);
    }
    findings.extend(gate.guard().command(&unit.name, &words, &source));
    Ok(findings)
}

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
fn asked_words(ready: &Ready) -> Vec<String> {
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
