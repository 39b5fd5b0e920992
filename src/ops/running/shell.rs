//! `cki shell`, and `cki exec` on a terminal: an interactive command. The user's terminal is raw
//! meanwhile, so that Ctrl-C and the like go to the command, and output is passed on as it comes, with
//! secrets masked that come in one piece.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Backend, Instance, RunningError, redactor};
use crate::base::process_ref::ProcessRef;
use crate::base::redact::RedactStream;
use crate::host::signals::{Shutdown, Signal};
use crate::host::streams::OutputSink;
use crate::host::tty::{self, PtyMaster, ResizeSignal, Size, Tty};
use crate::model::guard::{Gate, Guard, Passed, Starting};
use crate::model::identity::{Retention, Role};
use crate::model::inventory::Inventory;
use crate::systems::engine::{
    DebugCopy, EngineError, ExecRequest, TerminalExec, TerminalReader, TerminalWriter,
};
use crate::systems::native::{ExecSpec, NativeError, Process};

/// Delay of output that may be the beginning of a secret: too short for a user to notice, and long enough
/// for a program to write the rest.
const HELD: Duration = Duration::from_millis(30);
/// Default size of a terminal: rows and columns.
const USUAL: Size = (24, 80);
/// The shells to try, best first.
const SHELLS: [&str; 2] = ["bash", "sh"];

/// The user's side of the terminal.
#[derive(Debug, Clone)]
pub struct LocalTerminal<'a> {
    /// The output.
    pub screen: &'a OutputSink,
    /// The type of the terminal: `$TERM`.
    pub term: Option<&'a str>,
}

/// The end of an interactive command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellExit {
    /// The command ended with this code.
    Ended(i64),
    /// A signal came from outside.
    Stopped(Signal),
}

/// Runs the best available shell in a running component. For an ended component, the shell runs in a new
/// container like it, which belongs to `owner` and passes the guard as the first one did.
///
/// # Errors
/// Fails when there is no shell, or standard input is not a terminal.
pub async fn shell(
    instance: &Instance,
    workdir: Option<String>,
    person: LocalTerminal<'_>,
    owner: ProcessRef,
    rules: (&Guard, &Inventory),
    stop: &Shutdown,
) -> Result<ShellExit, RunningError> {
    if !instance.is_alive() {
        return beside_ended(instance, workdir, person, owner, rules, stop).await;
    }
    let shell = shell_of(instance).await?;
    interact(instance, vec![shell.to_owned()], workdir, person, stop).await
}

/// Returns the best available shell of a running component.
///
/// # Errors
/// Fails when there is none.
pub async fn shell_of(instance: &Instance) -> Result<&'static str, RunningError> {
    for shell in SHELLS {
        if has(instance, shell).await? {
            return Ok(shell);
        }
    }
    Err(RunningError::NoShell { name: instance.identity.name.clone(), tried: SHELLS.join("` nor `") })
}

