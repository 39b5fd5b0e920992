//! Layers of an environment, from the lowest to the highest. Each is a function from one draft to the next that
//! reads nothing but its inputs. The types of the result belong in the parent module.

mod declared;
mod deployed;
mod draft;
mod generated_files;
mod interpolation;
mod locked;
mod placeholders;
mod services;
mod user;

use super::error::EnvironmentError;
use super::inputs::Inputs;
use super::resolved::Environment;
use draft::Draft;
pub use locked::check_locks;

/// A layer.
type Layer = fn(Draft, &Inputs<'_>) -> Result<Draft, EnvironmentError>;

/// Layers in their order: a later one overrides the earlier ones, but placeholders only fill gaps, and references
/// change values of the deployment only.
const LAYERS: [Layer; 8] = [
    declared::add,
    deployed::add,
    services::add,
    placeholders::add,
    user::add,
    // The user's values may name variables, which get placeholders.
    placeholders::add_named,
    locked::add,
    // Values of the deployment that are made of others need all of them.
    interpolation::resolve,
];

impl Environment {
    /// Resolves an environment: applies all layers.
    ///
    /// # Errors
    /// Fails when the user's changes override a locked variable, or a rule for secrets is invalid.
    pub fn resolve(inputs: &Inputs<'_>) -> Result<Self, EnvironmentError> {
        let draft = LAYERS.iter().try_fold(Draft::default(), |draft, layer| layer(draft, inputs))?;
        Ok(draft.finish())
    }
}

#[cfg(test)]
mod tests;
