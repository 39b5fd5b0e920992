//! A variable of an environment, and the origin of its value. The rules that set it belong in the parent
//! module.

use std::fmt;

use super::placeholder_secret::GeneratorSource;
use super::production_value::ProductionInfo;
use crate::base::secret::Secret;

/// A variable with its value and its origin.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// Value; `None` if nothing gives one.
    pub value: Option<Secret>,
    /// Marks a value that must be masked.
    pub secret: bool,
    /// Marks a value of the user's or a real secret, or one made of such a secret: no placeholder.
    pub own: bool,
    /// Marks a variable that the component does not work without.
    pub required: bool,
    /// Type, if the table sets one.
    pub kind: Option<String>,
    /// Origin of the value.
    pub origin: ValueOrigin,
    /// Origin of the overridden value.
    pub instead_of: Option<ValueOrigin>,
    /// Rule that replaced a value that is valid only in production.
    pub replaced_by: Option<String>,
    /// Secret of the deployment that a placeholder replaces as a whole.
    pub source: Option<GeneratorSource>,
    /// Reasons for placeholders in parts of the value, a few words each.
    pub parts: Vec<String>,
    /// Value in production.
    pub production: Option<ProductionInfo>,
    /// Purpose.
    pub description: Option<String>,
}

impl Variable {
    /// Returns a variable with only an origin.
    pub(super) fn new(name: &str, origin: ValueOrigin) -> Self {
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

    /// Returns the reason for the value and for placeholders in it.
    #[must_use]
    pub fn reason(&self) -> String {
        let reason = self.origin.reason();
        match (&self.origin, &self.source) {
            (ValueOrigin::Placeholder { .. }, Some(source)) if !source.why.is_empty() => {
                format!("{reason}: {}", source.why)
            }
            _ if self.parts.is_empty() => reason,
            _ => format!("{reason}, with a placeholder secret in it: {}", self.parts.join(", ")),
        }
    }
}

/// Origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueOrigin {
    /// Default in the component's table.
    Default {
        /// `file:line`.
        place: String,
    },
    /// Deployment of the component.
    Deployment {
        /// `file:line`.
        place: String,
    },
    /// Backing service.
    Service {
        /// Name of the service.
        service: String,
        /// Template.
        place: String,
    },
    /// Placeholder secret.
    Placeholder {
        /// Rule that made it.
        rule: String,
        /// `file:line` of the declaration.
        place: String,
    },
    /// Environment file of the user.
    File {
        /// `file:line`.
        place: String,
    },
    /// Command-line flag.
    Flag,
    /// Settings of the debugger.
    Debugger {
        /// `file:line`.
        place: String,
    },
    /// Lock that keeps the run away from production.
    Locked {
        /// `file:line`.
        place: String,
    },
    /// No value.
    Missing {
        /// `file:line` of the declaration.
        place: String,
    },
    /// Removed by the user.
    Unset,
}

impl ValueOrigin {
    /// Returns the reason for the value.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Default { .. } => "default".to_owned(),
            Self::Deployment { .. } => "deployment".to_owned(),
            Self::Service { service, .. } => format!("from backing service {service}"),
            Self::Placeholder { rule, .. } => format!("placeholder secret ({rule})"),
            Self::File { .. } => "--env-file".to_owned(),
            Self::Flag => "--env".to_owned(),
            Self::Debugger { .. } => "--debug-port".to_owned(),
            Self::Locked { .. } => "locked: never production".to_owned(),
            Self::Missing { .. } => "no value".to_owned(),
            Self::Unset => "--unset".to_owned(),
        }
    }

    /// Returns the position of the value: a file with line, or the name of a template.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Default { place }
            | Self::Deployment { place }
            | Self::Service { place, .. }
            | Self::Placeholder { place, .. }
            | Self::File { place }
            | Self::Locked { place }
            | Self::Debugger { place }
            | Self::Missing { place } => Some(place),
            Self::Flag | Self::Unset => None,
        }
    }

    /// Returns the ID of the origin for JSON.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Default { .. } => "default",
            Self::Deployment { .. } => "deployment",
            Self::Service { .. } => "service",
            Self::Placeholder { .. } => "placeholder-secret",
            Self::File { .. } => "env-file",
            Self::Flag => "flag",
            Self::Debugger { .. } => "debugger",
            Self::Locked { .. } => "locked",
            Self::Missing { .. } => "missing",
            Self::Unset => "unset",
        }
    }
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())
    }
}
