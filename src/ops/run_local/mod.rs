//! `cki run-local`: components with all that they need, started in order, watched while they run,
//! and gone without a trace when they end, however they end.

mod again;
mod clean_up;
mod error;
mod ground;
mod guard;
mod handle;
mod kept;
mod live;
mod output;
pub mod plan;
mod prepare;
pub(in crate::ops) mod ready;
mod reload;
mod running;
pub mod unit;
mod watch;
mod work;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use futures_util::future::FutureExt as _;

use crate::host::signals::Signal;
use crate::model::environment::Wishes;
use crate::model::event::{Event, State};
use crate::model::guard::Gate;
use crate::model::identity::RunId;
use crate::model::inventory::Component;
use crate::ops::deployment;
use crate::ops::engine::Engine;
use crate::ops::rules::Rules;
use crate::ops::tools::Tools;
pub use error::RunError;
use ground::Making;
pub use ground::Network;

/// What to run.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The components, each once; several are one group.
    pub components: Vec<&'a Component>,
    /// From this merge request; of one component alone.
    pub merge_request: Option<u64>,
    /// This image instead of its own; of one component alone.
    pub image: Option<String>,
    /// Do the work once and end.
    pub once: bool,
    /// Go on in the background.
    pub detach: bool,
    /// Keep backing services for the next run of the workspace.
    pub keep_services: bool,
    /// When its end is not the end of what it has made.
    pub keep: Keep,
    /// Make its ports reachable on this machine's loopback address.
    pub publish: bool,
    /// What it may reach.
    pub network: Network,
    /// Its sources are seen in its container.
    pub mount: Option<Access>,
    /// Changes to its sources take effect while it runs.
    pub watch: bool,
    /// A debugger is reached at this port of this machine; of one component alone.
    pub debug_port: Option<u16>,
    /// Arguments for its command; of one component alone.
    pub args: Vec<String>,
    /// The user's variables.
    pub wishes: Wishes,
    /// The names of variables that may be what the guard refuses.
    pub allow: Vec<String>,
}

impl<'a> Request<'a> {
    /// A plain run of a component.
    #[must_use]
    pub fn of(component: &'a Component) -> Self {
        Self {
            components: vec![component],
            merge_request: None,
            image: None,
            once: false,
            detach: false,
            keep_services: false,
            keep: Keep::Never,
            publish: false,
            network: Network::default(),
            mount: None,
            watch: false,
            debug_port: None,
            args: Vec::new(),
            wishes: Wishes::default(),
            allow: Vec::new(),
        }
    }
}

/// What a container may do with sources of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read them.
    ReadOnly,
    /// Change them, too.
    Writable,
}

/// When a run's containers stay after its end, to be looked at, until `cki down`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Nothing stays.
    #[default]
    Never,
    /// When it did not end as it should.
    OnFailure,
    /// However it ended.
    Always,
}

impl Keep {
    /// Whether they stay after this end; of a panic, nothing does.
    fn applies(self, end: &anyhow::Result<How>) -> bool {
        match (self, end) {
            (_, Ok(How::Detached(_))) | (Self::Never, _) => false,
            (Self::Always, _) | (Self::OnFailure, Err(_)) => true,
            (Self::OnFailure, Ok(How::Exited(code))) => *code != 0,
            (Self::OnFailure, Ok(How::Stopped(_))) => false,
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The run.
    pub run: RunId,
    /// The names of the components.
    pub components: Vec<String>,
    /// The engine.
    pub engine: &'static str,
    /// How.
    pub how: How,
    /// The backing services that are kept.
    pub kept: Vec<String>,
    /// What could not be removed.
    pub left: Vec<String>,
    /// Everything stays, to be looked at.
    pub stays: bool,
    /// Nothing was done: it goes on from before.
    pub already: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The component ended with this exit code; of a group, the first that failed, or all of them.
    Exited(i64),
    /// A signal ended it.
    Stopped(Signal),
    /// It goes on, and is reached like this.
    Detached(Vec<Reached>),
}

/// A port of this machine that leads to a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The component.
    pub component: String,
    /// Its port.
    pub port: u16,
    /// The port of this machine.
    pub local: u16,
}

/// What a run would do, without a look at an engine or the network.
///
/// # Errors
/// When the inventory does not say enough, or the environment is refused or incomplete.
pub fn dry_run(tools: &Tools<'_>, request: &Request<'_>, native: bool) -> anyhow::Result<plan::RunPlan> {
    let rules = Rules::load(tools.assets, tools.inventory, tools.env, tools.workspace)?;
    plan::plan(tools, request, &rules, native, RunId::new(b"dry run"))
}

/// Runs components to their end.
///
/// # Errors
/// When one cannot be built or started, or something that it needs fails.
pub async fn run(tools: &Tools<'_>, engine: &Engine, request: &Request<'_>) -> anyhow::Result<Ended> {
    let entropy = format!("{}-{:?}", tools.owner.to_label(), std::time::SystemTime::now());
    let run = RunId::new(entropy.as_bytes());
    let rules = Rules::load(tools.assets, tools.inventory, tools.env, tools.workspace)?;
    deployment::fetch(tools, &request.components, request.merge_request).await?;
    let mut plan = plan::plan(tools, request, &rules, engine.is_native(), run.clone())?;
    let images = prepare::prepare(tools, engine, request, &plan).await?;
    let gate = Gate::new(&rules.guard, tools.inventory, &request.allow);
    guard::watch_over(tools, engine, &gate, &mut plan, &images).await?;
    if let Some(ended) = goes_on(engine, request, &plan, &images, &rules.ground.seed).await? {
        return Ok(ended);
    }
    for summary in &plan.summaries {
        tools.events.start("env", "").finish(State::Done, summary.clone());
    }
    if plan.is_group() {
        tools.events.send(Event::Speakers(plan.wanted().map(|unit| unit.name.clone()).collect()));
    }

    let making = Making::new(tools.owner.clone(), rules.ground.seed.clone());
    let live = AssertUnwindSafe(live::live(tools, engine, request, &plan, &images, &making, &gate))
        .catch_unwind()
        .await;
    let stays = match &live {
        Ok(end) if request.keep.applies(end) => kept::keep(tools, engine, request, &run).await,
        _ => false,
    };
    let goes_on = stays || matches!(live, Ok(Ok(How::Detached(_))));
    let left = if goes_on { Vec::new() } else { clean_up::clean_up(tools, engine, &run, &making).await };
    let how = match live {
        Ok(result) => result?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let components = plan.wanted().map(|unit| unit.name.clone()).collect();
    Ok(Ended {
        run,
        components,
        engine: engine.name(),
        how,
        kept: making.kept(),
        left,
        stays,
        already: false,
    })
}

/// The run that goes on already, if that is what was asked for.
async fn goes_on(
    engine: &Engine,
    request: &Request<'_>,
    plan: &plan::RunPlan,
    images: &BTreeMap<String, String>,
    workspace: &str,
) -> anyhow::Result<Option<Ended>> {
    let Engine::Containers(containers) = engine else { return Ok(None) };
    if !(request.detach && request.keep_services) {
        return Ok(None);
    }
    let found = again::goes_on(containers, plan, images, workspace).await?;
    Ok(found.map(|(run, reached)| Ended {
        run,
        components: plan.wanted().map(|unit| unit.name.clone()).collect(),
        engine: engine.name(),
        how: How::Detached(reached),
        kept: plan.units().filter(|unit| unit.kept).map(|unit| unit.name.clone()).collect(),
        left: Vec::new(),
        stays: false,
        already: true,
    }))
}
