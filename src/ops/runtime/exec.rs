//! Commands in an instance. Those on a terminal are in `terminal`.

use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _};

use super::error::InstanceError;
use super::instance::{Backend, Instance};
use super::relay::Pieces;
use crate::model::container::{ContainerInspect, ExecSettings};
use crate::model::guard::{GatePass, PolicyViolation};
use crate::systems::engine::{ContainerEngine, CopyExec, DebugCopy, Exec, ExecRequest, Input, OutputStream};
use crate::systems::native::{ExecSpec, NativeError, Process, ProcessFacts};

/// Maximum bytes of a command's output to keep.
const KEPT_OUTPUT: usize = 400;

/// A running command. Dropping it ends the command and its child processes.
pub(in crate::ops) enum Execution {
    Container(Box<Exec>),
    /// A new container that exists only for the command.
    Copy(Box<CopyExec>),
    Process(Box<Process>),
}

impl Instance {
    /// Runs a command in it.
    ///
    /// # Errors
    /// Fails when it has ended.
    pub(in crate::ops) async fn exec(&self, request: ExecRequest) -> Result<Execution, InstanceError> {
        match &self.backend {
            Backend::Container(engine, id) => {
                Ok(Execution::Container(Box::new(engine.exec(id, request).await?)))
            }
            Backend::Process(native, facts) => {
                let ExecRequest { command, stdin, settings } = request;
                let ExecSettings { workdir, user, environment } = settings;
                check_user(facts, user)?;
                let spec = ExecSpec {
                    command: &command,
                    workdir: workdir.map(PathBuf::from),
                    environment,
                    input: stdin.is_some(),
                    terminal: None,
                    term: None,
                };
                let mut process = native.exec(facts, spec)?;
                if let (Some(mut stdin), Some(mut input)) = (stdin, process.input()) {
                    // The task ends with the input or the command, whichever ends first.
                    tokio::spawn(async move { tokio::io::copy(&mut stdin, &mut input).await });
                }
                Ok(Execution::Process(Box::new(process)))
            }
        }
    }

    /// Runs a command in it, and returns the exit code and the end of the output.
    ///
    /// # Errors
    /// Fails when the command cannot be run.
    pub(in crate::ops) async fn run_command(
        &self,
        command: &GatePass<Vec<String>>,
    ) -> Result<(i64, String), InstanceError> {
        let mut execution = self.exec(ExecRequest::new(command.clone())).await?;
        let mut kept = Vec::new();
        let mut output = execution.output();
        while let Some((_, bytes)) = output.try_next().await? {
            kept.extend_from_slice(&bytes);
            let excess = kept.len().saturating_sub(KEPT_OUTPUT);
            kept.drain(..excess);
        }
        drop(output);
        Ok((execution.wait().await?, String::from_utf8_lossy(&kept).trim().to_owned()))
    }

    /// Returns whether a command exists in it and succeeds.
    ///
    /// # Errors
    /// Fails when the instance has ended.
    pub(in crate::ops) async fn succeeds(
        &self,
        command: GatePass<Vec<String>>,
    ) -> Result<bool, InstanceError> {
        match self.exec(ExecRequest::new(command)).await {
            Ok(execution) => Ok(execution.wait().await? == 0),
            Err(InstanceError::Native(
                NativeError::MissingProgram { .. } | NativeError::NotExecutable { .. },
            )) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Instance {
    /// Runs a command with some input in a new container like this one, as `copy_on_terminal` does.
    ///
    /// # Errors
    /// Fails when this is no container, or the guard or the engine refuses.
    pub(in crate::ops) async fn copy_with_input(
        &self,
        copy: DebugCopy<'_>,
        pass: impl FnOnce(ContainerInspect) -> Result<GatePass<ContainerInspect>, PolicyViolation>,
        stdin: Input,
    ) -> Result<Execution, InstanceError> {
        let copy = DebugCopy { terminal: false, ..copy };
        let begin =
            async |engine: &ContainerEngine, passed| Ok(engine.start_with_input(&passed, stdin).await?);
        Ok(Execution::Copy(Box::new(self.copy(copy, pass, begin).await?)))
    }

    /// Starts a new container like this one, which has ended, if it passes the guard.
    pub(super) async fn copy<T>(
        &self,
        copy: DebugCopy<'_>,
        pass: impl FnOnce(ContainerInspect) -> Result<GatePass<ContainerInspect>, PolicyViolation>,
        begin: impl AsyncFnOnce(&ContainerEngine, GatePass<ContainerInspect>) -> Result<T, InstanceError>,
    ) -> Result<T, InstanceError> {
        let (engine, id) = match &self.backend {
            Backend::Container(engine, id) => (engine, id),
            Backend::Process(_, facts) => {
                return Err(InstanceError::Ended { name: facts.identity.name.clone() });
            }
        };
        let created = engine.create_twin(id, copy).await?;
        let begun = async { begin(engine, pass(engine.inside(&created).await?)?).await };
        match begun.await {
            Ok(begun) => Ok(begun),
            Err(error) => {
                // The first error is the one to report.
                let _ = engine.remove(&created).await;
                Err(error)
            }
        }
    }
}

impl Execution {
    /// Returns its output. Read it to the end, or the command blocks.
    pub(in crate::ops) fn output(&mut self) -> Pieces<'_, InstanceError> {
        match self {
            Self::Container(exec) => pieces(&mut exec.output),
            Self::Copy(exec) => pieces(&mut exec.output),
            Self::Process(process) => match process.output() {
                Some(output) => output.map(Ok).boxed(),
                None => futures_util::stream::empty().boxed(),
            },
        }
    }

    /// Waits for its end, and returns the exit code.
    ///
    /// # Errors
    /// Fails when the code is not known.
    pub(in crate::ops) async fn wait(self) -> Result<i64, InstanceError> {
        match self {
            Self::Container(exec) => Ok(exec.wait().await?),
            Self::Copy(exec) => Ok(exec.wait().await?),
            Self::Process(mut process) => Ok(process.wait().await?.into()),
        }
    }

    /// Ends it, and its child processes.
    ///
    /// # Errors
    /// Fails when the command cannot be ended.
    pub(in crate::ops) async fn end(self) -> Result<(), InstanceError> {
        match self {
            Self::Container(exec) => Ok(exec.end().await?),
            Self::Copy(exec) => Ok(exec.end().await?),
            Self::Process(mut process) => {
                process.kill()?;
                process.wait().await?;
                Ok(())
            }
        }
    }
}

/// Checks that no other user is wanted: a process of this machine runs as the user of `cki`.
pub(super) fn check_user(facts: &ProcessFacts, user: Option<String>) -> Result<(), InstanceError> {
    match user {
        None => Ok(()),
        Some(user) => Err(InstanceError::OtherUser { name: facts.identity.name.clone(), user }),
    }
}

fn pieces(output: &mut OutputStream) -> Pieces<'_, InstanceError> {
    futures_util::stream::unfold(output, |output| async {
        let next = output.next().await?.map(|chunk| (chunk.stream, chunk.bytes));
        Some((next.map_err(InstanceError::from), output))
    })
    .boxed()
}
