//! The environment that a component gets in a local run, and why each variable has its value. Pure:
//! everything that the rules need is handed in.
//!
//! From lowest to highest: the defaults of the component's table, what its deployment gives, what its
//! backing services provide, reference secrets for what is marked secret and has no value yet, what the user gives;
//! and on top, not to be overridden by anything, what keeps a local run away from production.

mod deployed;
pub mod difference;
mod hidden;
mod made;
mod production;
mod reference_secret;
mod replace;
mod secret_name;
mod secret_part;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::base::secret::Secret;
use crate::base::text;
pub use crate::base::variable::{is_environment_name, is_variable_name};
use crate::model::container::ContainerFile;
use crate::model::inventory::{Component, Inventory};
pub use deployed::{Deployed, InProduction, ProductionValue};
use made::MadeFiles;
pub use made::hidden_parts;
pub use production::{ProductionRules, Replaced};
pub use reference_secret::{FOLDER, Ground, Made, RuleError, SecretRules, Source};
pub use secret_name::{Judgement, SecretNames};

/// A variable with its value and the reason for it.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The value; `None` when nothing gives one.
    pub value: Option<Secret>,
    /// Whether the value must not be shown.
    pub secret: bool,
    /// Whether the value is one of the user's, or made of a secret of theirs.
    pub own: bool,
    /// Whether the component does not work without it.
    pub required: bool,
    /// Its type, if the table says.
    pub kind: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
    /// The origin of the value that this one took the place of.
    pub instead_of: Option<Origin>,
    /// The rule that put this value in the place of one that is right only in production.
    pub replaced_by: Option<String>,
    /// The secret of the deployment that a reference secret replaces as a whole.
    pub source: Option<Source>,
    /// Why parts of the value are reference secrets: a few words for each.
    pub parts: Vec<String>,
    /// What the deployment has there.
    pub production: Option<InProduction>,
    /// What it is for.
    pub description: Option<String>,
}

impl Variable {
    /// One of which nothing is known but its origin.
    fn new(name: &str, origin: Origin) -> Self {
        Self {
            name: name.to_owned(),
            value: None,
            secret: false,
            own: false,
            required: false,
            kind: None,
            origin,
            instead_of: None,
            replaced_by: None,
            source: None,
            parts: Vec::new(),
            production: None,
            description: None,
        }
    }

    /// Why the variable has this value, and what of it is made up for which reason.
    #[must_use]
    pub fn reason(&self) -> String {
        let reason = self.origin.reason();
        match (&self.origin, &self.source) {
            (Origin::Reference { .. }, Some(source)) if !source.why.is_empty() => {
                format!("{reason}: {}", source.why)
            }
            _ if self.parts.is_empty() => reason,
            _ => format!("{reason}, with a reference secret in it: {}", self.parts.join(", ")),
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The default in the component's table.
    Default {
        /// `file:line`.
        place: String,
    },
    /// The component's deployment.
    Deployment {
        /// `file:line`.
        place: String,
    },
    /// A backing service.
    Service {
        /// Its name.
        service: String,
        /// The template.
        place: String,
    },
    /// A reference secret.
    Reference {
        /// The rule that made it.
        rule: String,
        /// `file:line` of the declaration.
        place: String,
    },
    /// A file of the user's.
    File {
        /// `file:line`.
        place: String,
    },
    /// A flag of the user's.
    Flag,
    /// A debugger wants it.
    Debugger {
        /// `file:line`.
        place: String,
    },
    /// It keeps the run away from production.
    Locked {
        /// `file:line`.
        place: String,
    },
    /// Nothing gives a value.
    Missing {
        /// `file:line` of the declaration.
        place: String,
    },
    /// The user took the value away.
    Unset,
}

impl Origin {
    /// Why the variable has this value.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Default { .. } => "default".to_owned(),
            Self::Deployment { .. } => "deployment".to_owned(),
            Self::Service { service, .. } => format!("from backing service {service}"),
            Self::Reference { rule, .. } => format!("reference secret ({rule})"),
            Self::File { .. } => "--env-file".to_owned(),
            Self::Flag => "--env".to_owned(),
            Self::Debugger { .. } => "--debug-port".to_owned(),
            Self::Locked { .. } => "locked: never production".to_owned(),
            Self::Missing { .. } => "no value".to_owned(),
            Self::Unset => "--unset".to_owned(),
        }
    }

