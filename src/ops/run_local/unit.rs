//! One thing that a run starts: a component or a backing service, with all that its start needs.
//! What is started, and in which order, is in `plan`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::secret::Secret;
use crate::model::container::{ContainerFile, Copied, Hidden, Limits, Mount, Publish};
use crate::model::environment::{Environment, hidden_parts};
use crate::model::identity::Role;
use crate::model::inventory::{BuildNetwork, Capability, Component, Memory};
use crate::model::probe::Ready;
use crate::model::service::Service;
use crate::ops::own_image;
use crate::ops::tools::Tools;
use crate::systems::git::GitError;
use crate::systems::git::repositories_below;

/// Nothing has a use for more processes.
const PROCESSES: u32 = 4096;

/// One thing to start.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its name, under which others find it.
    pub name: String,
    /// Its part.
    pub role: Role,
    /// It is a component, and no backing service: it must know that it is no production, and may do
    /// nothing that a component need not.
    pub is_component: bool,
    /// It was asked for: what it writes is shown, and its end counts.
    pub wanted: bool,
    /// It does its work and ends, and is done with when its exit code is 0.
    pub once: bool,
    /// The reference of the component that it is, or was first needed by.
    pub of: String,
    /// The names of the units that must be ready before it starts.
    pub needs: Vec<String>,
    /// Where its image comes from.
    pub image: Image,
    /// The command; `None` is the image's own.
    pub command: Option<Vec<String>>,
    /// The command is what the image's own program is given, not a whole one.
    pub keeps_entrypoint: bool,
    /// The command outside a container; `None` if it cannot be run there.
    pub native: Option<NativeCommand>,
    /// The environment.
    pub environment: Vec<(String, Secret)>,
    /// The names of those of its variables that must not be shown.
    pub secret: Vec<String>,
    /// The working directory in the container.
    pub workdir: Option<String>,
    /// Ports it listens on.
    pub ports: Vec<u16>,
    /// Files that it finds when it starts.
    pub files: Vec<ContainerFile>,
    /// How to know that it is ready.
    pub ready: Option<Ready>,
    /// Commands to run inside when it is ready, one after the other.
    pub setup: Vec<Vec<String>>,
    /// Paths with a volume of their own.
    pub volumes: Vec<String>,
    /// It outlives the run, and the next one uses it again.
    pub kept: bool,
    /// What its container must not do.
    pub limits: Limits,
    /// The parts of its files that must not be shown.
    pub hidden: Vec<Secret>,
    /// What working on it needs.
    pub work: Work,
}

/// What working on a component needs beyond running it.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Folders of this machine in the container.
    pub mounts: Vec<Mount>,
    /// Sources that are copied into it before it starts.
    pub copies: Vec<Copied>,
    /// The repository in whose clone these are.
    pub repo: Option<String>,
    /// What a change to its sources does.
    pub reload: Option<Reload>,
    /// Its ports that this machine is to reach. One without a number here has the same, if that is
    /// free.
    pub publish: Vec<Publish>,
    /// How its image is built, if it is.
    pub build: Option<BuildPlan>,
}

impl Work {
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

/// What a change to sources does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// The folder that is watched.
    pub root: PathBuf,
    /// Changes to what is not copied make a new image.
    pub rebuild: bool,
    /// Changes to what is copied start the command anew.
    pub restart: bool,
}

/// How an image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildPlan {
    /// The repository.
    pub repo: String,
    /// The merge request of it, if not what is checked out.
    pub merge_request: Option<u64>,
    /// The folder that is sent to the engine.
    pub context: PathBuf,
    /// The build file in it; `None` for whichever there is.
    pub file: Option<PathBuf>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// The stage.
    pub target: Option<String>,
    /// Network of its steps.
    pub network: BuildNetwork,
}

impl BuildPlan {
    /// Whether the build file passes through the C preprocessor.
    #[must_use]
    pub fn is_preprocessed(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.extension().is_some_and(|extension| extension == "in"))
    }
}

/// How something is run outside a container.
#[derive(Debug, Clone)]
pub struct NativeCommand {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The environment, where it differs.
    pub environment: Option<Vec<(String, Secret)>>,
    /// The repository in whose clone it is run; `None` for a temporary folder.
    pub repo: Option<String>,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// It has this name; it is pulled if the engine does not have it.
    Named(String),
    /// It is built for the component of this reference.
    Built(String),
    /// It is made of this program.
    Own,
    /// Nobody says.
    Unknown,
}

impl Unit {
    /// Takes another command, in a container and outside one.
    pub(super) fn set_command(&mut self, command: Option<Vec<String>>, component: &Component) {
        let repo = component.repos().first().map(|repo| (*repo).to_owned());
        let whole = command.clone().filter(|_| !self.keeps_entrypoint);
        self.native = whole.map(|command| NativeCommand { command, environment: None, repo });
        self.command = command;
    }

    /// Whether its command takes the place of the image's entry point: those of the inventory are whole
    /// ones, program first.
    #[must_use]
    pub fn replaces_entrypoint(&self) -> bool {
        self.is_component && !self.keeps_entrypoint
    }

    /// The values that must not be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let values = self.environment.iter().filter(|(name, _)| self.secret.contains(name));
        values.map(|(_, value)| value).chain(&self.hidden)
    }
}

