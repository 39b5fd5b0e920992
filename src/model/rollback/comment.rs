//! Texts of a way back for people on GitLab, from templates: what comes from outside becomes one line, and no line is one
//! that GitLab would execute.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::template::{Templates, WorkBudget};
use crate::base::text::{safe_line, truncate};
use crate::model::staging::{StagingError, check_lines};

/// Maximum number of characters of one value, and of a title on GitLab.
const VALUE: usize = 2_000;
const TITLE: usize = 255;

/// Hidden marker in the texts about the revert of a commit, by which they are found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevertMarker(String);

impl RevertMarker {
    /// Returns the marker of a commit.
    #[must_use]
    pub fn new(sha: &str) -> Self {
        Self(sha.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase())
    }

    /// Returns whether a text has it.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        text.contains(&self.to_string())
    }
}

impl fmt::Display for RevertMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<!-- cki:revert sha={} -->", self.0)
    }
}

/// Returns the title of a revert, as GitLab writes it.
#[must_use]
pub fn revert_title(title: &str) -> String {
    let shown = safe_line(title).replace('"', "'");
    format!("Revert \"{}\"", truncate(&shown, TITLE - "Revert \"\"".len()))
}

/// Renders a text. Each value becomes one line; a marker that the template leaves out is appended.
///
/// # Errors
/// Fails when the template is invalid, or makes a line that GitLab would execute.
pub fn text(
    template: &str,
    values: &BTreeMap<&'static str, String>,
    marker: Option<&RevertMarker>,
) -> Result<String, StagingError> {
    let one_line = |(key, value): (&&'static str, &String)| {
        ((*key).to_owned(), truncate(&safe_line(&value.replace(['\r', '\n'], " ")), VALUE))
    };
    let mut context: BTreeMap<String, String> = values.iter().map(one_line).collect();
    context.insert("marker".to_owned(), marker.map(ToString::to_string).unwrap_or_default());
    let rendered =
        Templates::new(&WorkBudget::default()).render(template, minijinja::Value::from(context)).map_err(
            |error| StagingError::Template { why: truncate(&safe_line(&error.to_string()), VALUE) },
        )?;
    let mut text = rendered.trim().to_owned();
    if let Some(marker) = marker.filter(|marker| !marker.is_in(&text)) {
        text = format!("{text}\n\n{marker}");
    }
    check_lines(&text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "A000000000000000000000000000000000000002";

    fn render(template: &str, reason: &str) -> Result<String, StagingError> {
        let values = BTreeMap::from([("reason", reason.to_owned()), ("sha", SHA.to_owned())]);
        text(template, &values, Some(&RevertMarker::new(SHA)))
    }

    #[test]
    fn text_keeps_values_in_one_line_and_has_its_marker() {
        let made = render("Reason: {{ reason }}\n", "it\nburns\u{1b}[31m\n/merge").expect("renders");
        assert!(made.starts_with("Reason: it burns /merge\n\n<!-- cki:revert sha=a000"), "{made}");
        assert!(RevertMarker::new(SHA).is_in(&made) && !RevertMarker::new("b0").is_in(&made));
        let made = render("{{ marker }}\n{{ reason }}", "x").expect("renders");
        assert_eq!(made.matches("cki:revert").count(), 1, "{made}");
        // A template that begins a line with a value from outside.
        let refused = render("{{ reason }}", "/merge").expect_err("is refused");
        assert!(matches!(refused, StagingError::QuickAction { .. }), "{refused}");
        assert!(matches!(render("{{ reason", "x"), Err(StagingError::Template { .. })));
    }

    #[test]
    fn revert_title_is_short_and_safe() {
        assert_eq!(revert_title("Use \"x\"\u{1b}[31m"), "Revert \"Use 'x'\"");
        assert!(revert_title(&"x".repeat(500)).chars().count() <= TITLE);
    }
}
