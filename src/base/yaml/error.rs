//! Errors of parsing YAML. Errors in the meaning of a document belong to its reader.

use std::fmt;

use super::position::Position;

/// Invalid YAML, or YAML of another type.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{file}{}: {message}", ErrorPlace(.position))]
pub struct YamlError {
    /// Name of the text: a path.
    pub file: String,
    /// Position, if the parser knows it.
    pub position: Option<Position>,
    /// Reason, on one line.
    pub message: String,
}

pub(super) struct ErrorPlace<'a>(&'a Option<Position>);

impl fmt::Display for ErrorPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |at| write!(f, ":{}:{}", at.line, at.column))
    }
}

pub(super) fn is_blank(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    })
}

/// Returns the reason for the author of the text.
pub(super) fn message(error: &serde_yaml::Error) -> String {
    use serde_yaml::Error;
    match error {
        Error::AliasError { error, .. } => message(error),
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "it is too large, or its aliases make it so".to_owned()
        }
        Error::Unexpected { expected: "sequence start", .. } => "expected a list".to_owned(),
        Error::Unexpected { expected: "mapping start", .. } => "expected a mapping".to_owned(),
        Error::InvalidScalar { ty: "u16", .. } => "expected a whole number from 0 to 65535".to_owned(),
        Error::InvalidScalar { ty: "u32", .. } => "expected a whole number".to_owned(),
        other => other.render_with_formatter(&serde_yaml::UserMessageFormatter),
    }
}

pub(super) fn one_line(message: &str) -> String {
    let first = message.lines().find(|line| !line.trim().is_empty()).unwrap_or(message).trim();
    // The parser ends its message with the position, with which our message already begins.
    let end = first.rfind(" at line ").unwrap_or(first.len());
    first[..end].to_owned()
}
