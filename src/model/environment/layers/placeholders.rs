//! Placeholders for variables without a value and for variables that other values name, with their files. The form
//! of a placeholder belongs in `placeholder_secret`.

use super::draft::Draft;
use crate::base::secret::Secret;
use crate::base::variable::is_variable_name;
use crate::model::environment::error::EnvironmentError;
use crate::model::environment::inputs::Inputs;
use crate::model::environment::variable::{ValueOrigin, Variable};

/// Maximum number of names taken from one JSON object.
const MOST: usize = 100;

/// Gives a placeholder to each variable that lacks a value and may have one.
pub(super) fn add(mut draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    let rules = inputs.secrets;
    let mut demanded = Vec::new();
    for variable in draft.variables.values_mut() {
        let ValueOrigin::Missing { place } = &variable.origin else { continue };
        let kind = variable.kind.as_deref();
        let made = if let Some(source) = &variable.source {
            Some(rules.make_for(kind, source, &inputs.context)?)
        } else if variable.secret {
            Some(rules.make(&variable.name, kind, &inputs.context)?)
        } else if variable.required {
            rules.make_public(&variable.name, kind, &inputs.context)?
        } else {
            None
        };
        if let Some(made) = made {
            let place = place.clone();
            demanded.extend(made.demands.iter().map(|name| (name.clone(), place.clone())));
            draft.files.take(variable, made, place);
        }
    }
    demanded.into_iter().try_fold(draft, |draft, (name, place)| demand(draft, &name, place, inputs))
}

/// Gives placeholders to the variables that the values of others name.
pub(super) fn add_named(draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    let mut demanded = Vec::new();
    for variable in draft.variables.values() {
        let Some(value) = &variable.value else { continue };
        if inputs.secrets.names_variables(&variable.name, variable.kind.as_deref()) {
            let place = variable.origin.place().unwrap_or(&variable.name).to_owned();
            demanded.extend(named_in(value).into_iter().map(|name| (name, place.clone())));
        }
    }
    demanded.into_iter().try_fold(draft, |draft, (name, place)| demand(draft, &name, place, inputs))
}

/// Gives a variable a placeholder if nothing gives it a value; one that the user has unset stays unset.
fn demand(
    mut draft: Draft,
    name: &str,
    place: String,
    inputs: &Inputs<'_>,
) -> Result<Draft, EnvironmentError> {
    let variable = draft.variables.entry(name.to_owned()).or_insert_with(|| Variable {
        secret: true,
        required: true,
        ..Variable::new(name, ValueOrigin::Missing { place: place.clone() })
    });
    if matches!(variable.origin, ValueOrigin::Missing { .. }) {
        let made = inputs.secrets.make(name, variable.kind.as_deref(), &inputs.context)?;
        variable.secret = true;
        draft.files.take(variable, made, place);
    }
    Ok(draft)
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
