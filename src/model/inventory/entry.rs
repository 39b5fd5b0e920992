//! One entry of the inventory in its YAML form. Every key but the name may be absent, and no default is
//! filled in here. `docs/reference/inventory.md` describes the format.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::limits::{Capability, ContainerPath, Memory};
use super::need_decl::NeedDecl;
use super::rfc_decl::RfcDecl;
use super::schema::scalars;
use super::secrecy::Secrecy;
use super::stage_decl::StageDecl;
use super::staging_decl::StagingDecl;
use crate::base::variable;
use crate::model::port::DeclaredPort;
use crate::model::probe::ReadinessProbe;
use crate::model::reference::Reference;

/// A link to documentation or a dashboard: a file in a repository, or a URL.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Link {
    /// Text of the link.
    pub label: String,
    /// Repository, by its name in the inventory.
    pub repo: Option<String>,
    /// Path in the repository.
    pub path: Option<String>,
    /// URL.
    pub url: Option<String>,
}

/// Location of code or configuration of a component.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct SourceDecl {
    /// Repository, by its name in the inventory.
    pub repo: String,
    /// Path in the repository.
    pub path: Option<String>,
}

/// A file or directory that deploys a component.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct DeploymentFiles {
    /// Repository, by its name in the inventory.
    pub repo: String,
    /// Path in the repository: a file, a directory with a kustomization, or a directory with objects.
    #[serde(default)]
    pub path: String,
    /// Container of the component, if its name differs from that of the component.
    pub container: Option<String>,
}

/// A run-time dependency of a component.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Dependency {
    /// Use of the dependency: `writes`, `listens`, `clones`, …
    pub verb: String,
    /// Entry of the dependency.
    pub target: Reference,
    /// Marks a dependency that was concluded from a description, not stated by the component's owners.
    #[serde(default)]
    pub inferred: bool,
}

/// A variable of a component's environment table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct EnvVarDecl {
    /// Name.
    #[serde(deserialize_with = "variable::name")]
    #[schemars(schema_with = "scalars::variable")]
    pub name: String,
    /// `string`, `url`, `json`, `yaml`, `path`, `enum`, `bool`, `int`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `true`: a secret, `keep`: a secret whose value is used unchanged, `false`: no secret.
    pub secret: Option<Secrecy>,
    /// Marks a variable that the component does not work without.
    #[serde(default)]
    pub required: bool,
    /// Default value.
    pub default: Option<String>,
    /// Purpose.
    pub description: Option<String>,
}

impl EnvVarDecl {
    /// Returns whether the value must be masked.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret.is_some_and(Secrecy::is_hidden)
    }
}

/// Build of an image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Build {
    /// Repository, by its name in the inventory.
    pub repo: String,
    /// Build file in the repository. A file that ends in `.in` passes through the C preprocessor.
    pub file: Option<String>,
    /// Directory to send to the engine.
    pub context: Option<String>,
    /// Build arguments.
    #[serde(default)]
    pub args: BTreeMap<String, String>,
    /// Stage to build.
    pub target: Option<String>,
    /// Network of the build steps.
    #[serde(default)]
    pub network: BuildNetwork,
}

/// Network of the steps of a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BuildNetwork {
    /// All hosts that this machine reaches except production, since build steps download packages.
    #[default]
    Internet,
    /// No network.
    None,
}

impl BuildNetwork {
    /// Returns the YAML form, or `None` for the default.
    #[must_use]
    pub fn as_written(self) -> Option<&'static str> {
        (self == Self::None).then_some("none")
    }
}

/// Settings of a component's local run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct Run {
    /// Command, program first.
    #[serde(default)]
    pub command: Vec<String>,
    /// Command that does its work once and ends. The item `{args}` stands for the arguments.
    #[serde(default)]
    pub once: Vec<String>,
    /// Working directory in the container.
    pub workdir: Option<String>,
    /// Listening ports.
    #[serde(default)]
    pub ports: Vec<DeclaredPort>,
    /// Backing services, or other components, that must be ready before the component starts.
    #[serde(default)]
    pub needs: Vec<NeedDecl>,
    /// Init commands, each of which must exit with 0 before the next one and the component start. They
    /// run in the component's image with its environment, after its dependencies are ready.
    #[serde(default)]
    pub init: Vec<Vec<String>>,
    /// Readiness probe.
    pub ready: Option<ReadinessProbe>,
    /// Makes the file system read-only, except the directories for temporary files and those in
    /// `writable`.
    #[serde(default)]
    pub read_only: bool,
    /// Directories with an anonymous volume, which is removed with the container.
    #[serde(default)]
    pub writable: Vec<ContainerPath>,
    /// Capabilities to keep.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// Maximum memory.
    pub memory: Option<Memory>,
    /// Arguments for the image's entry point, from the deployment.
    #[serde(skip)]
    pub image_args: Vec<String>,
    /// For `--mount`: paths of the repository, with their mount paths in the container.
    #[serde(default)]
    pub mount: BTreeMap<String, String>,
    /// Reaction to changed sources with `--watch`.
    pub watch: Option<WatchDecl>,
    /// Debugger settings.
    pub debug: Option<Debugger>,
}

/// Reaction to changed sources that does not need a new image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct WatchDecl {
    /// Sources to copy into the container.
    pub sync: Vec<SyncRule>,
    /// Restarts the command after a change.
    #[serde(default = "yes")]
    pub restart: bool,
}

fn yes() -> bool {
    true
}

