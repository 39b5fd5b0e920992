//! Where units run: containers on a network of their own, or processes in a space of their own.
//! The two differ in here and nowhere else in a run.

mod containers;
mod kept;
mod native;
mod neighbours;
mod network;

use super::handle::{Handle, Output};
use super::plan::RunPlan;
use super::request::Request;
use super::scope::Belonging;
use super::unit::Unit;
use crate::ops::engine::Engine;
use crate::ops::tools::Tools;
use containers::Containers;
use native::Processes;

/// Where the units of one run are.
#[derive(Debug)]
pub(super) enum Ground {
    /// On a container engine.
    Containers(Box<Containers>),
    /// On this machine.
    Native(Processes),
}

impl Ground {
    /// Makes what the units share, and tells what they will reach.
    pub(super) async fn lay(
        tools: &Tools<'_>,
        engine: &Engine,
        request: &Request<'_>,
        plan: &RunPlan,
        whose: &Belonging<'_>,
    ) -> anyhow::Result<Self> {
        Ok(match engine {
            Engine::Containers(engine) => Self::Containers(Box::new(
                Containers::lay(engine, tools, request.network, plan, whose).await?,
            )),
            Engine::Native(native) => {
                Self::Native(Processes::lay(native, tools, request.network, plan, whose)?)
            }
        })
    }

    /// Removes what was made of a unit that could not be started.
    pub(super) async fn forget(&self, unit: &Unit, whose: &Belonging<'_>) -> anyhow::Result<()> {
        match self {
            Self::Containers(ground) => ground.forget(unit, whose).await,
            // A process that is not there has left nothing.
            Self::Native(_) => Ok(()),
        }
    }

    /// Sees whether a unit that was started reaches another one of the run.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn meet(
        &self,
        neighbour: Option<(String, String)>,
        tools: &Tools<'_>,
    ) -> anyhow::Result<()> {
        match (self, neighbour) {
            (Self::Containers(ground), Some(neighbour)) => {
                ground.neighbours.meet(&ground.engine, &ground.network, &neighbour, tools).await
            }
            // Processes share an interface that nothing is in the way of.
            _ => Ok(()),
        }
    }

    /// Starts a unit. Its output must be read, or it stands still.
    pub(super) async fn start(
        &self,
        unit: &Unit,
        image: Option<&str>,
        tools: &Tools<'_>,
        whose: &Belonging<'_>,
    ) -> anyhow::Result<(Handle, Option<Output>)> {
        match self {
            Self::Containers(ground) => ground.start(unit, image, tools, whose).await,
            Self::Native(ground) => ground.start(unit, tools, whose).await,
        }
    }
}
