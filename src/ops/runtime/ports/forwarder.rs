//! The process that keeps the published ports of a detached unit open: it lives exactly as long as its
//! instance. It follows the instance through a restart, and ends a moment after the instance has ended or was
//! removed. Its record, by which other commands find it, is in `systems::native`.
//!
//! It knows nothing but what is in its assignment, and drops all rights but those to enter the instance's
//! network. It connects to the ports of its instance and to nothing else.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::forward::{Forward, room};
use crate::host::capabilities;
use crate::host::netns::{NetNs, process_of_container};
use crate::host::signals::Shutdown;
use crate::model::container::ContainerInspect;
use crate::model::identity::{ResourceLabels, RunId};
use crate::model::port::PublishedPort;
use crate::ops::runtime::dialer::Dialer;
use crate::ops::runtime::instance::{Backend, Instance};
use crate::systems::engine::{ContainerEngine, EngineError};
use crate::systems::native::{ForwarderChannel, Native, ProcessFacts, RegisteredForwarder, process_ended};

/// The hidden command that a forwarder runs.
pub const COMMAND: &str = "forward";
/// Time that an ended container has to be started again.
const RESTART: Duration = Duration::from_secs(5);
/// Interval between two looks at an ended container, and at one whose process is not visible.
const LOOK: Duration = Duration::from_millis(100);
const SLOW_LOOK: Duration = Duration::from_secs(1);

/// Instructions for a forwarder.
#[derive(Debug, Serialize, Deserialize)]
struct ForwarderAssignment {
    /// Labels of the instance.
    labels: BTreeMap<String, String>,
    /// Ports, as in a label; a listening socket comes for each.
    ports: String,
    /// Directory of native runs, next to which the record is.
    directory: PathBuf,
    /// `None` for a process of this machine.
    container: Option<ContainerTarget>,
}

/// A container to which a forwarder leads.
#[derive(Debug, Serialize, Deserialize)]
struct ContainerTarget {
    /// Its ID.
    id: String,
    /// Address of its engine.
    engine: String,
    /// The forwarder connects from within its network.
    enters: bool,
}

/// Starts a forwarder to an instance, with these ports and their listening sockets.
pub(super) async fn start(
    native: &Native,
    identity: &ResourceLabels,
    instance: &Instance,
    ports: &[PublishedPort],
    sockets: Vec<OwnedFd>,
) -> io::Result<()> {
    let container = match &instance.backend {
        Backend::Container(engine, id) => Some(ContainerTarget {
            id: id.clone(),
            engine: engine.address().to_owned(),
            enters: matches!(instance.dialer(), Dialer::Inside(..)),
        }),
        Backend::Process(..) => None,
    };
    let assignment = ForwarderAssignment {
        labels: identity.to_labels(),
        ports: PublishedPort::to_label(ports),
        directory: native.directory().to_owned(),
        container,
    };
    let message = serde_json::to_vec(&assignment).map_err(io::Error::other)?;
    let (run, name) = (identity.run.to_string(), identity.name.clone());
    let start = move || Native::start_forwarder(&[COMMAND, run.as_str(), name.as_str()], &message, &sockets);
    tokio::task::spawn_blocking(start).await.map_err(io::Error::other)?
}

/// Runs as a forwarder for a unit of a run: takes its assignment from standard input, and returns after the end
/// of the instance.
///
/// # Errors
/// Fails when standard input has no assignment for this unit, or the instance cannot be reached.
pub fn run(run: &str, name: &str) -> anyhow::Result<()> {
    let mut channel = ForwarderChannel::open()?;
    let assignment: ForwarderAssignment = serde_json::from_slice(&channel.message()?)?;
    let identity = ResourceLabels::from_labels(&assignment.labels)
        .filter(|identity| RunId::parse(run).as_ref() == Some(&identity.run) && identity.name == name);
    let identity = identity.ok_or_else(|| anyhow::anyhow!("the assignment is for another unit"))?;
    let ports = PublishedPort::from_label(&assignment.ports);
    let sockets = ports.iter().map(|_| channel.socket()).collect::<io::Result<Vec<_>>>()?;
    confine()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let ready = Forwarder::open(assignment, &identity, &ports, sockets).await;
        channel.answer(ready.as_ref().map(drop).map_err(|error| format!("{error:#}")))?;
        let stop = Shutdown::listen()?;
        tokio::select! {
            () = ready?.until_end() => {}
            _ = stop.requested() => {}
        }
        anyhow::Ok(())
    })?;
    // Connections end with this process; nobody waits for the threads that open new ones.
    runtime.shutdown_background();
    Ok(())
}

/// Drops all rights but that to enter networks, and allows as many open files as possible.
fn confine() -> nix::Result<()> {
    prctl::set_no_new_privs()?;
    capabilities::keep_only(capabilities::held(capabilities::SYS_ADMIN | capabilities::SYS_PTRACE))?;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)
}

