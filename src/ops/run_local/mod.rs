//! `cki run-local`: a component with all that it needs, started in order, watched while it runs,
//! and gone without a trace when it ends, however it ends.

mod ground;
mod handle;
mod output;
pub mod plan;
mod ready;

use std::collections::BTreeMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::future::{FutureExt as _, LocalBoxFuture, pending, select_all, try_join_all};
use tokio::task::JoinHandle;

use crate::base::redact::Redactor;
use crate::base::text;
use crate::host::signals::Signal;
use crate::model::environment::Wishes;
use crate::model::event::{Event, State, Stream};
use crate::model::identity::{Lifetime, RunId};
use crate::model::inventory::Component;
use crate::model::probe::Ready;
use crate::ops::build::{self, Wish};
use crate::ops::engine::Engine;
use crate::ops::tools::Tools;
use crate::ops::{needs, source};
pub use ground::Network;
use ground::{Belonging, Ground};
use handle::{Handle, Output};
use output::{Pump, Tail};
use plan::{Image, RunPlan, Unit};

/// What is left of the output when a unit has ended is waited for this long.
const DRAIN: Duration = Duration::from_secs(5);
/// Cleaning up may take this long.
const CLEAN_UP: Duration = Duration::from_secs(60);

/// What to run.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The component.
    pub component: &'a Component,
    /// From this merge request.
    pub merge_request: Option<u64>,
    /// This image instead of its own.
    pub image: Option<String>,
    /// Do the work once and end.
    pub once: bool,
    /// Go on in the background.
    pub detach: bool,
    /// Make its ports reachable on this machine's loopback address.
    pub publish: bool,
    /// What it may reach.
    pub network: Network,
    /// Arguments for its command.
    pub args: Vec<String>,
    /// The user's variables.
    pub wishes: Wishes,
}

impl<'a> Request<'a> {
    /// A plain run of a component.
    #[must_use]
    pub fn of(component: &'a Component) -> Self {
        Self {
            component,
            merge_request: None,
            image: None,
            once: false,
            detach: false,
            publish: false,
            network: Network::default(),
            args: Vec::new(),
            wishes: Wishes::default(),
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The run.
    pub run: RunId,
    /// The component.
    pub component: String,
    /// The engine.
    pub engine: &'static str,
    /// How.
    pub how: How,
    /// What could not be removed.
    pub left: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The component ended with this exit code.
    Exited(i64),
    /// A signal ended it.
    Stopped(Signal),
    /// It goes on, with these ports of this machine that lead to it.
    Detached(Vec<(u16, u16)>),
}

/// A run that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing says how.
    #[error(
        "the inventory does not say how `{component}` is run: its entry has neither `run`, `build` nor `image`"
    )]
    NotRunnable {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// It only has a command for a single run.
    #[error("`{component}` does its work once and ends: it has `run.once` and no `run.command`")]
    OnceOnly {
        /// The component.
        component: String,
    },
    /// No image.
    #[error("there is no image for `{name}`")]
    NoImage {
        /// What it is for.
        name: String,
    },
    /// The image is not there, and must not be pulled.
    #[error("image `{image}` is not on the engine, and `--offline` forbids to pull it")]
    Offline {
        /// The image.
        image: String,
    },
    /// It runs in a container only.
    #[error("`{name}` cannot be run without a container engine")]
    NotNative {
        /// What.
        name: String,
        /// It is a backing service.
        is_service: bool,
    },
    /// There is no such program in the image.
    #[error("`{name}` cannot be started: `{program}` {missing}")]
    Program {
        /// What would be started.
        name: String,
        /// The program.
        program: String,
        /// In which way it is missing.
        missing: &'static str,
    },
    /// The container would not know that it is no production.
    #[error("`{name}` would start with `{variable}` {}, and it must be `{wanted}`", found.as_ref().map_or("unset".to_owned(), |found| format!("set to `{found}`")))]
    Production {
        /// What would be started.
        name: String,
        /// The variable.
        variable: String,
        /// What it must be.
        wanted: String,
        /// What it is.
        found: Option<String>,
    },
    /// It is not ready in time.
    #[error("`{name}` is not ready after {}: {why}", text::duration(*after))]
    NotReady {
        /// What.
        name: String,
        /// What it answers.
        why: String,
        /// How long was waited.
        after: Duration,
    },
    /// It ended although it is still needed.
    #[error("`{name}` ended with exit code {code} while it was needed")]
    ServiceEnded {
        /// What.
        name: String,
        /// Its exit code.
        code: i64,
    },
    /// It ended before it was ready.
    #[error("`{name}` ended with exit code {code} before it was ready")]
    EndedEarly {
        /// What.
        name: String,
        /// Its exit code.
        code: i64,
    },
    /// A port cannot be published.
    #[error("port {port} cannot be published")]
    Port {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// Nobody would forward the port.
    #[error(
        "a detached run on an isolated network cannot publish ports: nothing would be left to forward them"
    )]
    PublishDetached,
}

