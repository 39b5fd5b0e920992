//! Whether containers on one network reach each other, proved by contact: from the network of one, a
//! connection is made to the address of another, which the kernel alone answers. So it takes no
//! program in any image, and a moment. Why nothing gets through is read from the firewall.
//!
//! It needs a way into the containers' networks, which only root has, and only with an engine of this
//! machine: where there is none, `Contact::Unknown` is all that is known.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::host::Env;
use crate::host::firewall::{Firewall, Obstacle, switch_off};
use crate::host::netns::OtherNetwork;
use crate::model::container::ContainerInside;
use crate::systems::engine::{ContainerEngine, EngineError, Kind};

/// What gets through takes less than a thousandth of this, where a rule is known to be in the way.
const FIRST: Duration = Duration::from_secs(1);
/// Where none is known, it is tried once more: the kernel sends its first packet again after one second.
const LIMIT: Duration = Duration::from_secs(3);

/// What came of a contact.
#[derive(Debug)]
pub(super) enum Contact {
    /// They reach each other.
    Made,
    /// It could not be tried.
    Unknown,
    /// They do not.
    Lost(Why),
}

/// Why containers of one network do not reach each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What is in the way, where it is known.
    obstacle: Option<Obstacle>,
    /// The firewall sees what goes on within a network.
    sees_bridges: bool,
    /// What came of the connection.
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
    /// Of facts alone, without a try.
    pub(super) fn of(obstacle: Obstacle) -> Self {
        Self { obstacle: Some(obstacle), sees_bridges: true, said: String::new() }
    }

    /// Commands that mend it, best first, each sufficient by itself; none where nobody knows.
    #[must_use]
    pub fn remedies(&self) -> Vec<String> {
        match &self.obstacle {
            Some(obstacle) => obstacle.remedies().into(),
            None => self.sees_bridges.then(switch_off).into_iter().collect(),
        }
    }
}

/// How the bridge of a network is called, so far as an engine always calls it so.
pub(super) fn bridges(kind: Kind, network: &[&str]) -> Vec<String> {
    match kind {
        Kind::Docker => network.iter().filter_map(|id| Some(format!("br-{}", id.get(..12)?))).collect(),
        Kind::Podman => vec!["podman".to_owned(), "cni-podman".to_owned()],
    }
}

/// Tries whether one container reaches another on a network that both are on, which is known by its
/// id or by its name.
///
/// # Errors
/// When the engine does not answer.
pub(super) async fn between(
    engine: &ContainerEngine,
    env: &Env,
    (from, to): (&str, &str),
    network: &[&str],
) -> Result<Contact, EngineError> {
    let Some((from_inside, to_inside)) = running(engine, from, to).await? else {
        return Ok(Contact::Unknown);
    };
    let on = |inside: &ContainerInside| {
        inside
            .addresses
            .iter()
            .find(|(name, _)| network.contains(&name.as_str()))
            .map(|(_, address)| *address)
    };
    let (Some(_), Some(address)) = (on(&from_inside), on(&to_inside)) else { return Ok(Contact::Unknown) };
    let opened = OtherNetwork::of_container(from, from_inside.process)
        .and_then(|here| Ok((here, OtherNetwork::of_container(to, to_inside.process)?)));
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
        // A container that has ended has left the network, which is no proof of anything.
        if running(engine, from, to).await?.is_none() {
            return Ok(Contact::Unknown);
        }
    }
    Ok(Contact::Lost(Why { obstacle, sees_bridges: firewall.sees_bridges, said }))
}

/// Makes contact: what is said of one that was lost, or else what came of it.
async fn attempt(
    here: &OtherNetwork,
    there: &OtherNetwork,
    address: IpAddr,
    limit: Duration,
) -> Result<String, Contact> {
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

/// Both containers, if both run.
async fn running(
    engine: &ContainerEngine,
    from: &str,
    to: &str,
) -> Result<Option<(ContainerInside, ContainerInside)>, EngineError> {
    match tokio::try_join!(engine.inside(from), engine.inside(to)) {
        Ok((from, to)) => Ok(Some((from, to)).filter(|(from, to)| from.process != 0 && to.process != 0)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The firewall that is in the way of an engine's containers, where it may be looked at.
pub(super) async fn firewall(engine: &ContainerEngine, env: &Env) -> Option<Firewall> {
    let network = OtherNetwork::of_process(engine.process().await?).ok()?;
    Firewall::read(&network, env).await.ok()
}
