//! Format of a variable's value in `cki env`.

use crate::base::secret::MASK;
use crate::base::text::safe_line;
use crate::model::environment::Variable;
use crate::ui::style;

/// Returns a value on one line, and its colour.
pub(super) fn value(variable: &Variable, reveal: bool) -> (String, fn(&str) -> String) {
    match &variable.value {
        None => ("–".to_owned(), style::warn),
        Some(_) if variable.secret && !reveal => (MASK.to_owned(), style::secret),
        Some(value) => (one_line(value.expose()), str::to_owned),
    }
}

/// Joins the lines of a text.
pub(super) fn one_line(text: &str) -> String {
    safe_line(&text.replace('\n', "⏎")).into_owned()
}
