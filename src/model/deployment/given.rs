//! What is read, and what comes of it: a container as its deployment has it, with its variables.

use std::ops::Range;

use super::expansion::Piece;
use crate::base::secret::Secret;
use crate::model::inventory::Finding;
use crate::model::probe::Ready;

/// A container as its deployment has it.
#[derive(Debug, Clone, Default)]
pub struct Container {
    /// What it is called there: `Deployment/web, container app`.
    pub label: String,
    /// Where it is written: `file:line`.
    pub place: String,
    /// The image.
    pub image: Option<String>,
    /// What takes the place of the image's entry point.
    pub command: Vec<Vec<Piece>>,
    /// What takes the place of the image's arguments.
    pub args: Vec<Vec<Piece>>,
    /// The variables that Compose has put into command and health check, with their values: names may
    /// say that they are secret.
    pub interpolated: Vec<(String, Secret)>,
    /// The working directory.
    pub workdir: Option<String>,
    /// Ports it listens on.
    pub ports: Vec<u16>,
    /// How to know that it is ready.
    pub ready: Option<Ready>,
    /// Its variables, in the order in which they are defined.
    pub variables: Vec<Given>,
    /// What must have ended well before it starts, one after the other.
    pub init: Vec<Container>,
}

impl Container {
    /// Whether another container has the same image, whatever the version. Two of which nobody knows
    /// theirs, as where a parameter of a template has no value, are taken to have the same.
    #[must_use]
    pub fn shares_image(&self, other: &Self) -> bool {
        let repository =
            |container: &Self| container.image.as_deref().map(|image| repository_of(image).to_owned());
        repository(self) == repository(other)
    }
}

/// An image without its tag and digest.
fn repository_of(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

/// A variable that a deployment gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The name.
    pub name: String,
    /// Where it is written: `file:line`.
    pub place: String,
    /// What it is there.
    pub value: GivenValue,
    /// The variables that Compose put into its text.
    pub parts: Vec<Part>,
    /// The text with nothing in the place of the variables that have no value, where the value is
    /// unknown for lack of them alone.
    pub draft: Option<String>,
}

/// A variable that an interpolation put into a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The bytes of the text that it stands for; empty for one without a value.
    pub range: Range<usize>,
    /// Whether it has a value, or a default that took its place.
    pub known: bool,
}

/// What a variable is in a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenValue {
    /// A value, put together from text and the variables before it.
    Text(Vec<Piece>),
    /// A key of a Secret. What it holds is never read.
    Secret {
        /// The Secret.
        secret: String,
        /// The key.
        key: String,
    },
    /// What only the cluster knows: `metadata.namespace`, `limits.memory`.
    Field(String),
    /// It cannot be known from the files, for this reason.
    Unknown(String),
    /// Whoever deploys must give it, for this reason.
    Required(String),
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The component's container.
    pub container: Container,
    /// What was not understood.
    pub findings: Vec<Finding>,
}
