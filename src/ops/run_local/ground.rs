//! Where units run: containers on a network of their own, or processes in a space of their own.
//! The two differ in here and nowhere else in a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;

use super::RunError;
use super::handle::{Container, Handle, Output, Started};
use super::plan::Unit;
use crate::model::container::{ContainerSpec, Limits, Publish};
use crate::model::event::Stream;
use crate::model::identity::{Identity, Lifetime, Role, RunId, SECRETS};
use crate::model::probe::Ready;
use crate::ops::tools::Tools;
use crate::systems::engine::ContainerEngine;
use crate::systems::native::{Native, ProcessSpec, Space};

/// A component has no use for more processes.
const PROCESSES: u32 = 4096;

/// What a run may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// What it needs, and nothing else.
    #[default]
    Isolated,
    /// Whatever this machine reaches.
    Internet,
}

/// Where the units of one run are.
#[derive(Debug)]
pub(super) enum Ground {
    /// On a container engine.
    Containers {
        /// The engine.
        engine: ContainerEngine,
        /// The network's id.
        network: String,
        /// Nothing beyond the network is in reach, but this machine.
        internal: bool,
        /// Ports are published by the engine, since nothing else reaches the containers.
        by_engine: bool,
    },
    /// On this machine.
    Native {
        /// Its processes.
        native: Native,
        /// What they share.
        space: Space,
    },
}

/// Whose a unit is, and how long it is wanted.
pub(super) struct Belonging<'a> {
    pub(super) run: &'a RunId,
    pub(super) component: &'a str,
    pub(super) lifetime: Lifetime,
    pub(super) publish: bool,
}

impl Belonging<'_> {
    fn identity(&self, tools: &Tools<'_>, name: &str, role: Role) -> Identity {
        Identity {
            run: self.run.clone(),
            component: self.component.to_owned(),
            role,
            name: name.to_owned(),
            owner: tools.owner.clone(),
            lifetime: self.lifetime,
        }
    }
}

impl Ground {
    /// Makes the space of a run.
    pub(super) fn native(native: &Native) -> Self {
        Self::Native { native: native.clone(), space: Space::new() }
    }

    /// Makes the network of a run.
    pub(super) async fn containers(
        engine: &ContainerEngine,
        tools: &Tools<'_>,
        whose: &Belonging<'_>,
        network: Network,
        probes: bool,
    ) -> anyhow::Result<Self> {
        // Without a way in, ports can neither be asked nor forwarded, and the engine must publish them.
        let is_open = network == Network::Internet;
        let by_engine =
            (whose.publish && is_open) || ((probes || whose.publish) && !engine.reaches_containers().await?);
        if whose.publish && whose.lifetime == Lifetime::Kept && !by_engine {
            return Err(RunError::PublishDetached.into());
        }
        let internal = !is_open && !by_engine;
        let labels = whose.identity(tools, "network", Role::Service).to_labels();
        let id = engine.create_network(&format!("cki-{}", whose.run), labels, internal).await?;
        if by_engine && !is_open {
            tools.events.warn(
                "This engine's containers cannot be reached from here on a network of their own, so the \
                 run's network is open to the internet. Nothing of production is in its environment.",
            );
        }
        Ok(Self::Containers { engine: engine.clone(), network: id, internal, by_engine })
    }

    /// Starts a unit. Its output must be read, or it stands still.
    pub(super) async fn start(
        &self,
        unit: &Unit,
        image: Option<&str>,
        tools: &Tools<'_>,
        whose: &Belonging<'_>,
        locked: &BTreeMap<String, String>,
    ) -> anyhow::Result<(Handle, Option<Output>)> {
        match self {
            Self::Containers { engine, network, by_engine, .. } => {
                let image = image.ok_or_else(|| RunError::NoImage { name: unit.name.clone() })?;
                let mut spec = container(unit, image, network, tools, whose);
                if *by_engine {
                    spec.publish = ports_for_engine(unit, whose.publish);
                }
                let (mut container, output) = start(engine, &spec, unit, locked).await?;
                if *by_engine {
                    container.address = None;
                } else if whose.publish && unit.role == Role::Component {
                    container.forward(&unit.ports, &tools.events).await?;
                }
                Ok((Handle::Container(container), Some(output)))
            }
            Self::Native { native, space } => process(native, space, unit, tools, whose, locked).await,
        }
    }
}

/// The ports that the engine publishes: those that are asked whether the unit is ready, and the
/// component's own if the user wants them.
fn ports_for_engine(unit: &Unit, publish: bool) -> Vec<Publish> {
    let asked = match &unit.ready {
        Some(Ready::Http { port, .. } | Ready::Tcp(port)) => Some(*port),
        _ => None,
    };
    let own = unit.ports.iter().copied().filter(|_| publish && unit.role == Role::Component);
    let mut ports: Vec<u16> = asked.into_iter().chain(own).collect();
    ports.sort_unstable();
    ports.dedup();
    ports.into_iter().map(|port| Publish { container: port, host: None }).collect()
}

