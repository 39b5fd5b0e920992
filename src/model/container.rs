//! Engine-independent specification of a container: the program to run, its surroundings and its limits.
//! The translation into an engine's API belongs in `systems::engine`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::base::secret::Secret;

/// Specification of a container to create.
#[derive(Debug, Clone, Default)]
pub struct ContainerSpec {
    /// Name, unique on the engine.
    pub name: String,
    /// Image with its tag.
    pub image: String,
    /// Replaces the image's entry point; an empty list clears it.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Environment. All values are hidden, since this type does not know which of them are secret.
    pub environment: Vec<(String, Secret)>,
    /// Working directory.
    pub workdir: Option<String>,
    /// Labels from [`super::identity::ResourceLabels`].
    pub labels: BTreeMap<String, String>,
    /// Network to join, by ID, and the container's aliases on it. Without a network, the container has
    /// only its loopback interface.
    pub network: Option<(String, Vec<String>)>,
    /// Container's address on the network; `None` takes any free address.
    pub address: Option<Ipv4Addr>,
    /// Resolves only names that the network and `hosts` know. Other names fail at once, or as soon as
    /// the engine allows, and no query leaves the network. IPv6 is off, since a bridge always has an
    /// IPv6 address on this machine.
    pub closed: bool,
    /// Host name; with `None`, the engine chooses one.
    pub hostname: Option<String>,
    /// Entries of the container's hosts file. One name may have several addresses.
    pub hosts: Vec<(String, IpAddr)>,
    /// Ports to publish on this machine's loopback address.
    pub publish: Vec<Publish>,
    /// Files to copy in before the start.
    pub files: Vec<ContainerFile>,
    /// Paths with an anonymous volume, which is removed with the container.
    pub volumes: Vec<String>,
    /// Directories and files of this machine to mount.
    pub mounts: Vec<Mount>,
    /// Paths that are empty in the container although a mount has content there; writes to them are lost
    /// with the container.
    pub hidden: Vec<Hidden>,
    /// Sources to copy in before the start, without the files that their ignore files name.
    pub copies: Vec<CopyIn>,
    /// Volumes that outlive the container: name and mount path.
    pub stores: Vec<(String, String)>,
    /// Restrictions.
    pub limits: Limits,
}

/// Surroundings of a command in a running container, where they differ from the container's own.
#[derive(Debug, Clone, Default)]
pub struct ExecSettings {
    /// Working directory.
    pub workdir: Option<String>,
    /// User by name or ID, with an optional group: `app`, `1000:1000`.
    pub user: Option<String>,
    /// Variables in addition to its environment.
    pub environment: Vec<(String, Secret)>,
}

/// A mount of a directory or file of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Path on this machine. It must exist: engines create directories in place of missing paths.
    pub from: PathBuf,
    /// Absolute path in the container.
    pub to: String,
    /// Allows the container to write to it.
    pub writable: bool,
}

/// A path below a mount that is hidden from the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Absolute path in the container.
    pub path: String,
    /// Tells a directory from a file.
    pub is_directory: bool,
}

/// Sources that are copied into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyIn {
    /// Directory or file on this machine.
    pub from: PathBuf,
    /// Absolute path in the container.
    pub to: String,
}

/// A port to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish {
    /// Port in the container.
    pub container: u16,
    /// Port on this machine; `None` takes any free port.
    pub host: Option<u16>,
}

/// A file to put into a container.
#[derive(Debug, Clone)]
pub struct ContainerFile {
    /// Absolute path in the container.
    pub path: String,
    /// Content of the file.
    pub content: Secret,
    /// Unix permission bits.
    pub mode: u32,
}

/// Restrictions of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Drops all capabilities except those in `keep`, and prevents gaining privileges.
    pub unprivileged: bool,
    /// Capabilities to keep.
    pub keep: Vec<String>,
    /// Makes the file system read-only, except volumes and directories for temporary files.
    pub read_only: bool,
    /// Maximum memory in bytes.
    pub memory: Option<u64>,
    /// Maximum number of processes.
    pub processes: Option<u32>,
}

/// Container state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Created, not started.
    Created,
    /// Running.
    Running,
    /// Exited, with this exit code.
    Exited(i64),
    /// Any other state, in the engine's word.
    Other(String),
}

/// Listing entry of an existing container.
#[derive(Debug, Clone)]
pub struct ContainerSummary {
    /// The engine's ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// State.
    pub status: Status,
    /// Published ports: in the container, and on this machine.
    pub ports: Vec<(u16, u16)>,
    /// Creation time in seconds since 1970.
    pub created: i64,
    /// Networks, by ID or name, whichever the engine reports.
    pub networks: Vec<String>,
}

/// Details of a running container from the engine's inspection.
#[derive(Debug, Clone, Default)]
pub struct ContainerInspect {
    /// The engine's ID.
    pub id: String,
    /// Environment in the container's specification, including that of the image.
    pub environment: BTreeMap<String, String>,
    /// Entry point with its arguments.
    pub entrypoint: Vec<String>,
    /// Command, or the arguments of the entry point.
    pub command: Vec<String>,
    /// Command of the engine's health check; empty if there is none.
    pub health: Vec<String>,
    /// Address on its network, reachable or not.
    pub address: Option<IpAddr>,
    /// Address on each of its networks, by the network's ID and by its name.
    pub addresses: Vec<(String, IpAddr)>,
    /// PID of its main process on the engine's machine; 0 if it does not run.
    pub process: u32,
    /// Published ports: in the container, and on this machine.
    pub ports: Vec<(u16, u16)>,
}
