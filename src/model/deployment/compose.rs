//! Compose files: services, their environment in both forms, environment files and interpolation.
//! Values for the interpolation come from the `.env` beside the file, never from this machine.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::dotenv::{self, Line};
use super::expansion::Piece;
use super::files::{Reader, folder_of, path_at};
use super::interpolation::{Budget, Known, Values, interpolate};
use super::{Container, DeploymentError, Given, GivenValue, Pool, finding, wrong};
use crate::base::yaml::Position;
use crate::base::yaml::tree::{Node, Spot, Value};
use crate::model::environment::is_variable_name;
use crate::model::inventory::Finding;
use crate::model::probe::Ready;

/// A service of a Compose file, with the files that it names.
pub(super) struct Service {
    pub(super) name: String,
    node: Node,
    /// Those of the `.env` beside each of its files; what a later one has wins.
    variables: Vec<Rc<BTreeMap<String, Known>>>,
    budget: Rc<Budget>,
    /// Environment files in their order: the lines, and what the file is called.
    files: Vec<(String, Vec<Line>)>,
}

/// What is not done, and would change what a container is given.
const NOT_DONE: &[&str] =
    &["extends", "secrets", "configs", "volumes", "volumes_from", "provider", "credential_spec"];

/// Said without the text: it may be a part of a secret.
const NO_ASSIGNMENT: &str = "this is no `NAME=VALUE`, and is left out";

/// Whether a document is a Compose file.
pub(super) fn is_project(document: &Node) -> bool {
    document.get("services").is_some_and(|services| matches!(services.value, Value::Map(_)))
}

/// Reads a Compose file. A service that an earlier file has too is changed by it.
pub(super) fn read(
    reader: &Reader<'_>,
    path: &str,
    document: &Node,
    pool: &mut Pool,
) -> Result<(), DeploymentError> {
    let folder = folder_of(path);
    let beside = if folder.is_empty() { ".env".to_owned() } else { format!("{folder}/.env") };
    let mut variables = BTreeMap::new();
    if reader.is_file(&beside)? {
        for line in lines(reader, &beside, false, &|_| None)? {
            variables.extend(line.known().map(|known| (line.name, known)));
        }
    }
    let variables = Rc::new(variables);
    if let Some(include) = document.get("include") {
        pool.findings.push(finding(&include.spot, "`include` of a Compose file is not known"));
    }
    for entry in document.get("services").map_or(&[][..], Node::entries) {
        let mut service = Service {
            name: entry.key.clone(),
            node: entry.node.clone(),
            variables: vec![Rc::clone(&variables)],
            budget: reader.budget(),
            files: Vec::new(),
        };
        service.read_files(reader, folder, &mut pool.findings)?;
        let known = pool.services.iter().position(|known| known.name == service.name);
        match known {
            Some(at) => {
                let before = pool.services.remove(at);
                pool.services.insert(at, service.over(before));
            }
            None => pool.services.push(service),
        }
    }
    Ok(())
}

fn lines(
    reader: &Reader<'_>,
    path: &str,
    raw: bool,
    outer: Values<'_, '_>,
) -> Result<Vec<Line>, DeploymentError> {
    let text = reader.text(path)?;
    dotenv::read(&text, raw, outer, &reader.budget()).map_err(|(line, message)| DeploymentError::Wrong {
        place: format!("{}:{line}", reader.label(path)),
        message,
    })
}

impl Service {
    pub(super) fn label(&self) -> String {
        format!("Compose service {}", self.name)
    }

