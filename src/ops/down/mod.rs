//! `cki down`: stops and removes runs.

mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use crate::base::process_ref::ProcessRef;
use crate::base::text::join_some;
use crate::host::signals::{Shutdown, Signal};
use crate::host::{self, Env};
use crate::model::event::{Events, TaskOutcome};
use crate::model::identity::{ResourceLabels, Retention, Role, RunId};
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::{FoundInstances, InstanceSummary, ListScope, list};
use crate::ops::runtime::remove::{RemovedResources, is_ended, remove_everywhere};
use crate::ops::runtime::select::{Ended, ended_with, select_ending};
use crate::ops::shared::workspace::Workspace;
use crate::ops::shared::workspace_secrets;
use crate::systems::native::{Native, end_owner};

/// Time beyond the grace period that the process of a run has to end it.
const OWNER_LIMIT: Duration = Duration::from_secs(5);

/// The request to remove runs.
#[derive(Debug, Clone, Copy)]
pub struct DownRequest<'a> {
    /// Components, backing services, or runs. A detached run without one of its components continues; with its last one,
    /// all of it is removed. Without any, everything in the scope is.
    pub queries: &'a [String],
    /// The runs that the request is about; a run's ID finds any run.
    pub scope: &'a ListScope,
    /// Also remove the data of the workspace's retained backing services.
    pub volumes: bool,
    /// Grace period between stopping an instance and killing it.
    pub grace: Duration,
}

/// The outcome of a removal.
#[derive(Debug, Default)]
pub struct DownOutcome {
    /// The removed containers and processes, by name.
    pub instances: Vec<InstanceSummary>,
    /// The removed networks, by name.
    pub networks: Vec<String>,
    /// The removed volumes, by name.
    pub volumes: Vec<String>,
    /// The removed volumes with data of retained backing services, by name.
    pub data: Vec<String>,
    /// The runs of removed instances that continue.
    pub remaining: Vec<RemainingRun>,
    /// The queries that nothing running matches.
    pub absent: Vec<Absent>,
    /// The signal that cut the grace period short.
    pub signal: Option<Signal>,
}

/// A run that continues without some of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemainingRun {
    /// Its ID.
    pub run: RunId,
    /// The names of its remaining instances.
    pub names: Vec<String>,
}

/// A query that nothing in the scope matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The query.
    pub query: String,
    /// IDs of the runs of other inventories that match.
    pub elsewhere: Vec<String>,
}

impl DownOutcome {
    /// Returns whether nothing was removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { instances, networks, volumes, data, .. } = self;
        instances.is_empty() && networks.is_empty() && volumes.is_empty() && data.is_empty()
    }

    /// Returns whether a network or volume belonged to the run of a removed instance.
    #[must_use]
    pub fn belongs_to_instance(&self, name: &str) -> bool {
        self.instances.iter().any(|one| name.contains(one.identity.run.as_str()))
    }
}

/// Stops and removes runs completely, networks included, but not the data of retained services unless that is
/// requested. Instances that do not end in time are killed, and all of them are when a signal comes.
///
/// # Errors
/// Fails when the engine does not answer, or something could not be removed. Everything else is then removed.
pub async fn down(
    engine: &RunEngine,
    native: &Native,
    (env, workspace): (&Env, &Workspace),
    request: DownRequest<'_>,
    events: &Events,
    stop: &Shutdown,
) -> anyhow::Result<DownOutcome> {
    let seed = workspace_secrets::seed(env.state_directory().as_deref(), workspace.root())?;
    let seed = seed.unwrap_or_default();
    let Selection { instances, whole, remaining, absent } =
        selected(list(engine, native, request.scope).await?, request.queries, &seed)?;
    let task = events.start("stopping", "");
    let all = request.queries.is_empty().then_some(request.scope);
    let targets = DownTargets { instances: &instances, whole: &whole, all };
    let selects = |who: &ResourceLabels| targets.holds(who);
    let mut signal = None;
    let removed = tokio::select! {
        removed = async {
            end_owners(&instances, request.grace).await;
            remove_everywhere(engine, native, selects, Some(request.grace)).await
        } => removed?,
        came = stop.requested() => {
            signal = Some(came);
            remove_everywhere(engine, native, selects, None).await?
        }
    };
    match instances.is_empty() {
        true => task.dismiss(),
        false => {
            task.finish(TaskOutcome::Done, join_some(instances.iter().map(|one| one.identity.name.clone())));
        }
    }
    let data = match request.volumes && signal.is_none() {
        true => volumes::remove(engine, &seed, request.queries).await?,
        false => Vec::new(),
    };
    let RemovedResources { networks, volumes, errors: _ } = removed;
    Ok(DownOutcome { instances, networks, volumes, data, remaining, absent, signal })
}

