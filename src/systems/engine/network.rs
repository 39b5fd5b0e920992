//! Networks, one for each run.
//!
//! A closed network is an internal one on which this machine has no address, so that containers cannot reach
//! programs on this machine, either. On Docker it is an option of the bridge, and name resolution works. On
//! Podman, a network without a gateway must do without name resolution, which would forward unknown names to
//! this machine's resolver; so containers get fixed addresses and a list of each other's names.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use bollard::models::{
    EndpointIpamConfig, EndpointSettings, NetworkConnectRequest, NetworkCreateRequest,
    NetworkDisconnectRequest,
};
use bollard::query_parameters::ListNetworksOptionsBuilder;
use ipnet::Ipv4Net;
use serde::Deserialize;

use super::api_types::{label_filters, read};
use super::container::short;
use super::error::{EngineError, ResourceKind};
use super::{AddressKind, ContainerEngine, WRITE_TIMEOUT};

/// Timeout for the containers to leave a network, and for its removal.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Docker's option for a bridge without an address of this machine.
const NO_HOST_ADDRESS: &str = "com.docker.network.bridge.inhibit_ipv4";
/// Endpoint of Podman's own API, which every version since 4 supports.
const PODMAN_NETWORKS: &str = "/v4.0.0/libpod/networks/create";

/// A created closed network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedNetwork {
    /// Id on the engine.
    pub id: String,
    /// Addresses to assign to containers, if the network has no name resolution.
    pub addresses: Option<Addresses>,
    /// The engine has given this machine no address on it, as requested.
    pub is_closed: bool,
}

/// Addresses of a network that containers may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses(Ipv4Net);

impl Addresses {
    fn parse(text: &str) -> Option<Self> {
        let network: Ipv4Net = text.parse().ok()?;
        (8..=29).contains(&network.prefix_len()).then(|| Self(network.trunc()))
    }

    /// Returns the addresses in descending order, since the engine assigns its own in ascending order.
    pub fn last_first(self) -> impl Iterator<Item = Ipv4Addr> {
        let hosts = self.0.hosts();
        let gateway = hosts.clone().next();
        hosts.rev().filter(move |host| Some(*host) != gateway)
    }
}

/// Podman's description of a network.
#[derive(Debug, Deserialize)]
struct PodmanNetwork {
    id: String,
    #[serde(default)]
    subnets: Vec<PodmanSubnet>,
    #[serde(default)]
    dns_enabled: bool,
}

#[derive(Debug, Deserialize)]
struct PodmanSubnet {
    #[serde(default)]
    subnet: String,
    gateway: Option<String>,
}

impl PodmanNetwork {
    fn facts(self) -> ClosedNetwork {
        let is_closed = !self.dns_enabled && self.subnets.iter().all(|subnet| subnet.gateway.is_none());
        let addresses = self.subnets.iter().find_map(|subnet| Addresses::parse(&subnet.subnet));
        ClosedNetwork { id: self.id, addresses, is_closed }
    }
}

/// Returns whether a version of Podman supports these network requests: since 4.
fn has_own_networks(version: &str) -> bool {
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major >= 4)
}

/// Returns the body of Podman's request for a closed network.
fn podman_closed(name: &str, labels: &BTreeMap<String, String>) -> String {
    let request = serde_json::json!({
        "name": name,
        "driver": "bridge",
        "internal": true,
        "dns_enabled": false,
        "labels": labels,
    });
    request.to_string()
}

/// A network with the label of `cki`.
#[derive(Debug, Clone)]
pub struct NetworkFacts {
    /// Id on the engine.
    pub id: String,
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

impl ContainerEngine {
    /// Creates a network and returns its id, which is its only unique name: on Docker two networks can share
    /// a name. From an internal one, containers reach nothing outside of it, except programs on this machine.
    ///
    /// # Errors
    /// Fails if the name is taken (Podman), or the engine has no addresses left.
    pub async fn create_network(
        &self,
        name: &str,
        labels: BTreeMap<String, String>,
        internal: bool,
    ) -> Result<String, EngineError> {
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            internal: Some(internal),
            labels: Some(labels.into_iter().collect()),
            ..Default::default()
        };
        self.make_network(name, move |engine, doing| {
            let request = request.clone();
            async move {
                let create = engine.docker.create_network(request);
                engine.call(&doing, WRITE_TIMEOUT, create).await.map(|answer| answer.id)
            }
        })
        .await
    }

