//! The list of instances, found by their labels on the engine and in the process table. There is no state
//! file that could go stale, and resources without `cki`'s labels are never touched.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::{NATIVE, RunEngine};
use super::error::InstanceError;
use super::instance::Instance;
use crate::base::redact::Redactor;
use crate::base::secret::Secret;
use crate::host;
use crate::model::container::{ContainerSummary, Status};
use crate::model::identity::{
    ALLOWED, CONFIG_HASH, PORTS, READY, ResourceLabels, Retention, Role, RunId, SECRETS,
};
use crate::model::port::PublishedPort;
use crate::model::probe::ReadinessProbe;
#[cfg(test)]
use crate::systems::native::ProcessFacts;
use crate::systems::native::{ForwarderFacts, Native};

/// A running instance, or one that has ended and not been removed.
#[derive(Debug, Clone)]
pub struct InstanceSummary {
    /// Its labels.
    pub identity: ResourceLabels,
    /// The engine.
    pub engine: &'static str,
    /// The status.
    pub status: Status,
    /// Published ports that lead to it.
    pub ports: Vec<PublishedPort>,
    /// Published ports that lead nowhere any more: their forwarder was killed.
    pub lost: Vec<PublishedPort>,
    /// The image, or the command of a process.
    pub what: String,
    /// Time of its start, in seconds since 1970.
    pub created: i64,
    /// Its engine runs on another machine, where its ports are.
    pub is_elsewhere: bool,
    /// Its run has ended, and was retained for the user to look at.
    pub is_retained: bool,
    /// The readiness probe.
    pub ready: Option<ReadinessProbe>,
    /// Digest of the configuration of a detached or retained one.
    pub(in crate::ops) config_hash: Option<String>,
    /// Names of secret variables.
    secret: Vec<String>,
    /// Names of the variables that the user allowed in its run.
    pub(in crate::ops) allowed: Vec<String>,
    /// The container or process itself.
    pub(in crate::ops) instance: Instance,
}

impl InstanceSummary {
    /// Returns whether this is the same container or process.
    pub(in crate::ops) fn is(&self, other: &Self) -> bool {
        self.instance.is(&other.instance)
    }

    /// Returns an instance for tests, which only has labels and a status.
    #[cfg(test)]
    pub(crate) fn sample(identity: ResourceLabels, status: Status) -> Self {
        let native = Native::new(&host::Env::default());
        Self {
            engine: NATIVE,
            status,
            ports: Vec::new(),
            lost: Vec::new(),
            what: String::new(),
            created: 0,
            is_elsewhere: false,
            is_retained: false,
            ready: None,
            config_hash: None,
            secret: Vec::new(),
            allowed: Vec::new(),
            instance: Instance::process(&native, ProcessFacts::sample(identity.clone())),
            identity,
        }
    }

    /// Returns whether it was requested itself: its run has a use because of it.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.identity.role == Role::Component || self.identity.is_independent_service()
    }

    /// Returns whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !matches!(self.status, Status::Exited(_))
    }

    /// Returns the secrets in its environment.
    ///
    /// # Errors
    /// Fails when the environment cannot be read.
    pub(in crate::ops) async fn secrets(&self) -> Result<Vec<Secret>, InstanceError> {
        self.instance.secrets(&self.secret).await
    }

    /// Returns a redactor for its output, with its own secrets as they are in its environment.
    ///
    /// # Errors
    /// Fails when the environment cannot be read.
    pub(in crate::ops) async fn redactor(&self) -> Result<Redactor, InstanceError> {
        Ok(Redactor::new(&self.secrets().await?))
    }
}

/// The runs that a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListScope {
    /// Those of the inventory with this identity.
    Inventory(String),
    /// All runs of `cki` on the engine.
    All,
}

impl ListScope {
    /// Returns whether a resource belongs to these runs.
    #[must_use]
    pub fn holds(&self, labels: &ResourceLabels) -> bool {
        match self {
            Self::Inventory(id) => labels.inventory == *id,
            Self::All => true,
        }
    }
}

/// The instances that a command is about, and all others.
#[derive(Debug, Clone, Default)]
pub struct FoundInstances {
    /// Instances in the scope.
    pub instances: Vec<InstanceSummary>,
    /// Instances of other inventories.
    pub others: Vec<InstanceSummary>,
    /// The engine that was asked.
    pub engine: &'static str,
}

impl FoundInstances {
    /// Adds the runs of other inventories that the user names by their IDs.
    #[must_use]
    pub fn with_runs(mut self, queries: &[String]) -> Self {
        let is_named =
            |one: &InstanceSummary| queries.iter().any(|query| is_run(one.identity.run.as_str(), query));
        let (named, others) = self.others.into_iter().partition(is_named);
        self.others = others;
        self.instances.extend::<Vec<_>>(named);
        sort(&mut self.instances);
        self
    }
}

/// Returns whether a query is a prefix of a run's ID.
pub(super) fn is_run(run: &str, query: &str) -> bool {
    query.len() >= 4 && run.starts_with(query)
}

