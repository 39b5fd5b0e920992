//! What a container gets of the objects that `kubectl kustomize` prints: read without any of `cki` but its
//! YAML, so that the two do not share a fault.

use std::collections::BTreeMap;

use cki::base::yaml::tree::{Node, documents};

pub(super) fn secret(key: &str) -> String {
    format!("<secret {key}>")
}

pub(super) fn field(field: &str) -> String {
    format!("<field {field}>")
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
                    _ => entry.node.text().unwrap_or_default().to_owned(),
                };
                all.insert(format!("{prefix}{}", entry.key), value);
            }
        }
    }
    for item in container.get("env").map_or(&[][..], Node::items) {
        let name = item.text_of("name").unwrap_or_default().to_owned();
        let value = match item.get("valueFrom") {
            None => expanded(item.text_of("value").unwrap_or_default(), &all),
            Some(from) => match from.entries().first().map(|entry| (entry.key.as_str(), &entry.node)) {
                Some(("configMapKeyRef", reference)) => {
                    let target = find("ConfigMap", reference.text_of("name").unwrap_or_default());
                    let key = reference.text_of("key").unwrap_or_default();
                    let value = target.and_then(|target| target.at(&["data"])?.text_of(key));
                    match (value, reference.text_of("optional")) {
                        (Some(value), _) => value.to_owned(),
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
