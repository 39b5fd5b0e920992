//! An instance that this program has started: waits for its end, and stops it. Starting it is in `start`, its
//! published ports are in `ports`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::stream::BoxStream;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::dialer::Dialer;
use super::error::StartError;
use super::instance::Instance;
use super::start::service_reuse::ServiceReuse;
use crate::model::event::Stream;
use crate::model::log::LogPiece;
use crate::systems::engine::{ContainerEngine, EngineError};
use crate::systems::native::{Native, Process, ProcessLog, Sandbox};

/// Pieces of output.
pub(in crate::ops) type InstanceOutput = BoxStream<'static, LogPiece>;

/// Complete lines of one stream, masked.
pub(in crate::ops) type LoggedLines = (Stream, Vec<u8>);

/// An instance that this program has started, or uses again.
pub(in crate::ops) struct StartedInstance {
    /// The container or process.
    pub(in crate::ops) instance: Instance,
    /// The origin of a service that outlives the run.
    pub(in crate::ops) reuse: Option<ServiceReuse>,
    exit: ExitWaiter,
    log: Option<ProcessLog>,
    _watcher: Option<AbortOnDrop>,
}

/// The name of a unit, with its program where the inventory names it.
#[derive(Debug)]
pub(in crate::ops) struct StartedProgram {
    pub(super) name: String,
    pub(super) program: Option<String>,
}

impl StartedProgram {
    /// Names a missing program in an error; engines speak of an ID and of their own init instead.
    pub(super) fn explain(&self, error: EngineError) -> anyhow::Error {
        let missing = match &error {
            EngineError::NoProgram { .. } => "is not in its image",
            EngineError::NotExecutable { .. } => "in its image cannot be executed",
            _ => return error.into(),
        };
        match self.program.clone() {
            Some(program) => StartError::Program { name: self.name.clone(), program, missing }.into(),
            None => error.into(),
        }
    }
}

/// A task that ends when this is dropped, and with it its process, unless that is detached.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for the end of an instance, independently of its other uses.
#[derive(Clone)]
pub(in crate::ops) enum ExitWaiter {
    Container(ContainerEngine, String, Arc<StartedProgram>),
    Process(watch::Receiver<Option<i64>>),
}

impl ExitWaiter {
    /// Returns the exit code of the instance after its end. Dropping the future loses nothing.
    pub(in crate::ops) async fn ended(&mut self) -> anyhow::Result<i64> {
        match self {
            Self::Container(engine, id, program) => {
                engine.wait(id).await.map_err(|error| program.explain(error))
            }
            Self::Process(ended) => {
                let code = ended.wait_for(Option::is_some).await.context("nobody watches the process")?;
                Ok(code.unwrap_or_default())
            }
        }
    }
}

impl StartedInstance {
    /// Returns a started container, with the way to its ports.
    pub(super) fn container(
        engine: &ContainerEngine,
        id: &str,
        program: Arc<StartedProgram>,
        dialer: Dialer,
    ) -> Self {
        Self {
            instance: Instance::container(engine, id).reached_by(dialer),
            reuse: None,
            exit: ExitWaiter::Container(engine.clone(), id.to_owned(), program),
            log: None,
            _watcher: None,
        }
    }

    /// Watches over a started process. Must be called within the runtime.
    pub(super) fn process(process: Process, sandbox: &Sandbox, native: &Native) -> anyhow::Result<Self> {
        let facts = process.facts().cloned().context("the process has no directory")?;
        let log = process.log();
        let (tell, ended) = watch::channel(None);
        let watcher = tokio::spawn(watch_over(process, tell));
        Ok(Self {
            instance: Instance::process(native, facts).reached_by(Dialer::Sandbox(sandbox.clone())),
            reuse: None,
            exit: ExitWaiter::Process(ended),
            log,
            _watcher: Some(AbortOnDrop(watcher.abort_handle())),
        })
    }

    /// Returns a waiter for its end.
    pub(in crate::ops) fn waiter(&self) -> ExitWaiter {
        self.exit.clone()
    }

    /// Stops it, and kills it after a grace period. Returns after its end.
    ///
    /// # Errors
    /// Fails when it cannot be stopped.
    pub(in crate::ops) async fn stop(&self, grace: Duration) -> anyhow::Result<()> {
        self.instance.stop(grace).await?;
        if matches!(self.exit, ExitWaiter::Process(_)) {
            // Its directory is gone a moment after its end.
            self.waiter().ended().await?;
        }
        Ok(())
    }

    /// Removes it after its end, so that the next one may have its name.
    ///
    /// # Errors
    /// Fails when something of it is left.
    pub(in crate::ops) async fn remove(&self) -> anyhow::Result<()> {
        Ok(self.instance.remove().await?)
    }

    /// Returns a writer for its log, which `cki logs` reads, unless its engine records the output itself.
    pub(in crate::ops) fn log(&self) -> Option<impl Fn(&[LoggedLines]) + Send + use<>> {
        let log = self.log.clone()?;
        // An unwritable log must not end the run.
        Some(move |output: &[LoggedLines]| {
            drop(log.append(output.iter().map(|(stream, bytes)| (*stream, bytes.as_slice()))));
        })
    }
}

/// Waits for the end of a process. Dropping this task ends the process.
async fn watch_over(mut process: Process, tell: watch::Sender<Option<i64>>) {
    let code = process.wait().await;
    // Its directory must be gone before its end is reported, so that the next process may have its name.
    drop(process);
    tell.send_replace(Some(code.map_or(-1, i64::from)));
}
