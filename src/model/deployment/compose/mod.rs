//! Compose files, read as Docker Compose 2 reads them: several files of one project, `extends`,
//! `include`, `!reset` and `!override`, environment files and interpolation. Values for the
//! interpolation come from the `.env` of the project, never from this machine; a variable that only a
//! deployer has is a finding. Tests compare all of it with `docker-compose config`
//! (`tests/suite/compose.rs`).

mod consistency;
mod document;
mod dotenv;
mod environment;
mod include;
mod merge;
mod models;
mod paths;
mod ports;
mod profiles;
mod project;
mod schema;
mod service;
mod types;
mod words;

use std::rc::Rc;

use super::files::FileReader;
use super::{DeployedContainer, DeploymentError, finding};
use crate::base::yaml::Position;
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue, Tags};
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
pub(super) struct Projects<'a> {
    files: Vec<ComposeFiles<'a>>,
    opened: Vec<ComposeProject<'a>>,
}

/// Documents of a project's Compose files, in their order.
struct ComposeFiles<'a> {
    reader: Rc<FileReader<'a>>,
    documents: Vec<(String, Node, Tags)>,
    /// Empty documents of these files.
    empty: Vec<Location>,
}

/// A service of a project.
pub(super) struct ComposeService {
    pub(super) name: String,
    /// Compose starts it unless other services are named.
    pub(super) is_enabled: bool,
    project: usize,
}

impl<'a> Projects<'a> {
    /// Adds a document of a Compose file. It changes services of earlier documents.
    pub(super) fn add(&mut self, reader: &Rc<FileReader<'a>>, path: &str, document: Node, tags: &Tags) {
        let at = self.of(reader);
        self.files[at].documents.push((path.to_owned(), document, tags.clone()));
    }

    /// Adds the empty documents of a Compose file.
    pub(super) fn add_empty(&mut self, reader: &Rc<FileReader<'a>>, empty: Vec<Location>) {
        let at = self.of(reader);
        self.files[at].empty.extend(empty);
    }

    fn of(&mut self, reader: &Rc<FileReader<'a>>) -> usize {
        let root = reader.label("");
        self.files.iter().position(|project| project.reader.label("") == root).unwrap_or_else(|| {
            let reader = Rc::clone(reader);
            self.files.push(ComposeFiles { reader, documents: Vec::new(), empty: Vec::new() });
            self.files.len() - 1
        })
    }

    /// Reads all services. The last file of a project names it for all its files.
    pub(super) fn services(&mut self) -> Result<Vec<ComposeService>, DeploymentError> {
        for ComposeFiles { reader, documents, empty } in std::mem::take(&mut self.files) {
            let Some((first, ..)) = documents.first() else { continue };
            let mut project = ComposeProject::open(&reader, first)?;
            let names = documents.iter().filter_map(|(_, document, _)| document.get("name"));
            project.set_name(names.rev().find(|name| !name.is_null()));
            for (path, document, tags) in documents {
                project.add(&path, document, &tags)?;
            }
            project.note_empty(&empty);
            project.check();
            self.opened.push(project);
        }
        let of = |(project, one): (usize, &ComposeProject<'_>)| {
            let service = move |entry: &MapEntry| ComposeService {
                name: entry.key.clone(),
                is_enabled: profiles::is_enabled(&one.variables, &entry.node),
                project,
            };
            one.services.iter().map(service).collect::<Vec<_>>()
        };
        Ok(self.opened.iter().enumerate().flat_map(of).collect())
    }

    /// Returns whether a part of the files could not be read.
    pub(super) fn has_lost(&self) -> bool {
        self.opened.iter().any(|project| project.reader.has_lost())
    }

    /// Returns the container of a service.
    pub(super) fn container(
        &mut self,
        service: &ComposeService,
        findings: &mut Vec<InventoryFinding>,
    ) -> DeployedContainer {
        let project = &mut self.opened[service.project];
        findings.extend(project.notes.remove(ALL).unwrap_or_default());
        findings.extend(project.notes.remove(&service.name).unwrap_or_default());
        service::container(project, &service.name, findings)
    }
}
