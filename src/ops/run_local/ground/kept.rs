//! Backing services that outlive the run. There is one of a name for a workspace, made from one
//! specification; every run of the workspace that wants it from the same one uses it. It has a
//! network of its own, so that it can stay when no run is there, and each run puts it on its own
//! network as well: so runs share the service, and nothing else. What it stores is in named volumes,
//! which stay when it is replaced or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Belonging;
use super::containers::{Containers, container, pass, pieces, ports_for_engine};
use super::network::{Way, lay_apart, way_apart};
use crate::base::digest;
use crate::base::owner::Owner;
use crate::host;
use crate::model::container::{ContainerFacts, Status};
use crate::model::guard::Gate;
use crate::model::identity::{Identity, Lifetime, Role, RunId, SPECIFICATION};
use crate::model::probe::Ready;
use crate::ops::run_local::RunError;
use crate::ops::run_local::handle::{Container, Handle, Output, Started};
use crate::ops::run_local::unit::Unit;
use crate::ops::tools::Tools;
use crate::systems::engine::{EngineError, LogRequest};

/// Another run that is making the same service is waited for this long, until it has started it.
const OTHERS: Duration = Duration::from_secs(20);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(50);
/// So many of the last lines of one that was there already are kept for the case of a failure.
const LINES: usize = 12;

/// How a service that is kept came to be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops::run_local) enum Kept {
    /// It was made.
    Made,
    /// It was there.
    Reused,
    /// There was one that was made from something else, or had ended.
    Replaced,
}

impl Kept {
    /// What is said when it is ready.
    pub(in crate::ops::run_local) fn word(self) -> &'static str {
        match self {
            Self::Made => "ready, kept from now on",
            Self::Reused => "ready, kept from before",
            Self::Replaced => "ready, in the place of the one that was kept",
        }
    }
}

/// What this process is making that will be kept. Until it is ready it goes with the run like
/// anything else; what others have made, or stored, does not.
#[derive(Debug)]
pub(in crate::ops::run_local) struct Making {
    owner: Owner,
    /// Whose services they are: what tells this workspace from others.
    workspace: Arc<str>,
    runs: Mutex<BTreeSet<RunId>>,
    ready: Mutex<Vec<String>>,
}

impl Making {
    /// Nothing so far.
    pub(in crate::ops::run_local) fn new(owner: Owner, workspace: Arc<str>) -> Self {
        Self { owner, workspace, runs: Mutex::default(), ready: Mutex::default() }
    }

    /// What tells this workspace from others.
    pub(in crate::ops::run_local) fn workspace(&self) -> &str {
        &self.workspace
    }

    fn begin(&self, run: &RunId) {
        self.runs().insert(run.clone());
    }

    fn end(&self, run: &RunId) {
        self.runs().remove(run);
    }

    /// A unit is ready.
    pub(in crate::ops::run_local) fn done(&self, unit: &Unit) {
        if unit.kept {
            self.end(&RunId::of_workspace(&self.workspace, &unit.name));
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(unit.name.clone());
        }
    }

    /// The names of the services that are ready and will be kept.
    pub(in crate::ops::run_local) fn kept(&self) -> Vec<String> {
        let mut kept = self.ready.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.sort();
        kept
    }

    /// Whether something goes with the run.
    pub(in crate::ops::run_local) fn holds(&self, who: &Identity) -> bool {
        who.owner == self.owner && self.runs().contains(&who.run)
    }

