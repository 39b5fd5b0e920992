//! A test of whether containers on one network reach each other: from the network of one, it connects to
//! the address of another, which the kernel alone answers. So the test needs no program in any image, and
//! takes a moment. The firewall then tells why packets are lost.
//!
//! The test has to enter the containers' networks, which only root may do, and only with an engine on
//! this machine: otherwise the result is `Contact::Unknown`.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::host::Env;
use crate::host::firewall::{Firewall, Obstacle, switch_off};
use crate::host::netns::NetNs;
use crate::model::container::ContainerInspect;
use crate::systems::engine::{AddressKind, ContainerEngine, EngineError};

/// Timeout of the first try. A connection takes less than a thousandth of this, so with a known rule in
/// the way, one try is enough.
const FIRST: Duration = Duration::from_secs(1);
/// Timeout of the second try, for when no obstacle is known: the kernel sends its first packet again
/// after one second.
const LIMIT: Duration = Duration::from_secs(3);

/// The result of a contact.
#[derive(Debug)]
pub(in crate::ops) enum Contact {
    /// The containers reach each other.
    Made,
    /// The test was not possible.
    Unknown,
    /// The containers do not reach each other.
    Lost(Why),
}

/// The reason why containers of one network do not reach each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The obstacle, if known.
    obstacle: Option<Obstacle>,
    /// The firewall filters traffic within a bridge network.
    sees_bridges: bool,
    /// The error of the connection.
    said: String,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.obstacle, self.sees_bridges) {
            (Some(obstacle), _) => write!(
                f,
                "this machine's firewall drops traffic within a network, since \
                 `net.bridge.bridge-nf-call-iptables` is 1 and {obstacle}"
            ),
            (None, true) => write!(
                f,
                "{}; `net.bridge.bridge-nf-call-iptables` is 1, but no rule that iptables lists is in the way",
                self.said
            ),
            (None, false) => write!(f, "{}; no rule that iptables lists is in the way", self.said),
        }
    }
}

impl Why {
    /// Returns a reason from facts alone, without a test.
    pub(in crate::ops) fn of(obstacle: Obstacle) -> Self {
        Self { obstacle: Some(obstacle), sees_bridges: true, said: String::new() }
    }

    /// Returns commands that fix it, best first, each sufficient alone; none if unknown.
    #[must_use]
    pub fn remedies(&self) -> Vec<String> {
        match &self.obstacle {
            Some(obstacle) => obstacle.remedies().into(),
            None => self.sees_bridges.then(switch_off).into_iter().collect(),
        }
    }
}

/// Returns the names of a network's bridge, if an engine always names it so.
pub(in crate::ops) fn bridges(kind: AddressKind, network: &[&str]) -> Vec<String> {
    match kind {
        AddressKind::Docker => {
            network.iter().filter_map(|id| Some(format!("br-{}", id.get(..12)?))).collect()
        }
        AddressKind::Podman => vec!["podman".to_owned(), "cni-podman".to_owned()],
    }
}

/// Tests whether one container reaches another on a network that both are on. The network is given by its
/// ID or by its name.
///
/// # Errors
/// Fails when the engine does not answer.
pub(in crate::ops) async fn between(
    engine: &ContainerEngine,
    env: &Env,
    (from, to): (&str, &str),
    network: &[&str],
) -> Result<Contact, EngineError> {
    let Some((from_inside, to_inside)) = running(engine, from, to).await? else {
        return Ok(Contact::Unknown);
    };
    let on = |inside: &ContainerInspect| {
        inside
            .addresses
            .iter()
            .find(|(name, _)| network.contains(&name.as_str()))
            .map(|(_, address)| *address)
    };
    let (Some(_), Some(address)) = (on(&from_inside), on(&to_inside)) else { return Ok(Contact::Unknown) };
    let opened = NetNs::of_container(from, from_inside.process)
        .and_then(|here| Ok((here, NetNs::of_container(to, to_inside.process)?)));
    let Ok((here, there)) = opened else { return Ok(Contact::Unknown) };
    let mut said = match attempt(&here, &there, address, FIRST).await {
        Ok(said) => said,
        Err(contact) => return Ok(contact),
    };
    let firewall = firewall(engine, env).await.unwrap_or_default();
    let obstacle = firewall.obstacle(&bridges(engine.kind(), network));
    if obstacle.is_none() {
        said = match attempt(&here, &there, address, LIMIT).await {
            Ok(said) => said,
            Err(contact) => return Ok(contact),
        };
        // A container that has ended has left the network, so a failure proves nothing.
        if running(engine, from, to).await?.is_none() {
            return Ok(Contact::Unknown);
        }
    }
    Ok(Contact::Lost(Why { obstacle, sees_bridges: firewall.sees_bridges, said }))
}

/// Connects once; returns the reason of a failure, or the result.
async fn attempt(here: &NetNs, there: &NetNs, address: IpAddr, limit: Duration) -> Result<String, Contact> {
    match here.contact(there, address, limit).await {
        Ok(Ok(())) => Err(Contact::Made),
        Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
            Ok("nothing that one of them sends arrives at the other".to_owned())
        }
        Ok(Err(error)) => Ok(format!("a connection between them fails ({error})")),
        // The address went with its container.
        Err(_) => Err(Contact::Unknown),
    }
}

/// Returns both containers, if both run.
async fn running(
    engine: &ContainerEngine,
    from: &str,
    to: &str,
) -> Result<Option<(ContainerInspect, ContainerInspect)>, EngineError> {
    match tokio::try_join!(engine.inside(from), engine.inside(to)) {
        Ok((from, to)) => Ok(Some((from, to)).filter(|(from, to)| from.process != 0 && to.process != 0)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the firewall in the way of an engine's containers, if `cki` may read it.
pub(in crate::ops) async fn firewall(engine: &ContainerEngine, env: &Env) -> Option<Firewall> {
    let network = NetNs::of_process(engine.process().await?).ok()?;
    Firewall::read(&network, env).await.ok()
}
