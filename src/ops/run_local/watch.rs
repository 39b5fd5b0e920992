//! Watches over a run that has been started, until something ends it.

use futures_util::future::{FutureExt as _, LocalBoxFuture, pending, select_all};

use crate::model::event::State;
use crate::ops::tools::Tools;

use super::plan::RunPlan;
use super::running::{Running, Seen};
use super::{How, Request, RunError, ready};

/// Waits for whatever happens first: the component ends, something that it needs ends, it is not
/// ready in time, or a signal comes.
pub(super) async fn watch(
    tools: &Tools<'_>,
    request: &Request<'_>,
    plan: &RunPlan,
    main: &mut Running,
    services: &mut [Running],
    seen: Option<Seen>,
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
                services[index].show_last(tools);
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
