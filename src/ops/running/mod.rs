//! `cki ps`, `logs`, `exec`, `shell`, `down` and `gc`: running instances, found by their labels on the
//! engine and in the process table. There is no state file that could go stale, and resources without
//! `cki`'s labels are never touched.

mod down;
mod exec;
mod health;
mod logs;
mod select;
mod shell;

use std::collections::BTreeMap;

use crate::base::redact::Redactor;
use crate::base::secret::Secret;
use crate::host;
use crate::model::container::Status;
use crate::model::environment::{DIRECTORY, hidden_parts};
use crate::model::guard::PolicyViolation;
use crate::model::identity::{ALLOWED, READY, ResourceLabels, Retention, Role, SECRETS};
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::engine::{OpenError, RunEngine};
use crate::systems::engine::{ContainerEngine, EngineError};
use crate::systems::native::{Native, NativeError, ProcessFacts};
pub use down::{DownReport, DownTargets, down};
pub use exec::{ExecOptions, exec, standard_input};
pub use health::{Health, health};
pub use logs::{LogOptions, logs};
pub use select::{select, select_one};
pub use shell::{LocalTerminal, ShellExit, interact, shell, shell_of};

/// Maximum bytes of a line; longer lines are cut.
const LONGEST_LINE: usize = 64 << 10;

/// A running instance, or one that has ended and not been removed.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its labels.
    pub identity: ResourceLabels,
    /// The engine.
    pub engine: &'static str,
    /// The status.
    pub status: Status,
    /// Published ports: each inside and on this machine.
    pub ports: Vec<(u16, u16)>,
    /// The image, or the command of a process.
    pub what: String,
    /// Time of its start, in seconds since 1970.
    pub created: i64,
    /// Its run has ended, and was kept for the user to look at.
    pub is_kept: bool,
    /// The readiness probe.
    pub ready: Option<ReadinessProbe>,
    /// Names of secret variables.
    secret: Vec<String>,
    /// Names of the variables that the user allowed in its run.
    allowed: Vec<String>,
    place: Backend,
}

impl Instance {
    /// Returns whether this is the same container or process.
    fn is(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Backend::Container(_, id), Backend::Container(_, other)) => id == other,
            (Backend::Process(..), Backend::Process(..)) => {
                (&self.identity.run, &self.identity.name) == (&other.identity.run, &other.identity.name)
            }
            _ => false,
        }
    }

    /// Returns whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !matches!(self.status, Status::Exited(_))
    }
}

#[derive(Debug, Clone)]
enum Backend {
    Container(ContainerEngine, String),
    Process(Native, Box<ProcessFacts>),
}

/// An error of finding or using an instance.
#[derive(Debug, thiserror::Error)]
pub enum RunningError {
    /// No instance has this name.
    #[error("nothing of `{query}` is running")]
    NotRunning {
        /// The query.
        query: String,
        /// Names of the running instances.
        running: Vec<String>,
    },
    /// The query matches several runs.
    #[error("`{query}` runs {} times", runs.len())]
    Several {
        /// The query.
        query: String,
        /// The IDs of the runs.
        runs: Vec<String>,
    },
    /// The times of lines are not known.
    #[error("when `{name}` wrote which line is not known: without a container engine, nobody keeps it")]
    NoTimes {
        /// Its name.
        name: String,
    },
    /// There is no shell.
    #[error("there is no shell in `{name}`: neither `{tried}` can be run")]
    NoShell {
        /// Its name.
        name: String,
        /// The tried shells.
        tried: String,
    },
    /// The instance has ended, and the native engine cannot start another one like it.
    #[error("`{name}` has ended, and without a container engine nothing like it can be started")]
    Ended {
        /// Its name.
        name: String,
    },
    /// There is no terminal.
    #[error("there is no terminal to type at")]
    Terminal(#[source] std::io::Error),
    /// The container engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The guard refuses it.
    #[error(transparent)]
    Refused(#[from] PolicyViolation),
    /// A system call failed.
    #[error(transparent)]
    Native(#[from] NativeError),
    /// The engine cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Returns all instances on an engine, and processes of this machine.
///
/// # Errors
/// Fails when the engine does not answer.
pub async fn list(engine: &RunEngine, native: &Native) -> Result<Vec<Instance>, RunningError> {
    let mut found = Vec::new();
    if let RunEngine::Containers(containers) = engine {
        for facts in containers.list(None).await? {
            let label = |key: &str| facts.labels.get(key).map(String::as_str);
            let Some(identity) = ResourceLabels::from_labels(label) else { continue };
            let is_kept = identity.lifetime == Retention::Decided && !host::is_alive(&identity.owner);
            found.push(Instance {
                identity,
                engine: engine.name(),
                status: facts.status.clone(),
                ports: facts.ports.clone(),
                what: facts.image.clone(),
                created: facts.created,
                is_kept,
                ready: label(READY).and_then(ReadinessProbe::from_label),
                secret: names(label(SECRETS).unwrap_or_default()),
                allowed: names(label(ALLOWED).unwrap_or_default()),
                place: Backend::Container(containers.clone(), facts.id),
            });
        }
    }
    for facts in native.list()? {
        found.push(Instance {
            identity: facts.identity.clone(),
            engine: "native",
            status: if facts.is_alive() { Status::Running } else { Status::Exited(-1) },
            ports: facts.ports.clone(),
            what: shell_words::join(&facts.command),
            created: facts.created,
            is_kept: false,
            ready: facts.ready.as_deref().and_then(ReadinessProbe::from_label),
            secret: facts.secret.clone(),
            allowed: Vec::new(),
            place: Backend::Process(native.clone(), Box::new(facts)),
        });
    }
    sort(&mut found);
    Ok(found)
}

fn names(list: &str) -> Vec<String> {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Sorts by run, oldest first, and within a run puts the component first: its dependencies started before
/// it, often within the same second.
fn sort(instances: &mut [Instance]) {
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

/// Returns a redactor for the output of an instance, with its own secrets as they are in its environment.
async fn redactor(instance: &Instance) -> Result<Redactor, RunningError> {
    Ok(Redactor::new(&secrets(instance).await?))
}

/// Collects the secrets of an instance.
async fn secrets(instance: &Instance) -> Result<Vec<Secret>, RunningError> {
    Ok(match &instance.place {
        Backend::Container(engine, id) => {
            let inside = engine.inside(id).await?;
            let values = instance.secret.iter().filter_map(|name| inside.environment.get(name));
            let mut secrets: Vec<Secret> = values.map(Secret::new).collect();
            if inside.environment.values().any(|value| value.contains(DIRECTORY)) {
                secrets.extend(engine.files(id, DIRECTORY).await?.iter().flat_map(hidden_parts));
            }
            secrets
        }
        Backend::Process(native, facts) => native.secrets(facts)?,
    })
}
