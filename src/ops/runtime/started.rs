//! An instance that this program has started: waits for its end, forwards ports of this machine to it, and
//! stops it. Starting it is in `start`.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::stream::BoxStream;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use super::dialer::Dialer;
use super::error::StartError;
use super::instance::Instance;
use super::start::service_reuse::ServiceReuse;
use crate::model::container::Publish;
use crate::model::event::{Events, Stream};
use crate::systems::engine::{ContainerEngine, EngineError};
use crate::systems::native::{Native, Process, ProcessLog, Published, Sandbox};

/// Pieces of output.
pub(in crate::ops) type InstanceOutput = BoxStream<'static, (Stream, bytes::Bytes)>;

/// An instance that this program has started, or uses again.
pub(in crate::ops) struct StartedInstance {
    /// The container or process.
    pub(in crate::ops) instance: Instance,
    /// The origin of a service that outlives the run.
    pub(in crate::ops) reuse: Option<ServiceReuse>,
    exit: ExitWaiter,
    /// Ports that the engine publishes: each in the instance and on this machine.
    ports: Vec<(u16, u16)>,
    /// Ports that this program forwards.
    forwards: Vec<Forward>,
    /// Ports of a process that this program forwards.
    published: Vec<Published>,
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

/// A port of this machine that `cki` forwards until this is dropped.
#[derive(Debug)]
struct Forward {
    port: u16,
    local: u16,
    task: JoinHandle<()>,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
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
    /// Returns a started container, with the way to its ports and those that the engine publishes.
    pub(super) fn container(
        engine: &ContainerEngine,
        id: &str,
        program: Arc<StartedProgram>,
        dialer: Dialer,
        ports: Vec<(u16, u16)>,
    ) -> Self {
        Self {
            instance: Instance::container(engine, id).reached_by(dialer),
            reuse: None,
            exit: ExitWaiter::Container(engine.clone(), id.to_owned(), program),
            ports,
            forwards: Vec::new(),
            published: Vec::new(),
            log: None,
            _watcher: None,
        }
    }

    /// Watches over a started process. Must be called within the runtime.
    pub(super) fn process(
        process: Process,
        sandbox: &Sandbox,
        native: &Native,
        published: Vec<Published>,
    ) -> anyhow::Result<Self> {
        let facts = process.facts().cloned().context("the process has no directory")?;
        let log = process.log();
        let (tell, ended) = watch::channel(None);
        let watcher = tokio::spawn(watch_over(process, tell));
        Ok(Self {
            instance: Instance::process(native, facts).reached_by(Dialer::Sandbox(sandbox.clone())),
            reuse: None,
            exit: ExitWaiter::Process(ended),
            ports: Vec::new(),
            forwards: Vec::new(),
            published,
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

    /// Removes it after its end, so that the next one may have its name and ports.
    ///
    /// # Errors
    /// Fails when something of it is left.
    pub(in crate::ops) async fn remove(&mut self) -> anyhow::Result<()> {
        for mut forward in std::mem::take(&mut self.forwards) {
            forward.task.abort();
            // The port is free only after the task has ended.
            let _ = (&mut forward.task).await;
        }
        for published in std::mem::take(&mut self.published) {
            published.close().await;
        }
        Ok(self.instance.remove().await?)
    }

    /// Returns a writer for its log, which `cki logs` reads, unless its engine records the output itself.
    pub(in crate::ops) fn log(&self) -> Option<impl Fn(&[u8]) + Send + use<>> {
        let log = self.log.clone()?;
        // An unwritable log must not end the run.
        Some(move |lines: &[u8]| drop(log.append(lines)))
    }

    /// Returns ports of this machine that lead to it: each in the instance and here.
    pub(in crate::ops) fn ports(&self) -> Vec<(u16, u16)> {
        let forwards = self.forwards.iter().map(|forward| (forward.port, forward.local));
        let published = self.published.iter().map(|one| (one.port, one.local));
        forwards.chain(published).chain(self.ports.iter().copied()).collect()
    }

    /// Forwards ports of this machine to it: the requested ones, else the same number if it is free.
    ///
    /// # Errors
    /// Fails when a requested port is not free.
    pub(super) async fn forward(&mut self, wanted: &[Publish], events: &Events) -> Result<(), StartError> {
        for Publish { container: port, host } in wanted.iter().copied() {
            let failed = |source| StartError::Port { port: host.unwrap_or(port), source };
            let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, host.unwrap_or(port))).await {
                Ok(listener) => listener,
                Err(error) if host.is_some() => return Err(failed(error)),
                Err(error) => {
                    events.warn(format!(
                        "Port {port} of this machine cannot be used ({error}): taking a free one."
                    ));
                    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?
                }
            };
            let local = listener.local_addr().map_err(failed)?.port();
            let task = tokio::spawn(forward(listener, self.instance.clone(), port));
            self.forwards.push(Forward { port, local, task });
        }
        Ok(())
    }
}

/// Waits for the end of a process. Dropping this task ends the process.
async fn watch_over(mut process: Process, tell: watch::Sender<Option<i64>>) {
    let code = process.wait().await;
    // Its directory must be gone before its end is reported, so that the next process may have its name.
    drop(process);
    tell.send_replace(Some(code.map_or(-1, i64::from)));
}

/// Accepts connections forever. Dropping the future closes them.
async fn forward(listener: TcpListener, target: Instance, port: u16) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((mut outside, _)) = accepted else {
                    // Accepting failed, for example at the limit of open files: other connections must
                    // end first.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let target = target.clone();
                connections.spawn(async move {
                    if let Ok(mut inside) = target.dial(port).await {
                        // Either side may disconnect at any time.
                        let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
