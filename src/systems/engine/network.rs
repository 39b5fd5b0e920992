//! Networks, one for each run, and the volumes that containers bring with them.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bollard::models::{NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptionsBuilder,
};

use super::container::short;
use super::error::{EngineError, Thing};
use super::facts::our_label;
use super::{ContainerEngine, QUICK, SLOW};

/// How long the containers on a network may take to leave it, and it to go.
const LEAVING: Duration = Duration::from_secs(10);

/// A network that carries our label.
#[derive(Debug, Clone)]
pub struct NetworkFacts {
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A volume that carries our label.
#[derive(Debug, Clone)]
pub struct VolumeFacts {
    /// Its name, which is its id.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl ContainerEngine {
    /// Creates a network and returns its id, the only thing to call it by from then on: on Docker
    /// a name can have two networks. From an internal one nothing beyond it is reached, except
    /// what listens on this machine itself.
    ///
    /// # Errors
    /// When the name is taken (Podman), or the engine has no addresses left.
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
        let (engine, name) = (self.clone(), name.to_owned());
        self.unbroken(async move {
            let doing = format!("create network `{name}`");
            let began = Instant::now();
            loop {
                match engine.call(&doing, SLOW, engine.docker.create_network(request.clone())).await {
                    Ok(answer) => return Ok(answer.id),
                    Err(error) if error.says(&["already used", "already exists"]) => {
                        return Err(EngineError::NameTaken { thing: Thing::Network, name });
                    }
                    // Podman looks at all interfaces for addresses that are free, and stumbles over
                    // one that goes away meanwhile with the network of another run.
                    Err(error) if began.elapsed() < LEAVING && error.says(&["no such network interface"]) => {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        })
        .await
    }

    /// Removes a network by its id. One that is not there is no error. Containers that are being
    /// removed keep it for a moment, so it is tried for some seconds.
    ///
    /// # Errors
    /// When it stays in use.
    pub async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let doing = format!("remove network `{}`", short(id));
        let began = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            match self.call(&doing, SLOW, self.docker.remove_network(id)).await {
                Err(error) if error.is_absence() => return Ok(()),
                Err(error)
                    if began.elapsed() < LEAVING && error.says(&["active endpoints", "is being used"]) =>
                {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(500));
                }
                other => return other,
            }
        }
    }

    /// All networks with our label.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn networks(&self) -> Result<Vec<NetworkFacts>, EngineError> {
        let options = ListNetworksOptionsBuilder::new().filters(&ours()).build();
        let answer = self.call("list networks", QUICK, self.docker.list_networks(Some(options))).await?;
        Ok(answer
            .into_iter()
            .map(|network| NetworkFacts {
                id: network.id.unwrap_or_default(),
                name: network.name.unwrap_or_default(),
                labels: sorted(network.labels.unwrap_or_default()),
            })
            .collect())
    }

    /// All volumes with our label.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn volumes(&self) -> Result<Vec<VolumeFacts>, EngineError> {
        let options = ListVolumesOptionsBuilder::new().filters(&ours()).build();
        let answer = self.call("list volumes", QUICK, self.docker.list_volumes(Some(options))).await?;
        let volumes = answer.volumes.unwrap_or_default();
        Ok(volumes
            .into_iter()
            .map(|volume| VolumeFacts { name: volume.name, labels: sorted(volume.labels) })
            .collect())
    }

    /// Creates a volume. One that is there already is no error.
    ///
    /// # Errors
    /// When the engine does not do it.
    pub async fn create_volume(
        &self,
        name: &str,
        labels: BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let options = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.into_iter().collect()),
            ..Default::default()
        };
        let engine = self.clone();
        let doing = format!("create volume `{name}`");
        self.unbroken(async move {
            engine.call(&doing, SLOW, engine.docker.create_volume(options)).await.map(drop)
        })
        .await
    }

    pub(super) async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let doing = format!("remove volume `{}`", short(name));
        let options = RemoveVolumeOptionsBuilder::new().build();
        match self.call(&doing, SLOW, self.docker.remove_volume(name, Some(options))).await {
            Err(error) if error.is_absence() => Ok(()),
            other => other,
        }
    }
}

fn ours() -> HashMap<&'static str, Vec<String>> {
    HashMap::from([("label", vec![our_label(None)])])
}

fn sorted(labels: HashMap<String, String>) -> BTreeMap<String, String> {
    labels.into_iter().collect()
}
