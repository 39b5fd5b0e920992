//! Discovery of engines on this machine: tries the candidates in order and takes the first that answers. An
//! address that the user has set is binding: if no engine answers there, no other is used.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::ContainerEngine;
use super::address::{Address, AddressKind, PingError, PingInfo};
use super::docker_context;
use super::podman_service::PodmanService;
use crate::host::{Env, programs};

/// Timeout of a socket of this machine.
const PATIENCE: Duration = Duration::from_secs(1);

/// Requested engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineChoice {
    /// First that answers.
    Auto,
    /// Docker only.
    Docker,
    /// Podman only.
    Podman,
}

impl EngineChoice {
    pub(super) fn takes(self, kind: AddressKind) -> bool {
        match self {
            Self::Auto => true,
            Self::Docker => kind == AddressKind::Docker,
            Self::Podman => kind == AddressKind::Podman,
        }
    }
}

/// Source of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineOrigin {
    /// An environment variable names it.
    Variable(&'static str),
    /// A context of Docker's client names it.
    DockerContext(String),
    /// Docker's default socket.
    DockerSocket,
    /// Podman's default socket for one user.
    PodmanRootless,
    /// Podman's default socket for the whole machine.
    PodmanRootful,
    /// The program is installed, and can be started as a service.
    PodmanProgram,
}

impl EngineOrigin {
    fn kind(&self) -> Option<AddressKind> {
        match self {
            Self::Variable(_) | Self::DockerContext(_) => None,
            Self::DockerSocket => Some(AddressKind::Docker),
            Self::PodmanRootless | Self::PodmanRootful | Self::PodmanProgram => Some(AddressKind::Podman),
        }
    }

    /// Returns whether the user has set it for the requested kind, so that no other candidate counts.
    pub(super) fn binds(&self, wanted: EngineChoice) -> bool {
        match self {
            Self::Variable("CONTAINER_HOST") => wanted != EngineChoice::Docker,
            Self::Variable(_) | Self::DockerContext(_) => wanted != EngineChoice::Podman,
            _ => false,
        }
    }
}

impl fmt::Display for EngineOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "`{name}`"),
            Self::DockerContext(name) => write!(f, "docker context `{name}`"),
            Self::DockerSocket => f.write_str("usual socket of Docker"),
            Self::PodmanRootless => f.write_str("usual socket of Podman without root"),
            Self::PodmanRootful => f.write_str("usual socket of Podman"),
            Self::PodmanProgram => f.write_str("program `podman`"),
        }
    }
}

/// Outcome of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiscoveryOutcome {
    /// The engine answers, and is used.
    Used {
        /// Kind of the engine.
        kind: AddressKind,
        /// Its version.
        version: String,
    },
    /// Nothing exists at the address.
    Absent,
    /// The socket exists, but this user has no permission.
    NoPermission,
    /// The engine is of another kind than requested.
    OtherKind(AddressKind),
    /// It cannot be used, for this reason.
    Failed(String),
    /// An earlier candidate decided.
    NotTried,
}

impl fmt::Display for DiscoveryOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Used { kind, version } => write!(f, "{kind} {version}"),
            Self::Absent => f.write_str("not there"),
            Self::NoPermission => f.write_str("permission denied"),
            Self::OtherKind(kind) => write!(f, "it is {kind}"),
            Self::Failed(why) => f.write_str(why),
            Self::NotTried => f.write_str("not tried"),
        }
    }
}

/// Possible address of an engine, and the outcome of its try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineCandidate {
    /// Source.
    pub origin: EngineOrigin,
    /// Address.
    pub address: String,
    /// Outcome.
    pub outcome: DiscoveryOutcome,
}

impl EngineCandidate {
    /// Returns whether the user has set its address, so that nothing else is used if no engine answers there.
    #[must_use]
    pub fn is_binding(&self) -> bool {
        self.origin.binds(EngineChoice::Auto)
    }
}

impl fmt::Display for EngineCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.origin, self.address, self.outcome)
    }
}

/// Result of the discovery.
#[derive(Debug)]
pub struct Discovery {
    /// Engine, if one answers.
    pub engine: Option<ContainerEngine>,
    /// All candidates, in the order of trying.
    pub candidates: Vec<EngineCandidate>,
}

