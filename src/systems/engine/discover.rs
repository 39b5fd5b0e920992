//! Discovery of engines on this machine: tries the candidates in order and takes the first that answers. An
//! address that the user has set is binding: if no engine answers there, no other is used.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::ContainerEngine;
use super::address::{Address, Kind, Pong, Silence};
use super::docker_context;
use super::podman_service::PodmanService;
use crate::host::{Env, programs};

/// Timeout of a socket of this machine.
const PATIENCE: Duration = Duration::from_secs(1);

/// Requested engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// First that answers.
    Auto,
    /// Docker only.
    Docker,
    /// Podman only.
    Podman,
}

impl Wanted {
    fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Auto => true,
            Self::Docker => kind == Kind::Docker,
            Self::Podman => kind == Kind::Podman,
        }
    }
}

/// Source of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
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

impl Origin {
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Variable(_) | Self::DockerContext(_) => None,
            Self::DockerSocket => Some(Kind::Docker),
            Self::PodmanRootless | Self::PodmanRootful | Self::PodmanProgram => Some(Kind::Podman),
        }
    }

    /// Returns whether the user has set it for the requested kind, so that no other candidate counts.
    fn binds(&self, wanted: Wanted) -> bool {
        match self {
            Self::Variable("CONTAINER_HOST") => wanted != Wanted::Docker,
            Self::Variable(_) | Self::DockerContext(_) => wanted != Wanted::Podman,
            _ => false,
        }
    }
}

impl fmt::Display for Origin {
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
pub enum Outcome {
    /// The engine answers, and is used.
    Used {
        /// Kind of the engine.
        kind: Kind,
        /// Its version.
        version: String,
    },
    /// Nothing exists at the address.
    Absent,
    /// The socket exists, but this user has no permission.
    NoPermission,
    /// The engine is of another kind than requested.
    OtherKind(Kind),
    /// It cannot be used, for this reason.
    Failed(String),
    /// An earlier candidate decided.
    NotTried,
}

impl fmt::Display for Outcome {
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
pub struct Candidate {
    /// Source.
    pub origin: Origin,
    /// Address.
    pub address: String,
    /// Outcome.
    pub outcome: Outcome,
}

impl fmt::Display for Candidate {
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
    pub candidates: Vec<Candidate>,
}

/// Address to try.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    origin: Origin,
    at: At,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    Text(String),
    Nowhere(String),
    Program,
}

/// Finds an engine; starts a Podman service if necessary.
pub async fn discover(env: &Env, wanted: Wanted) -> Discovery {
    look_at(env, places(env, wanted), wanted).await
}

/// Finds an engine that already listens, and starts none.
pub async fn discover_listening(env: &Env, wanted: Wanted) -> Discovery {
    let mut places = places(env, wanted);
    places.retain(|place| place.at != At::Program);
    look_at(env, places, wanted).await
}

async fn look_at(env: &Env, places: Vec<Place>, wanted: Wanted) -> Discovery {
    let mut discovery = Discovery { engine: None, candidates: Vec::new() };
    let mut decided = false;
    for place in places {
        let Place { origin, at } = place;
        let (mut address, mut outcome) = (at.to_string(), Outcome::NotTried);
        if !decided {
            match look(env, &at, wanted).await {
                Ok((engine, version)) => {
                    address = engine.address().to_owned();
                    outcome = Outcome::Used { kind: engine.kind(), version };
                    discovery.engine = Some(engine);
                    decided = true;
                }
                Err(why) => {
                    // An engine of another kind is no failure of an address that was set for the other kind.
                    decided = origin.binds(wanted) && !matches!(why, Outcome::OtherKind(_));
                    outcome = why;
                }
            }
        }
        discovery.candidates.push(Candidate { origin, address, outcome });
    }
    discovery
}

async fn look(env: &Env, at: &At, wanted: Wanted) -> Result<(ContainerEngine, String), Outcome> {
    let (address, pong, service) = match at {
        At::Nowhere(why) => return Err(Outcome::Failed(why.clone())),
        At::Text(text) => {
            if text.starts_with("tcp:") && (env.get("DOCKER_TLS_VERIFY").is_some()) {
                return Err(Outcome::Failed("connections over TLS are not supported".to_owned()));
            }
            let address = Address::parse(text).map_err(|error| Outcome::Failed(error.to_string()))?;
            let pong =
                address.ping_until_known(PATIENCE, PATIENCE).await.map_err(|silence| match silence {
                    Silence::Absent => Outcome::Absent,
                    Silence::NoPermission => Outcome::NoPermission,
                    other => Outcome::Failed(other.to_string()),
                })?;
            (address, pong, None)
        }
        At::Program => {
            let program = programs::find(env, "podman").ok_or(Outcome::Absent)?;
            let started = PodmanService::start(env, &program).await;
            let (service, address, pong) = started.map_err(|error| Outcome::Failed(error.to_string()))?;
            (address, pong, Some(service))
        }
    };
    let Pong { kind, version } = pong.clone();
    if !wanted.takes(kind) {
        return Err(Outcome::OtherKind(kind));
    }
    let engine = ContainerEngine::new(address, pong, service);
    engine.map(|engine| (engine, version)).map_err(|error| Outcome::Failed(error.to_string()))
}

/// Returns the addresses to try, best first.
fn places(env: &Env, wanted: Wanted) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |origin: Origin, at: At| {
        let known = |place: &Place| place.at == at;
        if origin.kind().is_none_or(|kind| wanted.takes(kind)) && !places.iter().any(known) {
            places.push(Place { origin, at });
        }
    };
    let mut variables = vec!["DOCKER_HOST", "CONTAINER_HOST"];
    match wanted {
        Wanted::Auto => {}
        Wanted::Docker => variables.truncate(1),
        Wanted::Podman => variables.reverse(),
    }
    for name in variables {
        if let Some(address) = env.get(name) {
            add(Origin::Variable(name), At::Text(address.to_owned()));
        }
    }
    // Docker's client uses its contexts only if the variable is not set.
    if env.get("DOCKER_HOST").is_none()
        && let Some(context) = docker_context::chosen(env)
    {
        let at = context.host.map_or_else(At::Nowhere, At::Text);
        add(Origin::DockerContext(context.name), at);
    }
    let socket = |path: PathBuf| At::Text(format!("unix://{}", path.display()));
    let runtime = env
        .get_os("XDG_RUNTIME_DIR")
        .map_or_else(|| PathBuf::from(format!("/run/user/{}", nix::unistd::getuid())), PathBuf::from);
    add(Origin::DockerSocket, socket("/var/run/docker.sock".into()));
    add(Origin::DockerSocket, socket(runtime.join("docker.sock")));
    if let Some(home) = env.home() {
        add(Origin::DockerSocket, socket(home.join(".docker/run/docker.sock")));
    }
    add(Origin::PodmanRootless, socket(runtime.join("podman/podman.sock")));
    add(Origin::PodmanRootful, socket("/run/podman/podman.sock".into()));
    add(Origin::PodmanProgram, At::Program);
    places
}

