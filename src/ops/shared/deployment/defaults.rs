//! The run settings of a component that come from its deployment, where its entry has none.

use std::collections::BTreeMap;

use super::{DeployedComponents, DeployedError};
use crate::model::deployment::DeployedContainer;
use crate::model::deployment::expansion::Segment;
use crate::model::environment::Environment;
use crate::model::inventory::{Component, Run};
use crate::model::probe::ReadinessProbe;
use crate::ops::shared::run_policy::RunPolicy;

/// Returns the component, with the run settings of its deployment where its entry has none. Replacements
/// of words of the command that name production are warnings.
///
/// # Errors
/// Fails when a rule does not work.
pub fn with_deployment_defaults(
    component: &Component,
    deployed: Option<&DeployedComponents>,
    environment: &Environment,
    rules: &RunPolicy,
    warnings: &mut Vec<String>,
) -> Result<Component, DeployedError> {
    let mut component = component.clone();
    let Some(deployed) = deployed else { return Ok(component) };
    let container = &deployed.container;
    let mut run = component.run.clone().unwrap_or_default();
    let placeholders =
        rules.secrets.placeholders(&container.interpolated, &literal_texts(container), &rules.context)?;
    let local = |word: String| {
        placeholders.iter().fold(word, |word, (secret, placeholder)| match word.contains(secret) {
            true => word.replace(secret, placeholder.expose()),
            false => word,
        })
    };
    if run.command.is_empty() && run.once.is_empty() {
        let mut words = |words: &[Vec<Segment>]| -> Result<Vec<String>, DeployedError> {
            let mut made = Vec::new();
            for (index, pieces) in words.iter().enumerate() {
                let word = local(environment.expand(pieces));
                let names_production = |text: &str| deployed.names_production(text);
                if !names_production(&word) {
                    made.push(word);
                    continue;
                }
                let name = format!("argument-{}", index + 1);
                // Without the value: the replacement may still contain a secret.
                let number = index + 1;
                let what = format!("{}: word {number} of the command names production", container.place);
                match deployed.judge.rules.replace(&name, &word, &names_production)? {
                    Some(replaced) => {
                        let rule = &replaced.rule;
                        warnings.push(format!("{what}; the rule `{rule}` puts another in its place"));
                        made.push(replaced.value);
                    }
                    None => warnings.push(format!("{what}; no rule fits, and it is left out")),
                }
            }
            Ok(made)
        };
        let (command, args) = (words(&container.command)?, words(&container.args)?);
        if command.is_empty() && !container.clears_entrypoint {
            run.image_args = args;
        } else {
            run.command = [command, args].concat();
        }
    }
    run.workdir = run.workdir.or_else(|| container.workdir.clone());
    if run.ports.is_empty() {
        run.ports.clone_from(&container.ports);
    }
    if run.ready.is_none() {
        run.ready = match container.ready.clone() {
            Some(ReadinessProbe::Exec(words)) => {
                Some(ReadinessProbe::Exec(words.into_iter().map(local).collect()))
            }
            ready => ready,
        };
    }
    component.change(|details| {
        if details.image.is_none() && details.build.is_none() {
            details.image.clone_from(&container.image);
        }
        details.run = Some(run);
    });
    Ok(component)
}

/// Returns the text that is written in the commands of a container, without the values of variables.
fn literal_texts(container: &DeployedContainer) -> Vec<String> {
    let literal = |pieces: &Vec<Segment>| -> String {
        pieces
            .iter()
            .map(|piece| if let Segment::Text(text) = piece { text.as_str() } else { "${}" })
            .collect()
    };
    let command: Vec<String> = container.command.iter().chain(&container.args).map(literal).collect();
    let probe = match &container.ready {
        Some(ReadinessProbe::Exec(words)) => words.join(" "),
        _ => String::new(),
    };
    vec![command.join(" "), probe]
}

/// Returns the component as its init container: with that command and image, and without the settings of
/// the component itself.
#[must_use]
pub fn init_component(
    component: &Component,
    deployed: &DeployedComponents,
    before: &DeployedComponents,
) -> Component {
    let mut made = component.clone();
    let run = made.run.as_deref().cloned().unwrap_or_default();
    let run = Run {
        command: Vec::new(),
        once: Vec::new(),
        workdir: None,
        init: Vec::new(),
        ready: None,
        image_args: Vec::new(),
        mount: BTreeMap::new(),
        watch: None,
        debug: None,
        ..run
    };
    made.change(|details| {
        details.run = Some(Box::new(run));
        if !before.container.shares_image(&deployed.container) {
            (details.build, details.image) = (None, before.container.image.clone());
        }
    });
    made
}
