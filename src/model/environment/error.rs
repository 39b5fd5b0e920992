//! An environment that is not complete.

use super::kept::Cause;
use crate::base::yaml::YamlError;

/// No environment can be made.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// Somebody tried to claim production.
    #[error(
        "`{name}` must be `{locked}` in a local run, and {origin} {}; \
         the inventory's `production` section says so at {place}",
        wanted.as_ref().map_or_else(|| "takes it away".to_owned(), |wanted| format!("sets it to `{wanted}`"))
    )]
    Locked {
        /// The variable.
        name: String,
        /// The only value that it may have.
        locked: String,
        /// What was wanted; `None` for nothing at all.
        wanted: Option<String>,
        /// Who wanted it.
        origin: String,
        /// `file:line` of the lock.
        place: String,
    },
    /// A name that many programs take for a locked one.
    #[error("`{name}` differs from `{locked}` in its case only, which is locked in a local run at {place}")]
    LikeLocked {
        /// The variable.
        name: String,
        /// The one that is locked.
        locked: String,
        /// `file:line` of the lock.
        place: String,
    },
    /// A rule for reference secrets does not work.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// A rule that does not work.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// What the workspace keeps cannot be had.
    #[error("{0}")]
    Keep(Cause),
    /// The file is not what it should be.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A pattern is no regular expression.
    #[error("{file}: the pattern of rule `{rule}` is no regular expression")]
    Pattern {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
        /// Why.
        source: regex::Error,
    },
    /// A template does not work.
    #[error("{file}: the value of rule `{rule}` cannot be made")]
    Template {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
        /// Why.
        source: minijinja::Error,
    },
    /// A rule names a shape that there is not.
    #[error("{file}: rule `{rule}` has the shape `{shape}`, which is not among `shapes`")]
    Shape {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
        /// The shape.
        shape: String,
    },
    /// A file would be where no file can be put.
    #[error(
        "{file}: rule `{rule}` makes a file, so its value must be a path in `{folder}`, and not `{path}`"
    )]
    Path {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
        /// What its value is.
        path: String,
        /// Where files are put.
        folder: &'static str,
    },
    /// No rule matches.
    #[error("{file}: no rule makes a value for `{name}`; a last rule without `name` and `type` would")]
    NoRule {
        /// The file.
        file: String,
        /// The variable.
        name: String,
    },
}
