//! Values of the deployment. Values of Secrets are never used; values that refer to others or name production
//! are completed by [`super::interpolation`]. Reading a deployment belongs in [`crate::model::deployment`].

use super::draft::{Draft, LocalTexts};
use crate::base::secret::Secret;
use crate::model::deployment::expansion::{Segment, render};
use crate::model::deployment::{EnvEntry, EnvVarSource};
use crate::model::environment::error::EnvironmentError;
use crate::model::environment::inputs::{DeploymentInput, Inputs};
use crate::model::environment::placeholder_secret::GeneratorSource;
use crate::model::environment::replace::{Local, Placeholders};
use crate::model::environment::secret_detection::in_production;
use crate::model::environment::variable::{ValueOrigin, Variable};
use crate::model::inventory::{EnvVarDecl, Secrecy};

/// Adds the values of the deployment, if there is one.
pub(super) fn add(mut draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    let Some(deployed) = inputs.deployed else { return Ok(draft) };
    let component = inputs.component;
    let placeholders = Placeholders { rules: inputs.secrets, context: &inputs.context };
    let names = inputs.secrets.names();
    let declared = |name: &str| component.environment.iter().find(|declared| declared.name == name);
    let stated = |name: &str| declared(name).and_then(|declared| declared.secret);
    let is_open = |name: &str| stated(name) == Some(Secrecy::Open);
    let is_secret = |name: &str, value: &str| {
        declared(name).is_some_and(EnvVarDecl::is_secret)
            || (!is_open(name) && names.judge(name, value).hide)
            || (deployed.is_credential)(name, value)
    };
    let written = in_production(deployed.container, &is_secret, names);
    for (given, known) in deployed.container.variables.iter().zip(written) {
        let place = given.place.clone();
        let variable = draft
            .variables
            .entry(given.name.clone())
            .or_insert_with(|| Variable::new(&given.name, ValueOrigin::Missing { place: place.clone() }));
        let taken = match (&given.value, &known.value) {
            (EnvVarSource::Secret { secret, key }, _) => {
                variable.secret = true;
                variable.source = Some(GeneratorSource {
                    name: given.name.clone(),
                    store_key: format!("Secret {secret}, key {key}"),
                    value: None,
                    declared: false,
                    // The reason is in the value in production.
                    why: String::new(),
                });
                None
            }
            (EnvVarSource::Field(field), _) => {
                deployed.rules.field(&given.name, field, component.name())?.map(|made| {
                    variable.replaced_by = Some(made.rule);
                    Secret::new(made.value)
                })
            }
            (EnvVarSource::Text(_) | EnvVarSource::Unknown(_) | EnvVarSource::Required(_), known) => {
                let value = known.written();
                let local = match () {
                    () if matches!(stated(&given.name), Some(Secrecy::Open | Secrecy::Kept)) => Local::Same,
                    () if stated(&given.name) == Some(Secrecy::Replaced) => Local::Whole(GeneratorSource {
                        name: given.name.clone(),
                        store_key: format!("variable {}", given.name),
                        value: value.filter(|value| !value.expose().is_empty()).cloned(),
                        declared: true,
                        why: "declared to be secret".to_owned(),
                    }),
                    () => placeholders.of(given, value.map(Secret::expose))?,
                };
                local_value(deployed, given, value, local, variable, &mut draft.texts)
            }
        };
        let hides = |value: &Secret| !is_open(&given.name) && names.judge(&given.name, value.expose()).hide;
        variable.secret |= taken.as_ref().is_some_and(hides);
        if let (Some(taken), true) = (&taken, is_literal(&given.value)) {
            // The same value has the same masking, here and in production, and a real secret is shown on request only.
            let is_same = known.value.written().is_some_and(|value| value.expose() == taken.expose());
            variable.secret |= is_same && known.secret;
            variable.own = is_same && variable.secret;
        }
        variable.required |= matches!(given.value, EnvVarSource::Required(_));
        variable.production = Some(known);
        if let Some(value) = taken {
            let before = std::mem::replace(&mut variable.origin, ValueOrigin::Deployment { place });
            variable.instead_of = variable.value.is_some().then_some(before);
            variable.value = Some(value);
        }
    }
    Ok(draft)
}

/// Returns whether a value refers to no other variable.
fn is_literal(value: &EnvVarSource) -> bool {
    matches!(value, EnvVarSource::Text(pieces) if pieces.iter().all(|piece| matches!(piece, Segment::Text(_))))
}

/// Returns the local value, or `None` if a placeholder replaces all of it.
fn local_value(
    deployed: DeploymentInput<'_>,
    given: &EnvEntry,
    value: Option<&Secret>,
    local: Local,
    variable: &mut Variable,
    texts: &mut LocalTexts,
) -> Option<Secret> {
    let (pieces, reasons) = match local {
        // The guard refuses a credential in a variable whose name does not mark it as secret.
        Local::Same => return value.cloned(),
        Local::Whole(source) => {
            variable.secret = true;
            variable.source = Some(source);
            return None;
        }
        Local::Parts(pieces, reasons) => (pieces, reasons),
    };
    let text = render(&pieces, &|_| None);
    if (deployed.is_credential)(&given.name, &text) {
        variable.secret = true;
        variable.source = Some(GeneratorSource {
            name: given.name.clone(),
            store_key: format!("variable {}", given.name),
            value: value.cloned(),
            declared: false,
            why: format!("{}, and the rest looks like a credential", reasons.join(", ")),
        });
        return None;
    }
    variable.parts = reasons;
    texts.insert(given.name.clone(), pieces);
    Some(Secret::new(text))
}
