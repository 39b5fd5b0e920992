//! One thing that a run starts: a component or a backing service, with all that its start needs.
//! What is started, and in which order, is in `plan`.

use crate::base::secret::Secret;
use crate::model::container::ContainerFile;
use crate::model::environment::{Environment, hidden_parts};
use crate::model::identity::Role;
use crate::model::inventory::Component;
use crate::model::probe::Ready;
use crate::model::service::Service;

/// One thing to start.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its name, under which others find it.
    pub name: String,
    /// Its part.
    pub role: Role,
    /// Whether it is a component of the inventory, and no backing service.
    pub is_component: bool,
    /// Where its image comes from.
    pub image: Image,
    /// The command; `None` is the image's own.
    pub command: Option<Vec<String>>,
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
    /// How to know that it is ready.
    pub ready: Option<Ready>,
    /// Paths with a volume of their own.
    pub volumes: Vec<String>,
    /// Files with reference secrets.
    pub files: Vec<ContainerFile>,
    /// The parts of these files that must not be shown.
    pub hidden: Vec<Secret>,
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
    /// Nobody says.
    Unknown,
}

impl Unit {
    /// The values that must not be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let values = self.environment.iter().filter(|(name, _)| self.secret.contains(name));
        values.map(|(_, value)| value).chain(&self.hidden)
    }
}

pub(super) fn component_unit(component: &Component, environment: &Environment, tag: &str) -> Unit {
    let run = component.run.clone().unwrap_or_default();
    let image = match (&component.build, &component.image) {
        (Some(_), _) => Image::Built(component.reference.to_string()),
        (None, Some(image)) => Image::Named(with_tag(image, tag)),
        (None, None) => Image::Unknown,
    };
    let command = (!run.command.is_empty()).then_some(run.command);
    let repo = component.repos().first().map(|repo| (*repo).to_owned());
    Unit {
        name: component.name().to_owned(),
        role: Role::Component,
        is_component: true,
        image,
        native: command.clone().map(|command| NativeCommand { command, environment: None, repo }),
        command,
        environment: environment.pairs(),
        secret: environment.variables.iter().filter(|v| v.secret).map(|v| v.name.clone()).collect(),
        workdir: run.workdir,
        ports: run.ports,
        ready: run.ready,
        volumes: Vec::new(),
        hidden: environment.files.iter().flat_map(hidden_parts).collect(),
        files: environment.files.clone(),
    }
}

pub(super) fn service_unit(service: Service) -> Unit {
    Unit {
        name: service.name,
        role: Role::Service,
        is_component: false,
        image: Image::Named(service.image),
        command: (!service.command.is_empty()).then_some(service.command),
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
        ready: service.ready,
        volumes: service.volumes,
        files: Vec::new(),
        hidden: Vec::new(),
    }
}

/// The image with the tag, unless it names one already.
fn with_tag(image: &str, tag: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') || last.contains('@') { image.to_owned() } else { format!("{image}:{tag}") }
}
