//! The environment of a component in a local run, with the origin of each value. Pure: the caller
//! provides all inputs. The display belongs in `report`.
//!
//! The order of the layers is in `layers`: defaults of the component's table, its deployment, its backing
//! services, placeholder secrets for secret variables without a value, the user's values, placeholders for
//! variables that those name, and locked variables, which nothing overrides. Last, values of the deployment that
//! refer to other variables are completed.

pub mod difference;
mod digest_text;
mod error;
mod hidden_parts;
mod inputs;
mod layers;
mod lazy_seed;
mod placeholder_secret;
mod production;
mod production_value;
mod replace;
mod resolved;
mod secret_detection;
mod secret_form;
mod secret_name;
mod secret_part;
mod secret_span;
mod variable;

pub use crate::base::variable::{is_environment_name, is_variable_name};
pub use error::{EnvironmentError, RuleError};
pub use hidden_parts::hidden_parts;
pub use inputs::{DeploymentInput, EnvOverrides, Inputs, ServiceBinding};
pub use layers::check_locks;
pub use lazy_seed::{Cause, LazySeed, StoredSecrets};
pub use placeholder_secret::{DIRECTORY, GeneratedSecret, GeneratorContext, GeneratorSource, SecretRules};
pub use production::{ProductionRules, ReplacedValue};
pub(crate) use production_value::LONGEST as LONGEST_VALUE;
pub use production_value::{ProductionInfo, ProductionValue};
pub use resolved::Environment;
pub use secret_detection::{is_secret, without_secret_parts};
pub use secret_name::{Judgement, SecretNames};
pub use variable::{ValueOrigin, Variable};

#[cfg(test)]
mod real_names;
#[cfg(test)]
mod secret_form_cases;
#[cfg(test)]
mod tests;
