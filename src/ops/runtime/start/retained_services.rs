//! Backing services that outlive the run. A workspace has one service for each name, made from one
//! configuration, and every run of the workspace with the same configuration uses it. The service has a
//! network of its own, so that it can stay without a run, and each run connects it to its own network as
//! well: runs share the service and nothing else. Its data is in named volumes, which stay when it is
//! replaced or removed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::config_hash::specification;
use super::containers::{Containers, container, pass, pieces, ports_for_engine};
use super::network::{PortAccess, create_service_network, service_port_access};
use super::scope::RunScope;
use super::service_reuse::ServiceReuse;
use super::unit::Unit;
use crate::base::digest;
use crate::host;
use crate::model::container::{ContainerSummary, Status};
use crate::model::guard::Gate;
use crate::model::identity::{CONFIG_HASH, ResourceLabels, Retention, Role, RunId, service_reference};
use crate::model::log::LogRequest;
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::error::StartError;
use crate::ops::runtime::started::{InstanceOutput, StartedInstance, StartedProgram};
use crate::ops::shared::op_context::OpContext;
use crate::systems::engine::EngineError;

/// Timeout for another run that is creating the same service.
const OTHERS: Duration = Duration::from_secs(20);
/// Interval between two looks at it.
const PAUSE: Duration = Duration::from_millis(50);
/// Number of last lines to show of an existing service if it fails.
const LINES: usize = 12;
/// Bytes before those lines: a secret may begin in them and end in the lines.
const CONTEXT: usize = 1 << 20;

/// The state of a service.
enum ExistingService {
    Nothing,
    /// It matches the plan.
    Good(Box<ContainerSummary>),
    /// It did not match, and was removed.
    Removed,
    /// Another process is about to start it.
    Coming,
}

