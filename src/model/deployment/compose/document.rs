//! Preparation of a Compose document for the merge: interpolation, and the effects of `!reset` and `!override`.
//! The types of scalars belong in `types`, the merge itself in `merge`.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::super::DeploymentPart;
use super::super::interpolation::{Budget, InterpolationVar, interpolate};
use super::merge;
use crate::base::yaml::Position;
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue, Tags};

/// Variables of a project, from its `.env`.
pub(super) type Variables = std::collections::BTreeMap<String, InterpolationVar>;

/// Facts about an interpolated text.
#[derive(Debug, Clone, Default)]
pub(super) struct Taint {
    /// Variables that only a deployer has.
    pub(super) unset: Vec<String>,
    /// Text after interpolation.
    pub(super) text: String,
    /// Variables in the text.
    pub(super) parts: Vec<DeploymentPart>,
    /// Name of a variable that a deployer must give, with the reason in the words of the file.
    pub(super) required: Option<String>,
    /// Reason for which there is no text at all.
    pub(super) wrong: Option<String>,
}

impl Taint {
    /// Returns the reason for which Compose refuses the text.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.wrong.as_deref().or(self.required.as_deref())
    }
}

/// Taints by the position of the text.
pub(super) type Taints = HashMap<(Arc<str>, Position), Rc<Taint>>;

/// Returns the key of a position.
pub(super) fn place(spot: &Location) -> (Arc<str>, Position) {
    (Arc::clone(&spot.file), spot.position)
}

/// Services of a document.
#[derive(Debug, Clone, Default)]
pub(super) struct ComposeDocument {
    pub(super) services: Vec<MapEntry>,
    pub(super) include: Option<Node>,
    /// Paths, from `services` on, that the document removes from earlier documents.
    pub(super) resets: Vec<Vec<String>>,
}

/// State for preparing documents.
pub(super) struct Preparation<'a> {
    pub(super) variables: &'a Variables,
    pub(super) budget: &'a Budget,
    pub(super) taints: &'a mut Taints,
}

impl Preparation<'_> {
    /// Prepares a document.
    pub(super) fn document(&mut self, document: Node, tags: &Tags) -> ComposeDocument {
        let mut made = ComposeDocument::default();
        let NodeValue::Map(entries) = document.value else { return made };
        for MapEntry { key, spot, node } in entries {
            match key.as_str() {
                "services" => {
                    let mut path = Vec::new();
                    if let Some(mut node) = without_resets(node, tags, &mut path, &mut made.resets) {
                        self.node(&mut node);
                        made.services = services(node);
                    }
                }
                "include" => {
                    let mut node = Node { spot, ..node };
                    self.node(&mut node);
                    made.include = Some(node);
                }
                _ => {}
            }
        }
        made
    }

    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            NodeValue::List(items) => items.iter_mut().for_each(|item| self.node(item)),
            NodeValue::Map(entries) => entries.iter_mut().for_each(|entry| self.node(&mut entry.node)),
            NodeValue::Scalar { text, .. } => self.scalar(&node.spot, text),
        }
    }

    fn scalar(&mut self, spot: &Location, text: &mut String) {
        if !text.contains('$') {
            return;
        }
        let taint = match interpolate(text, &|name| self.variables.get(name), self.budget) {
            Ok(made) => {
                text.clone_from(&made.text);
                let (unset, parts, required) = (made.unset, made.parts, made.required);
                Taint { unset, parts, required, text: made.text, ..Taint::default() }
            }
            Err(wrong) => {
                // An item of a list keeps the name of its variable.
                text.truncate(text.find('=').map_or(0, |at| at + 1));
                Taint { wrong: Some(wrong), ..Taint::default() }
            }
        };
        self.taints.insert(place(spot), Rc::new(taint));
    }
}

/// Returns a node without its `!reset` parts, or `None` if the node itself is reset. Adds the paths of
/// `!reset` and `!override` parts to `resets`.
fn without_resets(
    node: Node,
    tags: &Tags,
    path: &mut Vec<String>,
    resets: &mut Vec<Vec<String>>,
) -> Option<Node> {
    match tags.get(&node.spot.position).map(String::as_str) {
        Some("!reset") => {
            resets.push(path.clone());
            return None;
        }
        Some("!override") => {
            resets.push(path.clone());
            return Some(node);
        }
        _ => {}
    }
    let value = match node.value {
        NodeValue::List(items) => {
            // A reset within a list removes the item from this list only, not from an earlier one.
            let mut inner = Vec::new();
            NodeValue::List(
                items.into_iter().filter_map(|item| without_resets(item, tags, path, &mut inner)).collect(),
            )
        }
        NodeValue::Map(entries) => {
            let keep = |entry: MapEntry| {
                path.push(entry.key.clone());
                let node = without_resets(entry.node, tags, path, resets);
                path.pop();
                Some(MapEntry { node: node?, key: entry.key, spot: entry.spot })
            };
            NodeValue::Map(entries.into_iter().filter_map(keep).collect())
        }
        scalar => scalar,
    };
    Some(Node { spot: node.spot, value })
}

/// Removes the parts that a document resets.
pub(super) fn reset(services: &mut Vec<MapEntry>, resets: &[Vec<String>]) {
    for path in resets {
        remove(services, path);
    }
}

fn remove(entries: &mut Vec<MapEntry>, path: &[String]) {
    match path {
        [] => entries.clear(),
        [key] => entries.retain(|entry| entry.key != *key),
        [key, rest @ ..] => {
            let entry = entries.iter_mut().find(|entry| entry.key == *key);
            if let Some(MapEntry { node: Node { value: NodeValue::Map(below), .. }, .. }) = entry {
                remove(below, rest);
            }
        }
    }
}

fn services(node: Node) -> Vec<MapEntry> {
    let NodeValue::Map(entries) = node.value else { return Vec::new() };
    let canonical = |mut entry: MapEntry| {
        if let NodeValue::Map(fields) = &mut entry.node.value {
            for field in fields.iter_mut().filter(|field| field.key == "depends_on") {
                let spot = field.node.spot.clone();
                let node = std::mem::replace(&mut field.node, Node::text_at(&spot, ""));
                field.node = merge::mapping(node);
            }
        }
        entry
    };
    entries.into_iter().map(canonical).collect()
}
