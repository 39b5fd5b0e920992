//! Units in containers, on a network of the run's own or on none. Creating the network is in `network`.

use std::sync::Arc;

use futures_util::StreamExt as _;

use super::config_hash;
use super::neighbours::Neighbours;
use super::network::{PortAccess, RunNetwork, prepare};
use super::reach::Reach;
use super::scope::RunScope;
use super::unit::Unit;
use crate::model::container::{ContainerInspect, ContainerSpec, Publish};
use crate::model::environment::DIRECTORY;
use crate::model::event::TaskOutcome;
use crate::model::guard::{Gate, GatePass, GateSubject, PolicyViolation};
use crate::model::identity::{ALLOWED, PORTS, READY, SECRETS};
use crate::model::port::PublishedPort;
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::dialer::Dialer;
use crate::ops::runtime::error::StartError;
use crate::ops::runtime::instance::Instance;
use crate::ops::runtime::started::{InstanceOutput, StartedInstance, StartedProgram};
use crate::ops::shared::op_context::OpContext;
use crate::systems::engine::{ContainerEngine, EngineError, OutputStream};

/// A network on a container engine.
#[derive(Debug)]
pub(in crate::ops) struct Containers {
    pub(super) engine: ContainerEngine,
    pub(super) network: RunNetwork,
    pub(super) neighbours: Neighbours,
}

impl Containers {
    /// Creates the network of a run.
    pub(super) async fn prepare(
        engine: &ContainerEngine,
        ctx: &OpContext<'_>,
        units: &[Unit],
        scope: &RunScope<'_>,
    ) -> anyhow::Result<Self> {
        let network = prepare(engine, ctx, units, scope).await?;
        ctx.events.start("network", "").finish(TaskOutcome::Done, network.describe(&Reach::of(units)));
        Ok(Self { engine: engine.clone(), network, neighbours: Neighbours::default() })
    }

    /// Starts a unit.
    pub(super) async fn start(
        &self,
        unit: &Unit,
        image: Option<&str>,
        ctx: &OpContext<'_>,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<(StartedInstance, Option<InstanceOutput>)> {
        let image = image.ok_or_else(|| StartError::NoImage { name: unit.name.clone() })?;
        if unit.retained {
            return self.start_retained(unit, image, ctx, scope).await;
        }
        let mut spec = container(unit, image, ctx, scope);
        self.network.join(&mut spec, unit);
        let way = self.network.way();
        let (started, output) = loop {
            let ports = scope.ports.of(&unit.name);
            if !ports.is_empty() {
                spec.labels.insert(PORTS.to_owned(), PublishedPort::to_label(&ports));
            }
            if self.network.engine_publishes() {
                spec.publish = ports_for_engine(unit, &ports, way);
                scope.ports.release(&unit.name, |_| true).await;
            }
            match self.start_container(&spec, unit, scope.gate, way).await {
                Ok(started) => break started,
                Err(error) => match error.downcast_ref() {
                    // Another program was quicker.
                    Some(EngineError::PortTaken { port, .. })
                        if scope.ports.move_on(&unit.name, *port, &ctx.events) =>
                    {
                        self.forget(unit, scope).await?;
                    }
                    _ => return Err(error),
                },
            }
        };
        let identity = scope.identity(ctx, &unit.component, &unit.name, unit.role);
        scope.ports.lead_to(&identity, &started.instance);
        Ok((started, Some(output)))
    }

    /// Records a started container, and checks that it reaches another one.
    pub(super) async fn meet(
        &self,
        name: &str,
        instance: &Instance,
        ctx: &OpContext<'_>,
    ) -> anyhow::Result<()> {
        let Some(id) = instance.container_id() else { return Ok(()) };
        self.neighbours.meet(&self.engine, &self.network, (name, id), ctx).await
    }

    /// Removes the remains of a unit that could not be started.
    pub(super) async fn forget(&self, unit: &Unit, scope: &RunScope<'_>) -> anyhow::Result<()> {
        Ok(self.engine.remove(&container_name(unit, scope)).await?)
    }

