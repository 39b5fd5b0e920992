//! What a deployment gives, as a layer of a local environment: above the defaults of the table, below
//! what backing services provide. The value of a Secret is never taken, and neither is a value that
//! names production.

use std::collections::BTreeMap;
use std::fmt;

use super::{Environment, EnvironmentError, Origin, ProductionRules, Variable, looks_secret};
use crate::base::secret::Secret;
use crate::model::deployment::expansion::{Piece, joined};
use crate::model::deployment::{Container, Given, GivenValue};

/// The system takes no longer values.
const LONGEST: usize = 128 << 10;

/// A deployment, and what its values are judged by.
#[derive(Clone, Copy)]
pub struct Deployed<'a> {
    /// The component's container.
    pub container: &'a Container,
    /// What takes the place of what names production.
    pub rules: &'a ProductionRules,
    /// Whether a text names production.
    pub names_production: &'a dyn Fn(&str) -> bool,
}

impl fmt::Debug for Deployed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployed").field("container", &self.container.label).finish_non_exhaustive()
    }
}

/// What a variable is in production, as far as the deployment says.
#[derive(Debug, Clone)]
pub struct InProduction {
    /// The value, or what is known of it.
    pub value: ProductionValue,
    /// Where it is written: `file:line`.
    pub place: String,
}

/// A value in production.
#[derive(Debug, Clone)]
pub enum ProductionValue {
    /// Written in the deployment.
    Written(Secret),
    /// Not there to be read, in a few words: `Secret login, key token`.
    Elsewhere(String),
}

/// Adds the layer. What it says is settled later, when all other layers are known.
pub(super) fn add(
    deployed: Deployed<'_>,
    component: &str,
    variables: &mut BTreeMap<String, Variable>,
) -> Result<(), EnvironmentError> {
    let written = in_production(deployed.container);
    for (given, text) in deployed.container.variables.iter().zip(written) {
        let place = given.place.clone();
        let is_declared = variables.contains_key(&given.name);
        let variable = variables.entry(given.name.clone()).or_insert_with(|| Variable {
            name: given.name.clone(),
            value: None,
            secret: false,
            required: false,
            kind: None,
            origin: Origin::Missing { place: place.clone() },
            instead_of: None,
            replaced_by: None,
            production: None,
            description: None,
        });
        let known = match &given.value {
            GivenValue::Text(_) => match text {
                Some(text) => ProductionValue::Written(Secret::new(text)),
                None => ProductionValue::Elsewhere("a value that is too long".to_owned()),
            },
            GivenValue::Secret { secret, key } => {
                ProductionValue::Elsewhere(format!("Secret {secret}, key {key}"))
            }
            GivenValue::Field(field) => ProductionValue::Elsewhere(field.clone()),
            GivenValue::Unknown(why) => ProductionValue::Elsewhere(format!("unknown: {why}")),
        };
        let taken = match (&given.value, &known) {
            (GivenValue::Secret { .. }, _) => {
                variable.secret = true;
                None
            }
            (GivenValue::Field(field), _) => deployed.rules.field(&given.name, field, component)?.map(|made| {
                variable.replaced_by = Some(made.rule);
                Secret::new(made.value)
            }),
            (GivenValue::Text(_), ProductionValue::Written(value)) => {
                // A credential may be written where it should not be.
                variable.secret |= !is_declared && looks_secret(&given.name) && !is_harmless(value.expose());
                (!variable.secret).then(|| value.clone())
            }
            _ => None,
        };
        variable.production = Some(InProduction { value: known, place: place.clone() });
        if let Some(value) = taken {
            let before = std::mem::replace(&mut variable.origin, Origin::Deployment { place });
            variable.instead_of = variable.value.is_some().then_some(before);
            variable.value = Some(value);
        }
    }
    Ok(())
}

/// Puts the local values of other variables into those that the deployment makes of them, and takes
/// out what names production.
pub(super) fn settle(
    deployed: Deployed<'_>,
    variables: &mut BTreeMap<String, Variable>,
) -> Result<(), EnvironmentError> {
    for given in &deployed.container.variables {
        let GivenValue::Text(pieces) = &given.value else { continue };
        let parts = || pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(name) => variables.get(name),
            Piece::Text(_) => None,
        });
        let tainted = parts().any(|part| part.secret);
        let local = expanded(pieces, &|name| variables.get(name)?.value.as_ref().map(Secret::expose));
        let Some(variable) = variables.get_mut(&given.name) else { continue };
        variable.secret |= tainted;
        let was_production = match &variable.production {
            Some(InProduction { value: ProductionValue::Written(value), .. }) => {
                (deployed.names_production)(value.expose())
            }
            _ => false,
        };
        match (&variable.origin, local) {
            (Origin::Service { service, .. }, _) if was_production => {
                variable.replaced_by = Some(format!("backing service {service}"));
            }
            (Origin::Deployment { place }, None) => {
                variable.origin = Origin::Missing { place: place.clone() };
                variable.value = None;
            }
            (Origin::Deployment { place }, Some(local)) if (deployed.names_production)(&local) => {
                match deployed.rules.replace(&given.name, &local, deployed.names_production)? {
                    Some(made) => {
                        variable.value = Some(Secret::new(made.value));
                        variable.replaced_by = Some(made.rule);
                    }
                    None => {
                        variable.origin = Origin::Missing { place: place.clone() };
                        variable.value = None;
                        variable.replaced_by = Some("no rule fits".to_owned());
                    }
                }
            }
            (Origin::Deployment { .. }, Some(local)) => variable.value = Some(Secret::new(local)),
            _ => {}
        }
    }
    Ok(())
}

impl Environment {
    /// A word of a deployment's command with the variables of this environment put in.
    #[must_use]
    pub fn expand(&self, pieces: &[Piece]) -> String {
        let value = |name: &str| {
            let variable = self.variables.iter().find(|variable| variable.name == name)?;
            variable.value.as_ref().map(Secret::expose)
        };
        expanded(pieces, &value).unwrap_or_default()
    }
}

/// The values in production, one for each variable; `None` for what is too long. What is in a Secret
/// stays as it is written.
fn in_production(container: &Container) -> Vec<Option<String>> {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let text = |given: &Given, known: &BTreeMap<&str, String>| match &given.value {
        GivenValue::Text(pieces) => expanded(pieces, &|name| known.get(name).map(String::as_str)),
        _ => None,
    };
    let mut all = Vec::new();
    for given in &container.variables {
        let made = text(given, &known);
        known.extend(made.clone().map(|made| (given.name.as_str(), made)));
        all.push(made);
    }
    all
}

/// The pieces put together, unless that is longer than a value can be.
fn expanded<'a>(pieces: &[Piece], value: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    let length = |piece: &Piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Variable(name) => value(name).map_or(name.len() + 3, str::len),
    };
    let total = pieces.iter().map(length).fold(0_usize, usize::saturating_add);
    (total <= LONGEST).then(|| joined(pieces, value))
}

/// Whether a value is so short and plain that it can be no credential, whatever its name.
fn is_harmless(value: &str) -> bool {
    let value = value.to_lowercase();
    value.is_empty()
        || ["true", "false", "yes", "no", "on", "off", "none"].contains(&value.as_str())
        || (value.len() <= 6 && value.bytes().all(|byte| byte.is_ascii_digit()))
}
