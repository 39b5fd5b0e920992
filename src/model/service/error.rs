//! Templates of backing services that do not work.

use crate::base::yaml::YamlError;
use crate::model::environment::RuleError;

/// A template that does not work.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The file is not what it should be.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A value cannot be made.
    #[error("{file}: `{key}` cannot be made")]
    Template {
        /// The file.
        file: String,
        /// Which value.
        key: String,
        /// Why.
        source: minijinja::Error,
    },
    /// A rule for secrets does not work.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Something is asked of a service that it knows nothing of.
    #[error("{place}: `{service}` has no parameter `{parameter}`")]
    Parameter {
        /// Where it is asked.
        place: String,
        /// The service.
        service: String,
        /// What is asked.
        parameter: String,
        /// The nearest names.
        nearest: Vec<String>,
    },
    /// A parameter of the wrong kind.
    #[error("{place}: the parameter `{parameter}` of `{service}` must be {wanted}")]
    ParameterKind {
        /// Where it is asked.
        place: String,
        /// The service.
        service: String,
        /// What is asked.
        parameter: String,
        /// What it must be.
        wanted: &'static str,
    },
}
