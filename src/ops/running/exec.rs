//! `cki exec`: runs a command in a running component, and masks its output. A command on a terminal is in
//! `shell`.

use std::path::PathBuf;

use futures_util::StreamExt as _;

use super::{Backend, Instance, RunningError, ShellExit, secrets};
use crate::base::redact::Redactor;
use crate::host::signals::Shutdown;
use crate::model::event::Events;
use crate::model::guard::Passed;
use crate::ops::runtime::relay::relay;
use crate::systems::engine::{ExecRequest, Input};
use crate::systems::native::ExecSpec;

/// A command to run.
#[derive(Default)]
pub struct ExecOptions {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Its standard input.
    pub stdin: Option<Input>,
    /// Its working directory; by default that of the component.
    pub workdir: Option<String>,
}

impl std::fmt::Debug for ExecOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecWish").field("command", &self.command).finish_non_exhaustive()
    }
}

/// Runs a command in a running component. A signal that stops `cki` also ends the command and its child
/// processes.
///
/// # Errors
/// Fails when the command cannot be run.
pub async fn exec(
    instance: &Instance,
    wish: ExecOptions,
    events: &Events,
    stop: &Shutdown,
) -> Result<ShellExit, RunningError> {
    let ExecOptions { command, stdin, workdir } = wish;
    let secrets = secrets(instance).await?;
    events.hide(&secrets);
    let redactor = Redactor::new(&secrets);
    let name = &instance.identity.name;
    match &instance.place {
        Backend::Container(engine, id) => {
            let request = ExecRequest { command: Passed::typed(command), stdin, workdir };
            let mut exec = engine.exec(id, request).await?;
            let output = futures_util::stream::unfold(&mut exec.output, |output| async {
                let next = output.next().await?.map(|chunk| (chunk.stream, chunk.bytes));
                Some((next, output))
            });
            tokio::select! {
                relayed = relay(output.boxed(), name, &redactor, events) => relayed?,
                signal = stop.requested() => {
                    exec.end().await?;
                    return Ok(ShellExit::Stopped(signal));
                }
            }
            Ok(ShellExit::Ended(exec.wait().await?))
        }
        Backend::Process(native, facts) => {
            let command = Passed::typed(command);
            let beside = ExecSpec {
                command: &command,
                workdir: workdir.map(PathBuf::from),
                input: stdin.is_some(),
                terminal: None,
                term: None,
            };
            let mut process = native.beside(facts, beside)?;
            if let (Some(mut stdin), Some(mut input)) = (stdin, process.input()) {
                // The task ends with the input or the command, whichever ends first.
                tokio::spawn(async move { tokio::io::copy(&mut stdin, &mut input).await });
            }
            let Some(output) = process.output() else {
                return Ok(ShellExit::Ended(process.wait().await?.into()));
            };
            tokio::select! {
                relayed = relay(output.map(Ok::<_, RunningError>).boxed(), name, &redactor, events) => relayed?,
                signal = stop.requested() => {
                    process.kill()?;
                    process.wait().await?;
                    return Ok(ShellExit::Stopped(signal));
                }
            }
            Ok(ShellExit::Ended(process.wait().await?.into()))
        }
    }
}

/// Returns the standard input of this process.
#[must_use]
pub fn standard_input() -> Input {
    Box::pin(tokio::io::stdin())
}
