//! Ways from this machine to the ports of instances.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpStream;

use crate::host::netns::NetNs;
use crate::model::container::ContainerInspect;
use crate::systems::engine::{ContainerEngine, EngineError};
use crate::systems::native::Sandbox;

/// A way from this machine to an instance.
#[derive(Debug, Clone)]
pub(in crate::ops) enum Dialer {
    /// No way.
    Nothing,
    /// The container's address.
    Address(IpAddr),
    /// The container's address, from within its network.
    Inside(NetNs, IpAddr),
    /// A network that cannot be entered, with the reason.
    Closed(String),
    /// The network of processes of this machine.
    Sandbox(Sandbox),
    /// Published ports: each in the container and on this machine.
    Published(Vec<(u16, u16)>),
}

impl Dialer {
    /// Returns the best way to a container on a network of any kind.
    ///
    /// # Errors
    /// Fails when the engine does not answer.
    pub(in crate::ops) async fn best(
        engine: &ContainerEngine,
        id: &str,
        inside: &ContainerInspect,
    ) -> Result<Self, EngineError> {
        if engine.can_enter_netns().await? {
            return Ok(Self::within(id, inside));
        }
        Ok(match inside.address {
            Some(address) if engine.reaches_containers().await? => Self::Address(address),
            _ => Self::Published(inside.ports.clone()),
        })
    }

    /// Returns the way from within its network, or from its own loopback interface if it has none.
    pub(in crate::ops) fn within(id: &str, inside: &ContainerInspect) -> Self {
        let address = inside.address.unwrap_or(Ipv4Addr::LOCALHOST.into());
        match NetNs::of_container(id, inside.process) {
            Ok(network) => Self::Inside(network, address),
            // A container that has ended is unreachable; the code that waits for its end reports it.
            Err(error) => Self::Closed(error.to_string()),
        }
    }

    /// Returns whether a program in between accepts connections, which it closes if it cannot pass them on.
    pub(in crate::ops) fn is_proxied(&self) -> bool {
        matches!(self, Self::Published(_))
    }

    /// Connects to a port.
    ///
    /// # Errors
    /// Fails when nothing listens there, or there is no way.
    pub(in crate::ops) async fn dial(&self, port: u16) -> io::Result<TcpStream> {
        match self {
            Self::Address(address) => TcpStream::connect(SocketAddr::new(*address, port)).await,
            Self::Inside(network, address) => network.connect(SocketAddr::new(*address, port)).await,
            Self::Sandbox(sandbox) => sandbox.connect(port).await,
            Self::Published(ports) => {
                let local = ports.iter().find(|(inside, _)| *inside == port).map(|(_, local)| *local);
                let local = local.ok_or_else(|| io::Error::other("it is not published"))?;
                TcpStream::connect((Ipv4Addr::LOCALHOST, local)).await
            }
            Self::Closed(why) => Err(io::Error::other(format!("its network cannot be entered: {why}"))),
            Self::Nothing => Err(io::Error::other("it cannot be reached from here")),
        }
    }
}
