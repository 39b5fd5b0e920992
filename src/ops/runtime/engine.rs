//! Selection of an engine: a container engine if there is one, else processes of this machine. Removing
//! the leftovers of dead processes belongs in `ops::gc`.

use crate::config;
use crate::host::Env;
use crate::model::event::Events;
use crate::systems::engine::{
    AddressKind, ContainerEngine, Discovery, EngineCandidate, EngineChoice, EngineError, discover,
};
use crate::systems::native::{Native, NativeError};

/// Name of the native engine.
pub(in crate::ops) const NATIVE: &str = "native";

/// An engine that runs components.
#[derive(Debug, Clone)]
pub enum RunEngine {
    /// Docker or Podman.
    Containers(ContainerEngine),
    /// Processes of this machine.
    Native(Native),
}

/// An error of opening an engine.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No engine answers.
    #[error("no {wanted} engine answers here")]
    None {
        /// `Docker`, `Podman`.
        wanted: &'static str,
        /// The tried addresses, each with the reason why it failed.
        tried: Vec<String>,
    },
    /// A leftover cannot be removed from a container engine.
    #[error(transparent)]
    RunEngine(#[from] EngineError),
    /// A leftover cannot be removed from the native engine.
    #[error(transparent)]
    Native(#[from] NativeError),
}

impl RunEngine {
    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Containers(engine) if engine.kind() == AddressKind::Podman => "podman",
            Self::Containers(_) => "docker",
            Self::Native(_) => NATIVE,
        }
    }

    /// Returns whether this is the native engine.
    #[must_use]
    pub fn is_native(&self) -> bool {
        matches!(self, Self::Native(_))
    }

    /// Returns the container engine, unless this is the native engine.
    #[must_use]
    pub fn containers(&self) -> Option<&ContainerEngine> {
        match self {
            Self::Containers(engine) => Some(engine),
            Self::Native(_) => None,
        }
    }

    /// Finds out, and remembers, how this machine reaches the ports of instances.
    ///
    /// # Errors
    /// Fails when the engine does not answer.
    pub(in crate::ops) async fn learn_ways(&self) -> Result<(), EngineError> {
        if let Self::Containers(engine) = self
            && !engine.can_enter_netns().await?
        {
            engine.reaches_containers().await?;
        }
        Ok(())
    }
}

/// Opens the wanted engine.
///
/// # Errors
/// Fails when a container engine is wanted and none answers.
pub async fn open(wanted: config::Engine, env: &Env, events: &Events) -> Result<RunEngine, OpenError> {
    let (kind, word) = match wanted {
        config::Engine::Native => return Ok(RunEngine::Native(Native::new(env))),
        config::Engine::Auto => (EngineChoice::Auto, "container"),
        config::Engine::Docker => (EngineChoice::Docker, "Docker"),
        config::Engine::Podman => (EngineChoice::Podman, "Podman"),
    };
    let Discovery { engine, candidates } = discover(env, kind).await;
    match engine {
        Some(engine) => {
            events.note(format!("engine: {:?} at {}", engine.kind(), engine.address()));
            Ok(RunEngine::Containers(engine))
        }
        None if wanted == config::Engine::Auto && !candidates.iter().any(EngineCandidate::is_binding) => {
            events.note("engine: native, since no container engine answers");
            Ok(RunEngine::Native(Native::new(env)))
        }
        None => {
            Err(OpenError::None { wanted: word, tried: candidates.iter().map(ToString::to_string).collect() })
        }
    }
}
