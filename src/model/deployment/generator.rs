//! `configMapGenerator` and `secretGenerator` of a kustomization. Of Secrets, only the keys are kept:
//! their values are of no concern to a local run.

use super::files::{Reader, name_of, path_at};
use super::object::{Object, at_mut, put};
use super::{DeploymentError, finding, texts, wrong};
use crate::base::yaml::Position;
use crate::base::yaml::tree::{Entry, Node, Spot, Value};
use crate::model::inventory::Finding;

/// Applies one item of a generator: makes an object, or changes one that is there.
pub(super) fn item(
    reader: &Reader<'_>,
    folder: &str,
    kind: &str,
    item: &Node,
    objects: &mut Vec<Object>,
    findings: &mut Vec<Finding>,
) -> Result<(), DeploymentError> {
    let Some(name) = item.text_of("name") else {
        return Err(wrong(&item.spot, "a generator has no `name`"));
    };
    let mut data = data(reader, folder, item, findings)?;
    if kind == "Secret" {
        for entry in &mut data {
            entry.node = Node::text_at(&entry.spot, "");
        }
    }
    let existing = objects.iter_mut().find(|object| object.kind() == kind && object.is_called(name));
    match (item.text_of("behavior").unwrap_or("create"), existing) {
        ("create", None) => objects.push(object(kind, name, item, data)),
        ("create", Some(_)) => {
            return Err(wrong(
                &item.spot,
                format!("there is a {kind} `{name}` already; `behavior` may be `merge`"),
            ));
        }
        (behavior @ ("merge" | "replace"), Some(known)) => {
            if at_mut(&mut known.node, &["data"]).is_none() || behavior == "replace" {
                let empty = Node { spot: item.spot.clone(), value: Value::Map(Vec::new()) };
                put(&mut known.node, "data", &item.spot, empty);
            }
            if let Some(node) = at_mut(&mut known.node, &["data"]) {
                for entry in data {
                    put(node, &entry.key, &entry.spot, entry.node);
                }
            }
        }
        ("merge" | "replace", None) => {
            findings.push(finding(&item.spot, format!("there is no {kind} `{name}` to change")));
            objects.push(object(kind, name, item, data));
        }
        (other, _) => return Err(wrong(&item.spot, format!("`{other}` is no behavior of a generator"))),
    }
    Ok(())
}

fn object(kind: &str, name: &str, item: &Node, data: Vec<Entry>) -> Object {
    let spot = &item.spot;
    let entry = |key: &str, node: Node| Entry { key: key.to_owned(), spot: spot.clone(), node };
    let map = |entries: Vec<Entry>| Node { spot: spot.clone(), value: Value::Map(entries) };
    let mut metadata = vec![entry("name", Node::text_at(spot, name))];
    metadata.extend(item.text_of("namespace").map(|space| entry("namespace", Node::text_at(spot, space))));
    let node = map(vec![
        entry("kind", Node::text_at(spot, kind)),
        entry("metadata", map(metadata)),
        entry("data", map(data)),
    ]);
    Object::new(node)
}

/// Whether a text can be a key of a ConfigMap.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn data(
    reader: &Reader<'_>,
    folder: &str,
    item: &Node,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Entry>, DeploymentError> {
    let mut data = Vec::new();
    let mut add = |key: &str, value: &str, spot: &Spot| {
        data.push(Entry { key: key.trim().to_owned(), spot: spot.clone(), node: Node::text_at(spot, value) });
    };
    for (literal, spot) in texts(item.get("literals"), "literals", findings) {
        let Some((key, value)) = literal.split_once('=') else {
            return Err(wrong(&spot, "a literal of a generator must be `KEY=VALUE`"));
        };
        let inner = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
        add(key, inner('"').or_else(|| inner('\'')).unwrap_or(value), &spot);
    }
    let mut envs = texts(item.get("envs"), "envs", findings);
    envs.extend(item.get("env").and_then(|env| Some((env.text()?.to_owned(), env.spot.clone()))));
    for (path, spot) in envs {
        let path = path_at(folder, &path, &spot)?;
        let (text, label) = (reader.text(&path)?, reader.label(&path));
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let spot =
                Spot { file: label.as_str().into(), position: Position { line: index + 1, column: 1 } };
            let (key, value) = match line.split_once('=') {
                Some((key, value)) => (key.trim(), Some(value)),
                None => (line.trim_end(), None),
            };
            match value {
                // The line may be a part of a secret, and is not shown.
                _ if !is_key(key) => {
                    findings.push(finding(&spot, "this line is no `NAME=VALUE`, and is left out"));
                }
                Some(value) => add(key, value, &spot),
                None => findings.push(finding(
                    &spot,
                    format!("`{key}` takes its value from whoever deploys, and is not known here"),
                )),
            }
        }
    }
    for (path, spot) in texts(item.get("files"), "files", findings) {
        let (key, path) = path.split_once('=').unwrap_or((name_of(&path), &path));
        let path = path_at(folder, path, &spot)?;
        let text = reader.text(&path)?;
        let start = Spot { file: reader.label(&path).into(), position: Position { line: 1, column: 1 } };
        add(key, &text, &start);
    }
    for entry in item.entries() {
        let known = ["name", "namespace", "behavior", "literals", "env", "envs", "files", "type", "options"];
        if !known.contains(&entry.key.as_str()) {
            findings.push(finding(&entry.spot, format!("`{}` of a generator is not known", entry.key)));
        }
    }
    Ok(data)
}
