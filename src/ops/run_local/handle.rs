//! A started unit, in a container or a process: reaches, probes and stops it, and waits for its end.
//! Starting a unit is in `ground`.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};

use super::error::RunError;
use super::service_reuse::ServiceReuse;
use crate::model::container::Publish;
use crate::model::event::{Events, Stream};
use crate::model::guard::Passed;
use crate::ops::runtime::dialer::Dialer;
use crate::systems::engine::{ContainerEngine, EngineError, ExecRequest};
use crate::systems::native::{ExecSpec, Native, Process, ProcessFacts, ProcessLog, Published, Sandbox};

/// Maximum bytes of command output to keep.
const ANSWER: usize = 400;

/// Pieces of output.
pub(super) type HandleOutput = BoxStream<'static, (Stream, bytes::Bytes)>;

/// A started unit.
pub(super) enum Handle {
    ContainerHandle(Box<ContainerHandle>),
    Process(Box<Child>),
}

impl Handle {
    /// Returns the name and the ID of its container, if it has one.
    pub(super) fn neighbour(&self) -> Option<(String, String)> {
        match self {
            Self::ContainerHandle(container) => Some((container.what.name.clone(), container.id.clone())),
            Self::Process(_) => None,
        }
    }
}

/// A unit in a container.
pub(super) struct ContainerHandle {
    pub(super) engine: ContainerEngine,
    pub(super) id: String,
    /// The running unit.
    pub(super) what: Arc<Started>,
    /// The way to it.
    pub(super) reach: Dialer,
    /// Published ports: each in the container and on this machine.
    pub(super) ports: Vec<(u16, u16)>,
    /// Ports that this program forwards.
    pub(super) forwards: Vec<Forward>,
    /// The origin of a service that outlives the run.
    pub(super) kept: Option<ServiceReuse>,
}

/// A unit, with its program where the inventory names it.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) name: String,
    pub(super) program: Option<String>,
}

impl Started {
    /// Names a missing program in an error; engines speak of an ID and of their own init instead.
    pub(super) fn explain(&self, error: EngineError) -> anyhow::Error {
        let missing = match &error {
            EngineError::NoProgram { .. } => "is not in its image",
            EngineError::NotExecutable { .. } => "in its image cannot be executed",
            _ => return error.into(),
        };
        match self.program.clone() {
            Some(program) => RunError::Program { name: self.name.clone(), program, missing }.into(),
            None => error.into(),
        }
    }
}

/// A unit as a process of this machine.
pub(super) struct Child {
    facts: Option<ProcessFacts>,
    orders: mpsc::Sender<ProcessCommand>,
    ended: watch::Receiver<Option<i64>>,
    _keeper: AbortOnDrop,
    space: Sandbox,
    native: Native,
    published: Vec<Published>,
    log: Option<ProcessLog>,
}

/// An order to the task that watches over a process.
#[derive(Debug, Clone, Copy)]
enum ProcessCommand {
    Terminate,
    Kill,
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
pub(super) struct Forward {
    port: u16,
    local: u16,
    task: JoinHandle<()>,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits for the end of a unit, independently of its other uses.
pub(super) enum ExitWaiter {
    ContainerHandle(ContainerEngine, String, Arc<Started>),
    Process(watch::Receiver<Option<i64>>),
}

impl ExitWaiter {
    /// Returns the exit code of the unit after its end. Dropping the future loses nothing.
    pub(super) async fn ended(&mut self) -> anyhow::Result<i64> {
        match self {
            Self::ContainerHandle(engine, id, what) => {
                engine.wait(id).await.map_err(|error| what.explain(error))
            }
            Self::Process(ended) => {
                let code = ended.wait_for(Option::is_some).await.context("nobody watches the process")?;
                Ok(code.unwrap_or_default())
            }
        }
    }
}

impl Handle {
    /// Watches over a started process. Must be called within the runtime.
    pub(super) fn of_process(
        process: Process,
        space: &Sandbox,
        native: &Native,
        published: Vec<Published>,
    ) -> Self {
        let (facts, log) = (process.facts().cloned(), process.log());
        let (orders, inbox) = mpsc::channel(4);
        let (tell, ended) = watch::channel(None);
        let keeper = AbortOnDrop(tokio::spawn(keep(process, inbox, tell)).abort_handle());
        let (space, native) = (space.clone(), native.clone());
        Self::Process(Box::new(Child {
            facts,
            orders,
            ended,
            _keeper: keeper,
            space,
            native,
            published,
            log,
        }))
    }

    /// Returns a waiter for the end of the unit.
    pub(super) fn waiter(&self) -> ExitWaiter {
        match self {
            Self::ContainerHandle(one) => {
                ExitWaiter::ContainerHandle(one.engine.clone(), one.id.clone(), one.what.clone())
            }
            Self::Process(child) => ExitWaiter::Process(child.ended.clone()),
        }
    }

    /// Returns the origin of a service that outlives the run.
    pub(super) fn kept(&self) -> Option<ServiceReuse> {
        match self {
            Self::ContainerHandle(container) => container.kept,
            Self::Process(_) => None,
        }
    }

