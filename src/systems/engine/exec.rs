//! Commands in a running container.

use std::pin::Pin;
use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use tokio::io::AsyncWriteExt as _;

use super::container::short;
use super::error::EngineError;
use super::exec_request::{ExecRequest, Input};
use super::mark::{Ender, Mark};
use super::output::OutputStream;
use super::{ContainerEngine, QUICK, SLOW};

/// A command that runs. It is ended when this is dropped before [`Exec::wait`] has returned.
#[derive(Debug)]
pub struct Exec {
    /// What it writes. Read it to its end, or the command stands still.
    pub output: OutputStream,
    id: String,
    ender: Option<Ender>,
    mark: Mark,
}

impl ContainerEngine {
    /// Runs a command in a running container.
    ///
    /// # Errors
    /// When the container does not run. A program that is not there is no error but exit code 126
    /// or 127, with the reason in the output.
    pub async fn exec(&self, id: &str, request: ExecRequest) -> Result<Exec, EngineError> {
        let doing = format!("run a command in container `{}`", short(id));
        let mark = Mark::new();
        let options = CreateExecOptions::<String> {
            attach_stdin: Some(request.stdin.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            env: Some(vec![mark.variable()]),
            cmd: Some(request.command.into_inner()),
            working_dir: request.workdir,
            ..Default::default()
        };
        let exec = self.create_exec(id, options).await?;
        let options = StartExecOptions { output_capacity: Some(64 << 10), ..Default::default() };
        let started = self.call(&doing, SLOW, self.docker.start_exec(&exec, Some(options))).await;
        let StartExecResults::Attached { output, input } = started.map_err(|error| not_running(error, id))?
        else {
            return Err(EngineError::Nonsense { doing, message: "it ran it out of sight".to_owned() });
        };
        if let Some(stdin) = request.stdin {
            // It ends with the input or the command, whichever ends first.
            tokio::spawn(feed(stdin, input));
        }
        let output = OutputStream::watched(self, doing, output);
        let (engine, container) = (self.clone(), id.to_owned());
        let ender = Ender { engine, container, exec: Some(exec.clone()), mark: mark.clone() };
        Ok(Exec { output, id: exec, ender: Some(ender), mark })
    }
}

/// A command that reads no more is no error.
async fn feed(mut stdin: Input, mut input: Pin<Box<dyn tokio::io::AsyncWrite + Send>>) {
    let _ = tokio::io::copy(&mut stdin, &mut input).await;
    let _ = input.shutdown().await;
}

impl Exec {
    /// The exit code, once the output has ended; what is left of the output is read first.
    ///
    /// # Errors
    /// When the engine does not say, or says that the command still runs although its output is at
    /// an end.
    pub async fn wait(mut self) -> Result<i64, EngineError> {
        while let Some(chunk) = self.output.next().await {
            chunk?;
        }
        let Some(ender) = &self.ender else { return Ok(-1) };
        let code = ender.engine.exec_ended(&self.id, short(&ender.container)).await;
        self.ender = None;
        code
    }

    /// Ends it, and what it has started.
    ///
    /// # Errors
    /// Fails when it goes on.
    pub async fn end(mut self) -> Result<(), EngineError> {
        match self.ender.take() {
            Some(ender) => ender.end().await,
            None => Ok(()),
        }
    }

    /// The mark of the command and of its descendants.
    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }
}

impl Drop for Exec {
    /// Nobody waits for it: it ends in a task of its own, if there is still a runtime for that.
    fn drop(&mut self) {
        if let (Some(ender), Ok(runtime)) = (self.ender.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { ender.end().await });
        }
    }
}

impl ContainerEngine {
    /// Prepares a command in a container: its id.
    pub(super) async fn create_exec(
        &self,
        container: &str,
        options: CreateExecOptions<String>,
    ) -> Result<String, EngineError> {
        let doing = format!("run a command in container `{}`", short(container));
        let created = self.call(&doing, QUICK, self.docker.create_exec(container, options)).await;
        Ok(created.map_err(|error| not_running(error, container))?.id)
    }

    /// The exit code of a command whose output has ended.
    pub(super) async fn exec_ended(&self, id: &str, container: &str) -> Result<i64, EngineError> {
        let doing = format!("say how a command in container `{container}` ended");
        // A command may close its output a moment before it ends.
        let mut pause = Duration::from_millis(5);
        loop {
            let inspect = self.docker.inspect_exec(id);
            let facts = self.call(&doing, QUICK, inspect).await.map_err(|error| match error.status() {
                Some(404) => EngineError::NotRunning { container: container.to_owned() },
                _ => error,
            })?;
            if facts.running != Some(true) {
                return Ok(facts.exit_code.unwrap_or(-1));
            }
            // Its output has ended, and the exit code comes in a moment; there is no call that waits.
            pause = (pause * 2).min(Duration::from_millis(500));
            tokio::time::sleep(pause).await;
        }
    }
}

/// Engines have several words for a container that does not run.
pub(super) fn not_running(error: EngineError, container: &str) -> EngineError {
    let container = short(container).to_owned();
    match error.status() {
        _ if error.is_absence() => error.or_not_found(super::Thing::Container, &container),
        Some(409) => EngineError::NotRunning { container },
        _ if error.says(&["not running", "state improper"]) => EngineError::NotRunning { container },
        _ => error,
    }
}