impl Containers {
    /// Finds or starts a retained service, and connects it to the network of this run.
    pub(super) async fn start_retained(
        &self,
        unit: &Unit,
        image: &str,
        ctx: &OpContext<'_>,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<(StartedInstance, Option<InstanceOutput>)> {
        let identity = ResourceLabels {
            run: RunId::of_workspace(scope.pending.workspace(), &unit.name),
            component: service_reference(&unit.name),
            role: Role::Service,
            name: unit.name.clone(),
            owner: ctx.owner.clone(),
            lifetime: Retention::Workspace,
            inventory: ctx.inventory_id.clone(),
        };
        let specification = specification(unit, image);
        let began = Instant::now();
        let mut kept = ServiceReuse::Made;
        loop {
            match self.find(&identity, &specification).await? {
                ExistingService::Good(facts) => return self.reuse(unit, image, &facts, scope.gate).await,
                ExistingService::Removed => kept = ServiceReuse::Replaced,
                ExistingService::Coming if began.elapsed() > OTHERS => {
                    return Err(StartError::RetainedInUse { name: unit.name.clone() }.into());
                }
                ExistingService::Coming => {
                    // Another process creates it, and only the engine knows when it is done.
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                ExistingService::Nothing => {}
            }
            scope.pending.begin(&identity.run);
            match self.make(unit, image, &identity, &specification, (ctx, scope)).await {
                Ok((mut started, output)) => {
                    started.reuse = Some(kept);
                    return Ok((started, Some(output)));
                }
                // Another run was quicker: its service will be there in a moment.
                Err(error) if is_name_taken(&error) && began.elapsed() < OTHERS => {
                    scope.pending.end(&identity.run);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn find(&self, identity: &ResourceLabels, specification: &str) -> anyhow::Result<ExistingService> {
        let all = self.engine.list(Some(&identity.run)).await?;
        let is_good =
            |one: &ContainerSummary| one.labels.get(CONFIG_HASH).map(String::as_str) == Some(specification);
        for one in &all {
            let owner = ResourceLabels::from_labels(&one.labels);
            let is_others =
                owner.is_some_and(|who| who.owner != identity.owner && host::is_alive(&who.owner));
            match one.status {
                Status::Running if is_good(one) => return Ok(ExistingService::Good(Box::new(one.clone()))),
                Status::Created if is_others => return Ok(ExistingService::Coming),
                _ => {}
            }
        }
        if all.is_empty() {
            return Ok(ExistingService::Nothing);
        }
        let networks = self.engine.networks().await?;
        for one in all {
            let mut others = networks.iter().filter(|network| is_used_by_another(&network.labels, identity));
            if one.status == Status::Running
                && others
                    .any(|network| one.networks.iter().any(|id| *id == network.id || *id == network.name))
            {
                return Err(StartError::RetainedInUse { name: identity.name.clone() }.into());
            }
            // The service may have data to write before its end.
            self.engine.stop(&one.id, OTHERS / 2).await?;
            self.engine.remove(&one.id).await?;
        }
        Ok(ExistingService::Removed)
    }

    async fn reuse(
        &self,
        unit: &Unit,
        image: &str,
        facts: &ContainerSummary,
        gate: &Gate<'_>,
    ) -> anyhow::Result<(StartedInstance, Option<InstanceOutput>)> {
        let engine = &self.engine;
        // The line that says ready may be long past.
        let tail = (!matches!(unit.ready, Some(ReadinessProbe::Log(_)))).then_some(LINES);
        let request = LogRequest { follow: true, tail, context: CONTEXT, ..LogRequest::default() };
        let way = service_port_access(engine).await?;
        let (inside, output, ()) = tokio::try_join!(
            engine.inside(&facts.id),
            engine.logs(&facts.id, request),
            self.network.admit(engine, &facts.id, unit),
        )?;
        // Another run may have allowed more than this one.
        let inside = pass(inside, unit, image, gate)?.into_inner();
        let program = unit.command.as_ref().and_then(|command| command.first().cloned());
        let program = StartedProgram { name: unit.name.clone(), program };
        let dialer = Self::dialer(way, &facts.id, &inside);
        let mut started = StartedInstance::container(engine, &facts.id, program.into(), dialer);
        started.reuse = Some(ServiceReuse::Reused);
        Ok((started, Some(pieces(output))))
    }

    async fn make(
        &self,
        unit: &Unit,
        image: &str,
        identity: &ResourceLabels,
        specification: &str,
        (ctx, scope): (&OpContext<'_>, &RunScope<'_>),
    ) -> anyhow::Result<(StartedInstance, InstanceOutput)> {
        let engine = &self.engine;
        let mut spec = container(unit, image, ctx, scope);
        spec.name = format!("cki-{}-{}", identity.run, unit.name);
        spec.labels.extend(identity.to_labels());
        spec.labels.insert(CONFIG_HASH.to_owned(), specification.to_owned());
        spec.hostname = Some(unit.name.clone()).filter(|name| name.len() < 64);
        spec.closed = true;
        let way = service_port_access(engine).await?;
        if way == PortAccess::Publish {
            spec.publish = ports_for_engine(unit, &[], way);
        }
        spec.volumes.clear();
        for path in &unit.volumes {
            spec.stores.push((store(scope.pending.workspace(), unit, path), path.clone()));
        }
        for (name, _) in &spec.stores {
            let data = ResourceLabels { role: Role::Data, name: name.clone(), ..identity.clone() };
            engine.create_volume(name, data.to_labels()).await?;
        }
        let (network, is_new) = self.own_network(identity, scope).await?;
        spec.network = Some((network.clone(), vec![unit.name.clone()]));
        let made = self.start_container(&spec, unit, scope.gate, way).await;
        if is_new && made.as_ref().is_err_and(is_name_taken) {
            engine.remove_network(&network).await?;
        }
        let made = made?;
        self.network.admit(engine, &spec.name, unit).await?;
        Ok(made)
    }

    /// Returns the network of the service, and whether it is new.
    async fn own_network(
        &self,
        identity: &ResourceLabels,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<(String, bool)> {
        let mut networks = self.engine.networks().await?.into_iter();
        if let Some(network) = networks.find(|one| is_free(&one.labels, identity)) {
            return Ok((network.id, false));
        }
        // Docker would create two networks of one name, and then find neither by it.
        let name = format!("cki-{}-{}", identity.run, scope.run);
        Ok((create_service_network(&self.engine, &name, identity.to_labels()).await?, true))
    }
}

/// Returns whether an existing network of a service may be used: not one that another process has just
/// created.
fn is_free(labels: &BTreeMap<String, String>, own: &ResourceLabels) -> bool {
    ResourceLabels::from_labels(labels)
        .is_some_and(|who| who.run == own.run && (who.owner == own.owner || !host::is_alive(&who.owner)))
}

/// Returns whether a resource belongs to another run that is still going on.
fn is_used_by_another(labels: &BTreeMap<String, String>, own: &ResourceLabels) -> bool {
    ResourceLabels::from_labels(labels).is_some_and(|who| {
        who.run != own.run && (who.lifetime == Retention::Retained || host::is_alive(&who.owner))
    })
}

/// Returns the name of the volume for a path of a service.
fn store(workspace: &str, unit: &Unit, path: &str) -> String {
    let workspace = &digest::sha256_hex([workspace])[..10];
    let place: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("cki-{workspace}-{}-{}", unit.name, place.trim_matches('-'))
}

fn is_name_taken(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<EngineError>(), Some(EngineError::NameTaken { .. }))
}
