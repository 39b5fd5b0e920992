//! The one place that speaks to a container engine, Docker or Podman, by its API. It knows images,
//! containers, networks and what they are labelled with; what a component is, and what is run for
//! it, is for `ops`. Where the two engines differ, they differ in here and nowhere else.
//!
//! Three rules hold throughout. Every question has a deadline, and every stream is watched, since
//! an engine that is stuck says nothing for ever. What changes something runs to its end even if
//! whoever asked has gone, so that a clean-up that comes later finds all of it. And nothing is
//! ever removed that does not carry our labels, or was not named by its id.

mod address;
mod build;
mod build_lines;
mod build_request;
mod container;
pub mod context;
mod discover;
mod docker_context;
mod error;
mod exec;
mod exec_request;
mod facts;
mod files;
mod follow;
mod image;
mod mark;
mod network;
mod output;
mod podman_limits;
mod podman_service;
mod reference;
mod spec;
mod sweep;
mod terminal;
mod volume;
mod wait;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::models::SystemInfo;
use tokio::sync::{OnceCell, RwLock};

pub use address::{Address, Kind, Unsupported};
pub use build_request::BuildRequest;
pub use discover::{Candidate, Discovery, Origin, Outcome, Wanted, discover, discover_listening};
pub use error::{EngineError, PullCause, Thing};
pub use exec::Exec;
pub use exec_request::{ExecRequest, Input};
pub use follow::LogRequest;
pub use image::{ImageFacts, ImageSummary};
pub use mark::Ender;
pub use network::{ClosedNetwork, NetworkFacts};
pub use output::{Chunk, OutputStream};
pub use podman_service::orphaned_services;
pub use sweep::Swept;
pub use terminal::{TerminalExec, TerminalReader, TerminalWriter, Twin};
pub use volume::VolumeFacts;

use address::Pong;
use podman_service::PodmanService;

/// How long an engine may take for what it answers from memory.
const QUICK: Duration = Duration::from_secs(20);
/// How long it may take for what makes or removes something.
const SLOW: Duration = Duration::from_secs(90);
/// How long a stream may say nothing before the engine is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(5);
/// An engine that breaks every connection for so long is not one that is just ending.
const DYING: Duration = Duration::from_secs(3);
/// After a connection broke, an engine that answers is asked once more after this.
const LAST_BREATH: Duration = Duration::from_millis(100);
/// bollard's own time limit. It counts until the first header, and both engines send headers as
/// late as the first byte of a log or the last of a build context: our own limits apply instead.
const NEVER: u64 = 30 * 24 * 3600;

/// A container engine that answers. It is cheap to clone, and the clones are one.
#[derive(Debug, Clone)]
pub struct ContainerEngine {
    docker: Docker,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    address: Address,
    shown: String,
    kind: Kind,
    version: String,
    info: OnceCell<SystemInfo>,
    ulimits: OnceCell<Option<podman_limits::Limits>>,
    /// Held for reading by everything that makes something, for as long as the engine works on it.
    making: Arc<RwLock<()>>,
    /// A service of our own, which ends with the last clone.
    _service: Option<PodmanService>,
}

impl ContainerEngine {
    /// For an engine that has answered at an address.
    fn new(address: Address, pong: Pong, service: Option<PodmanService>) -> Result<Self, EngineError> {
        let shown = address.to_string();
        let docker = match &address {
            Address::Unix(_) => Docker::connect_with_unix(&shown, NEVER, bollard::API_DEFAULT_VERSION),
            Address::Tcp(_) => Docker::connect_with_http(&shown, NEVER, bollard::API_DEFAULT_VERSION),
        }
        .map_err(|error| EngineError::new(&shown, "connect", &error))?;
        let shared = Shared {
            address,
            shown,
            kind: pong.kind,
            version: pong.version,
            info: OnceCell::new(),
            ulimits: OnceCell::new(),
            making: Arc::new(RwLock::new(())),
            _service: service,
        };
        Ok(Self { docker, shared: Arc::new(shared) })
    }

