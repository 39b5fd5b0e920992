//! Volumes: they outlive containers, and only the labels of `cki` decide about them.

use std::collections::BTreeMap;

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::{ListVolumesOptionsBuilder, RemoveVolumeOptionsBuilder};

use super::container::short;
use super::error::{EngineError, ResourceKind};
use super::network::{label_filter, sorted};
use super::{ContainerEngine, WRITE_TIMEOUT};
use crate::model::identity;

/// A volume with the label of `cki`.
#[derive(Debug, Clone)]
pub struct VolumeFacts {
    /// Name, which is its id.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

impl ContainerEngine {
    /// Returns all volumes with the label of `cki`.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn volumes(&self) -> Result<Vec<VolumeFacts>, EngineError> {
        let options = ListVolumesOptionsBuilder::new().filters(&label_filter()).build();
        let ask = || self.docker.list_volumes(Some(options.clone()));
        let answer = self.read("list volumes", ask).await?;
        let volumes = answer.volumes.unwrap_or_default();
        Ok(volumes
            .into_iter()
            .map(|volume| VolumeFacts { name: volume.name, labels: sorted(volume.labels) })
            .collect())
    }

    /// Creates a volume, unless it exists already.
    ///
    /// # Errors
    /// Fails if a foreign volume has this name, or the engine cannot create it.
    pub async fn create_volume(
        &self,
        name: &str,
        labels: BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.clone().into_iter().collect()),
            ..Default::default()
        };
        let doing = format!("create volume `{}`", short(name));
        let engine = self.clone();
        let made = self.shielded(async move {
            let create = || engine.docker.create_volume(request.clone());
            match engine.call(&doing, WRITE_TIMEOUT, create()).await {
                // Podman fails if another process creates the volume at the same moment; it then exists.
                Err(error) if error.to_string().contains("volume already exists") => {
                    engine.call(&doing, WRITE_TIMEOUT, create()).await
                }
                created => created,
            }
        });
        let made = made.await?;
        if made.labels.get(identity::RUN) != labels.get(identity::RUN) {
            return Err(EngineError::NameTaken { kind: ResourceKind::Volume, name: name.to_owned() });
        }
        Ok(())
    }

    pub(super) async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let doing = format!("remove volume `{}`", short(name));
        let options = RemoveVolumeOptionsBuilder::new().build();
        match self.call(&doing, WRITE_TIMEOUT, self.docker.remove_volume(name, Some(options))).await {
            Err(error) if error.is_absence() => Ok(()),
            other => other,
        }
    }
}
