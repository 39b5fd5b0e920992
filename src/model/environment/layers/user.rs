//! The user's changes: `--unset`, `--env` and `--env-file`. Changes of a locked variable are refused.

use super::draft::Draft;
use super::locked::{Locks, check_locks};
use crate::model::environment::error::EnvironmentError;
use crate::model::environment::inputs::Inputs;
use crate::model::environment::secret_detection::is_secret;
use crate::model::environment::variable::ValueOrigin;

/// Applies the user's changes.
pub(super) fn add(mut draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    check_locks(&inputs.overrides, inputs.inventory)?;
    for name in &inputs.overrides.unset {
        if let Some(variable) = draft.variables.get_mut(name) {
            variable.instead_of = Some(std::mem::replace(&mut variable.origin, ValueOrigin::Unset));
            variable.value = None;
            variable.parts.clear();
        }
    }
    let with_value = draft.variables.iter().filter(|(_, one)| one.value.is_some()).map(|(name, _)| name);
    Locks::of(inputs.inventory).check_case(with_value)?;
    for (name, value, origin) in &inputs.overrides.set {
        let hide = is_secret(name, value.expose(), inputs.secrets.names());
        draft.set(name, value.clone(), origin.clone(), hide);
    }
    Ok(draft)
}