    fn runs(&self) -> MutexGuard<'_, BTreeSet<RunId>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A digest of all that a service is made from.
pub(in crate::ops::run_local) fn specification(unit: &Unit, image: &str) -> String {
    let mut parts: Vec<String> = vec![
        image.to_owned(),
        format!("{:?}", (&unit.command, &unit.workdir, &unit.ports, &unit.ready, &unit.setup, &unit.volumes)),
    ];
    for (name, value) in &unit.environment {
        parts.extend([name.clone(), value.expose().to_owned()]);
    }
    for file in &unit.files {
        parts.extend([file.path.clone(), file.mode.to_string(), file.content.expose().to_owned()]);
    }
    digest::of_parts(parts)[..20].to_owned()
}

/// What is there of a service.
enum Found {
    Nothing,
    /// As it is needed.
    Good(Box<ContainerFacts>),
    /// Removed, since it was not.
    Removed,
    /// Another process is about to start it.
    Coming,
}

impl Containers {
    /// Finds or makes a service that is kept, and puts it on the network of this run.
    pub(super) async fn start_kept(
        &self,
        unit: &Unit,
        image: &str,
        tools: &Tools<'_>,
        whose: &Belonging<'_>,
    ) -> anyhow::Result<(Handle, Option<Output>)> {
        let identity = Identity {
            run: RunId::of_workspace(&whose.making.workspace, &unit.name),
            component: format!("services/{}", unit.name),
            role: Role::Service,
            name: unit.name.clone(),
            owner: tools.owner.clone(),
            lifetime: Lifetime::Workspace,
        };
        let specification = specification(unit, image);
        let began = Instant::now();
        let mut kept = Kept::Made;
        loop {
            match self.find(&identity, &specification).await? {
                Found::Good(facts) => return self.reuse(unit, image, &facts, whose.gate).await,
                Found::Removed => kept = Kept::Replaced,
                Found::Coming if began.elapsed() > OTHERS => {
                    return Err(RunError::KeptInUse { name: unit.name.clone() }.into());
                }
                Found::Coming => {
                    // Another process makes it, and tells nobody but the engine when it has.
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                Found::Nothing => {}
            }
            whose.making.begin(&identity.run);
            match self.make(unit, image, &identity, &specification, (tools, whose)).await {
                Ok((mut container, output)) => {
                    container.kept = Some(kept);
                    return Ok((Handle::Container(Box::new(container)), Some(output)));
                }
                // Another run was quicker: what it makes will be there in a moment.
                Err(error) if is_name_taken(&error) && began.elapsed() < OTHERS => {
                    whose.making.end(&identity.run);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn find(&self, identity: &Identity, specification: &str) -> anyhow::Result<Found> {
        let all = self.engine.list(Some(&identity.run)).await?;
        let is_good =
            |one: &ContainerFacts| one.labels.get(SPECIFICATION).map(String::as_str) == Some(specification);
        for one in &all {
            let owner = Identity::from_labels(|key| one.labels.get(key).map(String::as_str));
            let is_others =
                owner.is_some_and(|who| who.owner != identity.owner && host::is_alive(&who.owner));
            match one.status {
                Status::Running if is_good(one) => return Ok(Found::Good(Box::new(one.clone()))),
                Status::Created if is_others => return Ok(Found::Coming),
                _ => {}
            }
        }
        if all.is_empty() {
            return Ok(Found::Nothing);
        }
        let networks = self.engine.networks().await?;
        for one in all {
            let mut others = networks.iter().filter(|network| is_used_by_another(&network.labels, identity));
            if one.status == Status::Running
                && others
                    .any(|network| one.networks.iter().any(|id| *id == network.id || *id == network.name))
            {
                return Err(RunError::KeptInUse { name: identity.name.clone() }.into());
            }
            // It may have something to write to the end.
            self.engine.stop(&one.id, OTHERS / 2).await?;
            self.engine.remove(&one.id).await?;
        }
        Ok(Found::Removed)
    }

    async fn reuse(
        &self,
        unit: &Unit,
        image: &str,
        facts: &ContainerFacts,
        gate: &Gate<'_>,
    ) -> anyhow::Result<(Handle, Option<Output>)> {
        let engine = &self.engine;
        // The line that says ready may be long past.
        let tail = (!matches!(unit.ready, Some(Ready::Log(_)))).then_some(LINES);
        let request = LogRequest { follow: true, tail, ..LogRequest::default() };
        let way = way_apart(engine).await?;
        let (inside, output, ()) = tokio::try_join!(
            engine.inside(&facts.id),
            engine.logs(&facts.id, request),
            self.network.admit(engine, &facts.id, unit),
        )?;
        // Another run may have allowed more than this one.
        let inside = pass(inside, unit, image, gate)?.into_inner();
        let program = unit.command.as_ref().and_then(|command| command.first().cloned());
        let container = Container {
            engine: engine.clone(),
            id: facts.id.clone(),
            what: Started { name: unit.name.clone(), program }.into(),
            reach: Self::reach(way, &facts.id, &inside),
            ports: inside.ports,
            forwards: Vec::new(),
            kept: Some(Kept::Reused),
        };
        Ok((Handle::Container(Box::new(container)), Some(pieces(output))))
    }

    async fn make(
        &self,
        unit: &Unit,
        image: &str,
        identity: &Identity,
        specification: &str,
        (tools, whose): (&Tools<'_>, &Belonging<'_>),
    ) -> anyhow::Result<(Container, Output)> {
        let engine = &self.engine;
        let mut spec = container(unit, image, tools, whose);
        spec.name = format!("cki-{}-{}", identity.run, unit.name);
        spec.labels.extend(identity.to_labels());
        spec.labels.insert(SPECIFICATION.to_owned(), specification.to_owned());
        spec.hostname = Some(unit.name.clone()).filter(|name| name.len() < 64);
        spec.closed = true;
        let way = way_apart(engine).await?;
        if way == Way::Publish {
            spec.publish = ports_for_engine(unit);
        }
        spec.volumes.clear();
        for path in &unit.volumes {
            spec.stores.push((store(&whose.making.workspace, unit, path), path.clone()));
        }
        for (name, _) in &spec.stores {
            let data = Identity { role: Role::Data, name: name.clone(), ..identity.clone() };
            engine.create_volume(name, data.to_labels()).await?;
        }
        let (network, is_new) = self.own_network(identity, whose).await?;
        spec.network = Some((network.clone(), vec![unit.name.clone()]));
        let made = self.start_container(&spec, unit, whose.gate, way).await;
        if is_new && made.as_ref().is_err_and(is_name_taken) {
            engine.remove_network(&network).await?;
        }
        let (container, output) = made?;
        self.network.admit(engine, &container.id, unit).await?;
        Ok((container, output))
    }

    /// The network of a service's own, from before if it is still there, and whether it is new.
    async fn own_network(
        &self,
        identity: &Identity,
        whose: &Belonging<'_>,
    ) -> anyhow::Result<(String, bool)> {
        let mut networks = self.engine.networks().await?.into_iter();
        if let Some(network) = networks.find(|one| is_free(&one.labels, identity)) {
            return Ok((network.id, false));
        }
        // Docker would make two of one name, and then know neither by it.
        let name = format!("cki-{}-{}", identity.run, whose.run);
        Ok((lay_apart(&self.engine, &name, identity.to_labels()).await?, true))
    }
}

/// Whether a network of a service is there to be used: not one that another process has just made.
fn is_free(labels: &BTreeMap<String, String>, own: &Identity) -> bool {
    Identity::from_labels(|key| labels.get(key).map(String::as_str))
        .is_some_and(|who| who.run == own.run && (who.owner == own.owner || !host::is_alive(&who.owner)))
}

/// Whether something belongs to another run that still goes on.
fn is_used_by_another(labels: &BTreeMap<String, String>, own: &Identity) -> bool {
    Identity::from_labels(|key| labels.get(key).map(String::as_str)).is_some_and(|who| {
        who.run != own.run && (who.lifetime == Lifetime::Kept || host::is_alive(&who.owner))
    })
}

/// The name of the volume for a path of a service.
fn store(workspace: &str, unit: &Unit, path: &str) -> String {
    let workspace = &digest::of_parts([workspace])[..10];
    let place: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("cki-{workspace}-{}-{}", unit.name, place.trim_matches('-'))
}

fn is_name_taken(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<EngineError>(), Some(EngineError::NameTaken { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::model::container::{ContainerFile, Limits};
    use crate::ops::run_local::unit::{Image, Work};

    fn unit() -> Unit {
        Unit {
            name: "db".into(),
            role: Role::Service,
            is_component: false,
            wanted: false,
            once: false,
            of: "x/app".into(),
            needs: Vec::new(),
            image: Image::Named("db:1".into()),
            command: None,
            native: None,
            environment: vec![("PASSWORD".into(), Secret::new("one"))],
            secret: vec!["PASSWORD".into()],
            workdir: None,
            ports: vec![5432],
            files: vec![ContainerFile { path: "/f".into(), content: Secret::new("text"), mode: 0o644 }],
            ready: Some(Ready::Tcp(5432)),
            setup: Vec::new(),
            volumes: vec!["/data".into()],
            kept: true,
            hidden: Vec::new(),
            work: Work::default(),
            keeps_entrypoint: false,
            limits: Limits::default(),
        }
    }

    #[test]
    fn whatever_it_is_made_from_counts_and_nothing_else() {
        let first = specification(&unit(), "db:1");
        assert_eq!(specification(&unit(), "db:1"), first);
        assert_ne!(specification(&unit(), "db:2"), first);
        let changes: [fn(&mut Unit); 6] = [
            |unit| unit.environment[0].1 = Secret::new("two"),
            |unit| unit.files[0].content = Secret::new("other"),
            |unit| unit.command = Some(vec!["serve".into()]),
            |unit| unit.setup.push(vec!["make".into()]),
            |unit| unit.volumes.clear(),
            |unit| unit.ready = Some(Ready::Tcp(1)),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut unit = unit();
            change(&mut unit);
            assert_ne!(specification(&unit, "db:1"), first, "change {index}");
        }
        // Who needed it first is no part of it.
        let other = Unit { of: "x/other".into(), ..unit() };
        assert_eq!(specification(&other, "db:1"), first);
    }

    #[test]
    fn what_is_not_ready_goes_and_what_others_made_stays() {
        let run = RunId::of_workspace("w", "db");
        let (own, other) = (
            Owner { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            Owner { pid: 1, started: 3, boot: "b".into(), place: String::new() },
        );
        let who = |owner: &Owner, role| Identity {
            run: run.clone(),
            component: "services/db".into(),
            role,
            name: "db".into(),
            owner: owner.clone(),
            lifetime: Lifetime::Workspace,
        };
        let making = Making::new(own.clone(), "w".into());
        assert!(!making.holds(&who(&own, Role::Service)));
        making.begin(&run);
        assert!(making.holds(&who(&own, Role::Service)) && making.holds(&who(&own, Role::Data)));
        assert!(!making.holds(&who(&other, Role::Data)));
        making.end(&run);
        assert!(!making.holds(&who(&own, Role::Service)));
    }
}