    /// Where that is written: a file with line, or the name of a template.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Default { place }
            | Self::Deployment { place }
            | Self::Service { place, .. }
            | Self::Reference { place, .. }
            | Self::File { place }
            | Self::Locked { place }
            | Self::Debugger { place }
            | Self::Missing { place } => Some(place),
            Self::Flag | Self::Unset => None,
        }
    }

    /// A word for it, for machines.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Default { .. } => "default",
            Self::Deployment { .. } => "deployment",
            Self::Service { .. } => "service",
            Self::Reference { .. } => "reference-secret",
            Self::File { .. } => "env-file",
            Self::Flag => "flag",
            Self::Debugger { .. } => "debugger",
            Self::Locked { .. } => "locked",
            Self::Missing { .. } => "missing",
            Self::Unset => "unset",
        }
    }
}

/// A value that a backing service provides.
#[derive(Debug, Clone)]
pub struct Provided {
    /// The variable.
    pub name: String,
    /// Its value.
    pub value: Secret,
    /// Whether it must not be shown.
    pub secret: bool,
    /// The service.
    pub service: String,
    /// The template.
    pub place: String,
}

/// What the user wants, in the order given.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `-e NAME=VALUE`, and the lines of `--env-file`, with their origin.
    pub set: Vec<(String, Secret, Origin)>,
    /// `--unset NAME`.
    pub unset: Vec<String>,
}

/// All that the rules need.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// Whose environment.
    pub component: &'a Component,
    /// The inventory that it is from, whose `production` section locks variables.
    pub inventory: &'a Inventory,
    /// What its deployment gives.
    pub deployed: Option<Deployed<'a>>,
    /// What backing services give.
    pub provided: Vec<Provided>,
    /// How reference secrets are made.
    pub secrets: &'a SecretRules,
    /// What they are made from.
    pub ground: Ground,
    /// What the user wants.
    pub wishes: Wishes,
}

/// An environment, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The variables, those without a value too.
    pub variables: Vec<Variable>,
    /// The files that some of them name.
    pub files: Vec<ContainerFile>,
}

/// No environment can be made.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// Somebody tried to claim production.
    #[error(
        "`{name}` must be `{locked}` in a local run, and {origin} {}; \
         the inventory's `production` section says so at {place}",
        wanted.as_ref().map_or_else(|| "takes it away".to_owned(), |wanted| format!("sets it to `{wanted}`"))
    )]
    Locked {
        /// The variable.
        name: String,
        /// The only value that it may have.
        locked: String,
        /// What was wanted; `None` for nothing at all.
        wanted: Option<String>,
        /// Who wanted it.
        origin: String,
        /// `file:line` of the lock.
        place: String,
    },
    /// A name that many programs take for a locked one.
    #[error("`{name}` differs from `{locked}` in its case only, which is locked in a local run at {place}")]
    LikeLocked {
        /// The variable.
        name: String,
        /// The one that is locked.
        locked: String,
        /// `file:line` of the lock.
        place: String,
    },
    /// A rule for reference secrets does not work.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// Whether a program that reads variables in any case takes one name for the other, whichever way it folds
/// them: `ſ` is `S` in capitals, and the sign for Kelvin `k` in small letters.
fn same_but_for_case(one: &str, other: &str) -> bool {
    let folded = |name: &str| name.to_lowercase().to_uppercase();
    folded(one) == folded(other)
}

