//! Where units run: containers on a network of their own, or processes in a space of their own.
//! The two differ in here and nowhere else in a run.

mod containers;
mod kept;
mod native;
mod neighbours;
mod network;

use super::Request;
use super::handle::{Handle, Output};
use super::plan::RunPlan;
use super::unit::Unit;
use crate::model::guard::Gate;
use crate::model::identity::{Identity, Lifetime, Role, RunId};
use crate::ops::engine::Engine;
use crate::ops::tools::Tools;
use containers::Containers;
pub(super) use kept::{Kept, Making, specification};
use native::Processes;

/// What a run may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// What it needs, and nothing else.
    #[default]
    Isolated,
    /// Whatever this machine reaches.
    Internet,
}

/// Where the units of one run are.
#[derive(Debug)]
pub(super) enum Ground {
    /// On a container engine.
    Containers(Box<Containers>),
    /// On this machine.
    Native(Processes),
}

/// Whose a unit is, and how long it is wanted.
pub(super) struct Belonging<'a> {
    pub(super) run: &'a RunId,
    pub(super) lifetime: Lifetime,
    /// What it may reach.
    pub(super) network: Network,
    pub(super) publish: bool,
    /// What is being made that outlives the run, and is no use before it is ready.
    pub(super) making: &'a Making,
    /// The gate that each start passes.
    pub(super) gate: &'a Gate<'a>,
}

impl Belonging<'_> {
    /// Of something in the run; `of` is the reference of the component that it belongs to.
    fn identity(&self, tools: &Tools<'_>, of: &str, name: &str, role: Role) -> Identity {
        Identity {
            run: self.run.clone(),
            component: of.to_owned(),
            role,
            name: name.to_owned(),
            owner: tools.owner.clone(),
            lifetime: self.lifetime,
        }
    }
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
            (Self::Containers(ground), Some(neighbour)) => ground.meet(&neighbour, tools).await,
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