    /// Stops the unit, and kills it after a grace period.
    pub(super) async fn stop(&self, grace: Duration) -> anyhow::Result<()> {
        match self {
            Self::ContainerHandle(container) => container.engine.stop(&container.id, grace).await?,
            Self::Process(child) => {
                // A unit that has ended takes no orders.
                let _ = child.orders.send(ProcessCommand::Terminate).await;
                if tokio::time::timeout(grace, self.waiter().ended()).await.is_err() {
                    let _ = child.orders.send(ProcessCommand::Kill).await;
                    self.waiter().ended().await?;
                }
            }
        }
        Ok(())
    }

    /// Removes an ended unit, so that the next one may have its name.
    pub(super) async fn remove(&mut self) -> anyhow::Result<()> {
        match self {
            Self::ContainerHandle(container) => {
                for mut forward in std::mem::take(&mut container.forwards) {
                    forward.task.abort();
                    // The port is free only after the task has ended.
                    let _ = (&mut forward.task).await;
                }
                container.engine.remove(&container.id).await?;
            }
            // A process removes everything when it ends.
            Self::Process(child) => {
                for published in std::mem::take(&mut child.published) {
                    published.close().await;
                }
            }
        }
        Ok(())
    }

    /// Returns a writer for the log of a process, which `cki logs` reads; an engine keeps the output of
    /// containers on its own.
    pub(super) fn log(&self) -> Option<impl Fn(&[u8]) + Send + use<>> {
        let Self::Process(child) = self else { return None };
        let log = child.log.clone()?;
        // An unwritable log must not end the run.
        Some(move |lines: &[u8]| drop(log.append(lines)))
    }

    /// Connects to a port of the unit.
    pub(super) async fn dial(&self, port: u16) -> io::Result<TcpStream> {
        match self {
            Self::ContainerHandle(container) => container.reach.dial(port).await,
            Self::Process(child) => child.space.connect(port).await,
        }
    }

    /// Runs a command in the unit, and returns its exit code and the end of its output.
    pub(super) async fn try_command(&self, command: &Passed<Vec<String>>) -> anyhow::Result<(i64, String)> {
        let mut said = Vec::new();
        let mut keep = |bytes: &[u8]| {
            said.extend_from_slice(bytes);
            let excess = said.len().saturating_sub(ANSWER);
            said.drain(..excess);
        };
        let code = match self {
            Self::ContainerHandle(container) => {
                let request = ExecRequest::new(command.clone());
                let mut exec = container.engine.exec(&container.id, request).await?;
                while let Some(chunk) = exec.output.next().await {
                    keep(&chunk?.bytes);
                }
                exec.wait().await?
            }
            Self::Process(child) => {
                let facts = child.facts.as_ref().context("the process has no directory")?;
                let mut inner = child.native.exec(facts, ExecSpec::new(command))?;
                if let Some(mut output) = inner.output() {
                    while let Some((_, bytes)) = output.next().await {
                        keep(&bytes);
                    }
                }
                i64::from(inner.wait().await?)
            }
        };
        Ok((code, String::from_utf8_lossy(&said).trim().to_owned()))
    }

    /// Returns ports of this machine that lead to the unit: each in the unit and here.
    pub(super) fn ports(&self) -> Vec<(u16, u16)> {
        match self {
            Self::ContainerHandle(container) => {
                let own = container.forwards.iter().map(|forward| (forward.port, forward.local));
                own.chain(container.ports.iter().copied()).collect()
            }
            Self::Process(child) => child.published.iter().map(|one| (one.port, one.local)).collect(),
        }
    }
}

impl ContainerHandle {
    /// Forwards ports of this machine to the container: the requested ones, else the same number if it is
    /// free.
    pub(super) async fn forward(&mut self, wanted: &[Publish], events: &Events) -> anyhow::Result<()> {
        for Publish { container: port, host } in wanted.iter().copied() {
            let failed = |source| RunError::Port { port: host.unwrap_or(port), source };
            let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, host.unwrap_or(port))).await {
                Ok(listener) => listener,
                Err(error) if host.is_some() => return Err(failed(error).into()),
                Err(error) => {
                    events.warn(format!(
                        "Port {port} of this machine cannot be used ({error}): taking a free one."
                    ));
                    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?
                }
            };
            let local = listener.local_addr().map_err(failed)?.port();
            let task = tokio::spawn(forward(listener, self.reach.clone(), port));
            self.forwards.push(Forward { port, local, task });
        }
        Ok(())
    }
}

/// Waits for the end of a process and passes orders on to it. Dropping this task ends the process.
async fn keep(
    mut process: Process,
    mut inbox: mpsc::Receiver<ProcessCommand>,
    tell: watch::Sender<Option<i64>>,
) {
    loop {
        tokio::select! {
            code = process.wait() => {
                // Its directory must be gone before its end is reported, so that the next process may
                // have its name.
                drop(process);
                tell.send_replace(Some(code.map_or(-1, i64::from)));
                return;
            }
            Some(order) = inbox.recv() => {
                // A process that has just ended needs no order; the branch above sees its end.
                let _ = match order {
                    ProcessCommand::Terminate => process.terminate(),
                    ProcessCommand::Kill => process.kill(),
                };
            }
        }
    }
}

/// Accepts connections forever. Dropping the future closes them.
async fn forward(listener: TcpListener, target: Dialer, port: u16) {
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
