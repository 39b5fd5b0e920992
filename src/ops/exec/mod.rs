//! `cki exec`: runs a command in a running component, and masks its output. A command on the user's terminal
//! is in `interact`.

pub mod interact;

use crate::base::redact::Redactor;
use crate::base::secret::Secret;
use crate::host::signals::{Shutdown, Signal};
use crate::model::container::ExecSettings;
use crate::model::event::Events;
use crate::model::guard::GatePass;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::exec::Execution;
use crate::ops::runtime::list::InstanceSummary;
use crate::ops::runtime::relay::relay;
use crate::systems::engine::{ExecRequest, Input};

/// A command to run.
#[derive(Default)]
pub struct ExecOptions {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Its standard input.
    pub stdin: Option<Input>,
    /// Its surroundings, where they differ from those of the component.
    pub settings: ExecSettings,
    /// Values that are masked in its output, in addition to the secrets of the component.
    pub hidden: Vec<Secret>,
}

impl std::fmt::Debug for ExecOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecOptions").field("command", &self.command).finish_non_exhaustive()
    }
}

/// The end of a command in a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandExit {
    /// The command ended with this code.
    Ended(i64),
    /// A signal came from outside.
    Stopped(Signal),
}

/// Runs a command in a running component. A signal that stops `cki` also ends the command and its child
/// processes.
///
/// # Errors
/// Fails when the command cannot be run.
pub async fn exec(
    one: &InstanceSummary,
    options: ExecOptions,
    events: &Events,
    stop: &Shutdown,
) -> Result<CommandExit, InstanceError> {
    let ExecOptions { command, stdin, settings, hidden } = options;
    let request = ExecRequest { command: GatePass::typed(command), stdin, settings };
    pass_output(one, one.instance.exec(request), &hidden, events, stop).await
}

/// Starts a command, and passes on its output with the secrets of an instance, and `hidden` values, masked.
pub(in crate::ops) async fn pass_output(
    one: &InstanceSummary,
    start: impl Future<Output = Result<Execution, InstanceError>>,
    hidden: &[Secret],
    events: &Events,
    stop: &Shutdown,
) -> Result<CommandExit, InstanceError> {
    let mut secrets = one.secrets().await?;
    secrets.extend_from_slice(hidden);
    events.hide(&secrets);
    let redactor = Redactor::new(&secrets);
    let mut execution = start.await?;
    let signal = tokio::select! {
        relayed = relay(execution.output(), &one.identity.name, &redactor, events) => {
            relayed?;
            None
        }
        signal = stop.requested() => Some(signal),
    };
    match signal {
        None => Ok(CommandExit::Ended(execution.wait().await?)),
        Some(signal) => {
            execution.end().await?;
            Ok(CommandExit::Stopped(signal))
        }
    }
}

/// Returns the standard input of this process.
#[must_use]
pub fn standard_input() -> Input {
    Box::pin(tokio::io::stdin())
}
