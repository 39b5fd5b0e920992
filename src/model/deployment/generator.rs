//! `configMapGenerator` and `secretGenerator` of a kustomization. Only the keys of Secrets are kept: a
//! local run never uses their values.

use std::collections::HashSet;

use super::files::{FileReader, name_of, note_outside, path_at};
use super::object::{Object, at_mut, put};
use super::texts::texts;
use super::{DeploymentError, finding, wrong};
use crate::base::dotenv::{KEY_LINES, key_rest, without_end};
use crate::base::variable::is_like_key;
use crate::base::yaml::Position;
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};
use crate::model::inventory::InventoryFinding;

/// A generator of a kustomization, with the options common to all its generators.
pub(super) struct Generator<'a> {
    pub(super) reader: &'a FileReader<'a>,
    pub(super) directory: &'a str,
    pub(super) kind: &'a str,
    pub(super) item: &'a Node,
    /// `generatorOptions`.
    pub(super) options: Option<&'a Node>,
}

impl Generator<'_> {
    /// Creates an object, or changes an existing one.
    pub(super) fn apply(
        &self,
        objects: &mut Vec<Object>,
        findings: &mut Vec<InventoryFinding>,
    ) -> Result<(), DeploymentError> {
        let spot = &self.item.spot;
        let Some(name) = self.item.text_of("name") else {
            return Err(wrong(spot, "a generator has no `name`"));
        };
        let mut data = self.data(findings)?;
        if self.kind == "Secret" {
            for entry in &mut data {
                entry.node = Node::text_at(&entry.spot, "");
            }
        }
        let mut made = self.object(name, data);
        made.is_hashed = !self.is_set("disableNameSuffixHash");
        let known: Vec<usize> = (0..objects.len()).filter(|index| objects[*index].has_id_of(&made)).collect();
        match (self.item.text_of("behavior").unwrap_or("create"), known.as_slice()) {
            ("create" | "unspecified" | "", []) => objects.push(made),
            ("create" | "unspecified" | "", _) => {
                let message = format!("there is a {} `{name}` already; `behavior` may be `merge`", self.kind);
                return Err(wrong(spot, message));
            }
            (behavior @ ("merge" | "replace"), [index]) => {
                change(&mut objects[*index], &made, behavior == "merge");
            }
            ("merge" | "replace", []) => {
                findings.push(finding(spot, format!("there is no {} `{name}` to change", self.kind)));
                objects.push(made);
            }
            ("merge" | "replace", _) => {
                return Err(wrong(spot, format!("there is more than one {} `{name}` to change", self.kind)));
            }
            (other, _) => return Err(wrong(spot, format!("`{other}` is no behavior of a generator"))),
        }
        Ok(())
    }

    /// Returns whether an option is set here or for all generators.
    fn is_set(&self, key: &str) -> bool {
        let own = self.item.get("options").and_then(|options| options.get(key));
        own.or_else(|| self.options?.get(key)).is_some_and(Node::is_true)
    }

    fn object(&self, name: &str, data: Vec<MapEntry>) -> Object {
        let spot = &self.item.spot;
        let entry = |key: &str, node: Node| MapEntry { key: key.to_owned(), spot: spot.clone(), node };
        let map = |entries: Vec<MapEntry>| Node { spot: spot.clone(), value: NodeValue::Map(entries) };
        let mut metadata = vec![entry("name", Node::text_at(spot, name))];
        let namespace = self.item.text_of("namespace");
        metadata.extend(namespace.map(|space| entry("namespace", Node::text_at(spot, space))));
        for key in ["labels", "annotations"] {
            let mut given = map(Vec::new());
            for options in [self.options, self.item.get("options")].into_iter().flatten() {
                for one in options.get(key).map_or(&[][..], Node::entries) {
                    put(&mut given, &one.key, &one.spot, one.node.clone());
                }
            }
            if !given.entries().is_empty() {
                metadata.push(entry(key, given));
            }
        }
        Object::new(map(vec![
            entry("apiVersion", Node::text_at(spot, "v1")),
            entry("kind", Node::text_at(spot, self.kind)),
            entry("metadata", map(metadata)),
            entry("data", map(data)),
        ]))
    }

    fn data(&self, findings: &mut Vec<InventoryFinding>) -> Result<Vec<MapEntry>, DeploymentError> {
        for entry in self.item.entries() {
            let known =
                ["name", "namespace", "behavior", "literals", "env", "envs", "files", "type", "options"];
            if !known.contains(&entry.key.as_str()) {
                findings.push(finding(&entry.spot, format!("`{}` of a generator is not known", entry.key)));
            }
        }
        let mut data = Data { entries: Vec::new(), keys: HashSet::new(), findings };
        self.environment_files(&mut data)?;
        for (literal, spot) in texts(self.item.get("literals"), "literals", data.findings) {
            match literal.split_once('=') {
                Some((key, value)) if !key.is_empty() => data.add(key, unquoted(value), &spot),
                _ => {
                    data.note(
                        &spot,
                        "a literal of a generator must be `KEY=VALUE`, and this one is left out",
                    );
                }
            }
        }
        for (path, spot) in texts(self.item.get("files"), "files", data.findings) {
            let (key, path) = path.split_once('=').unwrap_or((name_of(&path), &path));
            let Some(path) = self.file(path, &spot, &mut data)? else { continue };
            match self.reader.text(&path) {
                Ok(text) => {
                    let start = Location {
                        file: self.reader.label(&path).into(),
                        position: Position { line: 1, column: 1 },
                    };
                    data.add(key, &text, &start);
                }
                Err(DeploymentError::File(trouble)) => {
                    data.note(&spot, format!("`{key}` has no value: {trouble}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(data.entries)
    }

    /// Reads a file of a generator; if it is missing, its data is too.
    fn file(
        &self,
        path: &str,
        spot: &Location,
        data: &mut Data<'_>,
    ) -> Result<Option<String>, DeploymentError> {
        let file = path_at(self.directory, path, spot)?;
        let is_there = self.reader.is_file(&file)?;
        if !is_there {
            data.note(spot, format!("there is no file `{path}`, so its values are missing"));
        }
        if is_there {
            note_outside(self.directory, &file, spot, data.findings);
        }
        Ok(is_there.then_some(file))
    }

    fn environment_files(&self, data: &mut Data<'_>) -> Result<(), DeploymentError> {
        let mut files = texts(self.item.get("envs"), "envs", data.findings);
        files.extend(self.item.get("env").and_then(|env| Some((env.text()?.to_owned(), env.spot.clone()))));
        for (path, spot) in files {
            let Some(path) = self.file(&path, &spot, data)? else { continue };
            let (text, label) = (self.reader.text(&path)?, self.reader.label(&path));
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let (mut rest, mut number) = (text, 1);
            while !rest.is_empty() {
                let spot =
                    |line| Location { file: label.as_str().into(), position: Position { line, column: 1 } };
                let (line, after) = rest.split_at(rest.find('\n').map_or(rest.len(), |end| end + 1));
                let (key, after) = after.split_at(key_rest(line, after));
                data.line(without_end(line).trim_start(), &spot(number));
                if !key.is_empty() {
                    data.note(&spot(number + 1), format!("{KEY_LINES}, so these lines are left out"));
                }
                (rest, number) = (after, number + 1 + key.lines().count());
            }
        }
        Ok(())
    }
}

/// Data that a generator puts into an object.
struct Data<'a> {
    entries: Vec<MapEntry>,
    keys: HashSet<String>,
    findings: &'a mut Vec<InventoryFinding>,
}

impl Data<'_> {
    fn note(&mut self, spot: &Location, message: impl Into<String>) {
        self.findings.push(finding(spot, message));
    }

    fn add(&mut self, key: &str, value: &str, spot: &Location) {
        if !is_key(key) {
            // The text may be a part of a secret, so it is not shown.
            self.note(spot, "what stands before `=` here can be no key, and is left out");
        } else if self.keys.insert(key.to_owned()) {
            let node = Node::text_at(spot, value);
            self.entries.push(MapEntry { key: key.to_owned(), spot: spot.clone(), node });
        } else {
            self.note(
                spot,
                format!("the key `{key}` occurs twice, which kustomize refuses; the first value applies"),
            );
        }
    }

    /// Adds a line of an environment file, in which quotes and trailing text are parts of the value.
    fn line(&mut self, line: &str, spot: &Location) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (line, None),
        };
        let is_name =
            is_key(key) && !key.starts_with(|c: char| c.is_ascii_digit()) && !matches!(key, "." | "..");
        if !is_name || is_like_key(key) {
            // The line may be a part of a secret, so it is not shown.
            self.note(spot, "this line is no `NAME=VALUE`, and is left out");
            return;
        }
        if value.is_none() {
            let message = format!(
                "`{key}` has no value here: it is empty, and older kustomize takes it from the environment of the deployment"
            );
            self.note(spot, message);
        }
        self.add(key, value.unwrap_or_default(), spot);
    }
}

/// Changes an existing object, and keeps or replaces its data.
fn change(known: &mut Object, made: &Object, keeps: bool) {
    let spot = made.node.spot.clone();
    known.is_hashed = made.is_hashed;
    if !keeps || at_mut(&mut known.node, &["data"]).is_none() {
        let empty = Node { spot: spot.clone(), value: NodeValue::Map(Vec::new()) };
        put(&mut known.node, "data", &spot, empty);
    }
    for part in [&["data"][..], &["metadata", "labels"], &["metadata", "annotations"]] {
        let Some(given) = made.node.at(part) else { continue };
        if at_mut(&mut known.node, part).is_none()
            && let Some(metadata) = at_mut(&mut known.node, &["metadata"])
        {
            let key = part.last().copied().unwrap_or_default();
            put(metadata, key, &spot, Node { spot: spot.clone(), value: NodeValue::Map(Vec::new()) });
        }
        if let Some(node) = at_mut(&mut known.node, part) {
            for entry in given.entries() {
                put(node, &entry.key, &entry.spot, entry.node.clone());
            }
        }
    }
}

/// Removes the quotes around a value.
fn unquoted(value: &str) -> &str {
    let inner = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// Returns whether a text is a valid key of a ConfigMap.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
