//! The life of a run: its ground is laid, what it needs is started step by step, then the component;
//! then it is watched over. What that leaves behind is removed by the caller.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::base::redact::Redactor;
use crate::model::event::State;
use crate::model::identity::Lifetime;
use crate::ops::engine::Engine;
use crate::ops::tools::Tools;

use super::ground::{Belonging, Ground};
use super::plan::RunPlan;
use super::running::{Running, Seen};
use super::unit::Unit;
use super::watch::watch;
use super::{How, Request};

/// What is left of the output when a unit has ended is waited for this long.
const DRAIN: Duration = Duration::from_secs(5);

/// Everything from the first thing that is made on an engine to the last that happens there.
pub(super) async fn live(
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
        let ground = Ground::lay(tools, engine, request, plan, &whose).await?;
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

/// The component, what it needs, and what tells when the component says that it is ready.
type Up = (Running, Vec<Running>, Option<Seen>);

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
            let (mut running, seen) = Running::attend(unit, handle, output, &redactor, tools, false);
            if let Some(ready) = &unit.ready {
                task.detail(format!("waiting until {ready}"));
                running.wait_ready(ready, seen, tools).await?;
            }
            task.finish(State::Done, "ready");
            anyhow::Ok(running)
        });
        services.extend(try_join_all(starts).await?);
    }
    let unit = &plan.main;
    let image = images.get(&unit.name).map(String::as_str);
    let (handle, output) = ground.start(unit, image, tools, whose, &plan.locked).await?;
    let (main, seen) = Running::attend(unit, handle, output, &redactor, tools, true);
    for (port, local) in main.handle.ports() {
        tools.events.start("port", "").finish(State::Done, format!("{port} at 127.0.0.1:{local}"));
    }
    Ok((main, services, seen))
}
