//! Request for a command in a container. `exec` runs it, `terminal` runs it on a terminal.

use std::fmt;
use std::pin::Pin;

use tokio::io::AsyncRead;

use crate::model::container::ExecSettings;
use crate::model::guard::GatePass;

/// Input of a command: bytes in memory (`std::io::Cursor`), a file, standard input.
pub type Input = Pin<Box<dyn AsyncRead + Send>>;

/// Command to run in a container.
pub struct ExecRequest {
    /// Program and its arguments.
    pub command: GatePass<Vec<String>>,
    /// Input; `None` is empty.
    pub stdin: Option<Input>,
    /// Surroundings, where they differ from the container's own.
    pub settings: ExecSettings,
}

impl ExecRequest {
    /// Creates a command without input, in the container's own surroundings.
    #[must_use]
    pub fn new(command: GatePass<Vec<String>>) -> Self {
        Self { command, stdin: None, settings: ExecSettings::default() }
    }
}

impl fmt::Debug for ExecRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecRequest").field("command", &self.command).finish_non_exhaustive()
    }
}
