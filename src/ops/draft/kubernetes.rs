//! The workloads in Kubernetes files of a draft: the deployments of components, and components whose images nothing in
//! the repository builds. What a workload says beyond that, a run reads from the files.

use super::drafting::Drafting;
use super::files::{self, FoundFiles};
use crate::base::yaml::tree::{self, Node};
use crate::model::draft::{DraftedComponent, DraftedPort, image_name};

/// Maximum number of files to read.
const FILES: usize = 200;

/// A workload.
struct WorkloadFacts {
    /// File.
    path: String,
    name: String,
    /// Last parts of the names of its images.
    images: Vec<String>,
    /// It has a probe that says when it is ready.
    is_probed: bool,
    /// It has a command, which comes before that of the image.
    has_command: bool,
    /// Ports of TCP of its only container.
    ports: Vec<u16>,
    /// Path and port of an HTTP probe of a container that lists no ports.
    probe: Option<(String, u16)>,
}

impl WorkloadFacts {
    /// Reads a document, unless it is something else.
    fn read(path: &str, document: &Node) -> Option<Self> {
        let kind = document.text_of("kind")?;
        if !["Deployment", "StatefulSet", "DeploymentConfig"].contains(&kind) {
            return None;
        }
        let containers = document.at(&["spec", "template", "spec", "containers"]);
        let containers = containers.map_or(&[][..], Node::items);
        let has = |key: &str| containers.iter().any(|container| container.get(key).is_some());
        let probes = ["readinessProbe", "livenessProbe"];
        let mut requests = probes
            .iter()
            .flat_map(|probe| containers.iter().filter_map(|container| container.at(&[*probe, "httpGet"])));
        let probe = requests.find_map(|request| {
            let port = request.text_of("port")?.parse().ok().filter(|port| *port > 0)?;
            Some((request.text_of("path").unwrap_or("/").to_owned(), port))
        });
        let ports = containers.iter().filter(|_| containers.len() == 1).filter_map(|one| one.get("ports"));
        let is_tcp = |port: &&Node| port.text_of("protocol").is_none_or(|protocol| protocol == "TCP");
        let number = |port: &Node| port.text_of("containerPort")?.parse().ok().filter(|port| *port > 0);
        let ports = ports.flat_map(Node::items).filter(is_tcp).filter_map(number).collect();
        Some(Self {
            ports,
            images: containers
                .iter()
                .filter_map(|one| one.text_of("image").map(|image| image_name(image).to_owned()))
                .collect(),
            is_probed: has("readinessProbe") || has("startupProbe"),
            path: path.to_owned(),
            name: document.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default().to_owned(),
            has_command: has("command") || has("args"),
            probe: probe.filter(|_| !has("ports")),
        })
    }

    /// Becomes a deployment of a component.
    fn deploy(self, one: &mut DraftedComponent) {
        one.deployment.push((self.path, None));
        one.has_probe |= self.is_probed;
        // The workload's own comes first in a run, unless the entry has one.
        if self.has_command {
            one.command.clear();
        }
        // The ports of an entry come before those of its deployment.
        if !one.ports.is_empty() {
            let lacking = self.ports.iter().filter(|port| one.ports.iter().all(|own| own.number != **port));
            let lacking: Vec<DraftedPort> =
                lacking.map(|port| DraftedPort { number: *port, is_http: false, host: None }).collect();
            one.ports.extend(lacking);
        }
        if let Some((path, number)) = self.probe.filter(|_| one.ports.is_empty()) {
            one.ports.push(DraftedPort { number, is_http: true, host: None });
            one.health.get_or_insert((path, number));
        }
    }
}

impl Drafting<'_> {
    /// Names each workload as the deployment of the component of its name, or of the only component.
    pub(super) fn kubernetes(&mut self, found: &FoundFiles) {
        let mut workloads = Vec::new();
        for path in found.yaml.iter().take(FILES) {
            let Some(text) = files::text(&self.sources, path).filter(|text| text.contains("containers:"))
            else {
                continue;
            };
            let shown = path.display().to_string();
            // A template of Helm is no YAML.
            let documents = tree::documents(&shown, &text).unwrap_or_default();
            workloads.extend(documents.iter().filter_map(|document| WorkloadFacts::read(&shown, document)));
        }
        let is_single = workloads.len() == 1 && self.components.len() == 1;
        let mut rest = Vec::new();
        let own_names = self.own_names();
        let mut built = self.components.iter().filter(|one| one.is_built);
        let only = built.next().filter(|_| built.next().is_none()).map(|one| one.name.clone());
        for workload in workloads {
            // The only component has the names of the repository, whatever the directory is called.
            let is_own = own_names.contains(&workload.name)
                || workload.images.iter().any(|image| own_names.contains(image));
            let fits = |one: &DraftedComponent| {
                let is_only = only.as_ref() == Some(&one.name);
                one.deployment.is_empty() && (one.name == workload.name || is_single || is_only && is_own)
            };
            if let Some(one) = self.components.iter_mut().find(|one| fits(one)) {
                workload.deploy(one);
            } else if self.is_new(&workload.name) {
                let place = workload.path.clone();
                let mut one = DraftedComponent { name: workload.name.clone(), ..DraftedComponent::default() };
                workload.deploy(&mut one);
                self.add(one, &place);
            } else {
                rest.push(workload.path);
            }
        }
        rest.dedup();
        if let Some(first) = rest.first() {
            let more = if rest.len() > 1 { format!(" and {} more", rest.len() - 1) } else { String::new() };
            self.note(
                format!("{first}{more}"),
                "not used: name it in `deployment` of the entry that it deploys",
            );
        }
    }

    /// Returns whether a workload is the component of the scope, which nothing in the repository builds.
    fn is_new(&self, name: &str) -> bool {
        let is_it = self.scope.directory().is_none() && self.scope.name() == Some(name);
        is_it && self.components.iter().all(|one| one.name != name)
    }
}
