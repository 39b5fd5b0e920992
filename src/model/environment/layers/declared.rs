//! Variables of the component's table, with their defaults.

use super::draft::Draft;
use crate::base::secret::Secret;
use crate::model::environment::error::EnvironmentError;
use crate::model::environment::inputs::Inputs;
use crate::model::environment::variable::{ValueOrigin, Variable};
use crate::model::inventory::Secrecy;

/// Adds the variables of the table.
#[expect(clippy::unnecessary_wraps, reason = "has the signature of a layer")]
pub(super) fn add(mut draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    let (component, names) = (inputs.component, inputs.secrets.names());
    for (index, declared) in component.environment.iter().enumerate() {
        let place = component.source_map.place(&format!("environment.{index}"));
        let origin = match &declared.default {
            Some(_) => ValueOrigin::Default { place },
            None => ValueOrigin::Missing { place },
        };
        let looks_secret = |value: &String| names.judge(&declared.name, value).hide;
        let is_secret = declared
            .secret
            .map_or_else(|| declared.default.as_ref().is_some_and(looks_secret), Secrecy::is_hidden);
        let variable = Variable {
            value: declared.default.as_deref().map(Secret::new),
            secret: is_secret,
            own: is_secret && declared.default.is_some(),
            required: declared.required,
            kind: declared.kind.clone(),
            description: declared.description.clone(),
            ..Variable::new(&declared.name, origin)
        };
        draft.variables.insert(declared.name.clone(), variable);
    }
    Ok(draft)
}
