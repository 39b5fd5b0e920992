//! Compose files, read as Docker Compose 2 reads them: several files of one project, `extends`,
//! `include`, `!reset` and `!override`, environment files and interpolation. Values for the
//! interpolation come from the `.env` of the project, never from this machine; a variable that only a
//! deployer has is a finding. Tests compare all of it with `docker-compose config`
//! (`tests/suite/compose.rs`).

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

use super::files::FileReader;
use super::{DeployedContainer, DeploymentError, finding};
use crate::base::yaml::Position;
use crate::base::yaml::tree::{Location, Node, NodeValue, Tags};
use crate::model::inventory::InventoryFinding;
use project::{ALL, ComposeProject};

/// Top-level keys that a Compose file without services may have.
const TOP: &[&str] =
    &["name", "version", "services", "include", "networks", "volumes", "configs", "secrets", "models"];

/// Default files of Compose in a directory: the first existing one counts; and its override files.
const DEFAULTS: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: &[&str] = &[
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// Returns whether a document is a Compose file or a part of one.
pub(super) fn is_project(document: &Node) -> bool {
    let is_map = |key: &str| document.get(key).is_some_and(|node| matches!(node.value, NodeValue::Map(_)));
    let is_known = |key: &str| TOP.contains(&key) || key.starts_with("x-");
    is_map("services")
        || (document.get("include").is_some_and(|node| matches!(node.value, NodeValue::List(_)))
            && document.entries().iter().all(|entry| is_known(&entry.key)))
}

/// Reduces the names in a directory to those that Compose reads by default, in its order, if a default
/// file is among them. A finding names other Compose files, which the inventory may list.
pub(super) fn in_order(
    directory: &str,
    names: &mut Vec<String>,
    reader: &FileReader<'_>,
    findings: &mut Vec<InventoryFinding>,
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
        let path = paths::joined(directory, other).unwrap_or_default();
        let spot = Location { file: reader.label(&path).into(), position: Position { line: 1, column: 1 } };
        let message = "Compose does not read this file unless it is named, and neither does `cki`: list it in `deployment`";
        findings.push(finding(&spot, message));
    }
    names.retain(|name| !is_compose(name));
    names.splice(0..0, [first].into_iter().chain(second));
}

/// Projects of a deployment, one for each repository.
#[derive(Default)]
pub(super) struct Projects<'a>(Vec<ComposeProject<'a>>);

/// A service of a project.
pub(super) struct ComposeService {
    pub(super) name: String,
    project: usize,
}

impl<'a> Projects<'a> {
    /// Adds a document of a Compose file. It changes services of earlier documents.
    pub(super) fn add(
        &mut self,
        reader: &Rc<FileReader<'a>>,
        path: &str,
        document: Node,
        tags: &Tags,
    ) -> Result<(), DeploymentError> {
        let root = reader.label("");
        let at = match self.0.iter().position(|project| project.reader.label("") == root) {
            Some(at) => at,
            None => {
                self.0.push(ComposeProject::open(reader, path)?);
                self.0.len() - 1
            }
        };
        self.0[at].add(path, document, tags)
    }

    /// Returns all services.
    pub(super) fn services(&self) -> Vec<ComposeService> {
        let of = |(project, one): (usize, &ComposeProject<'_>)| {
            one.services
                .iter()
                .map(move |entry| ComposeService { name: entry.key.clone(), project })
                .collect::<Vec<_>>()
        };
        self.0.iter().enumerate().flat_map(of).collect()
    }

    /// Returns the container of a service.
    pub(super) fn container(
        &mut self,
        service: &ComposeService,
        findings: &mut Vec<InventoryFinding>,
    ) -> DeployedContainer {
        let project = &mut self.0[service.project];
        findings.extend(project.notes.remove(ALL).unwrap_or_default());
        findings.extend(project.notes.remove(&service.name).unwrap_or_default());
        service::container(project, &service.name, findings)
    }
}
