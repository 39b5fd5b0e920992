//! A variable of an environment, and the origin of its value.

use std::fmt;

use super::production_value::InProduction;
use super::reference_secret::Source;
use crate::base::secret::Secret;

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
    pub(super) fn new(name: &str, origin: Origin) -> Self {
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

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())
    }
}
