//! Starts the units of a run: containers on a network of their own, or processes in namespaces.

pub mod config_hash;
mod containers;
mod neighbours;
mod network;
mod processes;
pub mod reach;
mod retained_services;
pub mod scope;
pub mod service_reuse;
pub mod unit;

use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::instance::Instance;
use crate::ops::runtime::started::{InstanceOutput, StartedInstance};
use crate::ops::shared::op_context::OpContext;
use containers::Containers;
use processes::Processes;
pub(in crate::ops) use processes::check_native;
use scope::RunScope;
use unit::Unit;

/// The shared parts of the units of one run.
#[derive(Debug)]
pub(in crate::ops) enum Runtime {
    /// Containers on an engine.
    Containers(Box<Containers>),
    /// Processes on this machine.
    Native(Processes),
}

impl Runtime {
    /// Creates the network or the namespaces of the units, and reports what they can reach.
    ///
    /// # Errors
    /// Fails when the engine or the kernel refuses.
    pub(in crate::ops) async fn prepare(
        ctx: &OpContext<'_>,
        engine: &RunEngine,
        units: &[Unit],
        scope: &RunScope<'_>,
    ) -> anyhow::Result<Self> {
        Ok(match engine {
            RunEngine::Containers(engine) => {
                Self::Containers(Box::new(Containers::prepare(engine, ctx, units, scope).await?))
            }
            RunEngine::Native(native) => Self::Native(Processes::prepare(native, ctx, units, scope)?),
        })
    }

    /// Starts a unit. Its output must be read, or it blocks.
    ///
    /// # Errors
    /// Fails when the guard, the engine or the kernel refuses.
    pub(in crate::ops) async fn start(
        &self,
        unit: &Unit,
        image: Option<&str>,
        ctx: &OpContext<'_>,
        scope: &RunScope<'_>,
    ) -> anyhow::Result<(StartedInstance, Option<InstanceOutput>)> {
        match self {
            Self::Containers(runtime) => runtime.start(unit, image, ctx, scope).await,
            Self::Native(runtime) => runtime.start(unit, ctx, scope).await,
        }
    }

    /// Removes the remains of a unit that could not be started.
    ///
    /// # Errors
    /// Fails when the engine refuses.
    pub(in crate::ops) async fn forget(&self, unit: &Unit, scope: &RunScope<'_>) -> anyhow::Result<()> {
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
    pub(in crate::ops) async fn meet(
        &self,
        name: &str,
        instance: &Instance,
        ctx: &OpContext<'_>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Containers(runtime) => runtime.meet(name, instance, ctx).await,
            // Nothing is in the way on the interface that processes share.
            Self::Native(_) => Ok(()),
        }
    }
}
