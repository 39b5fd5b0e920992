//! `cki ps`, `logs`, `exec` and `down`: what runs now, found by labels on the engine and by the
//! process table. There is no state file that could go stale, and what does not carry our labels
//! is never touched.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use crate::base::redact::Redactor;
use crate::base::secret::Secret;
use crate::base::text::LineSplitter;
use crate::host::signals::Stop;
use crate::model::container::Status;
use crate::model::environment::{FOLDER, hidden_parts};
use crate::model::event::{Event, Events, Stream};
use crate::model::identity::{Identity, Role, SECRETS};
use crate::ops::engine::{Engine, OpenError};
use crate::systems::engine::{ContainerEngine, EngineError, ExecRequest, Input, LogRequest};
use crate::systems::native::{Native, NativeError, ProcessFacts};

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
    /// Names of variables whose values must not be shown.
    secret: Vec<String>,
    place: Place,
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
    /// The container engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
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
            found.push(Instance {
                identity,
                engine: engine.name(),
                status: facts.status.clone(),
                ports: facts.ports.clone(),
                what: facts.image.clone(),
                created: facts.created,
                secret: names(label(SECRETS).unwrap_or_default()),
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
            secret: facts.secret.clone(),
            place: Place::Process(native.clone(), Box::new(facts)),
        });
    }
    sort(&mut found);
    Ok(found)
}

fn names(list: &str) -> Vec<String> {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The instances that are meant: a component by its name or reference, a backing service by its
/// name, or a run by the beginning of its id.
///
/// # Errors
/// When nothing is meant.
pub fn select<'a>(all: &'a [Instance], query: &str) -> Result<Vec<&'a Instance>, RunningError> {
    let is_component = |one: &&Instance| {
        let component = one.identity.component.as_str();
        component == query || component.rsplit('/').next() == Some(query)
    };
    let is_run = |one: &&Instance| query.len() >= 4 && one.identity.run.as_str().starts_with(query);
    let is_name = |one: &&Instance| one.identity.name == query;
    let tests: [&dyn Fn(&&Instance) -> bool; 3] = [&is_component, &is_run, &is_name];
    for test in tests {
        let found: Vec<&Instance> = all.iter().filter(|one| test(one)).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let mut running: Vec<String> = all.iter().map(|one| one.identity.component.clone()).collect();
    running.sort();
    running.dedup();
    Err(RunningError::NotRunning { query: query.to_owned(), running })
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

/// The one instance that is meant: the component itself where several parts of its run would do.
///
/// # Errors
/// When nothing, or several runs, are meant.
pub fn select_one<'a>(all: &'a [Instance], query: &str) -> Result<&'a Instance, RunningError> {
    let found = select(all, query)?;
    let main: Vec<&Instance> = found
        .iter()
        .copied()
        .filter(|one| one.identity.name == query || one.identity.role == Role::Component)
        .collect();
    match main.as_slice() {
        [one] => Ok(one),
        [] => Ok(found[0]),
        many => Err(RunningError::Several {
            query: query.to_owned(),
            runs: many.iter().map(|one| one.identity.run.to_string()).collect(),
        }),
    }
}

type Output = BoxStream<'static, Result<(Stream, bytes::Bytes), RunningError>>;

/// Sends the output of an instance as events, masked.
///
/// # Errors
/// When it cannot be read.
pub async fn logs(
    instance: &Instance,
    follow: bool,
    tail: Option<usize>,
    events: &Events,
    stop: &Stop,
) -> Result<(), RunningError> {
    let output: Output = match &instance.place {
        Place::Container(engine, id) => {
            let stream = engine.logs(id, LogRequest { follow, tail, since: None }).await?;
            let chunks = futures_util::stream::unfold(stream, |mut stream| async {
                let next = stream.next().await?;
                Some((next.map(|chunk| (chunk.stream, chunk.bytes)).map_err(RunningError::from), stream))
            });
            chunks.boxed()
        }
        Place::Process(native, facts) => {
            native.logs(facts, follow, tail)?.map(|bytes| Ok((Stream::Stdout, bytes))).boxed()
        }
    };
    let redactor = redactor(instance).await?;
    tokio::select! {
        shown = show(&instance.identity.name, output, &redactor, events) => shown,
        _ = stop.requested() => Ok(()),
    }
}