/// Sources to copy into a container.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct SyncRule {
    /// Path in the repository.
    pub from: String,
    /// Path in the container.
    pub to: String,
}

/// Debugger settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Debugger {
    /// Listening port of the debugger.
    pub port: u16,
    /// Additional variables.
    #[serde(default, deserialize_with = "variable::keys")]
    #[schemars(schema_with = "scalars::variables")]
    pub environment: BTreeMap<String, String>,
    /// Command to run in place of the usual one, for which the item `{command}` stands.
    #[serde(default)]
    pub command: Vec<String>,
}

/// A rule of the check of an inventory that is silenced for an entry.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct IgnoreDecl {
    /// Name of the rule.
    pub rule: String,
    /// Reason to accept the finding; without a reason, nothing is silenced.
    pub reason: Option<String>,
}

/// A rule of the check of an inventory that is silenced for all entries and the head, or for one entry.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct HeadIgnoreDecl {
    /// Name of the rule.
    pub rule: String,
    /// Reason to accept the findings; without a reason, nothing is silenced.
    pub reason: Option<String>,
    /// The one entry for which it is silenced.
    pub component: Option<Reference>,
}

/// An entry of the inventory: a component, or something that components use.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(rename = "Entry")]
pub(super) struct ComponentEntry {
    /// Name; by default, that of the file.
    #[serde(default)]
    #[schemars(schema_with = "scalars::name")]
    pub(super) name: Option<String>,
    /// ID of the category; by default, the name of the directory.
    #[serde(default)]
    #[schemars(schema_with = "scalars::name")]
    pub(super) category: Option<String>,
    /// Description in a sentence or two.
    pub(super) description: Option<String>,
    /// `service`, `cronjob`, …; by default, the kind of the category.
    pub(super) kind: Option<String>,
    /// Infrastructure on which it runs.
    pub(super) infrastructure: Option<String>,
    /// People or teams that look after it.
    #[serde(default)]
    pub(super) people: Vec<String>,
    /// Links to its documentation.
    #[serde(default)]
    pub(super) documentation: Vec<Link>,
    /// Locations of its code and configuration.
    #[serde(default)]
    pub(super) sources: Vec<SourceDecl>,
    /// Links to its dashboards, logs and alerts.
    #[serde(default)]
    pub(super) monitoring: Vec<Link>,
    /// Run-time dependencies.
    #[serde(default)]
    pub(super) dependencies: Vec<Dependency>,
    /// Variables that it reads.
    #[serde(default)]
    pub(super) environment: Vec<EnvVarDecl>,
    /// Host names of the entry.
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    /// Files that deploy it.
    #[serde(default)]
    pub(super) deployment: Vec<DeploymentFiles>,
    /// Published image.
    pub(super) image: Option<String>,
    /// Build of its image.
    pub(super) build: Option<Box<Build>>,
    /// Its run on this machine.
    pub(super) run: Option<Box<Run>>,
    /// Staging of its merge requests.
    pub(super) stage: Option<Box<StageDecl>>,
    /// Silenced rules of `cki inventory check`.
    #[serde(default)]
    pub(super) ignore: Vec<IgnoreDecl>,
}

/// A category of entries.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Category {
    /// ID, as used in references.
    pub id: String,
    /// Heading.
    pub title: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Kind of entries that do not set one.
    pub kind: Option<String>,
    /// States that the hosts of its entries belong to production or not; `None` if the inventory does
    /// not say.
    pub production: Option<bool>,
}

impl Category {
    /// Returns whether the hosts of its entries belong to production: by default, only those of the
    /// categories `external` and `infrastructure`.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.production.unwrap_or(matches!(self.id.as_str(), "external" | "infrastructure"))
    }
}

/// Hosts that a local run must never reach, and variables that keep it away from production.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct Production {
    /// Locked variables with their only allowed value.
    #[serde(default, deserialize_with = "variable::keys")]
    #[schemars(schema_with = "scalars::variables")]
    pub environment: BTreeMap<String, String>,
    /// Host names with `*` for any part, addresses, and ranges of addresses.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// Settings of a backing service that override its template.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct ServiceOverride {
    /// Image that replaces the template's.
    pub image: Option<String>,
}

/// Content of `inventory.yaml`, or of a whole inventory in one file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(rename = "Inventory")]
pub(super) struct InventoryFile {
    /// Version of the format.
    #[serde(default)]
    #[schemars(schema_with = "scalars::version")]
    pub(super) version: Option<u32>,
    /// Title of the inventory.
    pub(super) title: Option<String>,
    /// Categories in the order in which they are shown.
    #[serde(default)]
    pub(super) categories: Vec<Category>,
    /// Addresses of the repositories, by name.
    #[serde(default)]
    #[schemars(schema_with = "scalars::repositories")]
    pub(super) repos: BTreeMap<String, String>,
    /// Rules that keep local runs away from production.
    #[serde(default)]
    pub(super) production: Production,
    /// Settings of backing services, by name.
    #[serde(default)]
    pub(super) services: BTreeMap<String, ServiceOverride>,
    /// Requests for comments of the group.
    pub(super) rfcs: Option<RfcDecl>,
    /// Deployment of merge requests to a staging namespace.
    pub(super) staging: Option<StagingDecl>,
    /// Silenced rules of `cki inventory check`.
    #[serde(default)]
    pub(super) ignore: Vec<HeadIgnoreDecl>,
    /// Entries, each with its name and category.
    #[serde(default)]
    pub(super) components: Vec<ComponentEntry>,
}