    /// Which engine it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.shared.kind
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.shared.shown
    }

    /// Its version, as it says.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.shared.version
    }

    /// Whether it runs without the rights of root. Podman takes a third of a second to say so;
    /// the answer is remembered.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn is_rootless(&self) -> Result<bool, EngineError> {
        let options = self.info().await?.security_options.as_deref().unwrap_or_default();
        Ok(options.iter().any(|option| option.split(',').any(|word| word == "name=rootless")))
    }

    /// Whether a program on this machine can connect to the address of a container: true on Linux
    /// with an engine of this machine that runs as root, and not in a virtual machine.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn reaches_containers(&self) -> Result<bool, EngineError> {
        if !cfg!(target_os = "linux") || !self.shared.address.is_local() || self.is_rootless().await? {
            return Ok(false);
        }
        Ok(!self.is_desktop().await?)
    }

    async fn is_desktop(&self) -> Result<bool, EngineError> {
        let system = self.info().await?.operating_system.as_deref().unwrap_or_default();
        Ok(system.contains("Docker Desktop"))
    }

    /// Whether this process may enter the networks of the engine's containers: it is root, and the
    /// containers are processes of the machine that it sees.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn lets_us_in(&self) -> Result<bool, EngineError> {
        let root = cfg!(target_os = "linux") && nix::unistd::geteuid().is_root();
        if !root || self.shared.address.process().await.is_none() {
            return Ok(false);
        }
        // Podman's virtual machine is not to be had as root, and it takes long to describe itself.
        Ok(self.kind() == Kind::Podman || !self.is_desktop().await?)
    }

    /// The number of the engine's process, if it is one of this machine that is seen from here. Its
    /// network is the one whose firewall is in the way of its containers.
    pub async fn process(&self) -> Option<u32> {
        self.shared.address.process().await
    }

    /// Asks whether the engine still answers. One that is dying breaks connections before it stops
    /// listening: it is asked until it does either.
    ///
    /// # Errors
    /// When it does not, saying in which way.
    pub async fn ping(&self) -> Result<(), EngineError> {
        use address::Silence;
        let address = self.shared.shown.clone();
        match self.shared.address.ping_until_known(QUICK, DYING).await {
            Ok(_) => Ok(()),
            Err(Silence::NoPermission) => Err(EngineError::NoPermission { address }),
            Err(Silence::Absent | Silence::Refused) => Err(EngineError::gone(address)),
            Err(Silence::TimedOut(_)) => {
                Err(EngineError::Silent { address, doing: "say whether it is alive".to_owned() })
            }
            Err(silence) => Err(EngineError::Unreachable { address, reason: silence.to_string() }),
        }
    }

    /// What is to be said of an error. A connection that broke says nothing of its cause: the engine
    /// is asked what has become of it, so that the same cause is told alike at whatever moment it
    /// struck.
    async fn outcome(&self, error: EngineError) -> EngineError {
        if !matches!(error, EngineError::Severed { .. }) {
            return error;
        }
        for _ in 0..2 {
            if let Err(dead) = self.ping().await {
                return dead;
            }
            // An answer may be the last one of an engine that is about to end.
            tokio::time::sleep(LAST_BREATH).await;
        }
        error
    }

    async fn info(&self) -> Result<&SystemInfo, EngineError> {
        let ask = || self.call("describe itself", QUICK, self.docker.info());
        self.shared.info.get_or_try_init(ask).await
    }

    /// Asks something, with a limit to how long the answer may take.
    async fn call<T>(
        &self,
        doing: &str,
        limit: Duration,
        answer: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineError> {
        let silent =
            |doing: &str| EngineError::Silent { address: self.shared.shown.clone(), doing: doing.to_owned() };
        // What takes long is told from an engine that is stuck by asking for something quick.
        let pulse = async {
            loop {
                // Asked now and then, and not at once: most calls are over by then.
                tokio::time::sleep(SILENCE).await;
                if let Err(error) = self.ping().await {
                    return error;
                }
            }
        };
        tokio::select! {
            biased;
            answer = tokio::time::timeout(limit, answer) => match answer {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(self.failed(doing, &error).await),
                Err(_) => Err(silent(doing)),
            },
            dead = pulse => Err(if matches!(dead, EngineError::Silent { .. }) { silent(doing) } else { dead }),
        }
    }

    /// What is to be said of bollard's error for something that was asked.
    async fn failed(&self, doing: &str, error: &bollard::errors::Error) -> EngineError {
        self.outcome(EngineError::new(&self.shared.shown, doing, error)).await
    }

    /// Does something that leaves a trace on the engine, to its end, even when the caller stops
    /// waiting for it: an engine goes on with a request whose client has gone, and a clean-up must
    /// not run before it is through. [`ContainerEngine::settled`] waits for all of these.
    async fn unbroken<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> Result<T, EngineError> {
        let making = Arc::clone(&self.shared.making).read_owned().await;
        let task = tokio::spawn(async move {
            let result = work.await;
            drop(making);
            result
        });
        match task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only the end of the runtime cancels it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Waits until nothing is being made any more. All that makes something has a deadline, hence
    /// so has this.
    pub async fn settled(&self) {
        drop(self.shared.making.write().await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::guard::Passed;

    /// Clean-up runs in a task of its own, and so may everything else.
    #[test]
    fn everything_can_be_spawned() {
        fn sends<F: Future + Send>(_: impl FnOnce(ContainerEngine) -> F) {}
        sends(|engine| async move { engine.sweep(|_| true).await.map(drop) });
        sends(|engine| async move { engine.wait("x").await });
        sends(|engine| async move { engine.create(&Default::default()).await });
        sends(|engine| async move { engine.exec("x", ExecRequest::new(Passed::typed(Vec::new()))).await });
        sends(
            |engine| async move { engine.logs("x", LogRequest::default()).await?.next().await.transpose() },
        );
        sends(|engine| async move {
            let events = crate::model::event::Events::silent();
            let task = events.start("x", "building");
            let packed = context::pack("x".as_ref(), &context::Dockerfile::File("x".into()), "x".as_ref())?;
            engine.build(&BuildRequest::default(), &packed, &task, &events).await
        });
    }
}
