//! The life of a run: its ground is laid, what is needed is started step by step, then those who need
//! it; then they are watched over. What that leaves behind is removed by the caller.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use crate::base::redact::Redactor;
use crate::model::event::State;
use crate::model::identity::Lifetime;
use crate::ops::engine::Engine;
use crate::ops::tools::Tools;

use super::ground::{Belonging, Ground};
use super::plan::RunPlan;
use super::running::Running;
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
    let whose = Belonging {
        run: &plan.run,
        lifetime: if request.detach { Lifetime::Kept } else { Lifetime::Owner },
        publish: request.publish,
    };
    let start = async {
        let ground = Ground::lay(tools, engine, request, plan, &whose).await?;
        bring_up(tools, &ground, plan, images, &whose).await
    };
    let mut units = tokio::select! {
        started = start => started?,
        signal = tools.stop.requested() => {
            tools.events.start("stopping", "").finish(State::Done, "before it had started");
            return Ok(How::Stopped(signal));
        }
    };
    let how = watch(tools, request, plan, &mut units).await;
    if !matches!(how, Ok(How::Detached(_))) {
        // What was written last is read to its end; an orphan that holds the output open is not
        // waited for.
        let pumps = units.iter_mut().filter(|one| one.wanted).filter_map(|one| one.pump.take());
        let _ = tokio::time::timeout(DRAIN, join_all(pumps)).await;
    }
    how
}

/// Starts the units, step by step; what is needed is ready when this returns.
async fn bring_up(
    tools: &Tools<'_>,
    ground: &Ground,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
    whose: &Belonging<'_>,
) -> anyhow::Result<Vec<Running>> {
    let secrets: Vec<_> = plan.units().flat_map(Unit::secrets).collect();
    let redactor = Redactor::new(secrets);
    let mut up = Vec::new();
    for step in &plan.steps {
        let starts = step.iter().map(async |unit| {
            let is_needed = plan.is_needed(unit);
            let task = is_needed.then(|| tools.events.start(unit.name.clone(), "starting"));
            let image = images.get(&unit.name).map(String::as_str);
            let (handle, output) = ground.start(unit, image, tools, whose, &plan.locked).await?;
            let mut running = Running::attend(unit, handle, output, &redactor, tools);
            if let Some(task) = task {
                if let Some(ready) = &unit.ready {
                    task.detail(format!("waiting until {ready}"));
                    running.wait_ready(ready, tools).await?;
                }
                task.finish(State::Done, "ready");
            }
            if unit.wanted {
                let of = if plan.is_group() { format!("{}: ", unit.name) } else { String::new() };
                for (port, local) in running.handle.ports() {
                    let detail = format!("{of}{port} at 127.0.0.1:{local}");
                    tools.events.start("port", "").finish(State::Done, detail);
                }
            }
            anyhow::Ok(running)
        });
        up.extend(try_join_all(starts).await?);
    }
    Ok(up)
}
