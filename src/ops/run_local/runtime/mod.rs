//! The ground of a run: its units are containers on a network of their own, or processes in namespaces.
//! The two differ only in this directory.

mod containers;
mod kept_services;
mod native;
mod neighbours;
mod network;

use super::handle::{Handle, HandleOutput};
use super::plan::RunPlan;
use super::request::RunRequest;
use super::scope::RunScope;
use super::unit::Unit;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::shared::op_context::OpContext;
use containers::Containers;
use native::Processes;

/// The ground on which the units of one run live.
#[derive(Debug)]
pub(super) enum Runtime {
    /// Containers on an engine.
    Containers(Box<Containers>),
    /// Processes on this machine.
    Native(Processes),
}

impl Runtime {
    /// Creates the shared parts of the units, and reports what they can reach.
    pub(super) async fn prepare(
        tools: &OpContext<'_>,
        engine: &RunEngine,
        request: &RunRequest<'_>,
        plan: &RunPlan,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<Self> {
        Ok(match engine {
            RunEngine::Containers(engine) => Self::Containers(Box::new(
                Containers::prepare(engine, tools, request.network, plan, scope).await?,
            )),
            RunEngine::Native(native) => {
                Self::Native(Processes::prepare(native, tools, request.network, plan, scope)?)
            }
        })
    }

    /// Removes the remains of a unit that could not be started.
    pub(super) async fn forget(&self, unit: &Unit, scope: &RunScope<'_>) -> anyhow::Result<()> {
        match self {
            Self::Containers(runtime) => runtime.forget(unit, scope).await,
            // A process that is not there has left nothing.
            Self::Native(_) => Ok(()),
        }
    }

    /// Checks that a started unit reaches another one of the run.
    ///
    /// # Errors
    /// Fails when it does not.
    pub(super) async fn meet(
        &self,
        neighbour: Option<(String, String)>,
        tools: &OpContext<'_>,
    ) -> anyhow::Result<()> {
        match (self, neighbour) {
            (Self::Containers(runtime), Some(neighbour)) => {
                runtime.neighbours.meet(&runtime.engine, &runtime.network, &neighbour, tools).await
            }
            // Nothing is in the way on the interface that processes share.
            _ => Ok(()),
        }
    }

    /// Starts a unit. Its output must be read, or it blocks.
    pub(super) async fn start(
        &self,
        unit: &Unit,
        image: Option<&str>,
        tools: &OpContext<'_>,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<(Handle, Option<HandleOutput>)> {
        match self {
            Self::Containers(runtime) => runtime.start(unit, image, tools, scope).await,
            Self::Native(runtime) => runtime.start(unit, tools, scope).await,
        }
    }
}