/// What must have ended well before a component starts, one after the other: its own commands, or
/// what its deployment has for that.
pub(super) fn init_units(unit: &Unit, component: &Component, deployed: Vec<Unit>) -> Vec<Unit> {
    let commands = component.run.as_ref().map_or(&[][..], |run| &run.init);
    let own = commands.iter().map(|command| {
        let mut one = Unit { keeps_entrypoint: false, ..unit.clone() };
        one.set_command(Some(command.clone()), component);
        one
    });
    let mut units: Vec<Unit> = Vec::new();
    for (index, one) in own.chain(deployed).enumerate() {
        let number = if index == 0 { String::new() } else { format!("-{}", index + 1) };
        let mut needs = unit.needs.clone();
        needs.extend(units.last().map(|before| before.name.clone()));
        units.push(Unit {
            name: format!("{}-init{number}", unit.name),
            role: Role::Service,
            of: unit.of.clone(),
            wanted: false,
            once: true,
            needs,
            ports: Vec::new(),
            ready: None,
            ..one
        });
    }
    units
}

pub(super) fn component_unit(
    component: &Component,
    environment: &Environment,
    tag: &str,
    memory: Memory,
) -> Unit {
    let run = *component.run.clone().unwrap_or_default();
    let image = match (&component.build, &component.image) {
        (Some(_), _) => Image::Built(component.reference.to_string()),
        (None, Some(image)) => Image::Named(with_tag(image, tag)),
        (None, None) => Image::Unknown,
    };
    let command = (!run.command.is_empty()).then_some(run.command);
    let keeps_entrypoint = command.is_none() && !run.image_args.is_empty();
    let repo = component.repos().first().map(|repo| (*repo).to_owned());
    Unit {
        name: component.name().to_owned(),
        role: Role::Component,
        is_component: true,
        wanted: false,
        once: component.is_one_shot(),
        of: component.reference.to_string(),
        needs: Vec::new(),
        image,
        native: command.clone().map(|command| NativeCommand { command, environment: None, repo }),
        command: command.or_else(|| keeps_entrypoint.then_some(run.image_args)),
        keeps_entrypoint,
        environment: environment.pairs(),
        secret: environment.variables.iter().filter(|v| v.secret).map(|v| v.name.clone()).collect(),
        workdir: run.workdir,
        ports: run.ports,
        files: environment.files.clone(),
        hidden: environment.files.iter().flat_map(hidden_parts).collect(),
        ready: run.ready,
        setup: Vec::new(),
        kept: false,
        volumes: run.writable.iter().map(|place| place.path().to_owned()).collect(),
        limits: Limits {
            unprivileged: true,
            keep: run.capabilities.iter().map(|one| one.name().to_owned()).collect(),
            read_only: run.read_only,
            memory: Some(run.memory.unwrap_or(memory).bytes()),
            processes: Some(PROCESSES),
        },
        work: Work::default(),
    }
}

/// How the image of a component is built, from where its clone is or will be.
pub(super) fn build_plan(
    component: &Component,
    tools: &Tools<'_>,
    merge_request: Option<u64>,
) -> Result<Option<BuildPlan>, GitError> {
    let Some(build) = &component.build else { return Ok(None) };
    let clone = tools.workspace.place(tools.inventory, &build.repo).target()?;
    let inside = |path: &str| match path.trim_start_matches("./") {
        "" | "." => clone.clone(),
        path => clone.join(path),
    };
    let context = inside(build.context.as_deref().unwrap_or("."));
    let file = build.file.as_deref().map(inside);
    Ok(Some(BuildPlan {
        repo: build.repo.clone(),
        merge_request,
        file: file.map(|file| file.strip_prefix(&context).map_or(file.clone(), Path::to_path_buf)),
        context,
        args: build.args.clone(),
        target: build.target.clone(),
        network: build.network,
    }))
}

pub(super) fn service_unit(service: Service, of: &str) -> Unit {
    Unit {
        name: service.name,
        role: Role::Service,
        is_component: false,
        wanted: false,
        once: false,
        of: of.to_owned(),
        needs: Vec::new(),
        image: if service.image == own_image::NAME { Image::Own } else { Image::Named(service.image) },
        command: (!service.command.is_empty()).then_some(service.command),
        keeps_entrypoint: false,
        native: service.native.map(|native| NativeCommand {
            command: native.command,
            environment: Some(native.environment),
            repo: None,
        }),
        // Logins are among them, and what is not is not worth telling apart.
        secret: service.environment.iter().map(|(name, _)| name.clone()).collect(),
        environment: service.environment,
        workdir: None,
        ports: service.ports,
        files: service.files,
        hidden: Vec::new(),
        ready: service.ready,
        setup: service.setup,
        volumes: service.volumes,
        kept: false,
        limits: Limits {
            unprivileged: true,
            keep: Capability::OF_SERVICES.iter().map(|one| one.name().to_owned()).collect(),
            processes: Some(PROCESSES),
            ..Limits::default()
        },
        work: Work::default(),
    }
}

/// The image with the tag, unless it names one already.
fn with_tag(image: &str, tag: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') || last.contains('@') { image.to_owned() } else { format!("{image}:{tag}") }
}
