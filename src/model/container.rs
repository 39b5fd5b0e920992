//! A container as `cki` wants it, for whatever engine: what to run, with what around it. How an
//! engine is told so is `systems::engine`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::base::secret::Secret;

/// What to create.
#[derive(Debug, Clone, Default)]
pub struct ContainerSpec {
    /// A name, unique on the engine.
    pub name: String,
    /// The image with its tag.
    pub image: String,
    /// Replaces the image's entry point; an empty list clears it.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// The environment. All values are hidden, since which of them are secret is of no concern here.
    pub environment: Vec<(String, Secret)>,
    /// The working directory.
    pub workdir: Option<String>,
    /// Labels: those of [`super::identity::Identity`].
    pub labels: BTreeMap<String, String>,
    /// The network to join, by id, and the names under which others on it find this container.
    /// Without one it has nothing but its loopback.
    pub network: Option<(String, Vec<String>)>,
    /// Its address there; `None` is any that is free.
    pub address: Option<Ipv4Addr>,
    /// Nothing is resolved but what its network and `hosts` know: other names are refused at once,
    /// or as soon as the engine can, and no question leaves it. IPv6 is off, since a bridge always
    /// has an address of that kind on this machine.
    pub closed: bool,
    /// What it takes itself for; `None` is for the engine to say.
    pub hostname: Option<String>,
    /// Names that it knows by itself, before it asks anybody. One name may have several addresses.
    pub hosts: Vec<(String, IpAddr)>,
    /// Ports to publish on the loopback address of this machine.
    pub publish: Vec<Publish>,
    /// Files to put in before it starts.
    pub files: Vec<ContainerFile>,
    /// Paths with a volume of their own that goes with the container.
    pub volumes: Vec<String>,
    /// Folders and files of this machine that are seen in it.
    pub mounts: Vec<Mount>,
    /// Paths that are empty in the container although a mount has content there; writes to them go with it.
    pub hidden: Vec<Hidden>,
    /// Sources to copy in before it starts, without what their ignore files name.
    pub copies: Vec<Copied>,
    /// Volumes that outlive the container: their names, and where they are in it.
    pub stores: Vec<(String, String)>,
    /// What it must not do.
    pub limits: Limits,
}

/// A folder or file of this machine in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Here. It must be there: engines make folders out of what is not.
    pub from: PathBuf,
    /// There: an absolute path.
    pub to: String,
    /// Whether the container may write to it.
    pub writable: bool,
}

/// A path below a mount that the container does not get to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// There: an absolute path.
    pub path: String,
    /// Whether it is a directory, or a file.
    pub is_directory: bool,
}

/// Sources that are copied into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// A folder or a file here.
    pub from: PathBuf,
    /// Its place there: an absolute path.
    pub to: String,
}

/// A port to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish {
    /// In the container.
    pub container: u16,
    /// On this machine; `None` is any free one.
    pub host: Option<u16>,
}

/// A file to put into a container.
#[derive(Debug, Clone)]
pub struct ContainerFile {
    /// Absolute path in the container.
    pub path: String,
    /// What is in it.
    pub content: Secret,
    /// Unix permission bits.
    pub mode: u32,
}

/// What a container must not do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// All capabilities dropped but those that are kept, and no way to gain privileges.
    pub unprivileged: bool,
    /// Capabilities that are kept nevertheless.
    pub keep: Vec<String>,
    /// Nothing can be written but to volumes, and to the folders for what is temporary.
    pub read_only: bool,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Number of processes.
    pub processes: Option<u32>,
}

/// How a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Made, not started.
    Created,
    /// Running.
    Running,
    /// Ended with an exit code.
    Exited(i64),
    /// Anything else, in the engine's word.
    Other(String),
}

/// What is known of a container that exists.
#[derive(Debug, Clone)]
pub struct ContainerFacts {
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// How it is.
    pub status: Status,
    /// Published ports: in the container, and on this machine.
    pub ports: Vec<(u16, u16)>,
    /// When it was created, in seconds since 1970.
    pub created: i64,
    /// The networks that it is on, by whatever the engine calls them: ids or names.
    pub networks: Vec<String>,
}

/// What is known of a container's inside once it runs.
#[derive(Debug, Clone, Default)]
pub struct ContainerInside {
    /// The engine's id of it.
    pub id: String,
    /// The environment in its specification, that of its image included.
    pub environment: BTreeMap<String, String>,
    /// The program that it runs in any case, with its arguments.
    pub entrypoint: Vec<String>,
    /// Its command, or the arguments of its entry point.
    pub command: Vec<String>,
    /// The command by which the engine asks for its health, if any.
    pub health: Vec<String>,
    /// Its address on its network, whoever may reach it.
    pub address: Option<IpAddr>,
    /// Its address on each of its networks, by the network's id and by its name.
    pub addresses: Vec<(String, IpAddr)>,
    /// A process in it, by its number on the engine's machine; 0 if none runs.
    pub process: u32,
    /// Published ports: in the container, and on this machine.
    pub ports: Vec<(u16, u16)>,
}
