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
mod selection;
mod service;
mod shared_volumes;
mod types;
mod volumes;
mod words;

use std::rc::Rc;

use super::files::FileReader;
use super::{DeployedContainer, DeploymentError};
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue, Tags};
use crate::model::inventory::InventoryFinding;
use project::{ALL, ComposeProject};

/// Top-level keys that a Compose file without services may have.
const TOP: &[&str] =
    &["name", "version", "services", "include", "networks", "volumes", "configs", "secrets", "models"];

/// Returns whether a document is a Compose file or a part of one.
pub(super) fn is_project(document: &Node) -> bool {
    let is_map = |key: &str| document.get(key).is_some_and(|node| matches!(node.value, NodeValue::Map(_)));
    let is_known = |key: &str| TOP.contains(&key) || key.starts_with("x-");
    is_map("services")
        || (document.get("include").is_some_and(|node| matches!(node.value, NodeValue::List(_)))
            && document.entries().iter().all(|entry| is_known(&entry.key)))
}

/// Projects of a deployment, one for each repository.
#[derive(Default)]
pub(super) struct Projects<'a> {
    files: Vec<ComposeFiles<'a>>,
    opened: Vec<ComposeProject<'a>>,
    /// Compose files in a directory that Compose reads only if another file or an option names them.
    unnamed: Vec<(Rc<FileReader<'a>>, String)>,
}

/// Documents of a project's Compose files, in their order.
struct ComposeFiles<'a> {
    reader: Rc<FileReader<'a>>,
    /// Directory that Compose is started in, if the project is read from a directory.
    start: Option<String>,
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

    /// Selects the files that Compose reads when it is started in a directory, and removes all Compose files from the
    /// names in the directory. Returns `None` if Compose finds no file there.
    pub(super) fn select(
        &mut self,
        reader: &Rc<FileReader<'a>>,
        directory: &str,
        names: &mut Vec<String>,
        findings: &mut Vec<InventoryFinding>,
    ) -> Result<Option<Vec<String>>, DeploymentError> {
        let Some(selection) = selection::select(reader, directory, names, findings)? else {
            return Ok(None);
        };
        for path in selection.unnamed {
            self.add_unnamed(reader, &path);
        }
        let at = self.of(reader);
        // An earlier item of the deployment decides where Compose is started.
        if self.files[at].documents.is_empty() && self.files[at].start.is_none() {
            self.files[at].start = Some(directory.to_owned());
        }
        Ok(Some(selection.chosen))
    }

    /// Adds the empty documents of a Compose file.
    pub(super) fn add_empty(&mut self, reader: &Rc<FileReader<'a>>, empty: Vec<Location>) {
        let at = self.of(reader);
        self.files[at].empty.extend(empty);
    }

    /// Adds a Compose file that only another one can name.
    pub(super) fn add_unnamed(&mut self, reader: &Rc<FileReader<'a>>, path: &str) {
        self.unnamed.push((Rc::clone(reader), path.to_owned()));
    }

    /// Returns findings about the Compose files that no other one names, once all services are read.
    pub(super) fn unused(&mut self) -> Vec<InventoryFinding> {
        let is_used = |(reader, path): &(Rc<FileReader<'_>>, String)| {
            let root = reader.label("");
            let mut readers = self.opened.iter().map(|project| &project.reader);
            readers.any(|one| one.label("") == root && one.is_referred_to(path))
        };
        let unnamed = std::mem::take(&mut self.unnamed).into_iter();
        let unused = unnamed.filter(|one| !is_used(one));
        unused.map(|(reader, path)| selection::unnamed(&reader, &path)).collect()
    }

    fn of(&mut self, reader: &Rc<FileReader<'a>>) -> usize {
        let root = reader.label("");
        self.files.iter().position(|project| project.reader.label("") == root).unwrap_or_else(|| {
            let reader = Rc::clone(reader);
            self.files.push(ComposeFiles { reader, start: None, documents: Vec::new(), empty: Vec::new() });
            self.files.len() - 1
        })
    }

    /// Reads all services. The last name in the files of a project counts for all of them.
    pub(super) fn services(&mut self) -> Result<Vec<ComposeService>, DeploymentError> {
        for ComposeFiles { reader, start, documents, empty } in std::mem::take(&mut self.files) {
            let Some((first, ..)) = documents.first() else { continue };
            let mut project = ComposeProject::open(&reader, first, start.as_deref())?;
            let names = documents.iter().filter_map(|(_, document, _)| document.get("name"));
            project.set_name(names.rev().find(|name| name.text().is_some_and(|text| !text.is_empty())));
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