/// Creates, checks and starts a container, with its output attached from the first byte.
async fn start(
    engine: &ContainerEngine,
    spec: &ContainerSpec,
    unit: &Unit,
    locked: &BTreeMap<String, String>,
) -> anyhow::Result<(Container, Output)> {
    let id = engine.create(spec).await?;
    let output = engine.attach(&id).await?;
    if unit.role == Role::Component && !locked.is_empty() {
        check_locked(engine, &id, unit, locked).await?;
    }
    let program = unit.command.as_ref().and_then(|command| command.first().cloned());
    let what = Arc::new(Started { name: unit.name.clone(), program });
    engine.start(&id).await.map_err(|error| what.explain(error))?;
    let mut container = Container {
        engine: engine.clone(),
        id,
        what,
        address: None,
        ports: Vec::new(),
        forwards: Vec::new(),
    };
    if unit.ready.is_some() || !unit.ports.is_empty() {
        let inside = engine.inside(&container.id).await?;
        (container.address, container.ports) = (inside.address, inside.ports);
    }
    let output = futures_util::stream::unfold(output, |mut output| async {
        match output.next().await {
            Some(Ok(chunk)) => Some(((chunk.stream, chunk.bytes), output)),
            // An engine that is gone is noticed by whoever waits for the end of the container.
            _ => None,
        }
    });
    Ok((container, output.boxed()))
}

fn container(
    unit: &Unit,
    image: &str,
    network: &str,
    tools: &Tools<'_>,
    whose: &Belonging<'_>,
) -> ContainerSpec {
    let mut labels = whose.identity(tools, &unit.name, unit.role).to_labels();
    labels.insert(SECRETS.to_owned(), unit.secret.join(","));
    let is_component = unit.role == Role::Component;
    ContainerSpec {
        name: format!("cki-{}-{}", whose.run, unit.name),
        image: image.to_owned(),
        // A command of the inventory is a whole one: program first.
        entrypoint: unit.command.as_ref().filter(|_| is_component).map(|_| Vec::new()),
        command: unit.command.clone(),
        environment: unit.environment.clone(),
        workdir: unit.workdir.clone(),
        labels,
        network: Some((network.to_owned(), vec![unit.name.clone()])),
        volumes: unit.volumes.clone(),
        limits: Limits { unprivileged: is_component, memory: None, processes: Some(PROCESSES) },
        ..ContainerSpec::default()
    }
}

/// Reads back what the engine has understood: a container that could take itself for production is
/// never started.
async fn check_locked(
    engine: &ContainerEngine,
    id: &str,
    unit: &Unit,
    locked: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let inside = engine.inside(id).await?;
    for (name, wanted) in locked {
        let found = inside.environment.get(name);
        if found != Some(wanted) {
            return Err(RunError::Production {
                name: unit.name.clone(),
                variable: name.clone(),
                wanted: wanted.clone(),
                found: found.cloned(),
            }
            .into());
        }
    }
    Ok(())
}

async fn process(
    native: &Native,
    space: &Space,
    unit: &Unit,
    tools: &Tools<'_>,
    whose: &Belonging<'_>,
    locked: &BTreeMap<String, String>,
) -> anyhow::Result<(Handle, Option<Output>)> {
    let Some(command) = &unit.native else {
        return Err(
            RunError::NotNative { name: unit.name.clone(), is_service: unit.role == Role::Service }.into()
        );
    };
    let environment = command.environment.as_ref().unwrap_or(&unit.environment).clone();
    for (name, wanted) in locked.iter().filter(|_| unit.role == Role::Component) {
        let found = environment.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.expose());
        if found != Some(wanted) {
            return Err(RunError::Production {
                name: unit.name.clone(),
                variable: name.clone(),
                wanted: wanted.clone(),
                found: found.map(str::to_owned),
            }
            .into());
        }
    }
    let workdir = match &command.repo {
        Some(repo) => tools.workspace.place(tools.inventory, repo).path,
        None => PathBuf::from("/"),
    };
    let mut published = Vec::new();
    if whose.publish && unit.role == Role::Component {
        for port in &unit.ports {
            published.push(space.publish(*port, None).await?);
        }
    }
    let spec = ProcessSpec {
        identity: whose.identity(tools, &unit.name, unit.role),
        command: command.command.clone(),
        workdir,
        environment,
        secret: unit.secret.clone(),
        ports: published.iter().map(|one| (one.port, one.local)).collect(),
        detached: whose.lifetime == Lifetime::Kept,
    };
    let mut process = native.spawn(spec, space)?;
    let output = match (process.output(), process.facts()) {
        // One that goes on by itself writes its own log, and what it says is read from there.
        (None, Some(facts)) => {
            let log = native.logs(facts, true, None)?;
            Some(log.map(|bytes| (Stream::Stdout, bytes)).boxed())
        }
        (output, _) => output,
    };
    Ok((Handle::of_process(process, space, native, published), output))
}
