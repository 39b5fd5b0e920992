//! Questions: with the answers yes and no, for a name, and for a secret. Whether a command asks, and what it asks, is up to its caller.

use super::Ui;
use crate::base::secret::Secret;
use crate::host::Host;
use crate::host::signals::{Shutdown, Signal};
use crate::host::tty::HiddenInput;

/// A question that was not answered with yes. Nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unconfirmed {
    /// The user answered no.
    #[error("you answered no")]
    Declined,
    /// The user cancelled the command with Ctrl-C or Ctrl-D, or a signal ended it.
    #[error("cancelled")]
    Cancelled(Signal),
}

impl Ui {
    /// Returns whether the user can answer a question.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.0.terminal.stdin && self.0.terminal.stderr
    }

    /// Asks for a secret, which is not shown while the user types it.
    ///
    /// # Errors
    /// Fails if the user cancels, with Ctrl-C or Ctrl-D.
    pub fn ask_hidden(&self, host: &Host, question: &str) -> Result<Secret, Unconfirmed> {
        let stop = Shutdown::current().ok();
        let Ok(_hidden) = HiddenInput::begin() else { return Err(Unconfirmed::Cancelled(Signal::HangUp)) };
        self.0.write_error(&self.0.fit(&format!("{question} "), self.0.color_err));
        let answer = host.read_answer(stop.as_ref());
        self.0.write_error("\n");
        match answer.map_err(Unconfirmed::Cancelled)? {
            Some(text) => Ok(Secret::new(text)),
            None => Err(Unconfirmed::Cancelled(Signal::Interrupt)),
        }
    }

    /// Asks the user to type a name. Any other answer is no.
    ///
    /// # Errors
    /// Fails unless the answer is the name. Ctrl-C and Ctrl-D cancel at once.
    pub fn confirm_name(&self, host: &Host, question: &str, name: &str) -> Result<(), Unconfirmed> {
        let stop = Shutdown::current().ok();
        self.0.write_error(&self.0.fit(&format!("{question} "), self.0.color_err));
        let answer = host.read_answer(stop.as_ref());
        if !matches!(answer, Ok(Some(_))) {
            self.0.write_error("\n");
        }
        match answer.map_err(Unconfirmed::Cancelled)? {
            None => Err(Unconfirmed::Cancelled(Signal::Interrupt)),
            Some(answer) if answer.trim() == name => Ok(()),
            Some(_) => Err(Unconfirmed::Declined),
        }
    }

    /// Asks a question with the answers yes and no; an empty answer is no.
    ///
    /// # Errors
    /// Fails unless the answer is yes. Ctrl-C and Ctrl-D cancel at once.
    pub fn confirm(&self, host: &Host, question: &str) -> Result<(), Unconfirmed> {
        // A signal that arrives with the question must find a handler.
        let stop = Shutdown::current().ok();
        loop {
            self.0.write_error(&self.0.fit(&format!("{question} [y/N] "), self.0.color_err));
            let answer = host.read_answer(stop.as_ref());
            if !matches!(answer, Ok(Some(_))) {
                // The cursor is still on the line of the question.
                self.0.write_error("\n");
            }
            match answer.map_err(Unconfirmed::Cancelled)?.as_deref().map(str::trim) {
                None => return Err(Unconfirmed::Cancelled(Signal::Interrupt)),
                Some("y" | "Y" | "yes" | "Yes" | "YES") => return Ok(()),
                Some("" | "n" | "N" | "no" | "No" | "NO") => return Err(Unconfirmed::Declined),
                Some(_) => self.0.message("Please answer `y` or `n`."),
            }
        }
    }
}
