//! The result of reading a deployment: the component's container with its variables. Values for a local
//! run belong in [`super::super::environment`].

use std::ops::Range;

use super::expansion::Segment;
use crate::base::secret::Secret;
use crate::model::inventory::InventoryFinding;
use crate::model::port::DeclaredPort;
use crate::model::probe::ReadinessProbe;

/// A container in its deployment.
#[derive(Debug, Clone, Default)]
pub struct DeployedContainer {
    /// Name for messages: `Deployment/web, container app`.
    pub label: String,
    /// Position: `file:line`.
    pub place: String,
    /// Names by which other containers reach it.
    pub hostnames: Vec<String>,
    /// Image.
    pub image: Option<String>,
    /// Replacement of the image's entry point.
    pub command: Vec<Vec<Segment>>,
    /// Replacement of the image's arguments.
    pub args: Vec<Vec<Segment>>,
    /// The image's entry point is not used, so the arguments are the whole command.
    pub clears_entrypoint: bool,
    /// Variables that Compose interpolated into command and health check, with their values: the names
    /// tell which are secret.
    pub interpolated: Vec<(String, Secret)>,
    /// Working directory.
    pub workdir: Option<String>,
    /// Listening ports.
    pub ports: Vec<DeclaredPort>,
    /// Readiness probe.
    pub ready: Option<ReadinessProbe>,
    /// Variables in the order of their definition.
    pub variables: Vec<EnvEntry>,
    /// Containers that must have succeeded before it starts, one after the other.
    pub init: Vec<DeployedContainer>,
}

impl DeployedContainer {
    /// Returns whether another container has the same image, in any version. Two unknown images, such as
    /// template parameters without a value, count as the same.
    #[must_use]
    pub fn shares_image(&self, other: &Self) -> bool {
        let repository =
            |container: &Self| container.image.as_deref().map(|image| repository_of(image).to_owned());
        repository(self) == repository(other)
    }
}

/// Returns an image without its tag and digest.
fn repository_of(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

/// A variable of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvEntry {
    /// Name.
    pub name: String,
    /// Position: `file:line`.
    pub place: String,
    /// Value.
    pub value: EnvVarSource,
    /// Variables that Compose interpolated into its text.
    pub parts: Vec<DeploymentPart>,
    /// Text with unset variables left out, if only they make the value unknown.
    pub draft: Option<String>,
}

/// An interpolated variable in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentPart {
    /// Name.
    pub name: String,
    /// Byte range in the text; empty for a variable without a value.
    pub range: Range<usize>,
    /// Marks a variable with a value or a default.
    pub known: bool,
}

/// Value of a variable in a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvVarSource {
    /// Text, with references to earlier variables.
    Text(Vec<Segment>),
    /// A key of a Secret. Its content is never read.
    Secret {
        /// Name of the Secret.
        secret: String,
        /// Key.
        key: String,
    },
    /// A field that only the cluster knows: `metadata.namespace`, `limits.memory`.
    Field(String),
    /// Unknown from the files, for this reason.
    Unknown(String),
    /// Required from the deployer, for this reason.
    Required(String),
}

/// A deployment that was read.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Container of the component.
    pub container: DeployedContainer,
    /// Findings about parts that `cki` does not understand.
    pub findings: Vec<InventoryFinding>,
}
