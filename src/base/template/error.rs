//! Errors of templates, with the names that a template may use instead. Where they occur belongs in
//! `template` and `syntax`.

use minijinja::ErrorKind;

use super::limits::{FILTERS, LONGEST_OUTPUT, LONGEST_SOURCE, TESTS};

/// A template that cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The source is too long.
    #[error("the template has {0} bytes; {LONGEST_SOURCE} at most are allowed")]
    TooLong(usize),
    /// The template uses a part of the language that is not available.
    #[error("line {line}: {what}")]
    Refused {
        /// Line, from 1.
        line: usize,
        /// Refused part, and the alternative.
        what: String,
    },
    /// The template takes too much work.
    #[error("the template does too much work: a loop within a loop, or a text that grows")]
    Work,
    /// All templates together take too much work.
    #[error("the templates of this command do too much work together")]
    WorkOfAll,
    /// The result is too long.
    #[error("the result has more than {LONGEST_OUTPUT} bytes")]
    Output,
    /// The template uses a filter or a test that is not available.
    #[error("{what}; there are {}", known.join(", "))]
    Unknown {
        /// Available names.
        known: &'static [&'static str],
        /// Description by the engine.
        what: String,
    },
    /// The engine refuses the template.
    #[error(transparent)]
    Engine(minijinja::Error),
}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        let known = match error.kind() {
            ErrorKind::UnknownFilter => FILTERS,
            ErrorKind::UnknownTest => TESTS,
            _ => return Self::Engine(error),
        };
        Self::Unknown { known, what: error.to_string() }
    }
}
