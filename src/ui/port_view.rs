//! JSON form of a published port, the same in results and in lines about a run.

use serde::Serialize;

use crate::model::port::PublishedPort;

/// A published port.
#[derive(Debug, Serialize)]
pub struct PortView {
    host: &'static str,
    host_port: u16,
    container_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl From<&PublishedPort> for PortView {
    fn from(port: &PublishedPort) -> Self {
        let PublishedPort { local, port: inside, .. } = *port;
        Self { host: PublishedPort::HOST, host_port: local, container_port: inside, url: port.url() }
    }
}