/// The instances to remove.
#[derive(Debug, Default)]
struct Selection {
    /// The instances, by name.
    instances: Vec<InstanceSummary>,
    /// Their runs that end as a whole.
    whole: BTreeSet<RunId>,
    /// Their runs that do not.
    remaining: Vec<RemainingRun>,
    /// The queries that nothing matches.
    absent: Vec<Absent>,
}

/// Returns the instances that the queries mean, and those that end with them.
fn selected(mut listing: FoundInstances, queries: &[String], seed: &str) -> Result<Selection, InstanceError> {
    let mut found = Selection::default();
    if queries.is_empty() {
        found.whole = listing.instances.iter().map(|one| one.identity.run.clone()).collect();
        found.instances = listing.instances;
    } else {
        // A name means the service that is retained for this workspace, which all its inventories share.
        let is_foreign = |one: &InstanceSummary| {
            one.identity.lifetime == Retention::Workspace && !volumes::is_of_workspace(&one.identity, seed)
        };
        let is_shared = |one: &InstanceSummary| one.identity.lifetime == Retention::Workspace;
        let (shared, others): (Vec<_>, Vec<_>) =
            listing.others.into_iter().filter(|one| !is_foreign(one)).partition(is_shared);
        listing.others = others;
        listing.instances.retain(|one| !is_foreign(one));
        listing.instances.extend(shared);
        let mut named: BTreeMap<&RunId, Vec<&InstanceSummary>> = BTreeMap::new();
        for query in queries {
            match select_ending(&listing, query) {
                Ok((run, instances)) => named.entry(run).or_default().extend(instances),
                Err(InstanceError::NotRunning { query, elsewhere, .. }) => {
                    found.absent.push(Absent { query, elsewhere });
                }
                Err(error) => return Err(error),
            }
        }
        for (run, named) in named {
            let Ended { instances, remaining: names } = ended_with(&listing, run, &named);
            found.instances.extend(instances.into_iter().cloned());
            match names.is_empty() {
                true => drop(found.whole.insert(run.clone())),
                false => found.remaining.push(RemainingRun { run: run.clone(), names }),
            }
        }
    }
    found.instances.sort_by(|one, other| one.identity.name.cmp(&other.identity.name));
    Ok(found)
}

/// The resources to remove.
#[derive(Debug, Clone, Copy)]
struct DownTargets<'a> {
    /// The instances.
    instances: &'a [InstanceSummary],
    /// Their runs that end as a whole.
    whole: &'a BTreeSet<RunId>,
    /// Also remove resources of runs in this scope that have nothing else left.
    all: Option<&'a ListScope>,
}

impl DownTargets<'_> {
    fn holds(&self, who: &ResourceLabels) -> bool {
        // A living owner may be about to start a container in a run that has only a network so far.
        let is_left = || self.all.is_some_and(|scope| scope.holds(who)) && !host::is_alive(&who.owner);
        is_ended(who, self.instances, self.whole) || (who.role != Role::Data && is_left())
    }
}

