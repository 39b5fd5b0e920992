//! Units in containers, on a network of the run's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;

use super::{Belonging, Network};
use crate::model::container::{ContainerSpec, Publish};
use crate::model::event::State;
use crate::model::identity::{Lifetime, Role, SECRETS};
use crate::model::probe::Ready;
use crate::ops::run_local::RunError;
use crate::ops::run_local::handle::{Container, Handle, Output, Started};
use crate::ops::run_local::plan::RunPlan;
use crate::ops::run_local::unit::Unit;
use crate::ops::tools::Tools;
use crate::systems::engine::ContainerEngine;

/// A network on a container engine.
#[derive(Debug)]
pub(in crate::ops::run_local) struct Containers {
    engine: ContainerEngine,
    /// The network's id.
    network: String,
    /// Ports are published by the engine, since nothing else reaches the containers.
    by_engine: bool,
}

impl Containers {
    /// Makes the network of a run.
    pub(super) async fn lay(
        engine: &ContainerEngine,
        tools: &Tools<'_>,
        network: Network,
        plan: &RunPlan,
        whose: &Belonging<'_>,
    ) -> anyhow::Result<Self> {
        let probes = plan.units().any(|unit| matches!(unit.ready, Some(Ready::Tcp(_) | Ready::Http { .. })));
        // Without a way in, ports can neither be asked nor forwarded, and the engine must publish them.
        let is_open = network == Network::Internet;
        let by_engine =
            (whose.publish && is_open) || ((probes || whose.publish) && !engine.reaches_containers().await?);
        if whose.publish && whose.lifetime == Lifetime::Kept && !by_engine {
            return Err(RunError::PublishDetached.into());
        }
        let internal = !is_open && !by_engine;
        let labels = whose.identity(tools, plan.first(), "network", Role::Service).to_labels();
        let id = engine.create_network(&format!("cki-{}", whose.run), labels, internal).await?;
        if by_engine && !is_open {
            tools.events.warn(
                "This engine's containers cannot be reached from here on a network of their own, so the \
                 run's network is open to the internet. Nothing of production is in its environment.",
            );
        }
        tools.events.start("network", "").finish(State::Done, reach(internal, plan));
        Ok(Self { engine: engine.clone(), network: id, by_engine })
    }

    /// Starts a unit.
    pub(super) async fn start(
        &self,
        unit: &Unit,
        image: Option<&str>,
        tools: &Tools<'_>,
        whose: &Belonging<'_>,
        locked: &BTreeMap<String, String>,
    ) -> anyhow::Result<(Handle, Option<Output>)> {
        let image = image.ok_or_else(|| RunError::NoImage { name: unit.name.clone() })?;
        let mut spec = container(unit, image, &self.network, tools, whose);
        if self.by_engine {
            spec.publish = ports_for_engine(unit, whose.publish);
        }
        let (mut container, output) = start(&self.engine, &spec, unit, locked).await?;
        if self.by_engine {
            container.address = None;
        } else if whose.publish && unit.role == Role::Component {
            container.forward(&unit.ports, &tools.events).await?;
        }
        Ok((Handle::Container(container), Some(output)))
    }
}

/// What the units of a run reach, in words.
fn reach(internal: bool, plan: &RunPlan) -> String {
    // The address of this machine on the network of a run is in reach on both engines.
    let served = "what this machine serves on all its addresses";
    match (internal, plan.reach()) {
        (false, _) => "open: whatever this machine reaches".to_owned(),
        (true, reach) if reach.ends_with(" nothing") => format!("isolated: {reach} but {served}"),
        (true, reach) => format!("isolated: {reach}, and {served}"),
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
    let mut labels = whose.identity(tools, &unit.of, &unit.name, unit.role).to_labels();
    labels.insert(SECRETS.to_owned(), unit.secret.join(","));
    ContainerSpec {
        name: format!("cki-{}-{}", whose.run, unit.name),
        image: image.to_owned(),
        // A command of the inventory is a whole one: program first.
        entrypoint: unit.command.as_ref().filter(|_| unit.replaces_entrypoint()).map(|_| Vec::new()),
        command: unit.command.clone(),
        environment: unit.environment.clone(),
        workdir: unit.workdir.clone(),
        labels,
        network: Some((network.to_owned(), vec![unit.name.clone()])),
        volumes: unit.volumes.clone(),
        limits: unit.limits(),
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
