//! Variables that get placeholder secrets: those without a value and those that others demand, with
//! their files. The form of a placeholder belongs in `placeholder_secret`.

use std::collections::BTreeMap;

use super::error::RuleError;
use super::placeholder_secret::{GeneratedSecret, GeneratorContext, SecretRules};
use super::{ValueOrigin, Variable, is_variable_name};
use crate::base::secret::Secret;
use crate::model::container::ContainerFile;

/// Permissions of the files: readable for every user that the image may run as. Placeholders need no
/// protection.
const MODE: u32 = 0o444;
/// Maximum size of an object that names variables.
const MOST: usize = 100;

/// Generated contents of files, of which only those still in use at the end are kept.
#[derive(Debug, Default)]
pub(super) struct GeneratedFiles(BTreeMap<String, Secret>);

impl GeneratedFiles {
    /// Gives a value to each variable that lacks one and may have a placeholder.
    pub(super) fn fill(
        &mut self,
        variables: &mut BTreeMap<String, Variable>,
        rules: &SecretRules,
        context: &GeneratorContext,
    ) -> Result<(), RuleError> {
        let mut demanded = Vec::new();
        for variable in variables.values_mut() {
            let ValueOrigin::Missing { place } = &variable.origin else { continue };
            let kind = variable.kind.as_deref();
            let made = if let Some(source) = &variable.source {
                Some(rules.make_for(kind, source, context)?)
            } else if variable.secret {
                Some(rules.make(&variable.name, kind, context)?)
            } else if variable.required {
                rules.make_public(&variable.name, kind, context)?
            } else {
                None
            };
            if let Some(made) = made {
                let place = place.clone();
                demanded.extend(made.demands.iter().map(|name| (name.clone(), place.clone())));
                self.take(variable, made, place);
            }
        }
        demanded
            .into_iter()
            .try_for_each(|(name, place)| self.demand(variables, &name, place, rules, context))
    }

    /// Adds the variables that the values of others name.
    pub(super) fn follow(
        &mut self,
        variables: &mut BTreeMap<String, Variable>,
        rules: &SecretRules,
        context: &GeneratorContext,
    ) -> Result<(), RuleError> {
        let mut demanded = Vec::new();
        for variable in variables.values() {
            let Some(value) = &variable.value else { continue };
            if rules.names_variables(&variable.name, variable.kind.as_deref()) {
                let place = variable.origin.place().unwrap_or(&variable.name).to_owned();
                demanded.extend(named_in(value).into_iter().map(|name| (name, place.clone())));
            }
        }
        demanded
            .into_iter()
            .try_for_each(|(name, place)| self.demand(variables, &name, place, rules, context))
    }

    /// Returns the files for the container of these variables.
    pub(super) fn wanted(self, variables: &BTreeMap<String, Variable>) -> Vec<ContainerFile> {
        let made = self.0.into_iter().filter_map(|(name, content)| {
            let variable = variables.get(&name)?;
            let path = variable
                .value
                .as_ref()
                .filter(|_| matches!(variable.origin, ValueOrigin::Reference { .. }))?;
            Some((path.expose().to_owned(), content))
        });
        // Several variables may name the same file.
        let files: BTreeMap<String, Secret> = made.collect();
        files.into_iter().map(|(path, content)| ContainerFile { path, content, mode: MODE }).collect()
    }

    fn take(&mut self, variable: &mut Variable, made: GeneratedSecret, place: String) {
        variable.origin = ValueOrigin::Reference { rule: made.rule, place };
        variable.value = Some(made.value);
        if let Some(content) = made.file {
            self.0.insert(variable.name.clone(), content);
        }
    }

    /// Gives a variable a placeholder if nothing gives it a value; one that the user has unset stays
    /// unset.
    fn demand(
        &mut self,
        variables: &mut BTreeMap<String, Variable>,
        name: &str,
        place: String,
        rules: &SecretRules,
        context: &GeneratorContext,
    ) -> Result<(), RuleError> {
        let variable = variables.entry(name.to_owned()).or_insert_with(|| Variable {
            secret: true,
            required: true,
            ..Variable::new(name, ValueOrigin::Missing { place: place.clone() })
        });
        if matches!(variable.origin, ValueOrigin::Missing { .. }) {
            let made = rules.make(name, variable.kind.as_deref(), context)?;
            variable.secret = true;
            self.take(variable, made, place);
        }
        Ok(())
    }
}

/// Returns the variable names among the values of a JSON object.
fn named_in(value: &Secret) -> Vec<String> {
    let Ok(object) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(value.expose())
    else {
        return Vec::new();
    };
    let texts = object.values().filter_map(serde_json::Value::as_str);
    texts.filter(|text| is_variable_name(text)).take(MOST).map(str::to_owned).collect()
}

/// Returns the parts of a file to mask: the lines of private keys, or all of it if it is not PEM.
#[must_use]
pub fn hidden_parts(file: &ContainerFile) -> Vec<Secret> {
    let content = file.content.expose();
    if !content.contains("-----BEGIN ") {
        return vec![file.content.clone()];
    }
    let keys = content.split("PRIVATE KEY-----").skip(1).step_by(2);
    let lines = keys.flat_map(|key| key.split('\n').flat_map(|line| line.split("\\n")));
    lines.filter(|line| line.len() >= 8 && !line.starts_with("-----")).map(Secret::new).collect()
}
