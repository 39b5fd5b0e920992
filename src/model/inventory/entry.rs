//! What one entry of the inventory says, as it is written in YAML. Every key but the name may be
//! absent, and what is absent stays absent. The format is described in
//! `docs/reference/inventory.md`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::limits::{Capability, Memory, Place};
use super::need::Need;
use crate::base::variable;
use crate::model::probe::Ready;
use crate::model::reference::Reference;

/// A link to documentation or a dashboard: a file in a repository, or an address.
#[derive(Debug, Clone, Deserialize)]
pub struct Link {
    /// What it is called.
    pub label: String,
    /// The repository, by its name in the inventory.
    pub repo: Option<String>,
    /// The path in it.
    pub path: Option<String>,
    /// The address.
    pub url: Option<String>,
}

/// Where code or configuration of a component lives.
#[derive(Debug, Clone, Deserialize)]
pub struct Source {
    /// The repository, by its name in the inventory.
    pub repo: String,
    /// The path in it.
    pub path: Option<String>,
}

/// A file or folder that deploys a component.
#[derive(Debug, Clone, Deserialize)]
pub struct DeploymentFiles {
    /// The repository, by its name in the inventory.
    pub repo: String,
    /// The path in it: a file, a folder with a kustomization, or one with objects.
    #[serde(default)]
    pub path: String,
    /// The container that is meant, where its name is not that of the component.
    pub container: Option<String>,
}

/// What a component needs at run time.
#[derive(Debug, Clone, Deserialize)]
pub struct Dependency {
    /// What it does with it: `writes`, `listens`, `clones`, …
    pub verb: String,
    /// What it is.
    pub target: Reference,
    /// Concluded from a description, not stated by the component's owners.
    #[serde(default)]
    pub inferred: bool,
}

/// A variable of a component's environment table.
#[derive(Debug, Clone, Deserialize)]
pub struct Declared {
    /// The name.
    #[serde(deserialize_with = "variable::name")]
    pub name: String,
    /// `string`, `url`, `json`, `yaml`, `path`, `enum`, `bool`, `int`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether its value must not be shown, where the entry says so.
    pub secret: Option<bool>,
    /// Whether the component does not work without it.
    #[serde(default)]
    pub required: bool,
    /// The value that it has when nobody sets it.
    pub default: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl Declared {
    /// Whether its value must not be shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret.unwrap_or(false)
    }
}

/// How an image is built.
#[derive(Debug, Clone, Deserialize)]
pub struct Build {
    /// The repository, by its name in the inventory.
    pub repo: String,
    /// The build file in it. One that ends in `.in` passes through the C preprocessor.
    pub file: Option<String>,
    /// The folder that is sent to the engine.
    pub context: Option<String>,
    /// Build arguments.
    #[serde(default)]
    pub args: BTreeMap<String, String>,
    /// The stage to build.
    pub target: Option<String>,
    /// Network of its steps.
    #[serde(default)]
    pub network: BuildNetwork,
}

/// Network of the steps of a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildNetwork {
    /// Whatever this machine reaches but production, since packages come from there.
    #[default]
    Internet,
    /// Nothing.
    None,
}

impl BuildNetwork {
    /// As it is written, if it is not what holds without a word.
    #[must_use]
    pub fn as_written(self) -> Option<&'static str> {
        (self == Self::None).then_some("none")
    }
}

/// How a component is run.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Run {
    /// The command, program first.
    #[serde(default)]
    pub command: Vec<String>,
    /// The command that does its work once and ends. An item `{args}` stands for the arguments.
    #[serde(default)]
    pub once: Vec<String>,
    /// The working directory in the container.
    pub workdir: Option<String>,
    /// Ports it listens on.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Backing services, or other components, that must be ready before it starts.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Commands that must have ended with 0, one after the other, before it starts: in its own image,
    /// with its own environment, when what it needs is ready.
    #[serde(default)]
    pub init: Vec<Vec<String>>,
    /// How to know that it is ready.
    pub ready: Option<Ready>,
    /// Nothing of its file system can be written but the folders for what is temporary, and those of
    /// `writable`.
    #[serde(default)]
    pub read_only: bool,
    /// Folders that are a volume of their own, which goes when the component does.
    #[serde(default)]
    pub writable: Vec<Place>,
    /// Capabilities that it keeps.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// How much memory it may use.
    pub memory: Option<Memory>,
    /// Arguments for the image's own program, from the deployment.
    #[serde(skip)]
    pub image_args: Vec<String>,
    /// For `--mount`: paths of its repository, and where they are in the container.
    #[serde(default)]
    pub mount: BTreeMap<String, String>,
    /// What a change to its sources does with `--watch`.
    pub watch: Option<Watch>,
    /// How a debugger is let in.
    pub debug: Option<Debugger>,
}

