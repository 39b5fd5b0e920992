//! Errors in templates of backing services and in the requests to them.

use crate::base::template::TemplateError;
use crate::base::yaml::YamlError;
use crate::model::environment::RuleError;

/// An invalid template or request.
#[derive(Debug, thiserror::Error)]
pub enum ServiceTemplateError {
    /// The file is not YAML of the expected form.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A value cannot be rendered.
    #[error("{file}: `{key}` cannot be made")]
    Template {
        /// File.
        file: String,
        /// Key of the value.
        key: String,
        /// Underlying error.
        source: TemplateError,
    },
    /// The requests to a service are too long for its templates.
    #[error("{file}: all requests together have more than {limit} bytes")]
    Needs {
        /// File of the service.
        file: String,
        /// Maximum bytes of their JSON.
        limit: usize,
    },
    /// A rule for placeholder secrets is invalid.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A request has a parameter that the service does not declare.
    #[error("{place}: `{service}` has no parameter `{parameter}`")]
    Parameter {
        /// Location of the request.
        place: String,
        /// Service.
        service: String,
        /// Parameter.
        parameter: String,
        /// Nearest names.
        nearest: Vec<String>,
    },
    /// A parameter has the wrong type.
    #[error("{place}: the parameter `{parameter}` of `{service}` must be {wanted}")]
    ParameterKind {
        /// Location of the request.
        place: String,
        /// Service.
        service: String,
        /// Parameter.
        parameter: String,
        /// Expected type.
        wanted: &'static str,
    },
}
