//! Units in containers, on a network of the run's own or on none. Creating the network is in `network`.

use std::sync::Arc;

use futures_util::StreamExt as _;

use super::neighbours::Neighbours;
use super::network::{PortAccess, RunNetwork, prepare};
use crate::model::container::{ContainerInspect, ContainerSpec, Publish};
use crate::model::environment::DIRECTORY;
use crate::model::event::TaskOutcome;
use crate::model::guard::{Gate, Passed, PolicyViolation, Starting};
use crate::model::identity::{ALLOWED, READY, SECRETS};
use crate::model::probe::ReadinessProbe;
use crate::ops::run_local::handle::{ContainerHandle, Handle, HandleOutput, Started};
use crate::ops::run_local::plan::RunPlan;
use crate::ops::run_local::request::Network;
use crate::ops::run_local::scope::RunScope;
use crate::ops::run_local::unit::Unit;
use crate::ops::run_local::{RunError, config_hash};
use crate::ops::runtime::dialer::Dialer;
use crate::ops::shared::op_context::OpContext;
use crate::systems::engine::{ContainerEngine, OutputStream};

/// A network on a container engine.
#[derive(Debug)]
pub(in crate::ops::run_local) struct Containers {
    pub(super) engine: ContainerEngine,
    pub(super) network: RunNetwork,
    pub(super) neighbours: Neighbours,
}

impl Containers {
    /// Creates the network of a run.
    pub(super) async fn prepare(
        engine: &ContainerEngine,
        tools: &OpContext<'_>,
        network: Network,
        plan: &RunPlan,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<Self> {
        let network = prepare(engine, tools, network, plan, scope).await?;
        tools.events.start("network", "").finish(TaskOutcome::Done, network.reach(plan));
        Ok(Self { engine: engine.clone(), network, neighbours: Neighbours::default() })
    }

    /// Starts a unit.
    pub(super) async fn start(
        &self,
        unit: &Unit,
        image: Option<&str>,
        tools: &OpContext<'_>,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<(Handle, Option<HandleOutput>)> {
        let image = image.ok_or_else(|| RunError::NoImage { name: unit.name.clone() })?;
        if unit.kept {
            return self.start_kept(unit, image, tools, scope).await;
        }
        let mut spec = container(unit, image, tools, scope);
        self.network.join(&mut spec, unit);
        if self.network.way() == PortAccess::Publish {
            spec.publish = ports_for_engine(unit);
        }
        let (mut container, output) =
            self.start_container(&spec, unit, scope.gate, self.network.way()).await?;
        if self.network.way() != PortAccess::Publish && !unit.work.publish.is_empty() {
            container.forward(&unit.work.publish, &tools.events).await?;
        }
        Ok((Handle::ContainerHandle(Box::new(container)), Some(output)))
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
    ) -> anyhow::Result<(ContainerHandle, HandleOutput)> {
        let engine = &self.engine;
        let id = engine.create(spec).await?;
        let output = engine.attach(&id).await?;
        let passed = pass(engine.inside(&id).await?, unit, &spec.image, gate)?;
        let program = unit.command.as_ref().and_then(|command| command.first().cloned());
        let what = Arc::new(Started { name: unit.name.clone(), program });
        engine.start(&passed).await.map_err(|error| what.explain(error))?;
        let mut container = ContainerHandle {
            engine: engine.clone(),
            id,
            what,
            reach: Dialer::Nothing,
            ports: Vec::new(),
            forwards: Vec::new(),
            kept: None,
        };
        if unit.ready.is_some() || !unit.ports.is_empty() {
            let inside = engine.inside(&container.id).await?;
            container.reach = Self::reach(way, &container.id, &inside);
            container.ports = inside.ports;
        }
        Ok((container, pieces(output)))
    }

    /// Returns the way to a started container.
    pub(super) fn reach(way: PortAccess, id: &str, inside: &ContainerInspect) -> Dialer {
        match (way, inside.address) {
            (PortAccess::Publish, _) => Dialer::Published(inside.ports.clone()),
            (PortAccess::Dial, Some(address)) => Dialer::Address(address),
            (PortAccess::Dial, None) => Dialer::Nothing,
            (PortAccess::Enter, _) => Dialer::within(id, inside),
        }
    }
}

/// Returns the output of a container in pieces.
pub(super) fn pieces(output: OutputStream) -> HandleOutput {
    let pieces = futures_util::stream::unfold(output, |mut output| async {
        match output.next().await {
            Some(Ok(chunk)) => Some(((chunk.stream, chunk.bytes), output)),
            // The code that waits for the end of the container notices a lost engine.
            _ => None,
        }
    });
    pieces.boxed()
}

/// Returns the ports to publish: those of the readiness probe, and the component's own if the user wants
/// them.
pub(super) fn ports_for_engine(unit: &Unit) -> Vec<Publish> {
    let asked = match &unit.ready {
        Some(ReadinessProbe::Http { port, .. } | ReadinessProbe::Tcp(port)) => Some(*port),
        _ => None,
    };
    let mut ports = unit.work.publish.clone();
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
    tools: &OpContext<'_>,
    scope: &RunScope<'_>,
) -> ContainerSpec {
    let mut labels = scope.identity(tools, &unit.of, &unit.name, unit.role).to_labels();
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
        mounts: unit.work.mounts.clone(),
        hidden: unit.work.hidden(),
        copies: unit.work.copies.clone(),
        ..ContainerSpec::default()
    }
}

/// Passes a container through the gate as the engine describes it.
pub(super) fn pass(
    inside: ContainerInspect,
    unit: &Unit,
    image: &str,
    gate: &Gate<'_>,
) -> Result<Passed<ContainerInspect>, PolicyViolation> {
    let source = format!("in its container, of image {image}");
    gate.pass(inside, Starting { name: &unit.name, source: &source, is_component: unit.is_component })
}