    fn read_files(
        &mut self,
        reader: &Reader<'_>,
        folder: &str,
        findings: &mut Vec<Finding>,
    ) -> Result<(), DeploymentError> {
        let Some(node) = self.node.get("env_file").cloned() else { return Ok(()) };
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(&node),
        };
        for item in items {
            let Some(written) = item.text().or_else(|| item.text_of("path")) else {
                findings.push(finding(&item.spot, "this item of `env_file` names no file"));
                continue;
            };
            let path = path_at(folder, &self.filled(written, &item.spot, findings)?, &item.spot)?;
            if !reader.is_file(&path)? {
                if item.text_of("required") != Some("false") {
                    return Err(wrong(&item.spot, format!("there is no file `{written}`")));
                }
                continue;
            }
            let raw = item.text_of("format") == Some("raw");
            let read = lines(reader, &path, raw, &|name| self.value(name))?;
            self.files.push((reader.label(&path), read));
        }
        Ok(())
    }

    /// This one, which a later file has, on top of an earlier one.
    fn over(self, before: Self) -> Self {
        let Self { name, node, variables, budget, files } = self;
        let mut merged = before.node;
        for entry in node.entries() {
            let list = ["environment", "env_file"].contains(&entry.key.as_str());
            let both = super::object::entry_mut(&mut merged, &entry.key).filter(|_| list);
            match both {
                // Both forms can be read one behind the other.
                Some(known) => {
                    let parts = vec![known.node.clone(), entry.node.clone()];
                    known.node = Node { spot: entry.spot.clone(), value: Value::List(parts) };
                }
                None => super::object::put(&mut merged, &entry.key, &entry.spot, entry.node.clone()),
            }
        }
        let variables = before.variables.into_iter().chain(variables).collect();
        let files = before.files.into_iter().chain(files).collect();
        Self { name, node: merged, variables, budget, files }
    }

    fn value(&self, name: &str) -> Option<&Known> {
        self.variables.iter().rev().find_map(|variables| variables.get(name))
    }

    fn filled(
        &self,
        text: &str,
        spot: &Spot,
        findings: &mut Vec<Finding>,
    ) -> Result<String, DeploymentError> {
        let made = interpolate(text, &|name| self.value(name), &self.budget);
        let made = made.map_err(|why| wrong(spot, why))?;
        for name in made.unset {
            findings.push(finding(spot, format!("`{name}` has no value in the `.env` beside the file")));
        }
        Ok(made.text)
    }

    /// What the service gives to its container, and those among the others that must have ended well
    /// before it starts: <https://docs.docker.com/reference/compose-file/services/#depends_on>.
    pub(super) fn container(
        &self,
        others: &[Self],
        findings: &mut Vec<Finding>,
    ) -> Result<Container, DeploymentError> {
        let mut container = self.own_container(findings)?;
        self.add_before(others, &mut vec![&self.name], &mut container.init, findings)?;
        Ok(container)
    }

    /// Adds who must have ended before this one starts, each after those that it waits for itself.
    fn add_before<'a>(
        &'a self,
        others: &'a [Self],
        seen: &mut Vec<&'a str>,
        found: &mut Vec<Container>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), DeploymentError> {
        for before in self.node.get("depends_on").map_or(&[][..], Node::entries) {
            if before.node.text_of("condition") != Some("service_completed_successfully") {
                continue;
            }
            match others.iter().find(|other| other.name == before.key) {
                Some(other) if seen.contains(&other.name.as_str()) => {}
                Some(other) => {
                    seen.push(&other.name);
                    other.add_before(others, seen, found, findings)?;
                    found.push(Container { ready: None, ..other.own_container(findings)? });
                }
                None => {
                    let message = format!("there is no service `{}` that could come before", before.key);
                    findings.push(finding(&before.node.spot, message));
                }
            }
        }
        Ok(())
    }

    fn own_container(&self, findings: &mut Vec<Finding>) -> Result<Container, DeploymentError> {
        for key in NOT_DONE {
            if let Some(node) = self.node.get(key) {
                let message =
                    format!("`{key}` of a Compose service is not known, and what it gives is missing");
                findings.push(finding(&node.spot, message));
            }
        }
        let mut variables: Vec<Given> = Vec::new();
        for (file, lines) in &self.files {
            for line in lines {
                let place = format!("{file}:{}", line.number);
                let position = Position { line: line.number, column: 1 };
                let spot = Spot { file: file.as_str().into(), position };
                let (value, parts, draft) = (line.value.clone(), line.parts.clone(), line.draft.clone());
                if !is_variable_name(&line.name) {
                    findings.push(finding(&spot, NO_ASSIGNMENT));
                    continue;
                }
                let given = Given { name: line.name.clone(), place, value, parts, draft };
                give(&mut variables, given, &spot, findings);
            }
        }
        if let Some(environment) = self.node.get("environment") {
            self.environment(environment, &mut variables, findings)?;
        }
        let words = |key: &str, findings: &mut Vec<Finding>| self.words(key, findings);
        let (command, args) = (words("entrypoint", findings)?, words("command", findings)?);
        let text = |key: &str, findings: &mut Vec<Finding>| -> Result<Option<String>, DeploymentError> {
            let Some(node) = self.node.get(key) else { return Ok(None) };
            node.text().map(|text| self.filled(text, &node.spot, findings)).transpose()
        };
        Ok(Container {
            label: self.label(),
            place: self.node.spot.line(),
            image: text("image", findings)?.filter(|image| !image.is_empty()),
            command,
            args,
            workdir: text("working_dir", findings)?,
            ports: self.ports(findings)?,
            ready: self.ready(findings)?,
            variables,
            init: Vec::new(),
        })
    }

    /// `environment`: a mapping, a list of `NAME=VALUE`, or several of them.
    fn environment(
        &self,
        node: &Node,
        variables: &mut Vec<Given>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), DeploymentError> {
        let given = |name: &str, place: String, given: Given| Given { name: name.to_owned(), place, ..given };
        for entry in node.entries() {
            let value = match entry.node.text() {
                Some(written) => self.made(written, &entry.spot)?,
                None if entry.node.is_null() => self.passed(&entry.key),
                None => return Err(wrong(&entry.spot, format!("the value of `{}` is no text", entry.key))),
            };
            give(variables, given(&entry.key, entry.spot.line(), value), &entry.spot, findings);
        }
        for item in node.items() {
            let Some(written) = item.text() else {
                self.environment(item, variables, findings)?;
                continue;
            };
            let (name, value) = match written.split_once('=') {
                Some((name, value)) => (name, self.made(value, &item.spot)?),
                None if !is_variable_name(written) => {
                    findings.push(finding(&item.spot, NO_ASSIGNMENT));
                    continue;
                }
                None => (written, self.passed(written)),
            };
            give(variables, given(name, item.spot.line(), value), &item.spot, findings);
        }
        Ok(())
    }

    /// A variable that only its name is given of, without name and place.
    fn passed(&self, name: &str) -> Given {
        match self.value(name) {
            Some(known) => Given { parts: known.parts.clone(), ..unnamed(text(known.text.clone())) },
            None => unnamed(GivenValue::Unknown("it is passed on from whoever deploys".to_owned())),
        }
    }

    /// A variable with what is put into its value, without name and place.
    fn made(&self, written: &str, spot: &Spot) -> Result<Given, DeploymentError> {
        let made = interpolate(written, &|name| self.value(name), &self.budget);
        let made = made.map_err(|why| wrong(spot, why))?;
        let (value, draft) = match made.unset.first() {
            Some(name) => {
                let why = format!("`{name}` has no value in the `.env` beside the file");
                (GivenValue::Unknown(why), Some(made.text))
            }
            None => (text(made.text), None),
        };
        Ok(Given { parts: made.parts, draft, ..unnamed(value) })
    }

    /// A command: a list, or a line as a shell splits it.
    fn words(&self, key: &str, findings: &mut Vec<Finding>) -> Result<Vec<Vec<Piece>>, DeploymentError> {
        let Some(node) = self.node.get(key) else { return Ok(Vec::new()) };
        let words = match node.text() {
            Some(line) => shell_words::split(&self.filled(line, &node.spot, findings)?)
                .map_err(|_| wrong(&node.spot, format!("`{key}` has a quote that is not closed")))?,
            None => {
                let items = super::texts(Some(node), key, findings);
                items.iter().map(|(t, spot)| self.filled(t, spot, findings)).collect::<Result<_, _>>()?
            }
        };
        Ok(words.into_iter().map(|word| vec![Piece::Text(word)]).collect())
    }

    fn ports(&self, findings: &mut Vec<Finding>) -> Result<Vec<u16>, DeploymentError> {
        let mut ports = Vec::new();
        for key in ["ports", "expose"] {
            for item in self.node.get(key).map_or(&[][..], Node::items) {
                let written = match item.text().or_else(|| item.text_of("target")) {
                    Some(text) => self.filled(text, &item.spot, findings)?,
                    None => String::new(),
                };
                let inner = written.rsplit(':').next().unwrap_or(&written);
                let (inner, protocol) = inner.split_once('/').unwrap_or((inner, "tcp"));
                match inner.parse() {
                    Ok(port) if protocol == "tcp" && !ports.contains(&port) => ports.push(port),
                    Ok(_) if protocol == "tcp" => {}
                    _ => {
                        let message = format!("the port `{written}` is not one of TCP, and is left out");
                        findings.push(finding(&item.spot, message));
                    }
                }
            }
        }
        Ok(ports)
    }

    fn ready(&self, findings: &mut Vec<Finding>) -> Result<Option<Ready>, DeploymentError> {
        let Some(check) = self.node.get("healthcheck") else { return Ok(None) };
        if check.get("disable").is_some_and(Node::is_true) {
            return Ok(None);
        }
        let Some(test) = check.get("test") else { return Ok(None) };
        let shell = |line: String| Ready::Exec(vec!["/bin/sh".to_owned(), "-c".to_owned(), line]);
        if let Some(line) = test.text() {
            return Ok(Some(shell(self.filled(line, &test.spot, findings)?)));
        }
        let mut words = Vec::new();
        for (word, spot) in super::texts(Some(test), "test", findings) {
            words.push(self.filled(&word, &spot, findings)?);
        }
        Ok(match words.split_first() {
            Some((kind, rest)) if kind == "CMD" && !rest.is_empty() => Some(Ready::Exec(rest.to_vec())),
            Some((kind, [line])) if kind == "CMD-SHELL" => Some(shell(line.clone())),
            Some((kind, _)) if kind == "NONE" => None,
            _ => {
                findings.push(finding(&test.spot, "this health check is none that Compose knows"));
                None
            }
        })
    }
}

fn text(text: String) -> GivenValue {
    GivenValue::Text(vec![Piece::Text(text)])
}

fn unnamed(value: GivenValue) -> Given {
    Given { name: String::new(), place: String::new(), value, parts: Vec::new(), draft: None }
}

/// What is given later wins.
fn give(variables: &mut Vec<Given>, given: Given, spot: &Spot, findings: &mut Vec<Finding>) {
    if !is_variable_name(&given.name) {
        let message = format!("`{}` cannot be the name of a variable here, and is left out", given.name);
        findings.push(finding(spot, message));
        return;
    }
    if super::is_full(variables, spot, findings) {
        return;
    }
    variables.retain(|known| known.name != given.name);
    variables.push(given);
}
