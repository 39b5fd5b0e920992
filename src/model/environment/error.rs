//! Errors in resolving an environment, and in the rules for secrets.

use super::lazy_seed::Cause;
use crate::base::template::TemplateError;
use crate::base::yaml::YamlError;

/// An environment that cannot be resolved.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A locked variable would get another value.
    #[error(
        "`{name}` must be `{locked}` in a local run, and {origin} {}; \
         the inventory's `production` section says so at {place}",
        wanted.as_ref().map_or_else(|| "takes it away".to_owned(), |wanted| format!("sets it to `{wanted}`"))
    )]
    Locked {
        /// Variable.
        name: String,
        /// Only allowed value.
        locked: String,
        /// Refused value; `None` for removal.
        wanted: Option<String>,
        /// Origin of the refused value.
        origin: String,
        /// `file:line` of the lock.
        place: String,
    },
    /// A name that many programs confuse with a locked one.
    #[error("`{name}` differs from `{locked}` in its case only, which is locked in a local run at {place}")]
    LikeLocked {
        /// Variable.
        name: String,
        /// Locked variable.
        locked: String,
        /// `file:line` of the lock.
        place: String,
    },
    /// A rule for placeholder secrets is invalid.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// An invalid rule.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The stored inputs of the workspace cannot be opened.
    #[error("{0}")]
    Keep(Cause),
    /// The file is not YAML of the expected form.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A pattern is not a regular expression.
    #[error("{file}: the pattern of rule `{rule}` is no regular expression")]
    Pattern {
        /// File.
        file: String,
        /// Rule.
        rule: String,
        /// Underlying error.
        source: regex::Error,
    },
    /// A template is invalid.
    #[error("{file}: the value of rule `{rule}` cannot be made")]
    Template {
        /// File.
        file: String,
        /// Rule.
        rule: String,
        /// Underlying error.
        source: TemplateError,
    },
    /// A rule names an unknown shape.
    #[error("{file}: rule `{rule}` has the shape `{shape}`, which is not among `shapes`")]
    Shape {
        /// File.
        file: String,
        /// Rule.
        rule: String,
        /// Shape.
        shape: String,
    },
    /// The path of a generated file is not in the directory for such files.
    #[error(
        "{file}: rule `{rule}` makes a file, so its value must be a path in `{directory}`, and not `{path}`"
    )]
    Path {
        /// File with the rules.
        file: String,
        /// Rule.
        rule: String,
        /// Refused path.
        path: String,
        /// Directory for generated files.
        directory: &'static str,
    },
    /// No rule matches.
    #[error("{file}: no rule makes a value for `{name}`; a last rule without `name` and `type` would")]
    NoRule {
        /// File.
        file: String,
        /// Variable.
        name: String,
    },
}