/// Address to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EngineLocation {
    pub(super) origin: EngineOrigin,
    pub(super) at: EngineSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EngineSource {
    Text(String),
    Nowhere(String),
    Program,
}

/// Finds an engine; starts a Podman service if necessary.
pub async fn discover(env: &Env, wanted: EngineChoice) -> Discovery {
    look_at(env, locations(env, wanted), wanted).await
}

/// Finds an engine that already listens, and starts none.
pub async fn discover_listening(env: &Env, wanted: EngineChoice) -> Discovery {
    let mut locations = locations(env, wanted);
    locations.retain(|location| location.at != EngineSource::Program);
    look_at(env, locations, wanted).await
}

async fn look_at(env: &Env, locations: Vec<EngineLocation>, wanted: EngineChoice) -> Discovery {
    let mut discovery = Discovery { engine: None, candidates: Vec::new() };
    let mut decided = false;
    for location in locations {
        let EngineLocation { origin, at } = location;
        let (mut address, mut outcome) = (at.to_string(), DiscoveryOutcome::NotTried);
        if !decided {
            match look(env, &at, wanted).await {
                Ok((engine, version)) => {
                    address = engine.address().to_owned();
                    outcome = DiscoveryOutcome::Used { kind: engine.kind(), version };
                    discovery.engine = Some(engine);
                    decided = true;
                }
                Err(why) => {
                    // An engine of another kind is no failure of an address that was set for the other kind.
                    decided = origin.binds(wanted) && !matches!(why, DiscoveryOutcome::OtherKind(_));
                    outcome = why;
                }
            }
        }
        discovery.candidates.push(EngineCandidate { origin, address, outcome });
    }
    discovery
}

async fn look(
    env: &Env,
    at: &EngineSource,
    wanted: EngineChoice,
) -> Result<(ContainerEngine, String), DiscoveryOutcome> {
    let (address, pong, service) = match at {
        EngineSource::Nowhere(why) => return Err(DiscoveryOutcome::Failed(why.clone())),
        EngineSource::Text(text) => {
            if text.starts_with("tcp:") && (env.get("DOCKER_TLS_VERIFY").is_some()) {
                return Err(DiscoveryOutcome::Failed("connections over TLS are not supported".to_owned()));
            }
            let address =
                Address::parse(text).map_err(|error| DiscoveryOutcome::Failed(error.to_string()))?;
            let pong =
                address.ping_until_known(PATIENCE, PATIENCE).await.map_err(|silence| match silence {
                    PingError::Absent => DiscoveryOutcome::Absent,
                    PingError::NoPermission => DiscoveryOutcome::NoPermission,
                    other => DiscoveryOutcome::Failed(other.to_string()),
                })?;
            (address, pong, None)
        }
        EngineSource::Program => {
            let program = programs::find(env, "podman").ok_or(DiscoveryOutcome::Absent)?;
            let started = PodmanService::start(env, &program).await;
            let (service, address, pong) =
                started.map_err(|error| DiscoveryOutcome::Failed(error.to_string()))?;
            (address, pong, Some(service))
        }
    };
    let PingInfo { kind, version } = pong.clone();
    if !wanted.takes(kind) {
        return Err(DiscoveryOutcome::OtherKind(kind));
    }
    let engine = ContainerEngine::new(address, pong, service);
    let records = env.runtime_directory().join("commands");
    engine
        .map(|engine| (engine.with_records(records), version))
        .map_err(|error| DiscoveryOutcome::Failed(error.to_string()))
}

