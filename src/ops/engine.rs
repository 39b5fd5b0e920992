//! Picks what runs components: a container engine if there is one, else processes of this machine.
//! Whoever opens an engine also removes what runs of dead processes have left: see `leftovers`.

use crate::config;
use crate::host::Env;
use crate::model::event::Events;
use crate::systems::engine::{ContainerEngine, Discovery, EngineError, Kind, Wanted, discover};
use crate::systems::native::{Native, NativeError};

/// What runs components.
#[derive(Debug, Clone)]
pub enum Engine {
    /// Docker or Podman.
    Containers(ContainerEngine),
    /// Processes of this machine.
    Native(Native),
}

/// There is no engine of the kind that is wanted.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// None answers.
    #[error("no {wanted} engine answers here")]
    None {
        /// `Docker`, `Podman`.
        wanted: &'static str,
        /// What was tried: a place, and why it did not do.
        tried: Vec<String>,
    },
    /// What a dead run left cannot be removed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What a dead run left cannot be removed.
    #[error(transparent)]
    Native(#[from] NativeError),
}

impl Engine {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Containers(engine) if engine.kind() == Kind::Podman => "podman",
            Self::Containers(_) => "docker",
            Self::Native(_) => "native",
        }
    }

    /// Whether it is the native one.
    #[must_use]
    pub fn is_native(&self) -> bool {
        matches!(self, Self::Native(_))
    }
}

/// Opens the engine that is wanted.
///
/// # Errors
/// When a container engine is wanted and none answers.
pub async fn open(wanted: config::Engine, env: &Env, events: &Events) -> Result<Engine, OpenError> {
    let (kind, word) = match wanted {
        config::Engine::Native => return Ok(Engine::Native(Native::new(env))),
        config::Engine::Auto => (Wanted::Auto, "container"),
        config::Engine::Docker => (Wanted::Docker, "Docker"),
        config::Engine::Podman => (Wanted::Podman, "Podman"),
    };
    let Discovery { engine, candidates } = discover(env, kind).await;
    match engine {
        Some(engine) => {
            events.note(format!("engine: {:?} at {}", engine.kind(), engine.address()));
            Ok(Engine::Containers(engine))
        }
        None if wanted == config::Engine::Auto => {
            events.note("engine: native, since no container engine answers");
            Ok(Engine::Native(Native::new(env)))
        }
        None => {
            Err(OpenError::None { wanted: word, tried: candidates.iter().map(ToString::to_string).collect() })
        }
    }
}
