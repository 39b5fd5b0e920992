//! The network of a run: decides which of an engine's networks the run gets, what its containers reach,
//! and how this machine reaches them.
//!
//! A single container that may reach nothing gets no network at all, which is also the quickest. Several
//! containers share a closed network (see `systems::engine`). This machine has no address on it, so only
//! root reaches its ports, by entering it. Without root, a run with ports to probe or to publish gets an
//! internal network, from which it reaches programs that listen on all addresses of this machine; if this
//! machine does not reach containers, the network is open and its ports are published. `cki` reports
//! either. A run without such ports never needs a way in.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::reach::Reach;
use super::scope::{Network, RunScope};
use super::unit::{Unit, production_hosts};
use crate::model::container::ContainerSpec;
use crate::model::identity::Role;
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::error::StartError;
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::production::BlockedHosts;
use crate::systems::engine::{AddressKind, ContainerEngine, EngineError};

/// The way from this machine to the ports of containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PortAccess {
    /// The containers' addresses.
    Dial,
    /// The containers' addresses, from within their network.
    Enter,
    /// Published ports.
    Publish,
}

/// The network of a run, or the decision for none.
#[derive(Debug)]
pub(super) struct RunNetwork {
    /// The network's ID.
    id: Option<String>,
    name: String,
    bounds: Isolation,
    way: PortAccess,
    /// The engine publishes the ports of the run, not `cki`.
    engine_publishes: bool,
    /// The addresses of units, if the engine does not assign them.
    addresses: BTreeMap<String, Ipv4Addr>,
    /// The further names of units: each with the name of its unit.
    aliases: Vec<(String, String)>,
    /// Hosts to block where the network is open.
    production: BlockedHosts,
}

/// The reach of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Isolation {
    /// Its own containers.
    Closed,
    /// Also programs that listen on all addresses of this machine, and hosts that its name service
    /// reaches.
    Leaky { names: bool },
    /// Every host that this machine reaches.
    Open,
}

/// Creates the network of a run.
pub(super) async fn prepare(
    engine: &ContainerEngine,
    ctx: &OpContext<'_>,
    units: &[Unit],
    scope: &RunScope<'_>,
) -> anyhow::Result<RunNetwork> {
    let asked = units
        .iter()
        .any(|unit| matches!(unit.ready, Some(ReadinessProbe::Tcp(_) | ReadinessProbe::Http { .. })));
    let publishes = !scope.ports.is_empty();
    let (mut bounds, mut way) = decide(engine, scope.network, asked || publishes).await?;
    let is_asked = asked || scope.ports.is_asked();
    if publishes && bounds == Isolation::Open && scope.network == Network::Isolated && !is_asked {
        // Nobody asked for an open network.
        scope.ports.withdraw();
        (bounds, way) = (Isolation::Closed, PortAccess::Enter);
        ctx.events.warn(
            "Ports are not published: on this engine, that would open the run's network. `--publish PORT` \
             does so.",
        );
    }
    if publishes && !engine.is_local() && scope.ports.is_asked() {
        return Err(StartError::PublishElsewhere { engine: engine.address().to_owned() }.into());
    }
    if publishes && !engine.is_local() && !scope.ports.is_empty() {
        scope.ports.withdraw();
        ctx.events.warn("Ports are not published: the engine runs on another machine.");
    }
    let mut laid = RunNetwork {
        id: None,
        name: format!("cki-{}", scope.run),
        bounds,
        way,
        engine_publishes: bounds == Isolation::Open,
        addresses: BTreeMap::new(),
        aliases: units
            .iter()
            .flat_map(|unit| unit.aliases.iter().map(|alias| (alias.clone(), unit.name.clone())))
            .collect(),
        production: BlockedHosts::default(),
    };
    if bounds == Isolation::Closed && units.len() == 1 {
        return Ok(laid);
    }
    let labels = scope.identity(ctx, scope.first, "network", Role::Service).to_labels();
    let name = laid.name.clone();
    if bounds == Isolation::Closed {
        let made = engine.create_closed_network(&name, labels).await?;
        laid.id = Some(made.id);
        if !made.is_closed {
            laid.bounds = Isolation::Leaky { names: true };
        }
        if let Some(addresses) = made.addresses {
            let names = units.iter().map(|unit| unit.name.clone());
            laid.addresses = names.zip(addresses.last_first()).collect();
        }
        return Ok(laid);
    }
    laid.id = Some(engine.create_network(&name, labels, bounds != Isolation::Open).await?);
    if bounds == Isolation::Open {
        laid.production = production_hosts(units, ctx.inventory);
        if scope.network != Network::Internet {
            ctx.events.warn(
                "This engine's containers cannot be reached from here on a network of their own, so the \
                 run's network is open to the internet. Nothing of production is in its environment.",
            );
        }
    }
    Ok(laid)
}

