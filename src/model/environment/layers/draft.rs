//! An environment in the making, which each layer changes.

use std::collections::BTreeMap;

use super::generated_files::GeneratedFiles;
use crate::base::secret::Secret;
use crate::model::deployment::expansion::Segment;
use crate::model::environment::resolved::Environment;
use crate::model::environment::variable::{ValueOrigin, Variable};

/// Local texts by variable, which replace those of the deployment.
pub(super) type LocalTexts = BTreeMap<String, Vec<Segment>>;

/// An environment in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Variables by name.
    pub(super) variables: BTreeMap<String, Variable>,
    /// Texts of the deployment with placeholders in them.
    pub(super) texts: LocalTexts,
    /// Contents of files with placeholders.
    pub(super) files: GeneratedFiles,
}

impl Draft {
    /// Sets a variable, and remembers the origin of an overridden value.
    pub(super) fn set(&mut self, name: &str, value: Secret, origin: ValueOrigin, secret: bool) {
        let own = matches!(origin, ValueOrigin::Flag | ValueOrigin::File { .. });
        match self.variables.get_mut(name) {
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
                self.variables.insert(name.to_owned(), variable);
            }
        }
    }

    pub(super) fn finish(self) -> Environment {
        let files = self.files.wanted(&self.variables);
        Environment { variables: self.variables.into_values().collect(), files }
    }
}
