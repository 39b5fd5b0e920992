//! Compose files, read as Docker Compose 2 reads them: several files of one project, `extends`,
//! `include`, `!reset` and `!override`, environment files and interpolation. Values for the
//! interpolation come from the `.env` of the project, never from this machine; what only a deployer has
//! is a finding. `docker-compose config` is what all of it is compared with (`tests/suite/compose.rs`).

mod document;
mod dotenv;
mod environment;
mod merge;
mod paths;
mod ports;
mod project;
mod schema;
mod service;
mod words;

use std::rc::Rc;

use super::files::Reader;
use super::{Container, DeploymentError, finding};
use crate::base::yaml::Position;
use crate::base::yaml::tree::{Node, Spot, Tags, Value};
use crate::model::inventory::Finding;
use project::{ALL, Project};

/// The keys of a Compose file, of which one without services may have some.
const TOP: &[&str] =
    &["name", "version", "services", "include", "networks", "volumes", "configs", "secrets", "models"];

/// The files that Compose looks for in a directory, the first that is there, and what goes on top of it.
const DEFAULTS: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: &[&str] = &[
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// Whether a document is a Compose file, or a part of one.
pub(super) fn is_project(document: &Node) -> bool {
    let is_map = |key: &str| document.get(key).is_some_and(|node| matches!(node.value, Value::Map(_)));
    let is_known = |key: &str| TOP.contains(&key) || key.starts_with("x-");
    is_map("services")
        || (document.get("include").is_some_and(|node| matches!(node.value, Value::List(_)))
            && document.entries().iter().all(|entry| is_known(&entry.key)))
}

/// Leaves of the names in a directory those that Compose reads of itself, in its order, if one of its
/// default files is among them. Other Compose files are named; the inventory may list them.
pub(super) fn in_order(
    folder: &str,
    names: &mut Vec<String>,
    reader: &Reader<'_>,
    findings: &mut Vec<Finding>,
) {
    let found = |all: &[&str]| {
        all.iter().find(|one| names.iter().any(|name| name == *one)).map(|one| (*one).to_owned())
    };
    let Some(first) = found(DEFAULTS) else { return };
    let second = found(OVERRIDES);
    let is_compose = |name: &str| {
        (name.starts_with("compose.") || name.starts_with("docker-compose."))
            && [".yaml", ".yml"].iter().any(|end| name.ends_with(end))
    };
    let others =
        names.iter().filter(|name| is_compose(name) && **name != first && Some(*name) != second.as_ref());
    for other in others {
        let path = paths::joined(folder, other).unwrap_or_default();
        let spot = Spot { file: reader.label(&path).into(), position: Position { line: 1, column: 1 } };
        let message = "Compose does not read this file unless it is named, and neither does `cki`: list it in `deployment`";
        findings.push(finding(&spot, message));
    }
    names.retain(|name| !is_compose(name));
    names.splice(0..0, [first].into_iter().chain(second));
}

/// The projects of a deployment: one for each repository.
#[derive(Default)]
pub(super) struct Projects<'a>(Vec<Project<'a>>);

/// A service of a project.
pub(super) struct Service {
    pub(super) name: String,
    project: usize,
}

impl<'a> Projects<'a> {
    /// Adds a document of a Compose file. A service that an earlier one has too is changed by it.
    pub(super) fn add(
        &mut self,
        reader: &Rc<Reader<'a>>,
        path: &str,
        document: Node,
        tags: &Tags,
    ) -> Result<(), DeploymentError> {
        let root = reader.label("");
        let at = match self.0.iter().position(|project| project.reader.label("") == root) {
            Some(at) => at,
            None => {
                self.0.push(Project::open(reader, path)?);
                self.0.len() - 1
            }
        };
        self.0[at].add(path, document, tags)
    }

    /// All services.
    pub(super) fn services(&self) -> Vec<Service> {
        let of = |(project, one): (usize, &Project<'_>)| {
            one.services
                .iter()
                .map(move |entry| Service { name: entry.key.clone(), project })
                .collect::<Vec<_>>()
        };
        self.0.iter().enumerate().flat_map(of).collect()
    }

    /// What a service gives to its container.
    pub(super) fn container(&mut self, service: &Service, findings: &mut Vec<Finding>) -> Container {
        let project = &mut self.0[service.project];
        findings.extend(project.notes.remove(ALL).unwrap_or_default());
        findings.extend(project.notes.remove(&service.name).unwrap_or_default());
        service::container(project, &service.name, findings)
    }
}
