//! Inputs of an environment. Reading them belongs in the caller.

use std::fmt;

use super::placeholder_secret::{GeneratorContext, SecretRules};
use super::production::ProductionRules;
use super::variable::ValueOrigin;
use crate::base::secret::Secret;
use crate::model::deployment::DeployedContainer;
use crate::model::inventory::{Component, Inventory, InventoryFinding};

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

impl EnvOverrides {
    /// Returns whether the fault is a missing value that the user gives or leaves out.
    #[must_use]
    pub fn mends(&self, finding: &InventoryFinding) -> bool {
        let is_given = |name: &String| self.set.iter().any(|(other, ..)| other == name);
        finding.variable.as_ref().is_some_and(|name| is_given(name) || self.unset.contains(name))
    }
}

/// Inputs of the rules.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// Component of the environment.
    pub component: &'a Component,
    /// Inventory of the component, whose `production` section locks variables.
    pub inventory: &'a Inventory,
    /// Deployment of the component.
    pub deployed: Option<DeploymentInput<'a>>,
    /// Values from backing services.
    pub provided: Vec<ServiceBinding>,
    /// Rules for placeholder secrets.
    pub secrets: &'a SecretRules,
    /// Seed and material of placeholder secrets.
    pub context: GeneratorContext,
    /// The user's changes.
    pub overrides: EnvOverrides,
}

/// A deployment with the checks for its values.
#[derive(Clone, Copy)]
pub struct DeploymentInput<'a> {
    /// Container of the component.
    pub container: &'a DeployedContainer,
    /// Rules for replacing values that name production.
    pub rules: &'a ProductionRules,
    /// Returns whether a text names production.
    pub names_production: &'a dyn Fn(&str) -> bool,
    /// Returns whether the value (second) of a variable (first) looks like a credential.
    pub is_credential: &'a dyn Fn(&str, &str) -> bool,
}

impl fmt::Debug for DeploymentInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployed").field("container", &self.container.label).finish_non_exhaustive()
    }
}
