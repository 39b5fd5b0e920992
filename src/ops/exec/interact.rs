//! A command on the user's terminal: `cki shell`, and `cki exec --tty`. The terminal is raw meanwhile, so that
//! Ctrl-C and the like go to the command, and output is passed on as it comes, with secrets masked that come
//! in one piece.

use std::time::Duration;

use super::{CommandExit, ExecOptions};
use crate::base::redact::{RedactStream, Redactor};
use crate::base::secret::Secret;
use crate::host::signals::Shutdown;
use crate::host::streams::OutputSink;
use crate::host::tty::{ResizeSignal, Size, Tty};
use crate::model::guard::GatePass;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::InstanceSummary;
use crate::ops::runtime::terminal::RemoteTerminal;

/// Delay of output that may be the beginning of a secret: too short for a user to notice, and long enough
/// for a program to write the rest.
const HELD: Duration = Duration::from_millis(30);
/// Default size of a terminal: rows and columns.
const USUAL: Size = (24, 80);

/// The user's side of the terminal.
#[derive(Debug, Clone)]
pub struct LocalTerminal<'a> {
    /// The output.
    pub screen: &'a OutputSink,
    /// The type of the terminal: `$TERM`.
    pub term: Option<&'a str>,
}

/// Runs a command on the user's terminal, which is its input, to its end.
///
/// # Errors
/// Fails when standard input is not a terminal, or the command cannot be run.
pub async fn interact(
    one: &InstanceSummary,
    options: ExecOptions,
    person: LocalTerminal<'_>,
    stop: &Shutdown,
) -> Result<CommandExit, InstanceError> {
    let local = TakenTerminal::take()?;
    let ExecOptions { command, stdin: _, settings, hidden } = options;
    let command = GatePass::typed(command);
    let remote = one.instance.exec_on_terminal(command, settings, person.term, local.size).await?;
    proxy_io(one, remote, &hidden, (local, person), stop).await
}

/// The user's terminal while a command has it.
pub(in crate::ops) struct TakenTerminal {
    terminal: Tty,
    resized: ResizeSignal,
    /// Its size at first.
    pub(in crate::ops) size: Size,
}

impl TakenTerminal {
    /// Takes the terminal, until this value is dropped.
    ///
    /// # Errors
    /// Fails when standard input is not a terminal.
    pub(in crate::ops) fn take() -> Result<Self, InstanceError> {
        let (terminal, resized) = Tty::take().map_err(InstanceError::Terminal)?;
        let size = terminal.size().unwrap_or(USUAL);
        Ok(Self { terminal, resized, size })
    }
}

/// Passes on input and output, with the secrets of the instance and `hidden` values masked, until the command ends.
///
/// # Errors
/// Fails when the output cannot be read.
pub(in crate::ops) async fn proxy_io(
    one: &InstanceSummary,
    mut remote: RemoteTerminal,
    hidden: &[Secret],
    (local, person): (TakenTerminal, LocalTerminal<'_>),
    stop: &Shutdown,
) -> Result<CommandExit, InstanceError> {
    let TakenTerminal { terminal, mut resized, .. } = local;
    let mut secrets = one.secrets().await?;
    secrets.extend_from_slice(hidden);
    let stream = Redactor::new(&secrets).outside_stream();
    let mut masked = MaskedOutput { stream, screen: person.screen };
    let mut holds = false;
    let mut listens = true;
    loop {
        tokio::select! {
            shown = remote.shown() => {
                let shown = shown.map_err(InstanceError::Terminal)?;
                if shown.is_empty() {
                    break;
                }
                masked.show(&shown);
                holds = true;
            }
            // A possible beginning of a secret is shown when nothing more comes.
            () = tokio::time::sleep(HELD), if holds => {
                masked.flush();
                holds = false;
            }
            typed = terminal.typed(), if listens => match typed {
                Ok(keys) if !keys.is_empty() => remote.type_in(&keys).await,
                _ => listens = false,
            },
            () = resized.recv() => if let Some(size) = terminal.size() {
                remote.resize(size).await;
            },
            signal = stop.requested() => {
                drop(terminal);
                remote.give_up().await?;
                return Ok(CommandExit::Stopped(signal));
            }
        }
    }
    masked.flush();
    drop(terminal);
    remote.wait().await.map(CommandExit::Ended)
}

/// Output without secrets.
struct MaskedOutput<'a> {
    stream: RedactStream,
    screen: &'a OutputSink,
}

impl MaskedOutput<'_> {
    fn show(&mut self, bytes: &[u8]) {
        let mut shown = Vec::with_capacity(bytes.len());
        self.stream.push(bytes, &mut shown);
        self.screen.pass_through(&shown);
    }

    /// Shows the delayed output.
    fn flush(&mut self) {
        let mut shown = Vec::new();
        self.stream.finish(&mut shown);
        self.screen.write(&shown);
    }
}
