//! `cki down`: stops and removes runs.

mod volumes;

use std::collections::BTreeSet;
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
use crate::ops::runtime::remove::{RemovedResources, end_processes};
use crate::ops::runtime::select::{is_part, select_run};
use crate::ops::shared::workspace::Workspace;
use crate::ops::shared::workspace_secrets;
use crate::systems::engine::ContainerEngine;
use crate::systems::native::{Native, end_owner};

/// Time beyond the grace period that the process of a run has to end it.
const OWNER_LIMIT: Duration = Duration::from_secs(5);

/// The request to remove runs.
#[derive(Debug, Clone, Copy)]
pub struct DownRequest<'a> {
    /// Components, retained backing services, or runs: the whole run of each is removed. Without any, everything
    /// in the scope is.
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
    /// The queries that nothing running matches.
    pub absent: Vec<Absent>,
    /// The signal that cut the grace period short.
    pub signal: Option<Signal>,
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
    let (instances, absent) = selected(list(engine, native, request.scope).await?, request.queries, &seed)?;
    let task = events.start("stopping", "");
    let all = request.queries.is_empty().then_some(request.scope);
    let targets = DownTargets { instances: &instances, all };
    let mut signal = None;
    let removed = tokio::select! {
        removed = async {
            end_owners(&instances, request.grace).await;
            remove(engine, native, targets, Some(request.grace)).await
        } => removed?,
        came = stop.requested() => {
            signal = Some(came);
            remove(engine, native, targets, None).await?
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
    Ok(DownOutcome { instances, networks, volumes, data, absent, signal })
}

/// Returns the instances of the selected runs, by name, and the queries that nothing matches.
fn selected(
    mut listing: FoundInstances,
    queries: &[String],
    seed: &str,
) -> Result<(Vec<InstanceSummary>, Vec<Absent>), InstanceError> {
    let mut absent = Vec::new();
    let mut instances = if queries.is_empty() {
        listing.instances
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
        let mut runs = BTreeSet::new();
        for query in queries {
            match select_run(&listing, query) {
                Ok(run) => {
                    check_whole(&listing, query, run, queries)?;
                    runs.insert(run.clone());
                }
                Err(InstanceError::NotRunning { query, elsewhere, .. }) => {
                    absent.push(Absent { query, elsewhere });
                }
                Err(error) => return Err(error),
            }
        }
        let all = listing.instances.into_iter().chain(listing.others);
        all.filter(|one| runs.contains(&one.identity.run)).collect()
    };
    instances.sort_by(|one, other| one.identity.name.cmp(&other.identity.name));
    Ok((instances, absent))
}

/// Checks that a query means a whole run, alone or with the other queries: the parts of a run need each other.
fn check_whole(
    listing: &FoundInstances,
    query: &str,
    run: &RunId,
    queries: &[String],
) -> Result<(), InstanceError> {
    if !is_part(listing, query) {
        return Ok(());
    }
    let is_named = |query: &str, name: &str| {
        query.split_once('/').is_some_and(|(start, part)| run.as_str().starts_with(start) && part == name)
    };
    let all = listing.instances.iter().chain(&listing.others).filter(|one| one.identity.run == *run);
    let others: Vec<String> = all
        .map(|one| one.identity.name.clone())
        .filter(|name| !queries.iter().any(|query| is_named(query, name)))
        .collect();
    match others.is_empty() {
        true => Ok(()),
        false => Err(InstanceError::PartOfRun { query: query.to_owned(), run: run.to_string(), others }),
    }
}

/// The runs to remove.
#[derive(Debug, Clone, Copy)]
struct DownTargets<'a> {
    /// Instances: the whole run of each is removed.
    instances: &'a [InstanceSummary],
    /// Also remove resources of runs in this scope that have nothing else left.
    all: Option<&'a ListScope>,
}

impl DownTargets<'_> {
    fn holds(&self, who: &ResourceLabels) -> bool {
        // A living owner may be about to start a container in a run that has only a network so far.
        let is_left = || self.all.is_some_and(|scope| scope.holds(who)) && !host::is_alive(&who.owner);
        let is_meant = || self.instances.iter().any(|one| one.identity.run == who.run);
        who.role != Role::Data && (is_meant() || is_left())
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

/// Removes everything selected, and continues after a failure; the first failure is the error.
async fn remove(
    engine: &RunEngine,
    native: &Native,
    targets: DownTargets<'_>,
    grace: Option<Duration>,
) -> Result<RemovedResources, InstanceError> {
    let selects = |who: &ResourceLabels| targets.holds(who);
    // Processes of this machine are listed whatever the engine.
    let processes = async {
        match engine.containers().map(ContainerEngine::address) {
            None => Ok(Vec::new()),
            address => end_processes(native, address, selects, grace.unwrap_or_default()).await,
        }
    };
    let (removed, failed) = tokio::join!(engine.remove(selects, grace), processes);
    let (removed, failed) = (removed?, failed?);
    match removed.errors.into_iter().chain(failed.into_iter().map(InstanceError::from)).next() {
        Some(error) => Err(error),
        None => Ok(RemovedResources { errors: Vec::new(), ..removed }),
    }
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
        let (selected, absent) =
            selected(FoundInstances { instances, others }, &queries, seed).expect("selects");
        (selected.into_iter().map(|one| one.identity.name).collect(), absent)
    }

    #[test]
    fn down_selects_whole_runs_of_this_inventory_by_name() {
        assert_eq!(names(&["web"], "w").0, ["db", "web"]);
        assert_eq!(names(&["web", "redis"], "w").0, ["db", "redis", "web"]);
        assert_eq!(names(&[], "w").0, ["db", "web"]);
        let other = RunId::new(b"other").to_string();
        assert_eq!(names(&[&other[..6]], "w").0, ["api", "web"], "a run's ID finds any run");
        let absent = Absent { query: "api".into(), elsewhere: vec![other] };
        assert_eq!(names(&["api", "web"], "w"), (vec!["db".into(), "web".into()], vec![absent]));
        assert_eq!(names(&["no"], "w").1, [Absent { query: "no".into(), elsewhere: Vec::new() }]);
    }

    #[test]
    fn down_refuses_a_part_of_a_run_with_others() {
        let run = RunId::new(b"a run");
        let labels = |name: &str| instance(&run, name, Retention::Retained, "here");
        let ask = |instances: Vec<InstanceSummary>| {
            let listing = FoundInstances { instances, others: Vec::new() };
            selected(listing, &[format!("{run}/web")], "w").map(|(all, _)| all.len())
        };
        let refused = ask(vec![labels("web"), labels("db")]).expect_err("has another part");
        assert!(matches!(refused, InstanceError::PartOfRun { others, .. } if others == ["db"]));
        assert_eq!(ask(vec![labels("web")]).expect("is all of its run"), 1);
    }

    #[test]
    fn down_leaves_kept_services_of_other_workspaces() {
        assert_eq!(names(&["redis"], "w").0, ["redis"], "an inventory of this workspace shares it");
        let (selected, absent) = names(&["redis"], "other");
        assert_eq!((selected.len(), absent.len()), (0, 1));
    }
}
