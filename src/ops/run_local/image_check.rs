//! Early checks of a run's images, so that nothing is started in vain. The binding check is the gate at each
//! start (`runtime::start`); commands are checked in `commands`.

use std::collections::BTreeMap;

use super::plan::RunPlan;
use crate::base::secret::Secret;
use crate::model::guard::{self, Gate, GuardFinding};
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::start::unit::Unit;
use crate::ops::shared::op_context::OpContext;
use crate::systems::engine::ContainerEngine;

/// Refuses the run if the guard refuses a part of an image, and warns of everything that the user allows.
/// A suspected secret in an image or a command becomes a secret of its unit.
pub(super) async fn check_run(
    ctx: &OpContext<'_>,
    engine: &RunEngine,
    gate: &Gate<'_>,
    plan: &mut RunPlan,
    images: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let mut findings = plan.findings.clone();
    for unit in &mut plan.units {
        let words = unit.command.iter().flatten();
        let credentials = words.filter(|word| gate.guard().credentials.find(None, word).is_some());
        unit.hidden.extend(credentials.map(Secret::new));
    }
    if let Some(engine) = engine.containers() {
        for unit in &mut plan.units {
            let Some(name) = images.get(&unit.name) else { continue };
            findings.extend(check_image(engine, gate, unit, name).await?);
        }
        guard::enforce(&findings, gate.allowed(), ctx.inventory)?;
    }
    for sentence in guard::allow_warnings(&findings, gate.allowed()) {
        ctx.events.warn(sentence);
    }
    Ok(())
}

/// Refuses a rebuilt image, as [`check_run`] does.
pub(super) async fn check_rebuilt_image(
    ctx: &OpContext<'_>,
    engine: &ContainerEngine,
    gate: &Gate<'_>,
    unit: &mut Unit,
    image: &str,
) -> anyhow::Result<()> {
    let findings = check_image(engine, gate, unit, image).await?;
    guard::enforce(&findings, gate.allowed(), ctx.inventory)?;
    guard::used(&findings, gate.allowed()).for_each(|sentence| ctx.events.warn(sentence));
    Ok(())
}

/// Checks the environment, commands and health check of an image.
async fn check_image(
    engine: &ContainerEngine,
    gate: &Gate<'_>,
    unit: &mut Unit,
    name: &str,
) -> anyhow::Result<Vec<GuardFinding>> {
    let Some(image) = engine.image(name).await? else { return Ok(Vec::new()) };
    let source = format!("image {name}");
    let mut findings = Vec::new();
    for (variable, value) in &image.environment {
        if unit.environment.iter().any(|(known, _)| known == variable) {
            continue;
        }
        let reasons = gate.guard().reasons(Some(variable), value);
        if gate.guard().is_secret(variable, value) {
            unit.secret.push(variable.clone());
            unit.hidden.push(Secret::new(value));
        }
        findings.extend(GuardFinding::new(&unit.name, variable, &source, reasons));
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
