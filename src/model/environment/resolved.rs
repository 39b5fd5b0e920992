//! A resolved environment. The rules that make it belong in [`super::layers`].

use std::collections::BTreeSet;

use super::inputs::ServiceBinding;
use super::production_value::expanded;
use super::variable::{ValueOrigin, Variable};
use crate::base::secret::Secret;
use crate::base::text;
use crate::model::container::ContainerFile;
use crate::model::deployment::expansion::Segment;

/// An environment, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Variables, including those without a value.
    pub variables: Vec<Variable>,
    /// Files that some variables name.
    pub files: Vec<ContainerFile>,
}

impl Environment {
    /// Returns the variables that a backing service provides, alone.
    #[must_use]
    pub fn of_bindings(bindings: &[ServiceBinding]) -> Self {
        let variable = |binding: &ServiceBinding| {
            let (service, place) = (binding.service.clone(), binding.place.clone());
            Variable {
                value: Some(binding.value.clone()),
                secret: binding.secret,
                ..Variable::new(&binding.name, ValueOrigin::Service { service, place })
            }
        };
        Self { variables: bindings.iter().map(variable).collect(), files: Vec::new() }
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
        add(count(&|o| matches!(o, ValueOrigin::Placeholder { .. })), &|n| {
            text::plural(n, "placeholder secret")
        });
        add(with_value.iter().filter(|v| !v.parts.is_empty()).count(), &|n| {
            format!("{n} with a placeholder secret in {}", if n == 1 { "it" } else { "them" })
        });
        add(count(&|o| matches!(o, ValueOrigin::File { .. } | ValueOrigin::Flag)), &|n| format!("{n} yours"));
        add(count(&|o| matches!(o, ValueOrigin::Locked { .. })), &|n| format!("{n} locked"));
        if with_value.is_empty() && !self.variables.is_empty() {
            return format!("{} without a value", text::plural(self.variables.len(), "variable"));
        }
        let all = text::plural(with_value.len(), "variable");
        if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) }
    }
}
