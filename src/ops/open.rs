//! `cki open`: the web address of a running component.

use crate::model::port::PublishedPort;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::InstanceSummary;

/// The address of a published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAddress {
    /// `http://127.0.0.1:8080`, or `127.0.0.1:5432` of a port that speaks another protocol.
    pub url: String,
    /// It speaks HTTP, as far as is known.
    pub is_http: bool,
}

/// Returns the address of a published port of an instance: of the given port, else of the first one that is
/// known to speak HTTP, else of the first one.
///
/// # Errors
/// Fails when the port, or any port, is not published.
pub fn address(instance: &InstanceSummary, port: Option<u16>) -> Result<OpenAddress, InstanceError> {
    let InstanceSummary { ports, lost, identity, .. } = instance;
    let name = || identity.name.clone();
    let found = match port {
        Some(port) => ports.iter().find(|one| one.port == port || one.local == port),
        None => ports.iter().find(|one| one.is_http).or_else(|| ports.first()),
    };
    match (found, port) {
        (Some(found), _) => Ok(OpenAddress { url: PublishedPort::address(found), is_http: found.is_http }),
        (None, _) if instance.is_elsewhere => Err(InstanceError::PortsElsewhere { name: name() }),
        (None, _) if ports.is_empty() => {
            let (run, is_lost) = (identity.run.to_string(), !lost.is_empty());
            Err(InstanceError::NotPublished { name: name(), run, is_lost, start: Vec::new() })
        }
        (None, port) => Err(InstanceError::PortNotPublished {
            name: name(),
            port: port.unwrap_or_default(),
            known: ports.iter().map(|one| one.port.to_string()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_ref::ProcessRef;
    use crate::model::container::Status;
    use crate::model::identity::{ResourceLabels, Retention, Role, RunId};

    #[test]
    fn address_prefers_ports_that_speak_http() {
        let identity = ResourceLabels {
            run: RunId::new(b"x"),
            component: "service/a".into(),
            role: Role::Component,
            name: "a".into(),
            owner: ProcessRef { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            lifetime: Retention::Owner,
            inventory: String::new(),
        };
        let mut one = InstanceSummary::sample(identity, Status::Running);
        let port = |local, port, is_http| PublishedPort { local, port, is_http };
        assert!(matches!(address(&one, None), Err(InstanceError::NotPublished { is_lost: false, .. })));
        one.lost = vec![port(1, 1, true)];
        assert!(matches!(address(&one, None), Err(InstanceError::NotPublished { is_lost: true, .. })));
        one.ports = vec![port(5433, 5432, false), port(8081, 8080, true)];
        let of = |one: &InstanceSummary, port| address(one, port).expect("is published").url;
        assert_eq!(of(&one, None), "http://127.0.0.1:8081");
        assert_eq!(of(&one, Some(5432)), "127.0.0.1:5433");
        assert_eq!(of(&one, Some(5433)), "127.0.0.1:5433");
        assert!(matches!(address(&one, Some(1)), Err(InstanceError::PortNotPublished { .. })));
        one.ports.truncate(1);
        assert_eq!(of(&one, None), "127.0.0.1:5433");
    }
}