/// Runs a component to its end.
///
/// # Errors
/// When it cannot be built or started, or something that it needs fails.
pub async fn run(tools: &Tools<'_>, engine: &Engine, request: &Request<'_>) -> anyhow::Result<Ended> {
    let entropy = format!("{}-{:?}", tools.owner.to_label(), std::time::SystemTime::now());
    let run = RunId::new(entropy.as_bytes());
    let rules = needs::secret_rules(tools.assets)?;
    let plan = plan::plan(tools, request, &rules, engine.is_native(), run.clone())?;
    let images = prepare(tools, engine, request, &plan).await?;
    tools.events.start("env", "").finish(State::Done, plan.summary.clone());

    let live = AssertUnwindSafe(live(tools, engine, request, &plan, &images)).catch_unwind().await;
    let keeps = matches!(live, Ok(Ok(How::Detached(_))));
    let left = if keeps { Vec::new() } else { clean_up(tools, engine, &run).await };
    let how = match live {
        Ok(result) => result?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    Ok(Ended { run, component: request.component.name().to_owned(), engine: engine.name(), how, left })
}

/// Sees to it that there is something to start, and gives the image of each unit by its name.
async fn prepare(
    tools: &Tools<'_>,
    engine: &Engine,
    request: &Request<'_>,
    plan: &RunPlan,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut images = BTreeMap::new();
    for unit in plan.units() {
        let merge_request = request.merge_request.filter(|_| unit.name == plan.main.name);
        let component = tools.inventory.find_exactly(&unit.name).ok();
        match (engine, &unit.image) {
            (Engine::Native(_), _) => {
                let repo = unit.native.as_ref().and_then(|native| native.repo.as_deref());
                if let (Some(component), Some(repo)) = (component, repo) {
                    source::ensure(tools, component, repo, merge_request).await?;
                }
            }
            (Engine::Containers(engine), Image::Built(_)) => {
                let component = component.unwrap_or(request.component);
                let wish = Wish { merge_request, quiet: true, ..Wish::default() };
                let built = build::build(tools, engine, component, &wish).await?;
                images.insert(unit.name.clone(), built.image);
            }
            (Engine::Containers(engine), Image::Named(name)) => {
                if engine.image(name).await?.is_none() {
                    if tools.offline {
                        return Err(RunError::Offline { image: name.clone() }.into());
                    }
                    let task = tools.events.start(name.clone(), "pulling");
                    tokio::select! {
                        pulled = engine.pull(name, &task) => pulled?,
                        signal = tools.stop.requested() => return Err(source::SourceError::Stopped(signal).into()),
                    }
                    task.finish(State::Done, "pulled");
                }
                images.insert(unit.name.clone(), name.clone());
            }
            (Engine::Containers(_), Image::Unknown) => {
                return Err(RunError::NoImage { name: unit.name.clone() }.into());
            }
        }
    }
    Ok(images)
}

/// A unit while it runs.
struct Running {
    name: String,
    handle: Handle,
    tail: Tail,
    pump: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pump) = &self.pump {
            pump.abort();
        }
    }
}

/// Everything from the first thing that is made on an engine to the last that happens there.
async fn live(
    tools: &Tools<'_>,
    engine: &Engine,
    request: &Request<'_>,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
) -> anyhow::Result<How> {
    let component = request.component.reference.to_string();
    let whose = Belonging {
        run: &plan.run,
        component: &component,
        lifetime: if request.detach { Lifetime::Kept } else { Lifetime::Owner },
        publish: request.publish,
    };
    let start = async {
        let ground = ground(tools, engine, request, plan, &whose).await?;
        bring_up(tools, &ground, plan, images, &whose).await
    };
    let (mut main, mut services, seen) = tokio::select! {
        started = start => started?,
        signal = tools.stop.requested() => {
            tools.events.start("stopping", "").finish(State::Done, "before it had started");
            return Ok(How::Stopped(signal));
        }
    };
    let how = watch(tools, request, plan, &mut main, &mut services, seen).await;
    if !matches!(how, Ok(How::Detached(_)))
        && let Some(pump) = main.pump.take()
    {
        // What was written last is read to its end; an orphan that holds the output open is not
        // waited for.
        let _ = tokio::time::timeout(DRAIN, pump).await;
    }
    how
}