/// Asks the processes of runs in the foreground to end them, so that each knows why its run ends. What remains is
/// removed afterwards.
async fn end_owners(instances: &[InstanceSummary], grace: Duration) {
    let mut owners: Vec<&ProcessRef> = Vec::new();
    for one in instances.iter().filter(|one| one.identity.lifetime != Retention::Workspace) {
        if !owners.contains(&&one.identity.owner) {
            owners.push(&one.identity.owner);
        }
    }
    join_all(owners.into_iter().map(|owner| end_owner(owner, grace + OWNER_LIMIT))).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::container::Status;

    fn instance(run: &RunId, name: &str, lifetime: Retention, inventory: &str) -> InstanceSummary {
        let identity = ResourceLabels {
            run: run.clone(),
            component: format!("services/{name}"),
            role: Role::Component,
            name: name.into(),
            owner: ProcessRef { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            lifetime,
            inventory: inventory.into(),
        };
        InstanceSummary::sample(identity, Status::Running)
    }

    /// Returns the names of the selected instances, and the absent queries.
    fn names(queries: &[&str], seed: &str) -> (Vec<String>, Vec<Absent>) {
        let run = RunId::new(b"a run");
        let here = ListScope::Inventory("here".into());
        let all = [
            instance(&run, "web", Retention::Retained, "here"),
            instance(&run, "db", Retention::Retained, "here"),
            instance(&RunId::of_workspace("w", "redis"), "redis", Retention::Workspace, "there"),
            instance(&RunId::new(b"other"), "web", Retention::Retained, "there"),
            instance(&RunId::new(b"other"), "api", Retention::Retained, "there"),
        ];
        let (instances, others) = all.into_iter().partition(|one| here.holds(&one.identity));
        let queries: Vec<String> = queries.iter().map(|query| (*query).to_owned()).collect();
        let found =
            selected(FoundInstances { instances, others, engine: "" }, &queries, seed).expect("selects");
        (found.instances.into_iter().map(|one| one.identity.name).collect(), found.absent)
    }

    #[test]
    fn down_selects_components_and_runs_of_this_inventory() {
        assert_eq!(names(&["web"], "w").0, ["web"]);
        assert_eq!(names(&["web", "redis"], "w").0, ["redis", "web"]);
        assert_eq!(names(&[], "w").0, ["db", "web"]);
        let other = RunId::new(b"other").to_string();
        assert_eq!(names(&[&other[..6]], "w").0, ["api", "web"], "a run's ID finds any run");
        let absent = Absent { query: "api".into(), elsewhere: vec![other] };
        assert_eq!(names(&["api", "web"], "w"), (vec!["web".into()], vec![absent]));
        assert_eq!(names(&["no"], "w").1, [Absent { query: "no".into(), elsewhere: Vec::new() }]);
    }

    #[test]
    fn down_of_a_part_leaves_the_rest_and_its_network() {
        let run = RunId::new(b"a run");
        let network = ResourceLabels {
            role: Role::Service,
            name: "network".into(),
            ..instance(&run, "web", Retention::Retained, "here").identity
        };
        for (queries, removed, names, takes_network) in
            [(&["web"][..], 1, &["db"][..], false), (&["web", "db"], 2, &[], true)]
        {
            let instances = ["web", "db"].map(|name| instance(&run, name, Retention::Retained, "here"));
            let listing = FoundInstances { instances: instances.to_vec(), ..FoundInstances::default() };
            let queries: Vec<String> = queries.iter().map(|name| format!("{run}/{name}")).collect();
            let Selection { instances, whole, remaining, .. } =
                selected(listing, &queries, "w").expect("selects");
            assert_eq!(instances.len(), removed);
            let left: Vec<&str> = remaining.iter().flat_map(|one| &one.names).map(String::as_str).collect();
            assert_eq!(left, names);
            let targets = DownTargets { instances: &instances, whole: &whole, all: None };
            assert!(targets.holds(&instances[0].identity));
            assert_eq!(targets.holds(&network), takes_network, "{queries:?}");
        }
    }

    #[test]
    fn down_leaves_kept_services_of_other_workspaces() {
        assert_eq!(names(&["redis"], "w").0, ["redis"], "an inventory of this workspace shares it");
        let (selected, absent) = names(&["redis"], "other");
        assert_eq!((selected.len(), absent.len()), (0, 1));
    }
}
