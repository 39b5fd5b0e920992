//! What stays of a run after its end, since the person wants to look at it.

use crate::model::event::State;
use crate::model::identity::{Identity, Lifetime, Role, RunId};
use crate::ops::engine::Engine;
use crate::ops::leftovers;
use crate::ops::tools::Tools;

use super::request::Request;

/// Keeps everything of a run, and says what to type next. Where that cannot be had, nothing stays.
pub(super) async fn keep(tools: &Tools<'_>, engine: &Engine, request: &Request<'_>, run: &RunId) -> bool {
    let Some(first) = request.components.first() else { return false };
    let who = Identity {
        run: run.clone(),
        component: first.reference.to_string(),
        role: Role::Component,
        name: String::new(),
        owner: tools.owner.clone(),
        lifetime: Lifetime::Kept,
    };
    if let Err(error) = leftovers::keep(engine, who).await {
        tools.events.warn(format!("Nothing is kept: {error}."));
        return false;
    }
    let name = first.name();
    let shell = if engine.is_native() { String::new() } else { format!("cki shell {name} · ") };
    let next = format!("run {run}: cki logs {name} · {shell}cki down {name}");
    tools.events.start("kept", "").finish(State::Done, next);
    true
}
