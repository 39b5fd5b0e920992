//! A command to run in a container. How it runs is `exec`, on a terminal `terminal`.

use std::fmt;
use std::pin::Pin;

use tokio::io::AsyncRead;

use crate::model::guard::Passed;

/// What a command reads: bytes in memory (`std::io::Cursor`), a file, standard input.
pub type Input = Pin<Box<dyn AsyncRead + Send>>;

/// A command to run in a container.
pub struct ExecRequest {
    /// The program and its arguments.
    pub command: Passed<Vec<String>>,
    /// What it reads; nothing if there is none.
    pub stdin: Option<Input>,
    /// The working directory, if not the container's own.
    pub workdir: Option<String>,
}

impl ExecRequest {
    /// A command that reads nothing, in the container's own working directory.
    #[must_use]
    pub fn new(command: Passed<Vec<String>>) -> Self {
        Self { command, stdin: None, workdir: None }
    }
}

impl fmt::Debug for ExecRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecRequest").field("command", &self.command).finish_non_exhaustive()
    }
}
