//! Errors of resolving dependencies, and of loading the templates of backing services.

use crate::base::files::FileError;
use crate::model::service::ServiceTemplateError;

/// An error of resolving a dependency.
#[derive(Debug, thiserror::Error)]
pub enum NeedError {
    /// The name is neither a backing service nor a component.
    #[error("{place}: `{component}` needs `{need}`, which is neither a backing service nor a component")]
    Unknown {
        /// `file:line`.
        place: String,
        /// Name of the dependent component.
        component: String,
        /// Name of the dependency.
        need: String,
        /// The nearest names.
        nearest: Vec<String>,
    },
    /// There is no template of a backing service that the user named.
    #[error("there is no backing service `{0}`")]
    NoService(String),
    /// A template cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A template is invalid.
    #[error(transparent)]
    Service(#[from] ServiceTemplateError),
}
