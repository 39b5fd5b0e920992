//! Units as processes of this machine, in namespaces of their own.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use futures_util::StreamExt as _;

use crate::model::container::Publish;
use crate::model::event::{Stream, TaskOutcome};
use crate::model::guard::Starting;
use crate::model::identity::{Retention, Role};
use crate::model::probe::ReadinessProbe;
use crate::ops::run_local::RunError;
use crate::ops::run_local::handle::{Handle, HandleOutput};
use crate::ops::run_local::plan::RunPlan;
use crate::ops::run_local::request::Network;
use crate::ops::run_local::scope::RunScope;
use crate::ops::run_local::unit::Unit;
use crate::ops::shared::op_context::OpContext;
use crate::systems::native::{Native, ProcessSpec, Sandbox};

/// Processes, with their shared namespaces.
#[derive(Debug)]
pub(in crate::ops::run_local) struct Processes {
    native: Native,
    space: Sandbox,
}

impl Processes {
    /// Creates the namespaces of a run.
    pub(super) fn prepare(
        native: &Native,
        tools: &OpContext<'_>,
        network: Network,
        plan: &RunPlan,
        scope: &RunScope<'_>,
    ) -> Result<Self, RunError> {
        if scope.lifetime == Retention::Kept && scope.publish {
            return Err(RunError::PublishDetached);
        }
        let is_open = network == Network::Internet;
        let space = if is_open { Sandbox::open() } else { Sandbox::new() };
        for (what, state) in space.isolation() {
            match state {
                Ok(how) => tools.events.note(format!("{what}: {how}")),
                Err(why) if what == "network" && !is_open => {
                    tools.events.warn(format!("Not isolated: {what}: {why}."));
                }
                Err(why) => tools.events.note(format!("not isolated: {what}: {why}")),
            }
        }
        let isolated = space.isolation().iter().any(|(what, state)| *what == "network" && state.is_ok());
        let network = match (isolated, plan.reach()) {
            (false, _) if is_open => "open: whatever this machine reaches, production included".to_owned(),
            (false, _) => "this machine's".to_owned(),
            (true, reach) if reach.ends_with(" nothing") => format!("isolated: {reach}"),
            (true, reach) => format!("isolated: {reach} and nothing else"),
        };
        let detail = format!("{network}; files and user are this machine's");
        tools.events.start("network", "").finish(TaskOutcome::Done, detail);
        Ok(Self { native: native.clone(), space })
    }

    /// Starts a unit.
    pub(super) async fn start(
        &self,
        unit: &Unit,
        tools: &OpContext<'_>,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<(Handle, Option<HandleOutput>)> {
        let Some(command) = &unit.native else {
            return Err(RunError::NotNative {
                name: unit.name.clone(),
                is_service: unit.role == Role::Service,
            }
            .into());
        };
        let environment = command.environment.as_ref().unwrap_or(&unit.environment).clone();
        let workdir = match &command.repo {
            Some(repo) => tools.workspace.location(tools.inventory, repo).target()?,
            None => PathBuf::from("/"),
        };
        if !self.space.has_own_network() {
            // Another program on that port would be taken for this unit.
            for port in &unit.ports {
                TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).map_err(|source| RunError::PortTaken {
                    name: unit.name.clone(),
                    port: *port,
                    source,
                })?;
            }
        }
        let mut published = Vec::new();
        for Publish { container, host } in &unit.work.publish {
            published.push(self.space.publish(*container, *host).await?);
        }
        let spec = ProcessSpec {
            identity: scope.identity(tools, &unit.of, &unit.name, unit.role),
            command: command.command.clone(),
            workdir,
            environment,
            secret: unit.secret.clone(),
            files: if unit.is_component { unit.files.clone() } else { Vec::new() },
            ready: unit.ready.as_ref().map(ReadinessProbe::to_label),
            ports: published.iter().map(|one| (one.port, one.local)).collect(),
            detached: scope.lifetime == Retention::Kept,
        };
        let starting =
            Starting { name: &unit.name, source: "as its process has it", is_component: unit.is_component };
        let mut process = self.native.spawn(scope.gate.pass(spec, starting)?, &self.space)?;
        let output = match (process.output(), process.facts()) {
            // A detached unit writes its own log, and its output is read from there.
            (None, Some(facts)) => {
                let log = self.native.logs(facts, true, None)?;
                Some(log.map(|bytes| (Stream::Stdout, bytes)).boxed())
            }
            (output, _) => output,
        };
        Ok((Handle::of_process(process, &self.space, &self.native, published), output))
    }
}
