//! The environment of a component in a local run, with the origin of each value. Pure: the caller
//! provides all inputs. The display belongs in `report`.
//!
//! Layers from lowest to highest: defaults of the component's table, its deployment, its backing
//! services, placeholder secrets for secret variables without a value, the user's values, and locked
//! variables, which nothing overrides.

pub mod difference;
mod error;
mod generated_files;
mod kept;
mod placeholder_secret;
mod production;
mod production_info;
mod production_value;
mod replace;
mod secret_detection;
mod secret_name;
mod secret_part;
mod variable;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::secret::Secret;
use crate::base::text;
pub use crate::base::variable::{is_environment_name, is_variable_name};
use crate::model::container::ContainerFile;
use crate::model::deployment::expansion::Segment;
use crate::model::inventory::{Component, Inventory};
pub use error::{EnvironmentError, RuleError};
use generated_files::GeneratedFiles;
pub use generated_files::hidden_parts;
pub use kept::{Cause, Keeping, LazySeed};
pub use placeholder_secret::{DIRECTORY, GeneratedSecret, GeneratorContext, GeneratorSource, SecretRules};
pub use production::{ProductionRules, Replaced};
pub use production_info::Deployed;
use production_value::expanded;
pub use production_value::{ProductionInfo, ProductionValue};
pub use secret_name::{Judgement, SecretNames};
pub use variable::{ValueOrigin, Variable};

/// A value from a backing service.
#[derive(Debug, Clone)]
pub struct ServiceBinding {
    /// Variable.
    pub name: String,
    /// Value.
    pub value: Secret,
    /// Marks a value that must be masked.
    pub secret: bool,
    /// Service.
    pub service: String,
    /// Template.
    pub place: String,
}

/// The user's changes to variables, in the given order.
#[derive(Debug, Clone, Default)]
pub struct EnvOverrides {
    /// `-e NAME=VALUE` and the lines of `--env-file`, with their origin.
    pub set: Vec<(String, Secret, ValueOrigin)>,
    /// `--unset NAME`.
    pub unset: Vec<String>,
    /// Findings about lines of `--env-file`, with their positions.
    pub notes: Vec<String>,
}

/// Inputs of the rules.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// Component of the environment.
    pub component: &'a Component,
    /// Inventory of the component, whose `production` section locks variables.
    pub inventory: &'a Inventory,
    /// Deployment of the component.
    pub deployed: Option<Deployed<'a>>,
    /// Values from backing services.
    pub provided: Vec<ServiceBinding>,
    /// Rules for placeholder secrets.
    pub secrets: &'a SecretRules,
    /// Seed and material of placeholder secrets.
    pub context: GeneratorContext,
    /// The user's changes.
    pub wishes: EnvOverrides,
}

/// An environment, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Variables, including those without a value.
    pub variables: Vec<Variable>,
    /// Files that some variables name.
    pub files: Vec<ContainerFile>,
}

/// Returns whether two names are equal to a program that ignores case, in either folding: `ſ` becomes
/// `S` in upper case, and the Kelvin sign becomes `k` in lower case.
fn same_but_for_case(one: &str, other: &str) -> bool {
    let folded = |name: &str| name.to_lowercase().to_uppercase();
    folded(one) == folded(other)
}

impl Environment {
    /// Resolves the environment.
    ///
    /// # Errors
    /// Fails when the user's changes override a locked variable, or a rule for secrets is invalid.
    pub fn resolve(inputs: Inputs<'_>) -> Result<Self, EnvironmentError> {
        let names = inputs.secrets.names();
        let mut variables = declared(inputs.component, names);
        let local = match inputs.deployed {
            Some(deployed) => {
                let placeholders = replace::Placeholders { rules: inputs.secrets, context: &inputs.context };
                production_info::add(deployed, inputs.component, placeholders, &mut variables)?
            }
            None => BTreeMap::new(),
        };
        for provided in inputs.provided {
            let origin = ValueOrigin::Service { service: provided.service, place: provided.place };
            set(&mut variables, &provided.name, provided.value, origin, provided.secret);
        }
        let mut files = GeneratedFiles::default();
        files.fill(&mut variables, inputs.secrets, &inputs.context)?;
        let locked = &inputs.inventory.production.environment;
        let place = |name: &str| inputs.inventory.written.place(&format!("production.environment.{name}"));
        let refuse = |name: &str, wanted: Option<&str>, origin: String| {
            let locked = locked[name].clone();
            let (name, wanted) = (name.to_owned(), wanted.map(str::to_owned));
            let place = place(&name);
            EnvironmentError::Locked { name, locked, wanted, origin, place }
        };
        for name in &inputs.wishes.unset {
            if locked.contains_key(name) {
                return Err(refuse(name, None, "`--unset`".to_owned()));
            }
            if let Some(variable) = variables.get_mut(name) {
                variable.instead_of = Some(std::mem::replace(&mut variable.origin, ValueOrigin::Unset));
                variable.value = None;
                variable.parts.clear();
            }
        }
        let wished = inputs.wishes.set.iter().map(|(name, ..)| name);
        let set_already = variables.iter().filter(|(_, one)| one.value.is_some()).map(|(name, _)| name);
        if let Some((name, locked)) = set_already.chain(wished).find_map(|name| {
            let like = locked.keys().find(|locked| same_but_for_case(locked, name) && *locked != name)?;
            Some((name, like))
        }) {
            let place = place(locked);
            return Err(EnvironmentError::LikeLocked { name: name.clone(), locked: locked.clone(), place });
        }
        for (name, value, origin) in inputs.wishes.set {
            if locked.get(&name).is_some_and(|locked| locked != value.expose()) {
                let by = origin.place().map_or_else(|| "`--env`".to_owned(), |place| format!("`{place}`"));
                return Err(refuse(&name, Some(value.expose()), by));
            }
            let secret = names.judge(&name, value.expose()).hide
                || secret_detection::holds_password(value.expose(), names);
            set(&mut variables, &name, value, origin, secret);
        }
        files.follow(&mut variables, inputs.secrets, &inputs.context)?;
        for (name, value) in locked {
            let origin = ValueOrigin::Locked { place: place(name) };
            set(&mut variables, name, Secret::new(value), origin, false);
        }
        let files = files.wanted(&variables);
        if let Some(deployed) = inputs.deployed {
            production_info::settle(deployed, &local, names, &mut variables)?;
        }
        Ok(Self { variables: variables.into_values().collect(), files })
    }

