//! Container engines, Docker or Podman: the only code that uses their API. It knows images, containers,
//! networks, volumes and their labels; components and the decisions about them belong to `ops`. All
//! differences between the two engines are handled here.
//!
//! Three rules hold throughout. Every request has a timeout, and every stream is watched, since a stuck
//! engine stays silent forever. A request that changes something runs to its end even if the caller is gone,
//! so that a later clean-up finds all results. And nothing is ever removed that neither carries the labels of
//! `cki` nor was named by its id.

mod address;
mod api_types;
mod attach;
mod build;
mod build_error;
mod build_lines;
mod build_request;
mod call;
mod client_error;
mod container;
pub mod context;
mod discover;
mod docker_context;
mod error;
mod exec;
mod exec_record;
mod exec_request;
mod files;
mod follow;
mod image;
mod labelled;
mod log_tail;
mod mark;
mod message;
mod network;
mod output;
mod podman_limits;
mod podman_service;
mod prune;
mod reference;
mod spec;
mod terminal;
mod twin;
mod volume;
mod wait;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::models::SystemInfo;
use tokio::sync::{OnceCell, RwLock};

pub use address::{Address, AddressKind, UnsupportedAddress};
pub use build_request::BuildRequest;
pub use discover::{
    Discovery, DiscoveryOutcome, EngineCandidate, EngineChoice, EngineOrigin, discover, discover_listening,
};
pub use error::{EngineError, ResourceKind};
pub use exec::Exec;
pub use exec_request::{ExecRequest, Input};
pub use image::{ImageFacts, ImageSummary};
pub use labelled::{LabelledContainer, labelled_containers};
pub use mark::Ender;
pub use message::PullCause;
pub use network::{ClosedNetwork, NetworkFacts};
pub use output::{Chunk, OutputStream};
pub use podman_service::orphaned_services;
pub use prune::PruneReport;
pub use terminal::{TerminalExec, TerminalReader, TerminalWriter};
pub use twin::{CopyExec, DebugCopy};
pub use volume::VolumeFacts;

use address::PingInfo;
use podman_service::PodmanService;

/// Timeout of a request that the engine answers from memory.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Timeout of a request that creates or removes something.
const WRITE_TIMEOUT: Duration = Duration::from_secs(90);
/// Silence of a stream after which the engine is pinged.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time of broken connections after which an engine does not count as just ending.
const DYING: Duration = Duration::from_secs(3);
/// Pause before a second ping of an engine that answers after a connection broke.
const LAST_BREATH: Duration = Duration::from_millis(100);
/// bollard's own timeout, out of effect. It counts until the first header, and both engines send headers as
/// late as the first byte of a log or the last of a build context: the timeouts above apply instead.
const NO_TIMEOUT: u64 = 30 * 24 * 3600;

/// A container engine that answers. Clones are cheap and share one connection.
#[derive(Debug, Clone)]
pub struct ContainerEngine {
    docker: Docker,
    shared: Arc<EngineState>,
}

#[derive(Debug)]
struct EngineState {
    address: Address,
    shown: String,
    kind: AddressKind,
    version: String,
    info: OnceCell<SystemInfo>,
    ulimits: OnceCell<Option<podman_limits::PodmanLimits>>,
    /// Directory of the records of running commands.
    records: Option<PathBuf>,
    /// Lock held for reading during each request that creates something.
    making: Arc<RwLock<()>>,
    /// Podman service of this process, which ends with the last clone.
    service: Option<PodmanService>,
}

impl ContainerEngine {
    /// Creates the client of an engine that has answered at an address.
    fn new(address: Address, pong: PingInfo, service: Option<PodmanService>) -> Result<Self, EngineError> {
        let shown = address.to_string();
        let docker = match &address {
            Address::Unix(_) => Docker::connect_with_unix(&shown, NO_TIMEOUT, bollard::API_DEFAULT_VERSION),
            Address::Tcp(_) => Docker::connect_with_http(&shown, NO_TIMEOUT, bollard::API_DEFAULT_VERSION),
        }
        .map_err(|error| EngineError::new(&shown, "connect", &error))?;
        let shared = EngineState {
            address,
            shown,
            kind: pong.kind,
            version: pong.version,
            info: OnceCell::new(),
            ulimits: OnceCell::new(),
            records: None,
            making: Arc::new(RwLock::new(())),
            service,
        };
        Ok(Self { docker, shared: Arc::new(shared) })
    }

