//! `cki down`: stops and removes runs.

mod volumes;

use std::time::Duration;

use crate::base::text::plural_of;
use crate::host::signals::{Shutdown, Signal};
use crate::host::{self, Env};
use crate::model::event::{Events, TaskOutcome};
use crate::model::identity::{ResourceLabels, Retention, Role};
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::{InstanceSummary, list};
use crate::ops::runtime::remove::RemovedResources;
use crate::ops::runtime::select::select;
use crate::ops::shared::workspace::Workspace;
use crate::ops::shared::workspace_secrets;
use crate::systems::native::Native;

/// The request to remove runs.
#[derive(Debug, Clone, Copy)]
pub struct DownRequest<'a> {
    /// A component, a kept backing service, or a run: the whole run of each is removed. `None` is everything.
    pub query: Option<&'a str>,
    /// Also remove the data of the workspace's kept backing services.
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
    /// The removed volumes with data of kept backing services, by name.
    pub data: Vec<String>,
    /// The signal that cut the grace period short.
    pub signal: Option<Signal>,
}

impl DownOutcome {
    /// Returns whether a network or volume belonged to the run of a removed instance.
    #[must_use]
    pub fn belongs_to_instance(&self, name: &str) -> bool {
        self.instances.iter().any(|one| name.contains(one.identity.run.as_str()))
    }
}

/// Stops and removes runs completely, networks included, but not the data of kept services unless that is
/// requested. Instances that do not end in time are killed, and all of them are when a signal comes.
///
/// # Errors
/// Fails when nothing matches, the engine does not answer, or something could not be removed. Everything else
/// is then removed.
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
    let instances = selected(list(engine, native).await?, request, &seed)?;
    let task = events.start("stopping", "");
    let targets = DownTargets { instances: &instances, all: request.query.is_none() };
    let mut signal = None;
    let removed = tokio::select! {
        removed = remove(engine, native, targets, Some(request.grace)) => removed?,
        came = stop.requested() => {
            signal = Some(came);
            remove(engine, native, targets, None).await?
        }
    };
    task.finish(
        TaskOutcome::Done,
        plural_of(instances.len(), "container or process", "containers or processes"),
    );
    let data = match request.volumes && signal.is_none() {
        true => volumes::remove(engine, &seed, request.query).await?,
        false => Vec::new(),
    };
    let RemovedResources { networks, volumes, left: _ } = removed;
    Ok(DownOutcome { instances, networks, volumes, data, signal })
}

/// Returns the instances of the selected runs, by name.
fn selected(
    mut all: Vec<InstanceSummary>,
    request: DownRequest<'_>,
    seed: &str,
) -> Result<Vec<InstanceSummary>, InstanceError> {
    if let Some(query) = request.query {
        // A name means only the service that is kept for this workspace.
        all.retain(|one| {
            one.identity.lifetime != Retention::Workspace || volumes::is_of_workspace(&one.identity, seed)
        });
        let runs: Vec<_> = match select(&all, query) {
            Ok(selected) => selected.into_iter().map(|one| one.identity.run.clone()).collect(),
            // The service may be gone while its data still exists.
            Err(InstanceError::NotRunning { .. }) if request.volumes => Vec::new(),
            Err(error) => return Err(error),
        };
        all.retain(|one| runs.contains(&one.identity.run));
    }
    all.sort_by(|one, other| one.identity.name.cmp(&other.identity.name));
    Ok(all)
}

/// The runs to remove.
#[derive(Debug, Clone, Copy)]
struct DownTargets<'a> {
    /// Instances: the whole run of each is removed.
    instances: &'a [InstanceSummary],
    /// Also remove resources of runs that have nothing else left.
    all: bool,
}

impl DownTargets<'_> {
    fn holds(&self, who: &ResourceLabels) -> bool {
        // A living owner may be about to start a container in a run that has only a network so far.
        let is_left = || self.all && !host::is_alive(&who.owner);
        let is_meant = || self.instances.iter().any(|one| one.identity.run == who.run);
        who.role != Role::Data && (is_meant() || is_left())
    }
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
        match engine.is_native() {
            true => Ok(RemovedResources::default()),
            false => RunEngine::Native(native.clone()).remove(selects, grace).await,
        }
    };
    let (removed, ended) = tokio::join!(engine.remove(selects, grace), processes);
    let (removed, ended) = (removed?, ended?);
    match removed.left.into_iter().chain(ended.left).next() {
        Some(error) => Err(error),
        None => Ok(RemovedResources { left: Vec::new(), ..removed }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_ref::ProcessRef;
    use crate::model::container::Status;
    use crate::model::identity::RunId;

    fn instance(run: &RunId, name: &str, lifetime: Retention) -> InstanceSummary {
        let identity = ResourceLabels {
            run: run.clone(),
            component: format!("services/{name}"),
            role: Role::Component,
            name: name.into(),
            owner: ProcessRef { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            lifetime,
        };
        InstanceSummary::sample(identity, Status::Running)
    }

    fn names(query: Option<&str>, volumes: bool, seed: &str) -> Result<Vec<String>, InstanceError> {
        let run = RunId::new(b"a run");
        let all = vec![
            instance(&run, "web", Retention::Kept),
            instance(&run, "db", Retention::Kept),
            instance(&RunId::of_workspace("w", "redis"), "redis", Retention::Workspace),
        ];
        let request = DownRequest { query, volumes, grace: Duration::ZERO };
        let selected = selected(all, request, seed)?;
        Ok(selected.into_iter().map(|one| one.identity.name).collect())
    }

    #[test]
    fn down_selects_whole_runs_by_name() {
        assert_eq!(names(Some("web"), false, "w").expect("runs"), ["db", "web"]);
        assert_eq!(names(None, false, "w").expect("runs"), ["db", "redis", "web"]);
        assert!(matches!(names(Some("no"), false, "w"), Err(InstanceError::NotRunning { .. })));
        assert_eq!(names(Some("no"), true, "w").expect("may have data").len(), 0);
    }

    #[test]
    fn down_leaves_kept_services_of_other_workspaces() {
        assert_eq!(names(Some("redis"), false, "w").expect("runs"), ["redis"]);
        assert!(matches!(names(Some("redis"), false, "other"), Err(InstanceError::NotRunning { .. })));
        assert_eq!(names(None, false, "other").expect("runs").len(), 3, "all are all");
    }
}