    /// Creates a network from which containers reach nothing outside of it, and no program of this machine.
    /// This machine does not reach its containers, either, except by entering the network.
    ///
    /// # Errors
    /// As [`ContainerEngine::create_network`].
    pub async fn create_closed_network(
        &self,
        name: &str,
        labels: BTreeMap<String, String>,
    ) -> Result<ClosedNetwork, EngineError> {
        if self.kind() == AddressKind::Podman && !has_own_networks(self.version()) {
            let id = self.create_network(name, labels, true).await?;
            return Ok(ClosedNetwork { id, addresses: None, is_closed: false });
        }
        if self.kind() == AddressKind::Podman {
            let request = podman_closed(name, &labels);
            return self
                .make_network(name, move |engine, doing| {
                    let request = request.clone();
                    async move {
                        let ask = async {
                            let address = &engine.shared.address;
                            address
                                .post(PODMAN_NETWORKS, &request)
                                .await
                                .map_err(bollard::errors::Error::from)
                        };
                        let answer = engine.call(&doing, WRITE_TIMEOUT, ask).await?;
                        let read = read::<PodmanNetwork>(engine.address(), &doing, &answer);
                        read.map(PodmanNetwork::facts)
                    }
                })
                .await;
        }
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            internal: Some(true),
            labels: Some(labels.into_iter().collect()),
            // Overrides the daemon's setting.
            enable_ipv6: Some(false),
            options: Some(HashMap::from([(NO_HOST_ADDRESS.to_owned(), "true".to_owned())])),
            ..Default::default()
        };
        self.make_network(name, move |engine, doing| {
            let request = request.clone();
            async move {
                let create = engine.docker.create_network(request);
                let answer = engine.call(&doing, WRITE_TIMEOUT, create).await?;
                Ok(ClosedNetwork { id: answer.id, addresses: None, is_closed: true })
            }
        })
        .await
    }

    /// Runs the creation of a network to its end.
    async fn make_network<T, F>(
        &self,
        name: &str,
        make: impl Fn(Self, String) -> F + Send + 'static,
    ) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, EngineError>> + Send + 'static,
    {
        let (engine, name) = (self.clone(), name.to_owned());
        self.shielded(async move {
            let doing = format!("create network `{name}`");
            let began = Instant::now();
            loop {
                match make(engine.clone(), doing.clone()).await {
                    Err(error) if error.says(&["already used", "already exists"]) => {
                        return Err(EngineError::NameTaken { kind: ResourceKind::Network, name });
                    }
                    // Podman searches all interfaces for free addresses, and fails on one that vanishes
                    // meanwhile with the network of another run.
                    Err(error)
                        if began.elapsed() < LEAVE_TIMEOUT && error.says(&["no such network interface"]) =>
                    {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    other => return other,
                }
            }
        })
        .await
    }

    /// Connects an existing container to a further network, under these names; at a fixed address if the
    /// network requires that.
    ///
    /// # Errors
    /// Fails if the network or container does not exist, or the address is taken.
    pub async fn connect_network(
        &self,
        network: &str,
        container: &str,
        address: Option<Ipv4Addr>,
        aliases: Vec<String>,
    ) -> Result<(), EngineError> {
        let request = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(EndpointSettings {
                aliases: Some(aliases),
                ipam_config: address.map(|address| EndpointIpamConfig {
                    ipv4_address: Some(address.to_string()),
                    ..Default::default()
                }),
                ..Default::default()
            }),
        };
        let (engine, network) = (self.clone(), network.to_owned());
        let doing = format!("put container `{}` on network `{}`", short(container), short(&network));
        self.shielded(async move {
            engine.call(&doing, WRITE_TIMEOUT, engine.docker.connect_network(&network, request)).await
        })
        .await
    }

    /// Disconnects a container from a network. Succeeds if it is not connected.
    ///
    /// # Errors
    /// Fails if the engine refuses.
    pub async fn disconnect_network(&self, network: &str, container: &str) -> Result<(), EngineError> {
        let doing = format!("take container `{}` off network `{}`", short(container), short(network));
        let request = NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) };
        match self.call(&doing, WRITE_TIMEOUT, self.docker.disconnect_network(network, request)).await {
            Err(error) if error.is_absence() || error.says(&["is not connected"]) => Ok(()),
            other => other,
        }
    }

    /// Removes a network by its id. Succeeds if it does not exist. Retries for some seconds, since containers
    /// in removal keep it for a moment.
    ///
    /// # Errors
    /// Fails if the network stays in use.
    pub async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            match self.remove_network_once(id).await {
                Err(error) if began.elapsed() < LEAVE_TIMEOUT && is_in_use(&error) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(500));
                }
                other => return other,
            }
        }
    }

    /// Removes a network by its id, unless it is in use; returns whether it is gone.
    ///
    /// # Errors
    /// Fails if the engine refuses for another reason.
    pub(super) async fn try_remove_network(&self, id: &str) -> Result<bool, EngineError> {
        match self.remove_network_once(id).await {
            Err(error) if is_in_use(&error) => Ok(false),
            other => other.map(|()| true),
        }
    }

    async fn remove_network_once(&self, id: &str) -> Result<(), EngineError> {
        let doing = format!("remove network `{}`", short(id));
        match self.call(&doing, WRITE_TIMEOUT, self.docker.remove_network(id)).await {
            Err(error) if error.is_absence() => Ok(()),
            other => other,
        }
    }

    /// Returns all networks with the label of `cki`.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn networks(&self) -> Result<Vec<NetworkFacts>, EngineError> {
        let options = ListNetworksOptionsBuilder::new().filters(&label_filter()).build();
        let ask = || self.docker.list_networks(Some(options.clone()));
        let answer = self.read("list networks", ask).await?;
        Ok(answer
            .into_iter()
            .map(|network| NetworkFacts {
                id: network.id.unwrap_or_default(),
                name: network.name.unwrap_or_default(),
                labels: sorted(network.labels.unwrap_or_default()),
            })
            .collect())
    }
}

