//! Environment of a container in the objects that `kubectl kustomize` prints: read without any of `cki` but its
//! YAML, so that the two do not share a fault.

use std::collections::BTreeMap;

use cki::base::yaml::tree::{Node, NodeValue, documents};

pub(super) fn secret(key: &str) -> String {
    format!("<secret {key}>")
}

pub(super) fn field(field: &str) -> String {
    format!("<field {field}>")
}

/// The text of a value. Kubernetes refuses one that is something else, which `kubectl` prints without
/// quotes.
fn text_of(node: Option<&Node>) -> Result<String, String> {
    let Some(node) = node else { return Ok(String::new()) };
    let is_other = match &node.value {
        NodeValue::Scalar { text, plain } => {
            let is_number = || text.parse::<f64>().is_ok_and(f64::is_finite);
            *plain && (matches!(text.as_str(), "true" | "false") || is_number())
        }
        _ => true,
    };
    match is_other {
        true => Err(format!("{node:?} is no text")),
        false => Ok(node.text().unwrap_or_default().to_owned()),
    }
}

/// The variables of the container `web`.
pub(super) fn variables(text: &str) -> Result<BTreeMap<String, String>, String> {
    let objects = documents("kubectl", text).map_err(|error| error.to_string())?;
    let path = ["spec", "template", "spec", "containers"];
    // A patch may have given containers to an object that runs none.
    let workloads = objects.iter().filter(|object| object.text_of("kind") == Some("Deployment"));
    let containers = workloads.filter_map(|object| Some((object, object.at(&path)?)));
    let mut found = containers.flat_map(|(object, list)| list.items().iter().map(move |item| (object, item)));
    let (object, container) = found
        .find(|(_, item)| item.text_of("name") == Some("web"))
        .ok_or_else(|| "there is no container".to_owned())?;
    let namespace = |object: &Node| {
        object.at(&["metadata", "namespace"]).and_then(Node::text).unwrap_or("default").to_owned()
    };
    let find = |kind: &str, name: &str| {
        objects.iter().find(|other| {
            other.text_of("kind") == Some(kind)
                && other.at(&["metadata", "name"]).and_then(Node::text) == Some(name)
                && namespace(other) == namespace(object)
        })
    };
    let mut all = BTreeMap::new();
    for source in container.get("envFrom").map_or(&[][..], Node::items) {
        let prefix = source.text_of("prefix").unwrap_or_default();
        for (key, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
            let Some(reference) = source.get(key) else { continue };
            let name = reference.text_of("name").unwrap_or_default();
            let target = find(kind, name).ok_or_else(|| format!("there is no {kind} {name}"))?;
            for entry in target.get("data").map_or(&[][..], Node::entries) {
                let value = match kind {
                    "Secret" => secret(&entry.key),
                    _ => text_of(Some(&entry.node))?,
                };
                all.insert(format!("{prefix}{}", entry.key), value);
            }
        }
    }
    for item in container.get("env").map_or(&[][..], Node::items) {
        let name = text_of(item.get("name"))?;
        let value = match item.get("valueFrom") {
            None => expanded(&text_of(item.get("value"))?, &all),
            Some(from) => match from.entries().first().map(|entry| (entry.key.as_str(), &entry.node)) {
                Some(("configMapKeyRef", reference)) => {
                    let target = find("ConfigMap", reference.text_of("name").unwrap_or_default());
                    let key = reference.text_of("key").unwrap_or_default();
                    let value = target.and_then(|target| target.at(&["data"])?.get(key));
                    match (value, reference.text_of("optional")) {
                        (Some(value), _) => text_of(Some(value))?,
                        (None, Some("true")) => continue,
                        _ => return Err(format!("{name} has no value")),
                    }
                }
                Some(("secretKeyRef", reference)) => secret(reference.text_of("key").unwrap_or_default()),
                Some((_, reference)) => field(reference.text_of("fieldPath").unwrap_or_default()),
                None => return Err(format!("{name} has no value")),
            },
        };
        all.insert(name, value);
    }
    Ok(all)
}

/// `$(NAME)` and `$$`, character by character.
pub(super) fn expanded(text: &str, known: &BTreeMap<String, String>) -> String {
    let characters: Vec<char> = text.chars().collect();
    let (mut made, mut at) = (String::new(), 0);
    while at < characters.len() {
        let close = characters[at..].iter().position(|c| *c == ')').map(|end| at + end);
        match (characters[at], characters.get(at + 1), close) {
            ('$', Some('$'), _) => {
                made.push('$');
                at += 2;
            }
            ('$', Some('('), Some(close)) => {
                let name: String = characters[at + 2..close].iter().collect();
                made.push_str(&known.get(&name).cloned().unwrap_or_else(|| format!("$({name})")));
                at = close + 1;
            }
            (c, ..) => {
                made.push(c);
                at += 1;
            }
        }
    }
    made
}
