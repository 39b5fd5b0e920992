//! Units as processes of this machine, in namespaces of their own.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use futures_util::StreamExt as _;

use super::config_hash;
use super::reach::Reach;
use super::scope::{Network, RunScope};
use super::unit::{NativeCommand, Unit};
use crate::model::event::TaskOutcome;
use crate::model::guard::GateSubject;
use crate::model::identity::{Retention, Role};
use crate::model::log::{LogPiece, LogRequest};
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::error::StartError;
use crate::ops::runtime::started::{InstanceOutput, StartedInstance};
use crate::ops::shared::op_context::OpContext;
use crate::systems::native::{IsolationAspect, Native, ProcessSpec, Sandbox};

/// Processes, with their shared namespaces.
#[derive(Debug)]
pub(in crate::ops) struct Processes {
    native: Native,
    space: Sandbox,
}

impl Processes {
    /// Creates the namespaces of a run.
    pub(super) fn prepare(
        native: &Native,
        ctx: &OpContext<'_>,
        units: &[Unit],
        scope: &RunScope<'_>,
    ) -> Result<Self, StartError> {
        let is_open = scope.network == Network::Internet;
        let space = if is_open { Sandbox::open() } else { Sandbox::new() };
        for (what, state) in space.isolation() {
            match state {
                Ok(how) => ctx.events.note(format!("{what}: {how}")),
                Err(why) if what == IsolationAspect::Network && !is_open => {
                    ctx.events.warn(format!("Not isolated: {what}: {why}."));
                }
                Err(why) => ctx.events.note(format!("not isolated: {what}: {why}")),
            }
        }
        let reach = Reach::of(units);
        let network = match space.has_own_network() {
            false if is_open => "open: everything that this machine reaches, production included".to_owned(),
            false => "this machine's".to_owned(),
            true if reach.is_empty() => format!("isolated: {reach}"),
            true => format!("isolated: {reach} and nothing else"),
        };
        let detail = format!("{network}; files and user are this machine's");
        ctx.events.start("network", "").finish(TaskOutcome::Done, detail);
        Ok(Self { native: native.clone(), space })
    }

    /// Starts a unit.
    pub(super) async fn start(
        &self,
        unit: &Unit,
        ctx: &OpContext<'_>,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<(StartedInstance, Option<InstanceOutput>)> {
        let command = native_command(unit)?;
        let environment = command.environment.as_ref().unwrap_or(&unit.environment).clone();
        let workdir = match &command.repo {
            Some(repo) => ctx.workspace.location(ctx.inventory, repo).target()?,
            None => PathBuf::from("/"),
        };
        if !self.space.has_own_network() {
            // The unit itself listens on this machine's interface.
            scope.ports.release(&unit.name, |one| one.local == one.port).await;
            // Another program on that port would be taken for this unit.
            for port in &unit.ports {
                TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).map_err(|source| StartError::PortTaken {
                    name: unit.name.clone(),
                    port: *port,
                    source,
                })?;
            }
        }
        let spec = ProcessSpec {
            identity: scope.identity(ctx, &unit.component, &unit.name, unit.role),
            command: command.command.clone(),
            workdir,
            environment,
            secret: unit.secret.clone(),
            files: if unit.is_component { unit.files.clone() } else { Vec::new() },
            ready: unit.ready.as_ref().map(ReadinessProbe::to_label),
            config_hash: config_hash::label(unit, "", scope).map(|(_, digest)| digest),
            ports: scope.ports.of(&unit.name),
            detached: scope.lifetime == Retention::Retained,
        };
        let starting = GateSubject {
            name: &unit.name,
            source: "as its process has it",
            is_component: unit.is_component,
        };
        let mut process = self.native.spawn(scope.gate.pass(spec, starting)?, &self.space)?;
        let output = match (process.output(), process.facts()) {
            // A detached unit writes its own log, and its output is read from there.
            (None, Some(facts)) => {
                let request = LogRequest { follow: true, ..LogRequest::default() };
                let log = self.native.logs(facts, request)?;
                Some(log)
            }
            (output, _) => output.map(|output| output.map(LogPiece::from).boxed()),
        };
        let started = StartedInstance::process(process, &self.space, &self.native)?;
        let identity = scope.identity(ctx, &unit.component, &unit.name, unit.role);
        scope.ports.lead_to(&identity, &started.instance);
        Ok((started, output))
    }
}

/// Returns the command of a unit as a process.
fn native_command(unit: &Unit) -> Result<&NativeCommand, StartError> {
    let not_native =
        || StartError::NotNative { name: unit.name.clone(), is_service: unit.role == Role::Service };
    unit.native.as_ref().ok_or_else(not_native)
}

/// Checks that units can run as processes, before anything is done for them.
///
/// # Errors
/// Fails for the first that needs a container engine.
pub(in crate::ops) fn check_native(units: &[Unit]) -> Result<(), StartError> {
    units.iter().try_for_each(|unit| native_command(unit).map(|_| ()))
}