impl Environment {
    /// Applies the rules.
    ///
    /// # Errors
    /// When the user's wishes would claim production, or a rule for secrets is broken.
    pub fn resolve(inputs: Inputs<'_>) -> Result<Self, EnvironmentError> {
        let names = inputs.secrets.names();
        let mut variables = declared(inputs.component, names);
        let local = match inputs.deployed {
            Some(deployed) => {
                let placeholders = replace::Placeholders { rules: inputs.secrets, ground: &inputs.ground };
                deployed::add(deployed, inputs.component, placeholders, &mut variables)?
            }
            None => BTreeMap::new(),
        };
        for provided in inputs.provided {
            let origin = Origin::Service { service: provided.service, place: provided.place };
            set(&mut variables, &provided.name, provided.value, origin, provided.secret);
        }
        let mut files = MadeFiles::default();
        files.fill(&mut variables, inputs.secrets, &inputs.ground)?;
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
                variable.instead_of = Some(std::mem::replace(&mut variable.origin, Origin::Unset));
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
            let secret =
                names.judge(&name, value.expose()).hide || hidden::holds_password(value.expose(), names);
            set(&mut variables, &name, value, origin, secret);
        }
        files.follow(&mut variables, inputs.secrets, &inputs.ground)?;
        for (name, value) in locked {
            let origin = Origin::Locked { place: place(name) };
            set(&mut variables, name, Secret::new(value), origin, false);
        }
        let files = files.wanted(&variables);
        if let Some(deployed) = inputs.deployed {
            deployed::settle(deployed, &local, names, &mut variables)?;
        }
        Ok(Self { variables: variables.into_values().collect(), files })
    }

    /// The names of required variables that have no value.
    #[must_use]
    pub fn lacking(&self) -> Vec<&Variable> {
        self.variables.iter().filter(|variable| variable.required && variable.value.is_none()).collect()
    }

    /// Names and values, for the one who starts the component.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, Secret)> {
        self.variables.iter().filter_map(|v| Some((v.name.clone(), v.value.clone()?))).collect()
    }

    /// The values that must not be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.variables
            .iter()
            .filter(|variable| variable.secret)
            .filter_map(|variable| variable.value.as_ref())
    }

    /// `18 variables: 7 defaults, 5 from rabbitmq, 3 reference secrets, 1 yours, 2 locked`.
    #[must_use]
    pub fn summary(&self) -> String {
        let with_value: Vec<&Variable> = self.variables.iter().filter(|v| v.value.is_some()).collect();
        let count = |is: &dyn Fn(&Origin) -> bool| with_value.iter().filter(|v| is(&v.origin)).count();
        let mut parts = Vec::new();
        let mut add = |count: usize, what: &dyn Fn(usize) -> String| {
            if count > 0 {
                parts.push(what(count));
            }
        };
        add(count(&|o| matches!(o, Origin::Default { .. })), &|n| text::plural(n, "default"));
        add(count(&|o| matches!(o, Origin::Deployment { .. })), &|n| format!("{n} from the deployment"));
        let services: BTreeSet<&str> = with_value
            .iter()
            .filter_map(|v| match &v.origin {
                Origin::Service { service, .. } => Some(service.as_str()),
                _ => None,
            })
            .collect();
        for wanted in services {
            let from = |o: &Origin| matches!(o, Origin::Service { service, .. } if service == wanted);
            add(count(&from), &|n| format!("{n} from {wanted}"));
        }
        add(count(&|o| matches!(o, Origin::Reference { .. })), &|n| text::plural(n, "reference secret"));
        add(with_value.iter().filter(|v| !v.parts.is_empty()).count(), &|n| {
            format!("{n} with a reference secret in {}", if n == 1 { "it" } else { "them" })
        });
        add(count(&|o| matches!(o, Origin::File { .. } | Origin::Flag)), &|n| format!("{n} yours"));
        add(count(&|o| matches!(o, Origin::Locked { .. })), &|n| format!("{n} locked"));
        let all = text::plural(with_value.len(), "variable");
        if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) }
    }
}

fn declared(component: &Component, names: &SecretNames) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    for (index, declared) in component.environment.iter().enumerate() {
        let place = component.written.place(&format!("environment.{index}"));
        let origin = match &declared.default {
            Some(_) => Origin::Default { place },
            None => Origin::Missing { place },
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

fn set(variables: &mut BTreeMap<String, Variable>, name: &str, value: Secret, origin: Origin, secret: bool) {
    let own = matches!(origin, Origin::Flag | Origin::File { .. });
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

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())
    }
}

#[cfg(test)]
mod real_names;
#[cfg(test)]
mod tests;
