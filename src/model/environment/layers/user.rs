//! The user's changes: `--unset`, `--env` and `--env-file`. Changes of a locked variable are refused.

use super::draft::Draft;
use super::locked::Locks;
use crate::model::environment::error::EnvironmentError;
use crate::model::environment::inputs::Inputs;
use crate::model::environment::secret_detection::is_secret;
use crate::model::environment::variable::ValueOrigin;

/// Applies the user's changes.
pub(super) fn add(mut draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    let (locks, names) = (Locks::of(inputs), inputs.secrets.names());
    for name in &inputs.overrides.unset {
        locks.check_unset(name)?;
        if let Some(variable) = draft.variables.get_mut(name) {
            variable.instead_of = Some(std::mem::replace(&mut variable.origin, ValueOrigin::Unset));
            variable.value = None;
            variable.parts.clear();
        }
    }
    let overridden = inputs.overrides.set.iter().map(|(name, ..)| name);
    let with_value = draft.variables.iter().filter(|(_, one)| one.value.is_some()).map(|(name, _)| name);
    locks.check_case(with_value.chain(overridden))?;
    for (name, value, origin) in &inputs.overrides.set {
        locks.check_set(name, value.expose(), origin)?;
        let hide = is_secret(name, value.expose(), names);
        draft.set(name, value.clone(), origin.clone(), hide);
    }
    Ok(draft)
}
