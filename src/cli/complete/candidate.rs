//! A candidate: for clap, and as it goes to a shell.

use std::ffi::OsString;

use clap_complete::CompletionCandidate;

use crate::base::text::safe_line;

/// Tag of candidates that say nothing without their description.
const NEEDS_HELP: &str = "needs its description";

/// A candidate as it goes to a shell, safe to print.
#[derive(Debug)]
pub(super) struct OfferedValue {
    /// Value that replaces the word.
    pub(super) value: String,
    /// Description, on one line.
    pub(super) help: Option<String>,
    /// The value says nothing without the description.
    pub(super) needs_help: bool,
}

impl OfferedValue {
    /// Reads a candidate; `None` if its value could harm a terminal. A shell reads the answer line by line, and
    /// inserts the value into the command line.
    pub(super) fn of(candidate: &CompletionCandidate) -> Option<Self> {
        let value = candidate.get_value().to_str()?;
        let is_safe = !value.is_empty() && !value.contains(char::is_control) && safe_line(value) == value;
        let help = candidate.get_help().map(ToString::to_string);
        let help = help.as_deref().and_then(|help| help.lines().next());
        is_safe.then(|| Self {
            value: value.to_owned(),
            help: help.map(|help| safe_line(help).replace('\t', " ")),
            needs_help: candidate.get_tag().is_some_and(|tag| tag.to_string() == NEEDS_HELP),
        })
    }
}

/// Returns a candidate with a description.
pub(super) fn candidate(value: impl Into<OsString>, help: Option<&str>) -> CompletionCandidate {
    CompletionCandidate::new(value).help(help.map(|help| safe_line(help).into_owned().into()))
}

/// Returns a candidate that says nothing without its description.
pub(super) fn described(value: impl Into<OsString>, help: &str) -> CompletionCandidate {
    candidate(value, Some(help)).tag(Some(NEEDS_HELP.into()))
}
