//! Merge of a service with one of an earlier file, or with the service that it extends: the rules of
//! compose-go's `override`. Resets belong in `document`.

use std::collections::HashMap;

use super::super::date::Date;
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};

/// Fields of different node kinds in the two files, which Compose refuses to merge.
pub(super) type Refused = Vec<(String, Location)>;

/// Merges a service onto another.
pub(super) fn services(base: Node, over: Node, refused: &mut Refused) -> Node {
    let Node { spot, value } = base;
    match (value, over.value) {
        (NodeValue::Map(base), NodeValue::Map(over)) => {
            Node { spot, value: NodeValue::Map(maps(base, over, refused, &mut field)) }
        }
        // `null` changes nothing.
        (NodeValue::Scalar { .. }, value) => Node { spot: over.spot, value },
        (base, _) => Node { spot, value: base },
    }
}

/// A function that merges two nodes of the same key.
pub(super) type ComposeMerge<'a> = &'a mut dyn FnMut(&str, Node, Node, &mut Refused) -> Node;

/// Merges mappings key by key.
pub(super) fn maps(
    base: Vec<MapEntry>,
    over: Vec<MapEntry>,
    refused: &mut Refused,
    merge: ComposeMerge<'_>,
) -> Vec<MapEntry> {
    let mut index: HashMap<String, usize> =
        base.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    let mut merged: Vec<Option<MapEntry>> = base.into_iter().map(Some).collect();
    for entry in over {
        match index.get(&entry.key) {
            Some(&at) => {
                merged[at] = merged[at].take().map(|known| MapEntry {
                    node: merge(&entry.key, known.node, entry.node, refused),
                    key: entry.key,
                    spot: entry.spot,
                });
            }
            None => {
                index.insert(entry.key.clone(), merged.len());
                merged.push(Some(entry));
            }
        }
    }
    merged.into_iter().flatten().collect()
}

fn field(key: &str, base: Node, over: Node, refused: &mut Refused) -> Node {
    match key {
        "command" | "entrypoint" => over,
        "environment" | "env_file" => {
            let spot = over.spot.clone();
            let items = [sequence(base), sequence(over)].concat();
            Node { spot, value: NodeValue::List(items) }
        }
        "depends_on" => any(key, mapping(base), mapping(over), refused),
        "healthcheck" => match (base, over) {
            (Node { spot, value: NodeValue::Map(base) }, Node { value: NodeValue::Map(over), .. }) => {
                let mut merge = |key: &str, base, over, refused: &mut Refused| match key {
                    "test" => over,
                    _ => any(key, base, over, refused),
                };
                Node { spot, value: NodeValue::Map(maps(base, over, refused, &mut merge)) }
            }
            (base, over) => any(key, base, over, refused),
        },
        _ => any(key, base, over, refused),
    }
}

/// Merges a field without a rule of its own: mappings are merged, lists are joined, and otherwise the
/// later one wins.
fn any(key: &str, base: Node, over: Node, refused: &mut Refused) -> Node {
    if over.is_null() {
        return base;
    }
    match (base.value, over.value) {
        (NodeValue::Map(base_entries), NodeValue::Map(entries)) => {
            Node { spot: base.spot, value: NodeValue::Map(maps(base_entries, entries, refused, &mut any)) }
        }
        (NodeValue::List(mut items), NodeValue::List(more)) => {
            items.extend(more);
            Node { spot: over.spot, value: NodeValue::List(items) }
        }
        (NodeValue::Scalar { .. }, value) => Node { spot: over.spot, value },
        (value, _) => {
            refused.push((key.to_owned(), over.spot));
            Node { spot: base.spot, value }
        }
    }
}

/// Converts a mapping to a list of `NAME=VALUE`. Each item has the position of its value.
fn sequence(node: Node) -> Vec<Node> {
    match node.value {
        NodeValue::List(items) => items,
        NodeValue::Map(entries) => entries.into_iter().filter_map(assignment).collect(),
        NodeValue::Scalar { .. } if node.is_null() => Vec::new(),
        NodeValue::Scalar { .. } => vec![node],
    }
}

fn assignment(entry: MapEntry) -> Option<Node> {
    match &entry.node.value {
        NodeValue::Scalar { .. } if entry.node.is_null() => Some(Node::text_at(&entry.spot, entry.key)),
        NodeValue::Scalar { text, plain } => {
            let date = Date::read(text).filter(|_| *plain).map(Date::printed);
            let text = date.as_deref().unwrap_or(text);
            Some(Node::text_at(&entry.node.spot, format!("{}={text}", entry.key)))
        }
        _ => None,
    }
}

/// Converts a list of keys to a mapping.
pub(super) fn mapping(node: Node) -> Node {
    let NodeValue::List(items) = &node.value else { return node };
    let entry = |item: &Node| {
        Some(MapEntry {
            key: item.text()?.to_owned(),
            spot: item.spot.clone(),
            node: Node { spot: item.spot.clone(), value: NodeValue::Map(Vec::new()) },
        })
    };
    Node { value: NodeValue::Map(items.iter().filter_map(entry).collect()), spot: node.spot }
}