    /// Creates and starts a container, with its output attached from the first byte. In between, the
    /// engine's own description of the container passes the gate, with everything that the image adds.
    pub(super) async fn start_container(
        &self,
        spec: &ContainerSpec,
        unit: &Unit,
        gate: &Gate<'_>,
        way: PortAccess,
    ) -> anyhow::Result<(StartedInstance, InstanceOutput)> {
        let engine = &self.engine;
        let id = engine.create(spec).await?;
        let output = engine.attach(&id).await?;
        let passed = pass(engine.inside(&id).await?, unit, &spec.image, gate)?;
        let program = unit.command.as_ref().and_then(|command| command.first().cloned());
        let program = Arc::new(StartedProgram { name: unit.name.clone(), program });
        engine.start(&passed).await.map_err(|error| program.explain(error))?;
        let is_reached = unit.ready.is_some() || !unit.ports.is_empty() || !unit.dev.publish.is_empty();
        let dialer = match is_reached {
            true => Self::dialer(way, &id, &engine.inside(&id).await?),
            false => Dialer::Nothing,
        };
        Ok((StartedInstance::container(engine, &id, program, dialer), pieces(output)))
    }

    /// Returns the way to a started container.
    pub(super) fn dialer(way: PortAccess, id: &str, inside: &ContainerInspect) -> Dialer {
        match (way, inside.address) {
            (PortAccess::Publish, _) => Dialer::Published(inside.ports.clone()),
            (PortAccess::Dial, Some(address)) => Dialer::Address(address),
            (PortAccess::Dial, None) => Dialer::Nothing,
            (PortAccess::Enter, _) => Dialer::within(id, inside),
        }
    }
}

/// Returns the output of a container in pieces.
pub(super) fn pieces(output: OutputStream) -> InstanceOutput {
    let pieces = futures_util::stream::unfold(output, |mut output| async {
        match output.next().await {
            Some(Ok(chunk)) => Some((chunk.into(), output)),
            // The code that waits for the end of the container notices a lost engine.
            _ => None,
        }
    });
    pieces.boxed()
}

/// Returns the ports that the engine publishes: those of the run, and that of the readiness probe if it cannot
/// be asked otherwise.
pub(super) fn ports_for_engine(unit: &Unit, published: &[PublishedPort], way: PortAccess) -> Vec<Publish> {
    let asked = match &unit.ready {
        Some(ReadinessProbe::Http { port, .. } | ReadinessProbe::Tcp(port)) if way == PortAccess::Publish => {
            Some(*port)
        }
        _ => None,
    };
    let publish = |one: &PublishedPort| Publish { container: one.port, host: Some(one.local) };
    let mut ports: Vec<Publish> = published.iter().map(publish).collect();
    let asked = asked.filter(|port| !ports.iter().any(|one| one.container == *port));
    ports.extend(asked.map(|port| Publish { container: port, host: None }));
    ports
}

fn container_name(unit: &Unit, scope: &RunScope<'_>) -> String {
    format!("cki-{}-{}", scope.run, unit.name)
}

pub(super) fn container(
    unit: &Unit,
    image: &str,
    ctx: &OpContext<'_>,
    scope: &RunScope<'_>,
) -> ContainerSpec {
    let mut labels = scope.identity(ctx, &unit.component, &unit.name, unit.role).to_labels();
    labels.insert(SECRETS.to_owned(), unit.secret.join(","));
    let allowed = scope.gate.allowed();
    labels.extend((!allowed.is_empty()).then(|| (ALLOWED.to_owned(), allowed.join(","))));
    labels.extend(unit.ready.as_ref().map(|ready| (READY.to_owned(), ready.to_label())));
    labels.extend(config_hash::label(unit, image, scope));
    // Placeholder secrets are not in the container itself, but on a volume that is removed with it.
    let directory =
        unit.files.iter().any(|file| file.path.starts_with(DIRECTORY)).then(|| DIRECTORY.to_owned());
    ContainerSpec {
        name: container_name(unit, scope),
        image: image.to_owned(),
        // A command of the inventory is complete: it begins with the program.
        entrypoint: unit.command.as_ref().filter(|_| unit.replaces_entrypoint()).map(|_| Vec::new()),
        command: unit.command.clone(),
        environment: unit.environment.clone(),
        workdir: unit.workdir.clone(),
        labels,
        volumes: unit.volumes.iter().cloned().chain(directory).collect(),
        files: unit.files.clone(),
        limits: unit.limits.clone(),
        mounts: unit.dev.mounts.clone(),
        hidden: unit.dev.hidden(),
        copies: unit.dev.copies.clone(),
        ..ContainerSpec::default()
    }
}

/// Passes a container through the gate as the engine describes it.
pub(super) fn pass(
    inside: ContainerInspect,
    unit: &Unit,
    image: &str,
    gate: &Gate<'_>,
) -> Result<GatePass<ContainerInspect>, PolicyViolation> {
    let source = format!("in its container, of image {image}");
    gate.pass(inside, GateSubject { name: &unit.name, source: &source, is_component: unit.is_component })
}