async fn ground(
    tools: &Tools<'_>,
    engine: &Engine,
    request: &Request<'_>,
    plan: &RunPlan,
    whose: &Belonging<'_>,
) -> anyhow::Result<Ground> {
    let probes = plan.units().any(|unit| matches!(unit.ready, Some(Ready::Tcp(_) | Ready::Http { .. })));
    let reached: Vec<&str> = plan.steps.iter().flatten().map(|unit| unit.name.as_str()).collect();
    let names = reached.join(", ");
    let say = |detail: String| tools.events.start("network", "").finish(State::Done, detail);
    match engine {
        Engine::Containers(engine) => {
            let ground = Ground::containers(engine, tools, whose, request.network, probes).await?;
            // The address of this machine on the network of a run is in reach on both engines.
            let served = "what this machine serves on all its addresses";
            match (&ground, names.is_empty()) {
                (Ground::Containers { internal: true, .. }, true) => {
                    say(format!("isolated: it reaches nothing but {served}"));
                }
                (Ground::Containers { internal: true, .. }, false) => {
                    say(format!("isolated: it reaches {names}, and {served}"));
                }
                _ => say("open: whatever this machine reaches".to_owned()),
            }
            Ok(ground)
        }
        Engine::Native(native) => {
            if request.detach && request.publish {
                return Err(RunError::PublishDetached.into());
            }
            let ground = Ground::native(native);
            if let Ground::Native { space, .. } = &ground {
                for (what, state) in space.isolation() {
                    match state {
                        Ok(how) => tools.events.note(format!("{what}: {how}")),
                        Err(why) if what == "network" => {
                            tools.events.warn(format!("Not isolated: {what}: {why}."));
                        }
                        Err(why) => tools.events.note(format!("not isolated: {what}: {why}")),
                    }
                }
                let isolated =
                    space.isolation().iter().any(|(what, state)| *what == "network" && state.is_ok());
                let network = match (isolated, names.is_empty()) {
                    (false, _) => "this machine's".to_owned(),
                    (true, true) => "isolated: it reaches nothing".to_owned(),
                    (true, false) => format!("isolated: it reaches {names} and nothing else"),
                };
                say(format!("{network}; files and user are this machine's"));
            }
            Ok(ground)
        }
    }
}

type Up = (Running, Vec<Running>, Option<tokio::sync::watch::Receiver<bool>>);

/// Starts what is needed, step by step, and then the component.
async fn bring_up(
    tools: &Tools<'_>,
    ground: &Ground,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
    whose: &Belonging<'_>,
) -> anyhow::Result<Up> {
    let secrets: Vec<_> = plan.units().flat_map(Unit::secrets).collect();
    let redactor = Redactor::new(secrets);
    let mut services = Vec::new();
    for step in &plan.steps {
        let starts = step.iter().map(async |unit| {
            let task = tools.events.start(unit.name.clone(), "starting");
            let image = images.get(&unit.name).map(String::as_str);
            let (handle, output) = ground.start(unit, image, tools, whose, &plan.locked).await?;
            let (mut running, seen) = attend(unit, handle, output, &redactor, tools, false);
            if let Some(ready) = &unit.ready {
                task.detail(format!("waiting until {ready}"));
                wait_ready(&mut running, ready, seen, tools).await?;
            }
            task.finish(State::Done, "ready");
            anyhow::Ok(running)
        });
        services.extend(try_join_all(starts).await?);
    }
    let unit = &plan.main;
    let image = images.get(&unit.name).map(String::as_str);
    let (handle, output) = ground.start(unit, image, tools, whose, &plan.locked).await?;
    let (main, seen) = attend(unit, handle, output, &redactor, tools, true);
    for (port, local) in main.handle.ports() {
        tools.events.start("port", "").finish(State::Done, format!("{port} at 127.0.0.1:{local}"));
    }
    Ok((main, services, seen))
}

/// Reads the output of a unit from now on.
fn attend(
    unit: &Unit,
    handle: Handle,
    output: Option<Output>,
    redactor: &Redactor,
    tools: &Tools<'_>,
    shown: bool,
) -> (Running, Option<tokio::sync::watch::Receiver<bool>>) {
    use futures_util::StreamExt as _;
    let mut pump = Pump::new(&unit.name, redactor, &tools.events, shown);
    let seen = match &unit.ready {
        Some(Ready::Log(text)) => Some(pump.watch_for(text)),
        _ => None,
    };
    if let Some(log) = handle.log() {
        pump.also(log);
    }
    let tail = pump.tail();
    let pump = output.map(|mut output| {
        tokio::spawn(async move {
            while let Some((stream, bytes)) = output.next().await {
                pump.push(stream, &bytes);
            }
            pump.finish();
        })
    });
    (Running { name: unit.name.clone(), handle, tail, pump }, seen)
}

