//! Messages of engines: safe to show, and what they tell about a failed pull.

use crate::base::text::safe_line;

/// Maximum bytes of an engine's message to keep, since engines quote whole command lines and stack traces.
const LONGEST_MESSAGE: usize = 2000;

/// Returns an engine's message as one line that is safe to show: bounded, without escape sequences.
pub(super) fn clean(message: &str) -> String {
    let lines: Vec<String> = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| safe_line(line).into_owned())
        .collect();
    let text = lines.join("; ");
    match text.char_indices().nth(LONGEST_MESSAGE) {
        _ if text.is_empty() => "it gives no reason".to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Cause of a failed pull, as far as the engine's message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullCause {
    /// The registry does not have the image.
    NotFound,
    /// The registry requires a login, or a different one; some report missing images this way.
    Unauthorised,
    /// The registry cannot be reached.
    Unreachable,
    /// Any other cause.
    Other,
}

impl PullCause {
    pub(super) fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
        if says(&["unauthorized", "denied", "authentication required", "forbidden"]) {
            Self::Unauthorised
        } else if says(&["dial tcp", "no such host", "timeout", "connection refused", "unreachable", "tls:"])
        {
            Self::Unreachable
        } else if says(&["manifest unknown", "not found", "does not exist", "no such"]) {
            Self::NotFound
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_makes_one_safe_line() {
        assert_eq!(clean("\x1b[91mno\x1b[0m\n\n  such thing\n"), "no; such thing");
        assert_eq!(clean(" \n"), "it gives no reason");
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), LONGEST_MESSAGE + 1);
    }

    #[test]
    fn pull_cause_is_classified_by_message() {
        for (message, cause) in [
            ("manifest for x:nope not found: manifest unknown: manifest unknown", PullCause::NotFound),
            (
                "pull access denied for x, repository does not exist or may require 'docker login'",
                PullCause::Unauthorised,
            ),
            (
                "reading manifest 1 in quay.io/cki/x: unauthorized: access to the requested resource is not authorized",
                PullCause::Unauthorised,
            ),
            (
                "Get \"https://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
                PullCause::Unreachable,
            ),
            ("lookup quay.io: no such host", PullCause::Unreachable),
            ("disk is full", PullCause::Other),
        ] {
            assert_eq!(PullCause::of(message), cause, "{message}");
        }
    }
}