    /// Expands a word of a deployment's command with this environment.
    #[must_use]
    pub fn expand(&self, pieces: &[Segment]) -> String {
        let value = |name: &str| {
            let variable = self.variables.iter().find(|variable| variable.name == name)?;
            variable.value.as_ref().map(Secret::expose)
        };
        expanded(pieces, &value).unwrap_or_default()
    }

    /// Returns the required variables without a value.
    #[must_use]
    pub fn missing_required(&self) -> Vec<&Variable> {
        self.variables.iter().filter(|variable| variable.required && variable.value.is_none()).collect()
    }

    /// Returns names and values for starting the component.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, Secret)> {
        self.variables.iter().filter_map(|v| Some((v.name.clone(), v.value.clone()?))).collect()
    }

    /// Returns the values to mask.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.variables
            .iter()
            .filter(|variable| variable.secret)
            .filter_map(|variable| variable.value.as_ref())
    }

    /// Returns a summary:
    /// `18 variables: 7 defaults, 5 from rabbitmq, 3 placeholder secrets, 1 yours, 2 locked`.
    #[must_use]
    pub fn summary(&self) -> String {
        let with_value: Vec<&Variable> = self.variables.iter().filter(|v| v.value.is_some()).collect();
        let count = |is: &dyn Fn(&ValueOrigin) -> bool| with_value.iter().filter(|v| is(&v.origin)).count();
        let mut parts = Vec::new();
        let mut add = |count: usize, what: &dyn Fn(usize) -> String| {
            if count > 0 {
                parts.push(what(count));
            }
        };
        add(count(&|o| matches!(o, ValueOrigin::Default { .. })), &|n| text::plural(n, "default"));
        add(count(&|o| matches!(o, ValueOrigin::Deployment { .. })), &|n| format!("{n} from the deployment"));
        let services: BTreeSet<&str> = with_value
            .iter()
            .filter_map(|v| match &v.origin {
                ValueOrigin::Service { service, .. } => Some(service.as_str()),
                _ => None,
            })
            .collect();
        for wanted in services {
            let from =
                |o: &ValueOrigin| matches!(o, ValueOrigin::Service { service, .. } if service == wanted);
            add(count(&from), &|n| format!("{n} from {wanted}"));
        }
        add(count(&|o| matches!(o, ValueOrigin::Reference { .. })), &|n| {
            text::plural(n, "placeholder secret")
        });
        add(with_value.iter().filter(|v| !v.parts.is_empty()).count(), &|n| {
            format!("{n} with a placeholder secret in {}", if n == 1 { "it" } else { "them" })
        });
        add(count(&|o| matches!(o, ValueOrigin::File { .. } | ValueOrigin::Flag)), &|n| format!("{n} yours"));
        add(count(&|o| matches!(o, ValueOrigin::Locked { .. })), &|n| format!("{n} locked"));
        let all = text::plural(with_value.len(), "variable");
        if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) }
    }
}

fn declared(component: &Component, names: &SecretNames) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    for (index, declared) in component.environment.iter().enumerate() {
        let place = component.written.place(&format!("environment.{index}"));
        let origin = match &declared.default {
            Some(_) => ValueOrigin::Default { place },
            None => ValueOrigin::Missing { place },
        };
        let looks_secret = |value: &String| names.judge(&declared.name, value).hide;
        let is_secret =
            declared.secret.unwrap_or_else(|| declared.default.as_ref().is_some_and(looks_secret));
        variables.insert(
            declared.name.clone(),
            Variable {
                value: declared.default.as_deref().map(Secret::new),
                secret: is_secret,
                required: declared.required,
                kind: declared.kind.clone(),
                description: declared.description.clone(),
                ..Variable::new(&declared.name, origin)
            },
        );
    }
    variables
}

fn set(
    variables: &mut BTreeMap<String, Variable>,
    name: &str,
    value: Secret,
    origin: ValueOrigin,
    secret: bool,
) {
    let own = matches!(origin, ValueOrigin::Flag | ValueOrigin::File { .. });
    match variables.get_mut(name) {
        Some(variable) => {
            let before = std::mem::replace(&mut variable.origin, origin);
            variable.instead_of = variable.value.is_some().then_some(before);
            variable.value = Some(value);
            variable.secret |= secret;
            variable.own = own;
            variable.replaced_by = None;
            variable.parts.clear();
        }
        None => {
            let variable = Variable { value: Some(value), secret, own, ..Variable::new(name, origin) };
            variables.insert(name.to_owned(), variable);
        }
    }
}

#[cfg(test)]
mod real_names;
#[cfg(test)]
mod tests;