/// Waits until a unit is ready, or has ended before it was.
async fn wait_ready(
    running: &mut Running,
    ready: &Ready,
    seen: Option<tokio::sync::watch::Receiver<bool>>,
    tools: &Tools<'_>,
) -> anyhow::Result<()> {
    let limit = tools.ready_timeout;
    let name = running.name.clone();
    let mut waiter = running.handle.waiter();
    let error = tokio::select! {
        answer = ready::until_ready(&running.handle, ready, seen, limit) => match answer {
            Ok(()) => return Ok(()),
            Err(why) => RunError::NotReady { name, why, after: limit },
        },
        code = waiter.ended() => RunError::EndedEarly { name, code: code? },
    };
    show_last(running, tools);
    Err(error.into())
}

/// Shows the last lines of something that failed, unless all its lines were shown already.
fn show_last(running: &Running, tools: &Tools<'_>) {
    for text in running.tail.lines() {
        tools.events.send(Event::Line { subject: running.name.clone(), stream: Stream::Stderr, text });
    }
}

/// Waits for whatever happens first: the component ends, something that it needs ends, it is not
/// ready in time, or a signal comes.
async fn watch(
    tools: &Tools<'_>,
    request: &Request<'_>,
    plan: &RunPlan,
    main: &mut Running,
    services: &mut [Running],
    seen: Option<tokio::sync::watch::Receiver<bool>>,
) -> anyhow::Result<How> {
    let mut waiter = main.handle.waiter();
    let mut service_waiters: Vec<_> = services.iter().map(|service| service.handle.waiter()).collect();
    if request.detach && plan.main.ready.is_none() {
        return Ok(How::Detached(main.handle.ports()));
    }
    let limit = tools.ready_timeout;
    let handle = &main.handle;
    let mut asking: LocalBoxFuture<'_, Result<(), String>> =
        match plan.main.ready.as_ref().filter(|_| !plan.once) {
            Some(ready) => ready::until_ready(handle, ready, seen, limit).boxed_local(),
            None => pending().boxed_local(),
        };
    let signal = loop {
        let service_ends = service_waiters.iter_mut().map(|waiter| Box::pin(waiter.ended()));
        tokio::select! {
            code = waiter.ended() => return Ok(How::Exited(code?)),
            answer = &mut asking => match answer {
                Ok(()) if request.detach => return Ok(How::Detached(main.handle.ports())),
                Ok(()) => {
                    tools.events.start(main.name.clone(), "").finish(State::Done, "ready");
                    asking = pending().boxed_local();
                }
                Err(why) => {
                    return Err(RunError::NotReady { name: main.name.clone(), why, after: limit }.into());
                }
            },
            (code, index, _) = async { select_all(service_ends).await }, if !services.is_empty() => {
                show_last(&services[index], tools);
                return Err(RunError::ServiceEnded { name: services[index].name.clone(), code: code? }.into());
            }
            signal = tools.stop.requested() => break signal,
        }
    };
    drop(asking);
    let names: Vec<&str> =
        std::iter::once(&*main).chain(services.iter()).map(|one| one.name.as_str()).collect();
    let task = tools.events.start("stopping", format!("{} (again to force)", names.join(", ")));
    tokio::select! {
        stopped = main.handle.stop(tools.stop_grace) => stopped?,
        _ = tools.stop.forced() => {}
    }
    task.finish(State::Done, names.join(", "));
    Ok(How::Stopped(signal))
}

/// Removes everything that a run has made, and says what could not be removed.
async fn clean_up(tools: &Tools<'_>, engine: &Engine, run: &RunId) -> Vec<String> {
    let swept = tokio::time::timeout(CLEAN_UP, async {
        match engine {
            Engine::Containers(engine) => match engine.sweep(|who| who.run == *run).await {
                Ok(swept) => swept.left.iter().map(ToString::to_string).collect(),
                Err(error) => vec![error.to_string()],
            },
            Engine::Native(native) => match native.sweep(|who| who.run == *run).await {
                Ok(_) => Vec::new(),
                Err(error) => vec![error.to_string()],
            },
        }
    });
    let left = swept.await.unwrap_or_else(|_| vec!["the engine did not answer in time".to_owned()]);
    for one in &left {
        tools.events.warn(format!("Left behind: {one}. The next `cki` that uses the engine removes it."));
    }
    left
}
