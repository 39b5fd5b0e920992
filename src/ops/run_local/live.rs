//! The life of a run: its ground is laid; what it needs and the component are started, each as soon as
//! all is ready that it needs itself; then it is watched over. What that leaves behind is removed by the caller.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::watch;

use crate::base::redact::Redactor;
use crate::model::event::State;
use crate::model::identity::Lifetime;
use crate::ops::engine::Engine;
use crate::ops::tools::Tools;

use super::ground::{Belonging, Ground};
use super::plan::RunPlan;
use super::running::{Running, Seen};
use super::unit::Unit;
use super::watch::watch as watch_over;
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
    let how = watch_over(tools, request, plan, &mut main, &mut services, seen).await;
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

/// Starts what is needed and the component: each as soon as what it needs itself is ready, and no
/// sooner.
async fn bring_up(
    tools: &Tools<'_>,
    ground: &Ground,
    plan: &RunPlan,
    images: &BTreeMap<String, String>,
    whose: &Belonging<'_>,
) -> anyhow::Result<Up> {
    let secrets: Vec<_> = plan.units().flat_map(Unit::secrets).collect();
    let redactor = Redactor::new(secrets);
    let gates = Gates::of(plan);
    let start = async |unit: &Unit, shown: bool| {
        let image = images.get(&unit.name).map(String::as_str);
        let (handle, output) = ground.start(unit, image, tools, whose, &plan.locked).await?;
        anyhow::Ok(Running::attend(unit, handle, output, &redactor, tools, shown))
    };
    let others = plan.others.iter().map(async |unit| {
        gates.wait_for(&unit.after).await;
        let task = tools.events.start(unit.name.clone(), "starting");
        let (mut running, seen) = start(unit, false).await?;
        let done = running.until_useful(unit, seen, &task, tools).await?;
        task.finish(State::Done, done);
        gates.open(&unit.name);
        anyhow::Ok((!unit.once).then_some(running))
    });
    let main = async {
        gates.wait_for(&plan.main.after).await;
        start(&plan.main, true).await
    };
    let (others, (main, seen)) = tokio::try_join!(try_join_all(others), main)?;
    for (port, local) in main.handle.ports() {
        tools.events.start("port", "").finish(State::Done, format!("{port} at 127.0.0.1:{local}"));
    }
    Ok((main, others.into_iter().flatten().collect(), seen))
}

/// Who must wait for whom. A plan has no circles, so all gates open unless a start fails.
struct Gates(BTreeMap<String, watch::Sender<bool>>);

impl Gates {
    fn of(plan: &RunPlan) -> Self {
        Self(plan.units().map(|unit| (unit.name.clone(), watch::Sender::new(false))).collect())
    }

    fn open(&self, name: &str) {
        if let Some(gate) = self.0.get(name) {
            gate.send_replace(true);
        }
    }

    async fn wait_for(&self, names: &[String]) {
        for gate in names.iter().filter_map(|name| self.0.get(name)) {
            // The gates outlive whoever waits at them.
            let _ = gate.subscribe().wait_for(|is_open| *is_open).await;
        }
    }
}
