//! One unit of a run: a component or a backing service, with everything for its start. A plan makes units
//! (`run_local::plan`); this directory starts them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::secret::Secret;
use crate::model::container::{ContainerFile, CopyIn, Hidden, Limits, Mount};
use crate::model::identity::Role;
use crate::model::inventory::{BuildNetwork, Component, Inventory};
use crate::model::probe::ReadinessProbe;
use crate::ops::shared::production::BlockedHosts;
use crate::systems::git::repositories_below;

/// One unit to start.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The name by which other units reach it.
    pub name: String,
    /// Further names by which they reach it in containers.
    pub aliases: Vec<String>,
    /// The role.
    pub role: Role,
    /// It is a component, not a backing service: its environment says that it is not in production, and
    /// its container has fewer rights.
    pub is_component: bool,
    /// It was requested: its output is shown, and its end counts.
    pub requested: bool,
    /// It ends on its own, and succeeds with exit code 0.
    pub one_shot: bool,
    /// The reference of the component itself, or of the first dependent.
    pub component: String,
    /// The names of the units that must be ready before it starts.
    pub needs: Vec<String>,
    /// The source of its image.
    pub image: Image,
    /// The command; `None` is the image's own.
    pub command: Option<Vec<String>>,
    /// The command is arguments for the image's entry point, not a complete command.
    pub keeps_entrypoint: bool,
    /// The command outside a container; `None` if the unit needs a container.
    pub native: Option<NativeCommand>,
    /// The environment.
    pub environment: Vec<(String, Secret)>,
    /// The names of secret variables.
    pub secret: Vec<String>,
    /// The working directory in the container.
    pub workdir: Option<String>,
    /// Ports it listens on.
    pub ports: Vec<u16>,
    /// Those of them that speak HTTP, as far as its entry says.
    pub http_ports: Vec<u16>,
    /// Preferred ports of this machine: each with the port of the unit.
    pub host_ports: Vec<(u16, u16)>,
    /// Files that are written before its start.
    pub files: Vec<ContainerFile>,
    /// The readiness probe.
    pub ready: Option<ReadinessProbe>,
    /// Commands to run inside when it is ready, one after the other.
    pub setup: Vec<Vec<String>>,
    /// Paths with a volume of their own.
    pub volumes: Vec<String>,
    /// It outlives the run, and the next run uses it again.
    pub retained: bool,
    /// Limits of its container.
    pub limits: Limits,
    /// The secret parts of its files.
    pub hidden: Vec<Secret>,
    /// Settings for development.
    pub dev: DevOptions,
}

/// Settings for the development of a component.
#[derive(Debug, Clone, Default)]
pub struct DevOptions {
    /// Directories of this machine in the container.
    pub mounts: Vec<Mount>,
    /// Sources to copy into it before it starts.
    pub copies: Vec<CopyIn>,
    /// The repository of these sources.
    pub repo: Option<String>,
    /// The effect of a change to its sources.
    pub reload: Option<Reload>,
    /// Ports to publish on this machine.
    pub publish: Vec<PlannedPort>,
    /// The build of its image; `None` for an image that is not built.
    pub build: Option<BuildPlan>,
}

impl DevOptions {
    /// The `.git` files and directories below its mounts, which the container must not see.
    #[must_use]
    pub fn hidden(&self) -> Vec<Hidden> {
        let below = |mount: &Mount| {
            let root = mount.to.trim_end_matches('/').to_owned();
            let found = if mount.from.is_dir() { repositories_below(&mount.from) } else { Vec::new() };
            found.into_iter().map(move |(path, is_directory)| Hidden {
                path: format!("{root}/{}", path.display()),
                is_directory,
            })
        };
        self.mounts.iter().flat_map(below).collect()
    }
}

/// A port to publish on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedPort {
    /// The port of the unit.
    pub port: u16,
    /// The port of this machine; `None` for the preferred number or the next free one.
    pub host: Option<u16>,
    /// The preferred port of this machine: that of the entry, or the same number.
    pub preferred: u16,
    /// The user asked for it; the unit's entry declares the others.
    pub is_asked: bool,
}

/// The effect of a change to sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// The directory to watch.
    pub root: PathBuf,
    /// A change of a file that is not copied rebuilds the image.
    pub rebuild: bool,
    /// A change of a copied file starts the command again.
    pub restart: bool,
}

/// The build of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildPlan {
    /// The repository.
    pub repo: String,
    /// The merge request; `None` for the commit that is checked out.
    pub merge_request: Option<u64>,
    /// The directory to send to the engine.
    pub context: PathBuf,
    /// The build file in it; `None` for the usual names.
    pub file: Option<PathBuf>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// The stage.
    pub target: Option<String>,
    /// Network of its steps.
    pub network: BuildNetwork,
}

impl BuildPlan {
    /// Returns whether the build file goes through the C preprocessor.
    #[must_use]
    pub fn is_preprocessed(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.extension().is_some_and(|extension| extension == "in"))
    }
}

/// The start of a unit outside a container.
#[derive(Debug, Clone)]
pub struct NativeCommand {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The environment, if it differs.
    pub environment: Option<Vec<(String, Secret)>>,
    /// The repository whose clone is the working directory; `None` for a temporary directory.
    pub repo: Option<String>,
}

/// The source of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// An image by name; pulled if the engine does not have it.
    Named(String),
    /// An image built for the component of this reference.
    Built(String),
    /// An image of this program.
    Own,
    /// No source.
    Unknown,
}

impl Unit {
    /// Sets another command, in a container and outside one.
    pub(in crate::ops) fn set_command(&mut self, command: Option<Vec<String>>, component: &Component) {
        let repo = component.repos().first().map(|repo| (*repo).to_owned());
        let whole = command.clone().filter(|_| !self.keeps_entrypoint);
        self.native = whole.map(|command| NativeCommand { command, environment: None, repo });
        self.command = command;
    }

    /// Returns whether its command replaces the image's entry point: commands of the inventory are
    /// complete, and begin with the program.
    #[must_use]
    pub fn replaces_entrypoint(&self) -> bool {
        self.is_component && !self.keeps_entrypoint
    }

    /// Returns whether one of its ports speaks HTTP: its entry or its readiness probe says so.
    #[must_use]
    pub fn speaks_http(&self, port: u16) -> bool {
        self.http_ports.contains(&port)
            || matches!(self.ready, Some(ReadinessProbe::Http { port: asked, .. }) if asked == port)
    }

    /// Returns the values to mask.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let values = self.environment.iter().filter(|(name, _)| self.secret.contains(name));
        values.map(|(_, value)| value).chain(&self.hidden)
    }
}

/// Returns the hosts of production that units know.
#[must_use]
pub fn production_hosts(units: &[Unit], inventory: &Inventory) -> BlockedHosts {
    let environment = units.iter().flat_map(|unit| &unit.environment).map(|(_, value)| value.expose());
    let commands = units.iter().flat_map(|unit| unit.command.iter().flatten()).map(String::as_str);
    BlockedHosts::of(inventory, environment.chain(commands))
}
