//! The engines of the tests as their own clients see them: what is there, put there, and taken away
//! again, without any help of `cki`.

use std::collections::HashMap;
use std::path::Path;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, HostConfig, NetworkCreateRequest, ResourcesUlimits,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    ListImagesOptionsBuilder, ListNetworksOptions, ListVolumesOptions, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder, RemoveVolumeOptions, StartContainerOptions,
};
use cki::systems::git::CommitId;

use super::cli::BUSYBOX;

/// What runs components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Docker,
    Podman,
    Native,
}

impl Engine {
    /// Where the one of the tests is.
    pub(crate) fn address(self) -> Option<String> {
        match self {
            Self::Docker => super::docker(),
            Self::Podman => super::podman(),
            Self::Native => None,
        }
    }
}

/// Makes a test for each engine out of a function that takes a place to run `cki`.
macro_rules! on {
    ($($engine:ident),+: $test:ident) => {
        mod $test {
            $(#[test]
            fn $engine() {
                let what = concat!(stringify!($test), " on ", stringify!($engine));
                if let Some(cli) = $crate::support::cli::Cli::$engine(what) {
                    insta::allow_duplicates! { super::$test(&cli) }
                }
            })+
        }
    };
}
pub(crate) use on;

/// A connection to an engine.
pub(crate) struct Bench {
    runtime: tokio::runtime::Runtime,
    docker: Docker,
}

/// Things on an engine, by id, with their labels.
type Labelled = Vec<(String, HashMap<String, String>)>;

impl Bench {
    pub(super) fn open(address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
        let docker = Docker::connect_with_unix(address, 60, bollard::API_DEFAULT_VERSION).expect("is there");
        Self { runtime, docker }
    }

    fn ask<T>(&self, question: impl Future<Output = Result<T, Error>>) -> T {
        self.runtime.block_on(question).expect("the engine answers")
    }

    fn containers(&self) -> Labelled {
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let all = self.ask(self.docker.list_containers(Some(options)));
        all.into_iter().map(|one| (one.id.unwrap_or_default(), one.labels.unwrap_or_default())).collect()
    }

    fn networks(&self) -> Labelled {
        let all = self.ask(self.docker.list_networks(None::<ListNetworksOptions>));
        all.into_iter().map(|one| (one.id.unwrap_or_default(), one.labels.unwrap_or_default())).collect()
    }

    fn volumes(&self) -> Labelled {
        let all = self.ask(self.docker.list_volumes(None::<ListVolumesOptions>)).volumes.unwrap_or_default();
        all.into_iter().map(|one| (one.name, one.labels)).collect()
    }

    /// What processes of `cki` have made and not removed.
    pub(crate) fn left(&self, processes: &[u32]) -> Vec<String> {
        let all =
            [("container", self.containers()), ("network", self.networks()), ("volume", self.volumes())];
        let mut left = Vec::new();
        for (kind, things) in all {
            let ours = things.iter().filter(|(_, labels)| is_of(labels, processes));
            left.extend(ours.map(|(_, labels)| format!("{kind} of {}", labels["cki.name"])));
        }
        left.sort();
        left
    }

    /// Removes what processes of `cki` have made, and images that they built of commits.
    pub(super) fn remove(&self, processes: &[u32], commits: &[CommitId]) {
        let ours = |things: Labelled| things.into_iter().filter(|(_, labels)| is_of(labels, processes));
        for (id, _) in ours(self.containers()) {
            self.remove_container(&id);
        }
        // What is gone already is well.
        for (id, _) in ours(self.networks()) {
            let _ = self.runtime.block_on(self.docker.remove_network(&id));
        }
        for (name, _) in ours(self.volumes()) {
            let _ = self.runtime.block_on(self.docker.remove_volume(&name, None::<RemoveVolumeOptions>));
        }
        for commit in commits {
            for (image, _) in self.images(&format!("cki.commit={commit}")) {
                let options = RemoveImageOptionsBuilder::new().force(true).build();
                let _ = self.runtime.block_on(self.docker.remove_image(&image, Some(options), None));
            }
        }
    }

    fn remove_container(&self, id: &str) {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let _ = self.runtime.block_on(self.docker.remove_container(id, Some(options)));
    }