/// Creates the network of a retained backing service, which has it for itself: every run connects the service
/// to its own network as well. Returns its ID and the way to the service.
pub(super) async fn create_service_network(
    engine: &ContainerEngine,
    name: &str,
    labels: BTreeMap<String, String>,
) -> anyhow::Result<String> {
    Ok(match decide(engine, Network::Isolated, true).await?.0 {
        Isolation::Closed => engine.create_closed_network(name, labels).await?.id,
        bounds => engine.create_network(name, labels, bounds != Isolation::Open).await?,
    })
}

/// Returns the way from this machine to a retained backing service.
pub(super) async fn service_port_access(engine: &ContainerEngine) -> anyhow::Result<PortAccess> {
    Ok(decide(engine, Network::Isolated, true).await?.1)
}

/// Decides on the reach of the network and on the way to its containers. A published port is the last choice
/// for a probe: engines accept connections there before the container does.
async fn decide(
    engine: &ContainerEngine,
    network: Network,
    wants_in: bool,
) -> anyhow::Result<(Isolation, PortAccess)> {
    let is_open = network == Network::Internet;
    let unless_open = |bounds| if is_open { Isolation::Open } else { bounds };
    if !wants_in || engine.can_enter_netns().await? {
        return Ok((unless_open(Isolation::Closed), PortAccess::Enter));
    }
    if engine.reaches_containers().await? {
        let names = engine.kind() == AddressKind::Podman;
        return Ok((unless_open(Isolation::Leaky { names }), PortAccess::Dial));
    }
    Ok((Isolation::Open, PortAccess::Publish))
}

/// Returns all names of a unit.
fn names(unit: &Unit) -> Vec<String> {
    std::iter::once(&unit.name).chain(&unit.aliases).cloned().collect()
}

impl RunNetwork {
    /// Returns the way from this machine to the ports of its containers.
    pub(super) fn way(&self) -> PortAccess {
        self.way
    }

    /// Returns whether the engine publishes the ports of the run, not `cki`.
    pub(super) fn engine_publishes(&self) -> bool {
        self.engine_publishes
    }

    /// Returns the ID and the name of the network, if there is one: engines list networks by either.
    pub(super) fn names(&self) -> Option<[&str; 2]> {
        self.id.as_deref().map(|id| [id, self.name.as_str()])
    }

    /// Adds the network to the specification of a container.
    pub(super) fn join(&self, spec: &mut ContainerSpec, unit: &Unit) {
        spec.closed = matches!(self.bounds, Isolation::Closed | Isolation::Leaky { names: false });
        if let Some(id) = &self.id {
            spec.network = Some((id.clone(), names(unit)));
            spec.address = self.addresses.get(&unit.name).copied();
            let known = self.addresses.iter();
            spec.hosts.extend(known.map(|(name, address)| (name.clone(), IpAddr::from(*address))));
            let known =
                self.aliases.iter().filter_map(|(alias, unit)| Some((alias, self.addresses.get(unit)?)));
            spec.hosts.extend(known.map(|(alias, address)| (alias.clone(), IpAddr::from(*address))));
            spec.hosts.extend(self.production.hosts());
        } else {
            // Programs look up their own name, and no name service answers for it.
            spec.hostname = Some(unit.name.clone()).filter(|name| name.len() < 64);
            spec.hosts.extend(names(unit).into_iter().map(|name| (name, Ipv4Addr::LOCALHOST.into())));
        }
    }

    /// Connects an existing container to the network.
    pub(super) async fn admit(
        &self,
        engine: &ContainerEngine,
        container: &str,
        unit: &Unit,
    ) -> Result<(), EngineError> {
        let Some(id) = &self.id else { return Ok(()) };
        let address = self.addresses.get(&unit.name).copied();
        engine.connect_network(id, container, address, names(unit)).await
    }

    /// Describes the reach of the units of a run.
    pub(super) fn describe(&self, reach: &Reach) -> String {
        let leak = match self.bounds {
            Isolation::Open => return format!("open: {}", self.production.reach()),
            Isolation::Closed => None,
            Isolation::Leaky { names: false } => {
                Some("servers of this machine that listen on all its addresses")
            }
            Isolation::Leaky { names: true } => {
                Some("servers of this machine that listen on all its addresses, including its name service")
            }
        };
        match (reach.is_empty(), leak) {
            (true, None) => format!("isolated: {reach}"),
            (true, Some(leak)) => format!("isolated: {reach} but {leak}"),
            (false, None) => format!("isolated: {reach} and nothing else"),
            (false, Some(leak)) => format!("isolated: {reach}, and {leak}"),
        }
    }
}
