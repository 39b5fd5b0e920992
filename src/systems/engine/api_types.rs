//! State of containers. Answers are parsed here and not by bollard, which refuses a whole list for one
//! unknown word: Podman calls a container `stopped` from its end until its clean-up, which may take a moment
//! or, if the clean-up was killed, forever.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::address::PingAnswer;
use super::container::short;
use super::error::{EngineError, ResourceKind};
use super::message::clean;
use super::reference::familiar;
use super::{ContainerEngine, READ_TIMEOUT};
use crate::model::container::{ContainerInspect, ContainerSummary, Status};
use crate::model::identity::{self, RunId};

/// Relevant parts of one container's description.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct InspectedContainer {
    id: String,
    pub(super) state: ContainerState,
    config: ContainerConfigJson,
    network_settings: NetworkSettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ContainerState {
    status: String,
    exit_code: i64,
    pid: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContainerConfigJson {
    env: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    entrypoint: Option<CommandWords>,
    healthcheck: Option<Healthcheck>,
}

/// List of words, which Podman may write as a single word.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum CommandWords {
    List(Vec<String>),
    One(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Healthcheck {
    test: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    ports: Option<HashMap<String, Option<Vec<PortBindingJson>>>>,
    networks: Option<BTreeMap<String, NetworkEndpoint>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PortBindingJson {
    host_port: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NetworkEndpoint {
    #[serde(rename = "IPAddress")]
    address: String,
    #[serde(rename = "NetworkID")]
    id: String,
}

/// One container in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListedContainer {
    id: String,
    names: Option<Vec<String>>,
    image: String,
    labels: Option<BTreeMap<String, String>>,
    state: String,
    status: String,
    ports: Option<Vec<Port>>,
    created: i64,
    network_settings: Option<ListedNetworks>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListedNetworks {
    networks: Option<BTreeMap<String, ListedEndpoint>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListedEndpoint {
    #[serde(rename = "NetworkID")]
    id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Port {
    private_port: u16,
    public_port: Option<u16>,
}

/// Stage in the life of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContainerStage {
    NotStarted,
    Running,
    Ended(i64),
}

impl ContainerState {
    pub(super) fn stage(&self) -> ContainerStage {
        match self.status.as_str() {
            "created" | "configured" | "initialized" => ContainerStage::NotStarted,
            "exited" | "stopped" | "dead" => ContainerStage::Ended(self.exit_code),
            _ => ContainerStage::Running,
        }
    }
}

impl ContainerEngine {
    /// Returns all containers with a name and a label of `cki`, of one run or of every run, running or not, oldest
    /// first.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn list(&self, run: Option<&RunId>) -> Result<Vec<ContainerSummary>, EngineError> {
        // {"label":["cki.run=0123456789"]}: the label needs no further encoding.
        let filters = format!("%7B%22label%22%3A%5B%22{}%22%5D%7D", label_filters(run));
        let path = format!("/containers/json?all=1&filters={filters}");
        let answer: Vec<ListedContainer> = self.get("list containers", &path).await?;
        let mut all: Vec<ContainerSummary> = answer.into_iter().map(ListedContainer::facts).collect();
        all.retain(|one| identity::is_named_for_run(&one.name, &one.labels));
        all.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.name.cmp(&b.name)));
        Ok(all)
    }

    /// Returns the inside of a container: its environment, address and ports.
    ///
    /// # Errors
    /// Fails if the container does not exist.
    pub async fn inside(&self, id: &str) -> Result<ContainerInspect, EngineError> {
        let facts = self.inspect(id).await?;
        let network = facts.network_settings;
        let mut addresses = Vec::new();
        for (name, endpoint) in network.networks.unwrap_or_default() {
            if let Ok(address) = endpoint.address.parse::<IpAddr>() {
                addresses.extend([name, endpoint.id].map(|network| (network, address)));
            }
        }
        Ok(ContainerInspect {
            id: facts.id,
            process: facts.state.pid,
            environment: facts.config.env.unwrap_or_default().into_iter().map(variable).collect(),
            command: facts.config.cmd.unwrap_or_default(),
            entrypoint: match facts.config.entrypoint {
                Some(CommandWords::List(words)) => words,
                Some(CommandWords::One(word)) => vec![word],
                None => Vec::new(),
            },
            health: facts.config.healthcheck.and_then(|check| check.test).unwrap_or_default(),
            address: addresses.first().map(|(_, address)| *address),
            addresses,
            ports: published(network.ports.unwrap_or_default()),
        })
    }

    /// Returns the engine's whole description of a container.
    pub(super) async fn described(&self, id: &str) -> Result<serde_json::Value, EngineError> {
        self.inspect(id).await?;
        let doing = format!("look at container `{}`", short(id));
        let answer = self.get(&doing, &format!("/containers/{id}/json")).await;
        // The container may have vanished since.
        answer.map_err(|error: EngineError| error.or_not_found(ResourceKind::Container, short(id)))
    }

    pub(super) async fn inspect(&self, id: &str) -> Result<InspectedContainer, EngineError> {
        let safe = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !safe {
            return Err(EngineError::Invalid {
                what: "the name of a container",
                text: crate::base::text::safe_line(id).into_owned(),
                why: "a name is made of letters, digits, `_`, `.` and `-`".to_owned(),
            });
        }
        let doing = format!("look at container `{}`", short(id));
        let answer = self.get(&doing, &format!("/containers/{id}/json")).await;
        answer.map_err(|error: EngineError| error.or_not_found(ResourceKind::Container, short(id)))
    }

    async fn get<T: DeserializeOwned>(&self, doing: &str, path: &str) -> Result<T, EngineError> {
        let ask = || async {
            let ask = async { self.shared.address.get(path).await.map_err(bollard::errors::Error::from) };
            match read(self.address(), doing, &self.call(doing, READ_TIMEOUT, ask).await?) {
                Err(error) => Err(self.outcome(error).await),
                read => read,
            }
        };
        self.retry(ask, EngineError::is_stumble).await
    }
}

/// Parses the JSON of a successful answer, or returns the engine's reason for a refusal.
pub(super) fn read<T: DeserializeOwned>(
    address: &str,
    doing: &str,
    answer: &PingAnswer,
) -> Result<T, EngineError> {
    if matches!(answer.status(), 200 | 201) {
        let read = serde_json::from_slice(&answer.body);
        return read.map_err(|error| EngineError::unreadable(address, doing, &error));
    }
    #[derive(Deserialize)]
    struct EngineRefusal {
        message: String,
    }
    let refusal =
        serde_json::from_slice(&answer.body).map_or(String::new(), |EngineRefusal { message }| message);
    let doing = doing.to_owned();
    Err(EngineError::Refused { doing, status: answer.status(), message: clean(&refusal) })
}

/// Returns the label by which resources of `cki` are found.
pub(super) fn label_filters(run: Option<&RunId>) -> String {
    run.map_or_else(|| identity::RUN.to_owned(), |run| format!("{}={run}", identity::RUN))
}

impl ListedContainer {
    fn facts(self) -> ContainerSummary {
        let mut ports: Vec<(u16, u16)> = self
            .ports
            .unwrap_or_default()
            .into_iter()
            .filter_map(|port| Some((port.private_port, port.public_port?)))
            .collect();
        ports.sort_unstable();
        ports.dedup();
        let name = self.names.unwrap_or_default().into_iter().next().unwrap_or_default();
        ContainerSummary {
            id: self.id,
            name: name.trim_start_matches('/').to_owned(),
            image: familiar(&self.image).to_owned(),
            labels: self.labels.unwrap_or_default(),
            status: status(&self.state, &self.status),
            ports,
            created: self.created,
            networks: self
                .network_settings
                .and_then(|settings| settings.networks)
                .unwrap_or_default()
                .into_values()
                .map(|endpoint| endpoint.id)
                .collect(),
        }
    }
}

/// Parses the exit code, which lists contain only in the text for users: `Exited (137) 2 minutes ago`.
fn status(state: &str, words: &str) -> Status {
    let exit_code = || words.split_once('(')?.1.split_once(')')?.0.parse().ok();
    match state {
        "created" | "configured" | "initialized" => Status::Created,
        "running" => Status::Running,
        "exited" | "stopped" | "dead" => {
            exit_code().map_or_else(|| Status::Other(state.to_owned()), Status::Exited)
        }
        other => Status::Other(crate::base::text::safe_line(other).into_owned()),
    }
}

fn variable(pair: String) -> (String, String) {
    match pair.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (pair, String::new()),
    }
}

/// Parses `{"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": null}`.
fn published(ports: HashMap<String, Option<Vec<PortBindingJson>>>) -> Vec<(u16, u16)> {
    let mut all: Vec<(u16, u16)> = ports
        .into_iter()
        .filter_map(|(port, bindings)| {
            let container = port.split('/').next()?.parse().ok()?;
            let host = bindings?.into_iter().find_map(|binding| binding.host_port.parse().ok())?;
            Some((container, host))
        })
        .collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_list_accepts_unknown_states() {
        let json = r#"[
            {"Id": "1", "Names": ["/a"], "State": "stopped", "Status": "Exited (3) now", "Labels": null,
             "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 81}]},
            {"Id": "2", "State": "hibernating", "Status": "", "Unknown": {}}
        ]"#;
        let all: Vec<ListedContainer> = serde_json::from_str(json).expect("is read");
        let all: Vec<ContainerSummary> = all.into_iter().map(ListedContainer::facts).collect();
        assert_eq!((all[0].name.as_str(), &all[0].status), ("a", &Status::Exited(3)));
        assert_eq!(all[0].ports, [(80, 8080)]);
        assert_eq!(all[1].status, Status::Other("hibernating".into()));
    }

    #[test]
    fn container_stage_covers_docker_and_podman() {
        let stage = |status: &str| ContainerState { status: status.to_owned(), exit_code: 7, pid: 0 }.stage();
        assert_eq!(stage("created"), ContainerStage::NotStarted);
        assert_eq!(stage("stopped"), ContainerStage::Ended(7));
        assert_eq!(stage("exited"), ContainerStage::Ended(7));
        assert_eq!(stage("removing"), ContainerStage::Running);
    }

    #[test]
    fn api_types_parse_status_variables_and_ports() {
        assert_eq!(status("exited", "Exited (137) 2 minutes ago"), Status::Exited(137));
        assert_eq!(status("exited", "?"), Status::Other("exited".into()));
        assert_eq!(variable("A=b=c".into()), ("A".into(), "b=c".into()));
        assert_eq!(label_filters(None), "cki.run");
        let json = r#"{"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": null}"#;
        assert_eq!(published(serde_json::from_str(json).expect("is read")), [(80, 8080)]);
    }
}
