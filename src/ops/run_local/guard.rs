//! The guard over a run: what the environments, commands and images of its components hold is looked
//! at before anything is started, wherever they run and however they were asked for.

use std::collections::BTreeMap;

use super::Request;
use super::plan::RunPlan;
use crate::model::guard::{self, Finding, Guard};
use crate::ops::engine::Engine;
use crate::ops::tools::Tools;

/// Refuses the run if an image brings along what the guard refuses, and says loudly what the user
/// allows.
pub(super) async fn watch_over(
    tools: &Tools<'_>,
    engine: &Engine,
    request: &Request<'_>,
    guard: &Guard,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let mut findings = plan.findings.clone();
    if let Engine::Containers(engine) = engine {
        for unit in plan.units().filter(|unit| unit.is_component) {
            let Some(name) = images.get(&unit.name) else { continue };
            let Some(image) = engine.image(name).await? else { continue };
            let source = format!("image {name}");
            let own = |name: &String| unit.environment.iter().any(|(known, _)| known == name);
            let variables = image.environment.iter().filter(|(name, _)| !own(name));
            findings.extend(variables.filter_map(|(variable, value)| {
                let reasons = guard.reasons(Some(variable), value);
                Finding::new(&unit.name, variable, &source, reasons)
            }));
            if unit.command.is_none() {
                let command = [image.entrypoint, image.command].concat();
                findings.extend(guard.command(&unit.name, &command, &source));
            }
        }
        guard::judge(&findings, &request.allow, tools.inventory)?;
    }
    for sentence in guard::sentences(&findings, &request.allow) {
        tools.events.warn(sentence);
    }
    Ok(())
}
