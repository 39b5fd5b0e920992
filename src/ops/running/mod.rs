//! `cki ps`, `logs`, `exec`, `shell`, `down` and `gc`: what runs now, found by labels on the engine
//! and by the process table. There is no state file that could go stale, and what does not carry
//! our labels is never touched.

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
use crate::model::environment::{FOLDER, hidden_parts};
use crate::model::guard::Refusal;
use crate::model::identity::{ALLOWED, Identity, Lifetime, READY, Role, SECRETS};
use crate::model::probe::Ready;
use crate::ops::engine::{Engine, OpenError};
use crate::systems::engine::{ContainerEngine, EngineError};
use crate::systems::native::{Native, NativeError, ProcessFacts};
pub use down::{Doomed, Gone, down};
pub use exec::{ExecWish, exec, standard_input};
pub use health::{Health, health};
pub use logs::{LogWish, logs};
pub use select::{select, select_one};
pub use shell::{Left, Person, interact, shell, shell_of};

/// Lines are cut here.
const LONGEST_LINE: usize = 64 << 10;

/// One thing that runs, or has ended and not been removed.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Whose it is.
    pub identity: Identity,
    /// The engine.
    pub engine: &'static str,
    /// How it is.
    pub status: Status,
    /// Published ports: inside, and on this machine.
    pub ports: Vec<(u16, u16)>,
    /// The image, or the command of a process.
    pub what: String,
    /// When it was started, in seconds since 1970.
    pub created: i64,
    /// Its run has ended, and was kept to be looked at.
    pub is_kept: bool,
    /// How to know that it is ready, if there is a way.
    pub ready: Option<Ready>,
    /// Names of variables whose values must not be shown.
    secret: Vec<String>,
    /// Names of the variables that the user allowed in its run.
    allowed: Vec<String>,
    place: Place,
}

impl Instance {
    /// Whether this is the same container or process.
    fn is(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::Container(_, id), Place::Container(_, other)) => id == other,
            (Place::Process(..), Place::Process(..)) => {
                (&self.identity.run, &self.identity.name) == (&other.identity.run, &other.identity.name)
            }
            _ => false,
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !matches!(self.status, Status::Exited(_))
    }
}

#[derive(Debug, Clone)]
enum Place {
    Container(ContainerEngine, String),
    Process(Native, Box<ProcessFacts>),
}

/// Nothing, or not what is meant, runs.
#[derive(Debug, thiserror::Error)]
pub enum RunningError {
    /// Nothing of that name.
    #[error("nothing of `{query}` is running")]
    NotRunning {
        /// What was asked for.
        query: String,
        /// What does run.
        running: Vec<String>,
    },
    /// More than one run.
    #[error("`{query}` runs {} times", runs.len())]
    Several {
        /// What was asked for.
        query: String,
        /// The ids of the runs.
        runs: Vec<String>,
    },
    /// Nobody knows when it wrote what.
    #[error("when `{name}` wrote which line is not known: without a container engine, nobody keeps it")]
    NoTimes {
        /// Its name.
        name: String,
    },
    /// There is no shell.
    #[error("there is no shell in `{name}`: neither `{tried}` can be run")]
    NoShell {
        /// Where.
        name: String,
        /// What was tried.
        tried: String,
    },
    /// It has ended, and there is nothing to begin anew.
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
    /// The guard does not let it start.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The system failed.
    #[error(transparent)]
    Native(#[from] NativeError),
    /// The engine cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Everything of ours that an engine has; processes of this machine are always among it.
///
/// # Errors
/// When the engine does not answer.
pub async fn list(engine: &Engine, native: &Native) -> Result<Vec<Instance>, RunningError> {
    let mut found = Vec::new();
    if let Engine::Containers(containers) = engine {
        for facts in containers.list(None).await? {
            let label = |key: &str| facts.labels.get(key).map(String::as_str);
            let Some(identity) = Identity::from_labels(label) else { continue };
            let is_kept = identity.lifetime == Lifetime::Decided && !host::is_alive(&identity.owner);
            found.push(Instance {
                identity,
                engine: engine.name(),
                status: facts.status.clone(),
                ports: facts.ports.clone(),
                what: facts.image.clone(),
                created: facts.created,
                is_kept,
                ready: label(READY).and_then(Ready::from_label),
                secret: names(label(SECRETS).unwrap_or_default()),
                allowed: names(label(ALLOWED).unwrap_or_default()),
                place: Place::Container(containers.clone(), facts.id),
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
            ready: facts.ready.as_deref().and_then(Ready::from_label),
            secret: facts.secret.clone(),
            allowed: Vec::new(),
            place: Place::Process(native.clone(), Box::new(facts)),
        });
    }
    sort(&mut found);
    Ok(found)
}

fn names(list: &str) -> Vec<String> {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The oldest run first, its parts together, and of these the component first: what it needs was
/// started before it, and often in the second before.
fn sort(instances: &mut [Instance]) {
    let mut began = BTreeMap::new();
    for one in instances.iter() {
        let first = began.entry(one.identity.run.clone()).or_insert(one.created);
        *first = one.created.min(*first);
    }
    instances.sort_by_key(|one| {
        let Identity { run, role, .. } = &one.identity;
        (began[run], run.clone(), *role != Role::Component, one.created)
    });
}

/// What to mask in the output of an instance: its own secrets, read from where it runs.
async fn redactor(instance: &Instance) -> Result<Redactor, RunningError> {
    Ok(Redactor::new(&secrets(instance).await?))
}

/// Collects the secrets of an instance.
async fn secrets(instance: &Instance) -> Result<Vec<Secret>, RunningError> {
    Ok(match &instance.place {
        Place::Container(engine, id) => {
            let inside = engine.inside(id).await?;
            let values = instance.secret.iter().filter_map(|name| inside.environment.get(name));
            let mut secrets: Vec<Secret> = values.map(Secret::new).collect();
            if inside.environment.values().any(|value| value.contains(FOLDER)) {
                secrets.extend(engine.files(id, FOLDER).await?.iter().flat_map(hidden_parts));
            }
            secrets
        }
        Place::Process(native, facts) => native.secrets(facts)?,
    })
}