    /// Returns the engine at an address, if it answers.
    pub async fn at(address: &str) -> Option<Self> {
        let address = Address::parse(address).ok()?;
        let pong = address.ping(IDLE_TIMEOUT).await.ok()?;
        Self::new(address, pong, None).ok()
    }

    /// Keeps the records of running commands in a directory.
    fn with_records(mut self, directory: PathBuf) -> Self {
        if let Some(state) = Arc::get_mut(&mut self.shared) {
            state.records = Some(directory);
        }
        self
    }

    /// Returns its kind.
    #[must_use]
    pub fn kind(&self) -> AddressKind {
        self.shared.kind
    }

    /// Returns the name of its command.
    fn program(&self) -> &'static str {
        match self.kind() {
            AddressKind::Podman => "podman",
            _ => "docker",
        }
    }

    /// Returns its address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.shared.shown
    }

    /// Returns whether it runs on this machine, as far as its address says.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.shared.address.is_local()
    }

    /// Returns its version, as it reports it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.shared.version
    }

    /// Returns whether it runs without root. Podman takes a third of a second to answer; the result is
    /// cached.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn is_rootless(&self) -> Result<bool, EngineError> {
        let options = self.info().await?.security_options.as_deref().unwrap_or_default();
        Ok(options.iter().any(|option| option.split(',').any(|word| word == "name=rootless")))
    }

    /// Returns whether a program on this machine can connect to the address of a container: true on Linux
    /// with an engine of this machine that runs as root, and not in a virtual machine.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
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

    /// Returns whether this process may enter the networks of the engine's containers: it is root, and the
    /// containers are visible processes of this machine.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn can_enter_netns(&self) -> Result<bool, EngineError> {
        let root = cfg!(target_os = "linux") && nix::unistd::geteuid().is_root();
        if !root || self.shared.address.process().await.is_none() {
            return Ok(false);
        }
        // Podman's virtual machine never runs as root, and Podman is slow to describe itself.
        Ok(self.kind() == AddressKind::Podman || !self.is_desktop().await?)
    }

    /// Returns the PID of the engine's process, if it is a visible one of this machine. The firewall of its
    /// network namespace is the one that can block its containers.
    pub async fn process(&self) -> Option<u32> {
        self.shared.address.process().await
    }

    /// Pings the engine. A dying engine breaks connections before it stops listening, so this retries until
    /// it answers or stops.
    ///
    /// # Errors
    /// Fails if the engine does not answer, with the way in which it fails.
    pub async fn ping(&self) -> Result<(), EngineError> {
        use address::PingError;
        let address = self.shared.shown.clone();
        match self.shared.address.ping_until_known(READ_TIMEOUT, DYING).await {
            Ok(_) => Ok(()),
            Err(PingError::NoPermission) => Err(EngineError::NoPermission { address }),
            Err(PingError::Absent | PingError::Refused) => Err(EngineError::gone(address)),
            Err(PingError::TimedOut(_)) => {
                Err(EngineError::Silent { address, doing: "say whether it is alive".to_owned() })
            }
            Err(silence) => Err(EngineError::Unreachable { address, reason: silence.to_string() }),
        }
    }

    async fn info(&self) -> Result<&SystemInfo, EngineError> {
        let ask = || self.read("describe itself", || self.docker.info());
        self.shared.info.get_or_try_init(ask).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::guard::GatePass;

    /// Clean-up runs in a separate task, so all futures must be `Send`.
    #[test]
    fn engine_futures_are_send() {
        fn sends<F: Future + Send>(_: impl FnOnce(ContainerEngine) -> F) {}
        sends(|engine| async move { engine.prune(|_| true).await.map(drop) });
        sends(|engine| async move { engine.wait("x").await });
        sends(|engine| async move { engine.create(&Default::default()).await });
        sends(|engine| async move { engine.exec("x", ExecRequest::new(GatePass::typed(Vec::new()))).await });
        sends(|engine| async move {
            engine.logs("x", crate::model::log::LogRequest::default()).await?.next().await.transpose()
        });
        sends(|engine| async move {
            let events = crate::model::event::Events::silent();
            let task = events.start("x", "building");
            let packed = context::pack("x".as_ref(), &context::Dockerfile::File("x".into()), "x".as_ref())?;
            engine.build(&BuildRequest::default(), &packed, &task, &events).await
        });
    }
}