/// Returns the instances on an engine, and processes of this machine.
///
/// # Errors
/// Fails when the engine does not answer.
pub async fn list(
    engine: &RunEngine,
    native: &Native,
    scope: &ListScope,
) -> Result<FoundInstances, InstanceError> {
    let all = list_all(engine, native).await?;
    let (instances, others) = all.into_iter().partition(|one| scope.holds(&one.identity));
    Ok(FoundInstances { instances, others, engine: engine.name() })
}

/// Returns the instances of all inventories.
async fn list_all(engine: &RunEngine, native: &Native) -> Result<Vec<InstanceSummary>, InstanceError> {
    let mut found = Vec::new();
    let forwarders = native.forwarders()?.into_iter().filter(ForwarderFacts::is_alive);
    let forwarded: BTreeSet<(RunId, String, PublishedPort)> = forwarders
        .flat_map(|ForwarderFacts { identity, ports, .. }| {
            ports.into_iter().map(move |port| (identity.run.clone(), identity.name.clone(), port))
        })
        .collect();
    let is_forwarded = |identity: &ResourceLabels, port: &PublishedPort| {
        forwarded.contains(&(identity.run.clone(), identity.name.clone(), *port))
    };
    if let RunEngine::Containers(containers) = engine {
        for facts in containers.list(None).await? {
            let label = |key: &str| facts.labels.get(key).map(String::as_str);
            let Some(identity) = ResourceLabels::from_labels(&facts.labels) else { continue };
            let is_retained = identity.lifetime == Retention::Decided && !host::is_alive(&identity.owner);
            let is_elsewhere = !containers.is_local();
            // The addresses of ports are those of this machine.
            let (ports, lost) = match is_elsewhere {
                true => (Vec::new(), Vec::new()),
                false => container_ports(&identity, &facts, is_forwarded),
            };
            found.push(InstanceSummary {
                identity,
                engine: engine.name(),
                status: facts.status.clone(),
                ports,
                lost,
                what: facts.image.clone(),
                created: facts.created,
                is_elsewhere,
                is_retained,
                ready: label(READY).and_then(ReadinessProbe::from_label),
                config_hash: label(CONFIG_HASH).filter(|hash| !hash.is_empty()).map(str::to_owned),
                secret: names(label(SECRETS).unwrap_or_default()),
                allowed: names(label(ALLOWED).unwrap_or_default()),
                instance: Instance::container(containers, facts.id),
            });
        }
    }
    for facts in native.list()? {
        let is_detached = facts.identity.lifetime == Retention::Retained;
        let is_open = || native.space(&facts).is_ok_and(|space| !space.has_own_network());
        let (ports, lost) = facts.ports.iter().filter(|_| facts.is_alive()).partition(|one| {
            !is_detached || is_forwarded(&facts.identity, one) || one.local == one.port && is_open()
        });
        found.push(InstanceSummary {
            identity: facts.identity.clone(),
            engine: NATIVE,
            status: if facts.is_alive() { Status::Running } else { Status::Exited(-1) },
            ports,
            lost,
            what: shell_words::join(&facts.command),
            created: facts.created,
            is_elsewhere: false,
            is_retained: false,
            ready: facts.ready.as_deref().and_then(ReadinessProbe::from_label),
            config_hash: facts.config_hash.clone(),
            secret: facts.secret.clone(),
            allowed: Vec::new(),
            instance: Instance::process(native, facts),
        });
    }
    sort(&mut found);
    Ok(found)
}

/// Returns the published ports of a container: those that lead to it, and those that lead nowhere any more.
fn container_ports(
    identity: &ResourceLabels,
    facts: &ContainerSummary,
    is_forwarded: impl Fn(&ResourceLabels, &PublishedPort) -> bool,
) -> (Vec<PublishedPort>, Vec<PublishedPort>) {
    if facts.status != Status::Running {
        return (Vec::new(), Vec::new());
    }
    let label = facts.labels.get(PORTS).map_or("", String::as_str);
    let by_engine = |one: &PublishedPort| facts.ports.contains(&(one.port, one.local));
    let (mut ports, forwarded): (Vec<_>, Vec<_>) =
        PublishedPort::from_label(label).into_iter().partition(by_engine);
    for (port, local) in &facts.ports {
        if !ports.iter().any(|one| (one.port, one.local) == (*port, *local)) {
            ports.push(PublishedPort { local: *local, port: *port, is_http: false });
        }
    }
    // `cki` itself forwards for a run in the foreground.
    let is_by_owner = identity.lifetime != Retention::Retained && host::is_alive(&identity.owner);
    let (forwarded, lost): (Vec<_>, Vec<_>) =
        forwarded.into_iter().partition(|one| is_by_owner || is_forwarded(identity, one));
    ports.extend(forwarded);
    (ports, lost)
}

fn names(list: &str) -> Vec<String> {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Sorts by run, oldest first, and within a run puts the component first: its dependencies started before
/// it, often within the same second.
fn sort(instances: &mut [InstanceSummary]) {
    let mut began = BTreeMap::new();
    for one in instances.iter() {
        let first = began.entry(one.identity.run.clone()).or_insert(one.created);
        *first = one.created.min(*first);
    }
    instances.sort_by_key(|one| {
        let ResourceLabels { run, role, .. } = &one.identity;
        (began[run], run.clone(), *role != Role::Component, one.created)
    });
}