/// A forwarder that works.
struct Forwarder {
    forwards: Vec<Forward>,
    target: Target,
    _record: RegisteredForwarder,
}

/// The instance of a forwarder.
enum Target {
    Process(u32),
    Container { target: ContainerTarget, address: IpAddr, process: u32 },
}

/// The state of a container.
enum ContainerLook {
    /// It runs, with this main process.
    Running(Dialer, u32),
    /// It has ended, or its engine does not answer.
    Ended,
    /// It does not exist.
    Removed,
}

impl Forwarder {
    async fn open(
        assignment: ForwarderAssignment,
        identity: &ResourceLabels,
        ports: &[PublishedPort],
        sockets: Vec<OwnedFd>,
    ) -> anyhow::Result<Self> {
        let native = Native::at(&assignment.directory);
        let engine = assignment.container.as_ref().map(|container| container.engine.clone());
        let room = room();
        let mut forwards = Vec::new();
        for (port, socket) in ports.iter().zip(sockets) {
            let listener = TcpListener::from_std(socket.into())?;
            forwards.push(Forward::open(listener, port.port, &room));
        }
        let (target, way) = match assignment.container {
            Some(mut target) => {
                let mut address = Ipv4Addr::LOCALHOST.into();
                let ContainerLook::Running(way, process) = look(&mut target, &mut address).await else {
                    anyhow::bail!("the container does not run");
                };
                (Target::Container { target, address, process }, way)
            }
            None => {
                let is_it = |facts: &&ProcessFacts| {
                    (&facts.identity.run, &facts.identity.name) == (&identity.run, &identity.name)
                };
                let all = native.list()?;
                let facts = all.iter().find(is_it).ok_or_else(|| anyhow::anyhow!("the process has ended"))?;
                (Target::Process(facts.supervisor()?), Dialer::Sandbox(native.space(facts)?))
            }
        };
        forwards.iter().for_each(|forward| forward.lead_to(&way));
        let _record = native.register_forwarder(identity, ports, engine.as_deref())?;
        Ok(Self { forwards, target, _record })
    }

    /// Forwards until the instance has ended for good.
    async fn until_end(mut self) {
        match &mut self.target {
            Target::Process(process) => {
                // Without a process, there is nothing to wait for.
                let _ = process_ended(*process).await;
            }
            Target::Container { target, address, process } => loop {
                if process_ended(*process).await.is_err() {
                    tokio::time::sleep(SLOW_LOOK).await;
                }
                let ended = Instant::now();
                let way = loop {
                    match look(target, address).await {
                        ContainerLook::Running(way, now) => {
                            *process = now;
                            break way;
                        }
                        ContainerLook::Removed => return,
                        ContainerLook::Ended if ended.elapsed() > RESTART => return,
                        ContainerLook::Ended => {
                            self.forwards.iter().for_each(|forward| forward.lead_to(&Dialer::Nothing));
                            tokio::time::sleep(LOOK).await;
                        }
                    }
                };
                self.forwards.iter().for_each(|forward| forward.lead_to(&way));
            },
        }
    }
}

/// Looks for a container at its engine. Without an engine, its processes show whether it runs: a Podman without
/// a service has none that outlives a command.
async fn look(target: &mut ContainerTarget, address: &mut IpAddr) -> ContainerLook {
    let Some(engine) = ContainerEngine::at(&target.engine).await else {
        return look_at_processes(target, *address);
    };
    let inside = match engine.inside(&target.id).await {
        Ok(inside) => inside,
        Err(EngineError::NotFound { .. }) => return ContainerLook::Removed,
        Err(_) => return look_at_processes(target, *address),
    };
    match inside.address {
        _ if inside.process == 0 => ContainerLook::Ended,
        Some(found) if !target.enters => ContainerLook::Running(Dialer::Address(found), visible(&inside)),
        None if !target.enters => ContainerLook::Ended,
        found => {
            *address = found.unwrap_or(Ipv4Addr::LOCALHOST.into());
            match Dialer::within(&target.id, &inside) {
                Dialer::Closed(_) => ContainerLook::Ended,
                way => ContainerLook::Running(way, visible(&inside)),
            }
        }
    }
}

fn look_at_processes(target: &ContainerTarget, address: IpAddr) -> ContainerLook {
    if !target.enters {
        return ContainerLook::Ended;
    }
    let process = process_of_container(&target.id, 0).unwrap_or_default();
    match NetNs::of_container(&target.id, process) {
        Ok(network) => ContainerLook::Running(Dialer::Inside(network, address), process),
        Err(_) => ContainerLook::Ended,
    }
}

/// Returns the PID of a container's process on this machine; 0 if none is visible.
fn visible(inside: &ContainerInspect) -> u32 {
    process_of_container(&inside.id, inside.process).unwrap_or_default()
}
