//! Commands in messages, as `cki list` in backticks: each is completed by a function of the caller, so that it can be
//! typed as it is shown. The messages are decided by the callers.

use std::borrow::Cow;

use super::{Ui, UiState};

impl Ui {
    /// Completes the commands in all later messages. Only the first call counts.
    pub fn complete_commands(&self, with: impl Fn(&str) -> Option<String> + Send + Sync + 'static) {
        let _ = self.0.commands.set(Box::new(with));
    }

    /// Returns a command to show in a message without backticks.
    #[must_use]
    pub fn command(&self, command: &str) -> String {
        let complete = self.0.commands.get().and_then(|complete| complete(command));
        complete.unwrap_or_else(|| command.to_owned())
    }
}

impl UiState {
    /// Returns a message with complete commands.
    pub(super) fn with_commands<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(complete) = self.commands.get().filter(|_| text.contains("`cki ")) else {
            return Cow::Borrowed(text);
        };
        let parts =
            text.split('`').enumerate().map(|(at, part)| match at % 2 == 1 && part.starts_with("cki ") {
                true => complete(part).map_or(Cow::Borrowed(part), Cow::Owned),
                false => Cow::Borrowed(part),
            });
        Cow::Owned(parts.collect::<Vec<_>>().join("`"))
    }
}
