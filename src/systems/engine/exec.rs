//! Commands in a running container. Those with a terminal are `terminal`; ending a command is `mark`.

use std::pin::Pin;
use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use tokio::io::AsyncWriteExt as _;

use super::container::short;
use super::error::EngineError;
use super::exec_record::ExecRecord;
use super::exec_request::{ExecRequest, Input};
use super::mark::{Ender, Mark};
use super::output::OutputStream;
use super::{ContainerEngine, READ_TIMEOUT, WRITE_TIMEOUT};
use crate::model::container::ExecSettings;

/// A running command. It is ended if this is dropped before [`Exec::wait`] has returned.
#[derive(Debug)]
pub struct Exec {
    /// Its output. Read it to the end, or the command blocks.
    pub output: OutputStream,
    id: String,
    ender: Option<Ender>,
    mark: Mark,
}

impl ContainerEngine {
    /// Runs a command in a running container.
    ///
    /// # Errors
    /// Fails if the container does not run. A missing program is no error but exit code 126 or 127, with the
    /// reason in the output.
    pub async fn exec(&self, id: &str, request: ExecRequest) -> Result<Exec, EngineError> {
        self.exec_with(id, request, ExecRecord::write).await
    }

    /// Runs a short command of `cki` itself in a running container.
    pub(super) async fn exec_unrecorded(&self, id: &str, request: ExecRequest) -> Result<Exec, EngineError> {
        self.exec_with(id, request, |_, _, _, _| None).await
    }

    async fn exec_with(
        &self,
        id: &str,
        request: ExecRequest,
        record: impl FnOnce(&Self, &str, &str, &str) -> Option<ExecRecord>,
    ) -> Result<Exec, EngineError> {
        let doing = format!("run a command in container `{}`", short(id));
        let mark = Mark::new();
        let user = request.settings.user.clone();
        let options = CreateExecOptions::<String> {
            attach_stdin: Some(request.stdin.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(request.command.into_inner()),
            ..surroundings(request.settings, &mark)
        };
        let exec = self.create_exec(id, options).await?;
        let (engine, container, record) =
            (self.clone(), id.to_owned(), record(self, id, &exec, mark.as_str()));
        let ender = Ender { engine, container, exec: Some(exec.clone()), mark: mark.clone(), record, user };
        let options = StartExecOptions { output_capacity: Some(64 << 10), ..Default::default() };
        let started = self.call(&doing, WRITE_TIMEOUT, self.docker.start_exec(&exec, Some(options))).await;
        // A command that the engine refused has no processes.
        let started = started.inspect_err(|_| ender.forget());
        let StartExecResults::Attached { output, input } = started.map_err(|error| not_running(error, id))?
        else {
            return Err(EngineError::Nonsense { doing, message: "it ran it out of sight".to_owned() });
        };
        if let Some(stdin) = request.stdin {
            // The task ends with the input or the command, whichever ends first.
            tokio::spawn(feed(stdin, input));
        }
        let output = OutputStream::watched(self, doing, output);
        Ok(Exec { output, id: exec, ender: Some(ender), mark })
    }
}

/// Returns the options for the surroundings of a command with a mark.
pub(super) fn surroundings(settings: ExecSettings, mark: &Mark) -> CreateExecOptions<String> {
    let ExecSettings { workdir, user, environment } = settings;
    let variables = environment.iter().map(|(name, value)| format!("{name}={}", value.expose()));
    // The mark comes last: no other variable takes its place.
    let env = variables.chain([mark.variable()]).collect();
    CreateExecOptions { env: Some(env), working_dir: workdir, user, ..Default::default() }
}

/// Feeds a command's input. A command that stops reading is no error.
pub(super) async fn feed(mut stdin: Input, mut input: Pin<Box<dyn tokio::io::AsyncWrite + Send>>) {
    let _ = tokio::io::copy(&mut stdin, &mut input).await;
    let _ = input.shutdown().await;
}

impl Exec {
    /// Reads the rest of the output, and returns the exit code.
    ///
    /// # Errors
    /// Fails if the engine does not report it, or reports that the command still runs although its output is
    /// at an end.
    pub async fn wait(mut self) -> Result<i64, EngineError> {
        while let Some(chunk) = self.output.next().await {
            chunk?;
        }
        let Some(ender) = &self.ender else { return Ok(-1) };
        let code = ender.engine.exec_ended(&self.id, short(&ender.container)).await;
        if code.is_ok() {
            ender.forget();
        }
        self.ender = None;
        code
    }

    /// Ends it, and its descendants.
    ///
    /// # Errors
    /// Fails if the command continues.
    pub async fn end(mut self) -> Result<(), EngineError> {
        match self.ender.take() {
            Some(ender) => ender.end().await,
            None => Ok(()),
        }
    }

    /// Returns the mark of the command and of its descendants.
    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }
}

impl Drop for Exec {
    /// Ends an abandoned command in a separate task, if there is still a runtime for that.
    fn drop(&mut self) {
        if let (Some(ender), Ok(runtime)) = (self.ender.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { ender.end().await });
        }
    }
}

impl ContainerEngine {
    /// Prepares a command in a container, and returns its id.
    pub(super) async fn create_exec(
        &self,
        container: &str,
        options: CreateExecOptions<String>,
    ) -> Result<String, EngineError> {
        let doing = format!("run a command in container `{}`", short(container));
        let created = self.call(&doing, READ_TIMEOUT, self.docker.create_exec(container, options)).await;
        Ok(created.map_err(|error| not_running(error, container))?.id)
    }

    /// Returns the exit code of a command whose output has ended.
    pub(super) async fn exec_ended(&self, id: &str, container: &str) -> Result<i64, EngineError> {
        let doing = format!("say how a command in container `{container}` ended");
        // A command may close its output a moment before it ends.
        let mut pause = Duration::from_millis(5);
        loop {
            let inspect = || self.docker.inspect_exec(id);
            let facts = self.read(&doing, inspect).await.map_err(|error| match error.status() {
                Some(404) => EngineError::NotRunning { container: container.to_owned() },
                _ => error,
            })?;
            if facts.running != Some(true) {
                return Ok(facts.exit_code.unwrap_or(-1));
            }
            // The exit code comes a moment after the end of the output; the API has no call that waits for
            // it.
            pause = (pause * 2).min(Duration::from_millis(500));
            tokio::time::sleep(pause).await;
        }
    }
}

/// Recognises the engines' different errors for a container that does not run.
pub(super) fn not_running(error: EngineError, container: &str) -> EngineError {
    let container = short(container).to_owned();
    match error.status() {
        _ if error.is_absence() => error.or_not_found(super::ResourceKind::Container, &container),
        Some(409) => EngineError::NotRunning { container },
        _ if error.says(&["not running", "state improper"]) => EngineError::NotRunning { container },
        _ => error,
    }
}
