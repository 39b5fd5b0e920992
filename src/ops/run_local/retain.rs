//! Keeps a run after its end, for the user to look at.

use crate::model::event::State;
use crate::model::identity::{Identity, Lifetime, Role, RunId};
use crate::ops::engine::Engine;
use crate::ops::gc;
use crate::ops::op_context::Tools;

use super::request::Request;

/// Keeps all resources of a run, and reports the next commands. On failure, nothing is kept.
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
    if let Err(error) = gc::keep(engine, who).await {
        tools.events.warn(format!("Nothing is kept: {error}."));
        return false;
    }
    let name = first.name();
    let shell = if engine.is_native() { String::new() } else { format!("cki shell {name} · ") };
    let next = format!("run {run}: cki logs {name} · {shell}cki down {name}");
    tools.events.start("kept", "").finish(State::Done, next);
    true
}