async fn show(
    name: &str,
    mut output: Output,
    redactor: &Redactor,
    events: &Events,
) -> Result<(), RunningError> {
    let mut lanes: BTreeMap<bool, _> = BTreeMap::new();
    let send = |stream: Stream, text: &str| {
        events.send(Event::Line { subject: name.to_owned(), stream, text: text.to_owned() });
    };
    let mut masked = Vec::new();
    while let Some(next) = output.next().await {
        let (stream, bytes) = next?;
        let (redact, lines) = lanes
            .entry(stream == Stream::Stderr)
            .or_insert_with(|| (redactor.stream(), LineSplitter::new(LONGEST_LINE)));
        masked.clear();
        redact.push(&bytes, &mut masked);
        lines.push(&masked, |text| send(stream, text));
    }
    for (is_stderr, (mut redact, mut lines)) in lanes {
        let stream = if is_stderr { Stream::Stderr } else { Stream::Stdout };
        masked.clear();
        redact.finish(&mut masked);
        lines.push(&masked, |text| send(stream, text));
        lines.finish(|text| send(stream, text));
    }
    Ok(())
}

/// What to mask in the output of an instance: its own secrets, read from where it runs.
async fn redactor(instance: &Instance) -> Result<Redactor, RunningError> {
    let secrets: Vec<Secret> = match &instance.place {
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
    };
    Ok(Redactor::new(&secrets))
}

/// Runs a command beside a running component, and gives its exit code.
///
/// # Errors
/// When it does not run.
pub async fn exec(
    instance: &Instance,
    command: Vec<String>,
    stdin: Option<Input>,
    events: &Events,
) -> Result<i64, RunningError> {
    let redactor = redactor(instance).await?;
    let name = &instance.identity.name;
    match &instance.place {
        Place::Container(engine, id) => {
            let request = ExecRequest { command, stdin, workdir: None };
            let mut exec = engine.exec(id, request).await?;
            let (sender, receiver) = tokio::sync::mpsc::channel(16);
            let output = futures_util::stream::unfold(receiver, |mut receiver| async {
                receiver.recv().await.map(|next| (next, receiver))
            });
            let read = async {
                while let Some(next) = exec.output.next().await {
                    let next = next.map(|chunk| (chunk.stream, chunk.bytes)).map_err(RunningError::from);
                    if sender.send(next).await.is_err() {
                        break;
                    }
                }
                drop(sender);
            };
            let ((), shown) = tokio::join!(read, show(name, output.boxed(), &redactor, events));
            shown?;
            Ok(exec.wait().await?)
        }
        Place::Process(native, facts) => {
            let mut process = native.exec(facts, &command, stdin.is_some())?;
            if let (Some(mut stdin), Some(mut input)) = (stdin, process.input()) {
                // It ends with the input or the command, whichever ends first.
                tokio::spawn(async move { tokio::io::copy(&mut stdin, &mut input).await });
            }
            if let Some(output) = process.output() {
                show(name, output.map(Ok).boxed(), &redactor, events).await?;
            }
            Ok(i64::from(process.wait().await?))
        }
    }
}

/// Ends and removes runs: everything of each, the network included. Gives the names of what was
/// removed.
///
/// # Errors
/// When the engine does not answer.
pub async fn down(
    engine: &Engine,
    native: &Native,
    doomed: &[&Instance],
    grace: Duration,
) -> Result<Vec<String>, RunningError> {
    let runs: Vec<_> = doomed.iter().map(|one| one.identity.run.clone()).collect();
    let is_doomed = |who: &Identity| runs.contains(&who.run);
    let stops = doomed.iter().map(async |one| match &one.place {
        Place::Container(engine, id) if one.status == Status::Running => {
            engine.stop(id, grace).await.map_err(RunningError::from)
        }
        Place::Container(..) => Ok(()),
        Place::Process(native, facts) => native.stop(facts, grace).await.map_err(RunningError::from),
    });
    for stopped in futures_util::future::join_all(stops).await {
        stopped?;
    }
    if let Engine::Containers(engine) = engine {
        let swept = engine.sweep(is_doomed).await?;
        if let Some(error) = swept.left.into_iter().next() {
            return Err(error.into());
        }
    }
    native.sweep(is_doomed).await?;
    let mut names: Vec<String> = doomed.iter().map(|one| one.identity.name.clone()).collect();
    names.sort();
    Ok(names)
}

/// The standard input of this process, to be passed on.
#[must_use]
pub fn standard_input() -> Input {
    Box::pin(tokio::io::stdin())
}