/// What a change to sources does, where the image need not be built anew.
#[derive(Debug, Clone, Deserialize)]
pub struct Watch {
    /// What is copied into the container.
    pub sync: Vec<Synced>,
    /// Whether the command is started anew.
    #[serde(default = "yes")]
    pub restart: bool,
}

fn yes() -> bool {
    true
}

/// Sources that are copied into the container.
#[derive(Debug, Clone, Deserialize)]
pub struct Synced {
    /// The path in the repository.
    pub from: String,
    /// The path in the container.
    pub to: String,
}

/// How a debugger is let in.
#[derive(Debug, Clone, Deserialize)]
pub struct Debugger {
    /// The port that it listens on.
    pub port: u16,
    /// Variables that it wants.
    #[serde(default, deserialize_with = "variable::keys")]
    pub environment: BTreeMap<String, String>,
    /// The command to run instead. An item `{command}` stands for the usual one.
    #[serde(default)]
    pub command: Vec<String>,
}

/// How a merge request of it is tried in staging.
#[derive(Debug, Clone, Deserialize)]
pub struct Stage {
    /// `bot`: a comment that asks a bot.
    pub via: Option<String>,
    /// The project on GitLab: `group/project`.
    pub project: Option<String>,
    /// The project whose pipelines the bot starts, where it is another one.
    pub pipelines: Option<String>,
    /// The bot's user name.
    pub bot: Option<String>,
    /// What can be set.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
}

/// A parameter of a staging request.
#[derive(Debug, Clone, Deserialize)]
pub struct Parameter {
    /// The key.
    pub name: String,
    /// A regular expression that the whole value must match.
    pub pattern: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// One entry as written.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    pub(super) name: Option<String>,
    pub(super) category: Option<String>,
    pub(super) description: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) infrastructure: Option<String>,
    #[serde(default)]
    pub(super) people: Vec<String>,
    #[serde(default)]
    pub(super) documentation: Vec<Link>,
    #[serde(default)]
    pub(super) sources: Vec<Source>,
    #[serde(default)]
    pub(super) monitoring: Vec<Link>,
    #[serde(default)]
    pub(super) dependencies: Vec<Dependency>,
    #[serde(default)]
    pub(super) environment: Vec<Declared>,
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    #[serde(default)]
    pub(super) deployment: Vec<DeploymentFiles>,
    pub(super) image: Option<String>,
    pub(super) build: Option<Box<Build>>,
    pub(super) run: Option<Box<Run>>,
    pub(super) stage: Option<Box<Stage>>,
}

/// A category of entries.
#[derive(Debug, Clone, Deserialize)]
pub struct Category {
    /// The id, as it stands in references.
    pub id: String,
    /// The heading.
    pub title: Option<String>,
    /// What belongs in it.
    pub description: Option<String>,
    /// The kind of entries that do not name one.
    pub kind: Option<String>,
    /// Whether the hosts of its entries belong to production.
    pub production: Option<bool>,
}

impl Category {
    /// Whether the hosts of its entries belong to production; where nothing is said, those of what is
    /// outside and of what everything runs on do.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.production.unwrap_or(matches!(self.id.as_str(), "external" | "infrastructure"))
    }
}

/// What must never be reached or claimed by a local run.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Production {
    /// Variables with the only value that they may have in a local run.
    #[serde(default, deserialize_with = "variable::keys")]
    pub environment: BTreeMap<String, String>,
    /// Host names with `*` for any part, addresses, and ranges of addresses.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// What an inventory says of a backing service beyond its template.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ServiceChoice {
    /// The image to take in the place of the template's.
    pub image: Option<String>,
}

/// `inventory.yaml`, or a whole inventory in one file.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Head {
    pub(super) version: Option<u32>,
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) categories: Vec<Category>,
    #[serde(default)]
    pub(super) repos: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) production: Production,
    #[serde(default)]
    pub(super) services: BTreeMap<String, ServiceChoice>,
    #[serde(default)]
    pub(super) components: Vec<Entry>,
}