/// Returns the addresses to try, best first.
pub(super) fn locations(env: &Env, wanted: EngineChoice) -> Vec<EngineLocation> {
    let mut locations = Vec::new();
    let mut add = |origin: EngineOrigin, at: EngineSource| {
        let known = |location: &EngineLocation| location.at == at;
        if origin.kind().is_none_or(|kind| wanted.takes(kind)) && !locations.iter().any(known) {
            locations.push(EngineLocation { origin, at });
        }
    };
    let mut variables = vec!["DOCKER_HOST", "CONTAINER_HOST"];
    match wanted {
        EngineChoice::Auto => {}
        EngineChoice::Docker => variables.truncate(1),
        EngineChoice::Podman => variables.reverse(),
    }
    for name in variables {
        if let Some(address) = env.get(name) {
            add(EngineOrigin::Variable(name), EngineSource::Text(address.to_owned()));
        }
    }
    // Docker's client uses its contexts only if the variable is not set.
    if env.get("DOCKER_HOST").is_none()
        && let Some(context) = docker_context::chosen(env)
    {
        let at = context.host.map_or_else(EngineSource::Nowhere, EngineSource::Text);
        add(EngineOrigin::DockerContext(context.name), at);
    }
    let socket = |path: PathBuf| EngineSource::Text(format!("unix://{}", path.display()));
    let runtime = env
        .get_os("XDG_RUNTIME_DIR")
        .map_or_else(|| PathBuf::from(format!("/run/user/{}", nix::unistd::getuid())), PathBuf::from);
    add(EngineOrigin::DockerSocket, socket("/var/run/docker.sock".into()));
    add(EngineOrigin::DockerSocket, socket(runtime.join("docker.sock")));
    if let Some(home) = env.home() {
        add(EngineOrigin::DockerSocket, socket(home.join(".docker/run/docker.sock")));
    }
    add(EngineOrigin::PodmanRootless, socket(runtime.join("podman/podman.sock")));
    add(EngineOrigin::PodmanRootful, socket("/run/podman/podman.sock".into()));
    add(EngineOrigin::PodmanProgram, EngineSource::Program);
    locations
}

impl fmt::Display for EngineSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&crate::base::text::safe_line(text)),
            Self::Nowhere(_) => Ok(()),
            Self::Program => f.write_str("podman system service"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(env: &Env, wanted: EngineChoice) -> Vec<String> {
        locations(env, wanted).iter().map(|location| location.at.to_string()).collect()
    }

    #[test]
    fn discover_tries_candidates_in_order() {
        let env = Env::new([("XDG_RUNTIME_DIR", "/run/user/7"), ("HOME", "/home/a")]);
        assert_eq!(
            shown(&env, EngineChoice::Auto),
            [
                "unix:///var/run/docker.sock",
                "unix:///run/user/7/docker.sock",
                "unix:///home/a/.docker/run/docker.sock",
                "unix:///run/user/7/podman/podman.sock",
                "unix:///run/podman/podman.sock",
                "podman system service",
            ]
        );
        assert_eq!(shown(&env, EngineChoice::Docker).len(), 3);
        assert_eq!(shown(&env, EngineChoice::Podman).len(), 3);
    }

    #[test]
    fn discover_prefers_variables_without_duplicates() {
        let env = Env::new([
            ("DOCKER_HOST", "unix:///var/run/docker.sock"),
            ("CONTAINER_HOST", "tcp://localhost:1"),
        ]);
        let all = shown(&env, EngineChoice::Auto);
        assert_eq!(all[..2], ["unix:///var/run/docker.sock", "tcp://localhost:1"]);
        assert_eq!(all.iter().filter(|at| at.ends_with("/var/run/docker.sock")).count(), 1);
        assert_eq!(shown(&env, EngineChoice::Podman)[0], "tcp://localhost:1");
        assert!(!shown(&env, EngineChoice::Docker).contains(&"tcp://localhost:1".to_owned()));
    }

    #[tokio::test]
    async fn discover_does_not_fall_back_from_user_address() {
        let env = Env::new([("DOCKER_HOST", "unix:///nowhere/docker.sock"), ("PATH", "/nowhere")]);
        let found = discover(&env, EngineChoice::Auto).await;
        assert!(found.engine.is_none());
        assert_eq!(found.candidates[0].outcome, DiscoveryOutcome::Absent);
        assert!(
            found.candidates[1..].iter().all(|candidate| candidate.outcome == DiscoveryOutcome::NotTried)
        );
        let env = Env::new([("DOCKER_HOST", "ssh://host")]);
        let found = discover(&env, EngineChoice::Docker).await;
        assert!(matches!(&found.candidates[0].outcome, DiscoveryOutcome::Failed(why) if why.contains("SSH")));
    }
}
