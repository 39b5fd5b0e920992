//! Network of one run: connections into it, published ports, and a report on its isolation. Creating
//! namespaces is `namespace_holder`.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use nix::errno::Errno;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::error::NativeError;
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
            (IsolationAspect::Environment, Ok("only what it is given, PATH, TERM and the locale".to_owned())),
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
                Err(format!("it reads and writes whatever {who} may, sockets of other programs included")),
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

    /// Publishes a port of the space at 127.0.0.1 of this machine, on the requested or a free port, as long
    /// as the returned value lives.
    ///
    /// # Errors
    /// Fails if the port is in use.
    pub async fn publish(&self, port: u16, host: Option<u16>) -> Result<Published, NativeError> {
        if !self.has_own_network() && host.is_none_or(|host| host == port) {
            // The component listens on this machine's own interface.
            return Ok(Published { port, local: port, forwarder: None });
        }
        let wanted = host.unwrap_or(0);
        let failed = |source| NativeError::Port { port: wanted, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?.port();
        let forwarder = tokio::spawn(forward(listener, self.clone(), port));
        Ok(Published { port, local, forwarder: Some(forwarder) })
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

/// A port that is published until this value is dropped.
#[derive(Debug)]
pub struct Published {
    /// Port in the space.
    pub port: u16,
    /// Port on this machine's loopback address.
    pub local: u16,
    forwarder: Option<JoinHandle<()>>,
}

impl Published {
    /// Ends it and waits until the port of this machine is free; dropping it only starts that.
    pub async fn close(mut self) {
        if let Some(forwarder) = self.forwarder.take() {
            forwarder.abort();
            // The task ends only by this cancellation.
            let _ = forwarder.await;
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if let Some(forwarder) = &self.forwarder {
            forwarder.abort();
        }
    }
}

/// Accepts connections until it is cancelled. The connections belong to this task and end with it.
async fn forward(listener: TcpListener, space: Sandbox, port: u16) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((mut outside, _)) => {
                    let space = space.clone();
                    connections.spawn(async move {
                        // The client sees the connection end; the readiness check reports why no process
                        // listens.
                        if let Ok(mut inside) = space.connect(port).await {
                            let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                        }
                    });
                }
                // For instance, the limit of open files is reached: other connections must end first.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