/// Returns whether a shell exists and works.
async fn has(instance: &Instance, shell: &str) -> Result<bool, RunningError> {
    let command = Passed::own([shell, "-c", "exit 0"].map(str::to_owned).to_vec());
    match &instance.place {
        Backend::Container(engine, id) => {
            Ok(engine.exec(id, ExecRequest::new(command)).await?.wait().await? == 0)
        }
        Backend::Process(native, facts) => match native.exec(facts, &command, false) {
            Ok(mut process) => Ok(process.wait().await? == 0),
            Err(NativeError::MissingProgram { .. } | NativeError::NotExecutable { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        },
    }
}

/// Runs a command on the user's terminal, to its end.
///
/// # Errors
/// Fails when standard input is not a terminal, or the command cannot be run.
pub async fn interact(
    instance: &Instance,
    command: Vec<String>,
    workdir: Option<String>,
    person: LocalTerminal<'_>,
    stop: &Shutdown,
) -> Result<ShellExit, RunningError> {
    let (terminal, resized) = Tty::take().map_err(RunningError::Terminal)?;
    let size = terminal.size().unwrap_or(USUAL);
    let far = RemoteTerminal::begin(instance, command, workdir, person.term, size).await?;
    proxy_io(instance, far, (terminal, resized), person, stop).await
}

/// Runs a shell in a new container like an ended one.
async fn beside_ended(
    instance: &Instance,
    workdir: Option<String>,
    person: LocalTerminal<'_>,
    owner: ProcessRef,
    (guard, inventory): (&Guard, &Inventory),
    stop: &Shutdown,
) -> Result<ShellExit, RunningError> {
    let name = &instance.identity.name;
    let Backend::Container(engine, id) = &instance.place else {
        return Err(RunningError::Ended { name: name.clone() });
    };
    let (terminal, resized) = Tty::take().map_err(RunningError::Terminal)?;
    let size = terminal.size().unwrap_or(USUAL);
    let mut who = instance.identity.clone();
    let container = format!("cki-{}-{name}-shell-{}", who.run, owner.pid);
    (who.owner, who.lifetime, who.role) = (owner, Retention::Owner, Role::Service);
    who.name = format!("{name}-shell");
    let [best, other] = SHELLS;
    let script = format!("command -v {best} >/dev/null 2>&1 && exec {best}; exec {other}");
    let twin = DebugCopy {
        name: &container,
        labels: who.to_labels(),
        command: vec![other.to_owned(), "-c".to_owned(), script],
        workdir,
        term: person.term,
    };
    let created = engine.create_twin(id, twin).await?;
    let gate = Gate::new(guard, inventory, &instance.allowed);
    let is_component = instance.identity.role == Role::Component;
    let starting = Starting { name, source: "in its new container", is_component };
    let begun = async {
        let passed = gate.pass(engine.inside(&created).await?, starting)?;
        engine.start_on_terminal(&passed).await.map_err(|error| match error {
            EngineError::NoProgram { .. } => {
                RunningError::NoShell { name: name.clone(), tried: SHELLS.join("` nor `") }
            }
            error => error.into(),
        })
    };
    let (exec, reader, writer) = match begun.await {
        Ok(begun) => begun,
        Err(error) => {
            // The first error is the one to report.
            let _ = engine.remove(&created).await;
            return Err(error);
        }
    };
    exec.resize(size.0, size.1).await;
    proxy_io(
        instance,
        RemoteTerminal::Container(Box::new(exec), reader, writer),
        (terminal, resized),
        person,
        stop,
    )
    .await
}

/// Passes on input and output until the command ends.
async fn proxy_io(
    instance: &Instance,
    mut far: RemoteTerminal,
    (terminal, mut resized): (Tty, ResizeSignal),
    person: LocalTerminal<'_>,
    stop: &Shutdown,
) -> Result<ShellExit, RunningError> {
    let mut masked = Masked { stream: redactor(instance).await?.outside_stream(), screen: person.screen };
    let mut holds = false;
    let mut listens = true;
    loop {
        tokio::select! {
            shown = far.shown() => {
                let shown = shown.map_err(RunningError::Terminal)?;
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
                Ok(keys) if !keys.is_empty() => far.type_in(&keys).await,
                _ => listens = false,
            },
            () = resized.again() => if let Some(size) = terminal.size() {
                far.resize(size).await;
            },
            signal = stop.requested() => {
                drop(terminal);
                far.give_up().await?;
                return Ok(ShellExit::Stopped(signal));
            }
        }
    }
    masked.flush();
    drop(terminal);
    far.ended().await.map(ShellExit::Ended)
}

/// Output without secrets.
struct Masked<'a> {
    stream: RedactStream,
    screen: &'a OutputSink,
}

impl Masked<'_> {
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

/// The command's side of the terminal.
enum RemoteTerminal {
    Container(Box<TerminalExec>, TerminalReader, TerminalWriter),
    Process(Box<Process>, PtyMaster),
}

impl RemoteTerminal {
    async fn begin(
        instance: &Instance,
        command: Vec<String>,
        workdir: Option<String>,
        term: Option<&str>,
        size: Size,
    ) -> Result<Self, RunningError> {
        let command = Passed::typed(command);
        match &instance.place {
            Backend::Container(engine, id) => {
                let (exec, reader, writer) = engine.exec_on_terminal(id, command, workdir, term).await?;
                exec.resize(size.0, size.1).await;
                Ok(Self::Container(Box::new(exec), reader, writer))
            }
            Backend::Process(native, facts) => {
                let (inner, screen) = tty::open(size).map_err(RunningError::Terminal)?;
                let workdir = workdir.map(Into::into);
                let beside =
                    ExecSpec { command: &command, workdir, input: false, terminal: Some(inner), term };
                Ok(Self::Process(Box::new(native.beside(facts, beside)?), screen))
            }
        }
    }

    /// Returns the next output; empty at the end.
    async fn shown(&mut self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Container(_, reader, _) => {
                let mut buffer = Vec::with_capacity(16 << 10);
                reader.read_buf(&mut buffer).await?;
                Ok(buffer)
            }
            Self::Process(_, screen) => screen.shown().await,
        }
    }

    /// Passes on keys; the end of a command is noticed elsewhere, so a failure is ignored.
    async fn type_in(&mut self, keys: &[u8]) {
        let _ = match self {
            Self::Container(_, _, writer) => writer.write_all(keys).await,
            Self::Process(_, screen) => screen.type_in(keys).await,
        };
    }

    async fn resize(&self, size: Size) {
        match self {
            Self::Container(exec, ..) => exec.resize(size.0, size.1).await,
            Self::Process(_, screen) => screen.resize(size),
        }
    }

    /// Ends the command after the user has gone.
    async fn give_up(self) -> Result<(), RunningError> {
        match self {
            Self::Container(exec, ..) => Ok(exec.remove().await?),
            Self::Process(mut process, _) => {
                process.kill()?;
                process.wait().await?;
                Ok(())
            }
        }
    }

    async fn ended(self) -> Result<i64, RunningError> {
        match self {
            Self::Container(exec, ..) => Ok(exec.wait().await?),
            Self::Process(mut process, _) => Ok(process.wait().await?.into()),
        }
    }
}
