//! Values of the run's backing services, such as the address and the login of a database.

use super::draft::Draft;
use crate::model::environment::error::EnvironmentError;
use crate::model::environment::inputs::Inputs;
use crate::model::environment::variable::ValueOrigin;

/// Adds the values of the services.
#[expect(clippy::unnecessary_wraps, reason = "has the signature of a layer")]
pub(super) fn add(mut draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    for binding in &inputs.provided {
        let origin = ValueOrigin::Service { service: binding.service.clone(), place: binding.place.clone() };
        draft.set(&binding.name, binding.value.clone(), origin, binding.secret);
    }
    Ok(draft)
}
