//! Network of one run: connections into it, and a report on its isolation. Creating namespaces is
//! `namespace_holder`.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use nix::errno::Errno;
use tokio::net::{TcpSocket, TcpStream};

use super::namespace_holder::{self, NamespaceHolder};
use super::namespaces::{NamespaceRefusal, NamespaceStep, Namespaces};

/// Network that the processes of one run share with each other only, if the kernel allows it; otherwise the
/// machine's own. It lives as long as this value, or a process in it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pub(super) rooms: Arc<Namespaces>,
    pub(super) processes: Result<(), NamespaceRefusal>,
    /// Success of the network's isolation; `None` if no isolation was requested.
    network: Option<Result<(), NamespaceRefusal>>,
}

impl Sandbox {
    /// Creates an isolated space. This takes a few milliseconds, and shows the kernel's refusals.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is more than a value")]
    pub fn new() -> Self {
        let NamespaceHolder { rooms, network, processes } = namespace_holder::rooms();
        Self { rooms: Arc::new(rooms), processes, network: Some(network) }
    }

    /// Creates a space whose processes use the machine's network.
    #[must_use]
    pub fn open() -> Self {
        let NamespaceHolder { rooms, processes, .. } = namespace_holder::rooms();
        Self { rooms: Arc::new(Namespaces { network: None, ..rooms }), processes, network: None }
    }

    /// Returns whether its processes have a network of their own.
    #[must_use]
    pub fn has_own_network(&self) -> bool {
        matches!(self.network, Some(Ok(())))
    }

    /// Returns the space of existing namespaces.
    pub(super) fn of(rooms: Namespaces) -> Self {
        let network = rooms.network.is_some().then_some(Ok(()));
        let processes = NamespaceStep::Network.take(Err(Errno::UnknownErrno));
        Self { rooms: Arc::new(rooms), processes, network }
    }

    /// Returns each kind of isolation, with its means or with the reason for its absence.
    #[must_use]
    pub fn isolation(&self) -> Vec<(IsolationAspect, Result<String, String>)> {
        let refused = |refusal: &NamespaceRefusal| {
            refusal.explain(|file| std::fs::read_to_string(format!("/proc/sys/{file}")).ok())
        };
        let user = nix::unistd::getuid();
        let who = if user.is_root() { "root".to_owned() } else { format!("user {user}") };
        vec![
            (
                IsolationAspect::Network,
                match &self.network {
                    None => Err("it uses this machine's, as requested".to_owned()),
                    Some(Ok(())) => Ok("its own, with nothing but a loopback interface".to_owned()),
                    Some(Err(refusal)) => Err(format!("it uses this machine's: {}", refused(refusal))),
                },
            ),
            (
                IsolationAspect::Processes,
                match &self.processes {
                    Ok(()) => Ok("it sees only its own, which all end with it".to_owned()),
                    Err(refusal) => Err(format!(
                        "it sees this machine's: {}; its own still end with it",
                        refused(refusal)
                    )),
                },
            ),
            (
                IsolationAspect::Environment,
                Ok("only its own variables, PATH, TERM and the locale".to_owned()),
            ),
            (
                IsolationAspect::Capabilities,
                Ok("none, root's included; it cannot read the memory or environment of `cki`".to_owned()),
            ),
            (IsolationAspect::Home, Ok("a temporary directory".to_owned())),
            (
                IsolationAspect::Terminal,
                Ok("a session and process group of its own, nothing to read from".to_owned()),
            ),
            (
                IsolationAspect::Files,
                Err(format!(
                    "it reads and writes all files that {who} may, sockets of other programs included"
                )),
            ),
            (
                IsolationAspect::User,
                Err(format!(
                    "it runs as {who}, though it cannot become another one by a set-user-ID program"
                )),
            ),
            (IsolationAspect::Resources, Err("it has no limits".to_owned())),
        ]
    }

    /// Connects to a port in the space, as its processes do at 127.0.0.1.
    ///
    /// # Errors
    /// Fails if no process listens there.
    pub async fn connect(&self, port: u16) -> io::Result<TcpStream> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if !self.has_own_network() {
            return TcpStream::connect(address).await;
        }
        let rooms = self.rooms.clone();
        let socket = tokio::task::spawn_blocking(move || namespace_holder::socket(&rooms))
            .await
            .map_err(io::Error::other)??;
        TcpSocket::from_std_stream(socket.into()).connect(address).await
    }
}

/// An aspect of isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsolationAspect {
    /// Its network.
    Network,
    /// The processes that it sees.
    Processes,
    /// Its environment variables.
    Environment,
    /// Its capabilities.
    Capabilities,
    /// Its home directory.
    Home,
    /// Its terminal.
    Terminal,
    /// The files that it reaches.
    Files,
    /// Its user.
    User,
    /// Its memory and processor time.
    Resources,
}

impl fmt::Display for IsolationAspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::Processes => "processes",
            Self::Environment => "environment",
            Self::Capabilities => "capabilities",
            Self::Home => "home",
            Self::Terminal => "terminal",
            Self::Files => "files",
            Self::User => "user",
            Self::Resources => "memory and processor",
        })
    }
}