impl fmt::Display for At {
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

    fn shown(env: &Env, wanted: Wanted) -> Vec<String> {
        places(env, wanted).iter().map(|place| place.at.to_string()).collect()
    }

    #[test]
    fn the_order_of_trying() {
        let env = Env::new([("XDG_RUNTIME_DIR", "/run/user/7"), ("HOME", "/home/a")]);
        assert_eq!(
            shown(&env, Wanted::Auto),
            [
                "unix:///var/run/docker.sock",
                "unix:///run/user/7/docker.sock",
                "unix:///home/a/.docker/run/docker.sock",
                "unix:///run/user/7/podman/podman.sock",
                "unix:///run/podman/podman.sock",
                "podman system service",
            ]
        );
        assert_eq!(shown(&env, Wanted::Docker).len(), 3);
        assert_eq!(shown(&env, Wanted::Podman).len(), 3);
    }

    #[test]
    fn variables_come_first_and_each_place_once() {
        let env = Env::new([
            ("DOCKER_HOST", "unix:///var/run/docker.sock"),
            ("CONTAINER_HOST", "tcp://localhost:1"),
        ]);
        let all = shown(&env, Wanted::Auto);
        assert_eq!(all[..2], ["unix:///var/run/docker.sock", "tcp://localhost:1"]);
        assert_eq!(all.iter().filter(|at| at.ends_with("/var/run/docker.sock")).count(), 1);
        assert_eq!(shown(&env, Wanted::Podman)[0], "tcp://localhost:1");
        assert!(!shown(&env, Wanted::Docker).contains(&"tcp://localhost:1".to_owned()));
    }

    #[tokio::test]
    async fn what_a_person_has_set_is_not_replaced() {
        let env = Env::new([("DOCKER_HOST", "unix:///nowhere/docker.sock"), ("PATH", "/nowhere")]);
        let found = discover(&env, Wanted::Auto).await;
        assert!(found.engine.is_none());
        assert_eq!(found.candidates[0].outcome, Outcome::Absent);
        assert!(found.candidates[1..].iter().all(|candidate| candidate.outcome == Outcome::NotTried));
        let env = Env::new([("DOCKER_HOST", "ssh://host")]);
        let found = discover(&env, Wanted::Docker).await;
        assert!(matches!(&found.candidates[0].outcome, Outcome::Failed(why) if why.contains("SSH")));
    }
}