/// Returns whether a removal failed because containers use the network.
fn is_in_use(error: &EngineError) -> bool {
    error.says(&["active endpoints", "is being used"])
}

/// Returns the filter for everything with the label of `cki`.
pub(super) fn label_filter() -> HashMap<&'static str, Vec<String>> {
    HashMap::from([("label", vec![label_filters(None)])])
}

pub(super) fn sorted(labels: HashMap<String, String>) -> BTreeMap<String, String> {
    labels.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_allocated_from_the_end() {
        let all = |text: &str| Addresses::parse(text).expect(text).last_first();
        let three: Vec<String> = all("10.89.3.0/24").take(3).map(|address| address.to_string()).collect();
        assert_eq!(three, ["10.89.3.254", "10.89.3.253", "10.89.3.252"]);
        assert_eq!(all("10.0.0.8/29").count(), 5);
        assert_eq!(all("10.0.0.8/29").last(), Some(Ipv4Addr::new(10, 0, 0, 10)));
        for wrong in ["10.0.0.0", "10.0.0.0/31", "fd00::/64", "", "x/24"] {
            assert_eq!(Addresses::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn has_own_networks_requires_podman_4() {
        assert!(has_own_networks("4.3.1") && has_own_networks("5.0.0-dev") && has_own_networks("unknown"));
        assert!(!has_own_networks("3.4.4"));
    }

    #[test]
    fn podman_network_facts_detect_isolation() {
        let facts = |text: &str| serde_json::from_str::<PodmanNetwork>(text).map(PodmanNetwork::facts);
        let good = facts(r#"{"id": "a", "subnets": [{"subnet": "10.0.0.0/24"}], "dns_enabled": false}"#);
        assert!(good.is_ok_and(|network| network.is_closed && network.addresses.is_some()));
        for more in [r#""gateway": "10.0.0.1"}]"#, r#""x": 1}], "dns_enabled": true"#] {
            let text = format!(r#"{{"id": "a", "subnets": [{{"subnet": "10.0.0.0/24", {more}}}"#);
            assert!(!facts(&text).expect("is read").is_closed, "{text}");
        }
    }
}
