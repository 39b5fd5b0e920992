//! Entities of a catalog, as read from its files, and the references between them.

use super::unplaced::UnplacedPart;
use crate::base::yaml::tree::{Location, Node, NodeValue};
use crate::base::yaml::{YamlError, tree};

/// Namespace of an entity that names none.
pub(super) const DEFAULT: &str = "default";

/// An entity.
#[derive(Debug, Clone)]
pub struct BackstageEntity {
    /// Kind, in lower case.
    pub(super) kind: String,
    /// Namespace.
    pub(super) namespace: String,
    /// Name.
    pub(super) name: String,
    /// The whole entity.
    pub(super) node: Node,
}

/// A target of an entity of the kind `Location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogLocation {
    /// Path of a file, relative to that of the entity.
    pub target: String,
    /// Position of the target.
    pub spot: Location,
}

/// Key of an entity among all: kind, namespace and name in lower case.
pub(super) type EntityKey = (String, String, String);

impl BackstageEntity {
    pub(super) fn key(&self) -> EntityKey {
        key_of(&self.kind, &self.namespace, &self.name)
    }

    pub(super) fn metadata(&self, key: &str) -> Option<&Node> {
        self.node.at(&["metadata", key])
    }

    pub(super) fn spec(&self, key: &str) -> Option<&Node> {
        self.node.at(&["spec", key])
    }

    pub(super) fn annotation(&self, key: &str) -> Option<&Node> {
        self.node.at(&["metadata", "annotations", key])
    }

    /// Returns the reference as messages have it.
    pub(super) fn shown(&self) -> String {
        format!("{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

/// Returns the parts of a reference, `[kind:][namespace/]name`, with the kind and the namespace that are meant without
/// one.
pub(super) fn parts<'a>(text: &'a str, kind: &'a str, namespace: &'a str) -> (&'a str, &'a str, &'a str) {
    let (kind, rest) = text.split_once(':').unwrap_or((kind, text));
    let (namespace, name) = rest.split_once('/').unwrap_or((namespace, rest));
    (kind, namespace, name)
}

/// Returns the key of an entity: Backstage ignores case.
pub(super) fn key_of(kind: &str, namespace: &str, name: &str) -> EntityKey {
    (kind.to_lowercase(), namespace.to_lowercase(), name.to_lowercase())
}

/// Returns whether a text is a catalog: its first document says so, or a line of a text that is not YAML.
#[must_use]
pub fn is_catalog_text(file: &str, text: &str) -> bool {
    // Without parsing what cannot be one.
    text.contains("backstage.io/")
        && match tree::long_documents(file, text) {
            Ok(found) => found.nodes.first().is_some_and(is_entity),
            Err(_) => text.lines().any(|line| {
                line.strip_prefix("apiVersion:").is_some_and(|version| version.contains("backstage.io/"))
            }),
        }
}

fn is_entity(node: &Node) -> bool {
    node.text_of("apiVersion").is_some_and(|version| version.starts_with("backstage.io/"))
        && node.text_of("kind").is_some()
}

/// Parses the entities of a file. Documents that are none, or lack a name, are added to `unplaced`.
///
/// # Errors
/// Fails if the file is not YAML.
pub fn entities(
    file: &str,
    text: &str,
    unplaced: &mut Vec<UnplacedPart>,
) -> Result<Vec<BackstageEntity>, YamlError> {
    let mut found = Vec::new();
    for node in tree::long_documents(file, text.trim_start_matches('\u{feff}'))?.nodes {
        if !is_entity(&node) {
            let message = "this document is no entity of Backstage, so it is not read".to_owned();
            unplaced.push(UnplacedPart::new(node.spot, message));
            continue;
        }
        let text = |keys: &[&str]| node.at(keys).and_then(Node::text).map(str::to_owned);
        let kind = text(&["kind"]).unwrap_or_default().to_lowercase();
        let Some(name) = text(&["metadata", "name"]) else {
            if kind != "location" {
                let message = format!("this `{kind}` has no `metadata.name`, so it is not read");
                unplaced.push(UnplacedPart::new(node.spot.clone(), message));
                continue;
            }
            found.push(BackstageEntity { kind, namespace: DEFAULT.to_owned(), name: String::new(), node });
            continue;
        };
        let namespace = text(&["metadata", "namespace"]).unwrap_or_else(|| DEFAULT.to_owned());
        found.push(BackstageEntity { kind, namespace, name, node });
    }
    Ok(found)
}

/// Returns the files that the locations among some entities name. Other targets are added to `unplaced`.
#[must_use]
pub fn locations(entities: &[BackstageEntity], unplaced: &mut Vec<UnplacedPart>) -> Vec<CatalogLocation> {
    let mut found = Vec::new();
    for entity in entities.iter().filter(|entity| entity.kind == "location") {
        let one = entity.spec("target").into_iter();
        let several = entity.spec("targets").map(Node::items).unwrap_or_default().iter();
        let kind = entity.spec("type").and_then(Node::text).unwrap_or("file");
        for node in one.chain(several) {
            let spot = node.spot.clone();
            let Some(target) = node.text() else { continue };
            if kind == "file" && !target.contains("://") && !target.starts_with('/') {
                found.push(CatalogLocation { target: target.to_owned(), spot });
                continue;
            }
            let message = format!("`{target}` is outside of this source, so it is not read");
            unplaced.push(UnplacedPart::new(spot, message));
        }
        if let NodeValue::Map(entries) = &entity.node.value {
            let spec = entries.iter().find(|entry| entry.key == "spec");
            let others = spec.map(|spec| spec.node.entries()).unwrap_or_default();
            for entry in
                others.iter().filter(|entry| !["type", "target", "targets"].contains(&entry.key.as_str()))
            {
                let message = format!("`spec.{}` of a location has no place in the inventory", entry.key);
                unplaced.push(UnplacedPart::new(entry.spot.clone(), message));
            }
        }
    }
    found
}