    /// The images with a label.
    pub(crate) fn images(&self, label: &str) -> Labelled {
        let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let all = self.ask(self.docker.list_images(Some(options)));
        all.into_iter().map(|image| (image.id, image.labels)).collect()
    }

    /// The labels of an image; `None` if there is no such image.
    pub(crate) fn image(&self, name: &str) -> Option<HashMap<String, String>> {
        let facts = self.runtime.block_on(self.docker.inspect_image(name)).ok()?;
        facts.config?.labels
    }

    /// Starts a container that has nothing to do with `cki`, on a network of its own.
    pub(crate) fn foreign(&self, name: &str, command: &[&str]) -> Foreign<'_> {
        let request = NetworkCreateRequest { name: name.to_owned(), ..Default::default() };
        let network = self.ask(self.docker.create_network(request)).id;
        let limit =
            |name: &str| ResourcesUlimits { name: Some(name.to_owned()), soft: Some(1024), hard: Some(1024) };
        let body = ContainerCreateBody {
            image: Some(BUSYBOX.to_owned()),
            cmd: Some(command.iter().map(|&word| word.to_owned()).collect()),
            labels: Some(HashMap::from([("cki.role".to_owned(), "component".to_owned())])),
            host_config: Some(HostConfig {
                init: Some(true),
                network_mode: Some(network.clone()),
                ulimits: Some(vec![limit("nofile"), limit("nproc")]),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let container = self.ask(self.docker.create_container(Some(options), body)).id;
        let foreign = Foreign { bench: self, container, network };
        self.ask(self.docker.start_container(&foreign.container, None::<StartContainerOptions>));
        foreign
    }
}

/// Something on an engine that is none of ours; it goes when this is dropped.
pub(crate) struct Foreign<'a> {
    bench: &'a Bench,
    container: String,
    network: String,
}

impl Foreign<'_> {
    fn facts(&self) -> ContainerInspectResponse {
        let docker = &self.bench.docker;
        self.bench.ask(docker.inspect_container(&self.container, None::<InspectContainerOptions>))
    }

    pub(crate) fn runs(&self) -> bool {
        let network = self.bench.networks().iter().any(|(id, _)| *id == self.network);
        network && self.facts().state.and_then(|state| state.running) == Some(true)
    }

    /// Its address on its network.
    pub(crate) fn address(&self) -> String {
        let networks = self.facts().network_settings.and_then(|all| all.networks).unwrap_or_default();
        networks.into_values().find_map(|one| one.ip_address).expect("has an address")
    }
}

impl Drop for Foreign<'_> {
    fn drop(&mut self) {
        self.bench.remove_container(&self.container);
        let _ = self.bench.runtime.block_on(self.bench.docker.remove_network(&self.network));
    }
}

/// Whether labels name one of these processes as the owner.
fn is_of(labels: &HashMap<String, String>, processes: &[u32]) -> bool {
    let owner = labels.get("cki.owner").and_then(|owner| owner.split('.').next()?.parse().ok());
    owner.is_some_and(|owner| processes.contains(&owner))
}

/// What is left of processes without an engine: their folders, and they themselves.
pub(super) fn left_native(runtime: &Path) -> Vec<String> {
    let folders = cki::base::files::names_in(&runtime.join("cki/native")).expect("reads");
    let folders = folders.into_iter().map(|name| format!("folder {name}"));
    let living = living(runtime).into_iter().map(|(id, command)| format!("process {id}: {command}"));
    folders.chain(living).collect()
}

/// The processes whose home is below a folder.
fn living(runtime: &Path) -> Vec<(i32, String)> {
    let home = format!("HOME={}/", runtime.display());
    let read = |id: i32, name: &str| std::fs::read(format!("/proc/{id}/{name}")).unwrap_or_default();
    let ids = std::fs::read_dir("/proc").expect("is there").flatten();
    ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| {
            read(*id, "environ").split(|byte| *byte == 0).any(|entry| entry.starts_with(home.as_bytes()))
        })
        .map(|id| (id, String::from_utf8_lossy(&read(id, "cmdline")).replace('\0', " ")))
        .collect()
}

/// Kills what a failed test has left.
pub(super) fn remove_native(runtime: &Path) {
    for (id, _) in living(runtime) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL);
    }
}
