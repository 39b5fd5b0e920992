//! Merge of a service with one of an earlier file, or with the service that it extends: the rules of
//! compose-go's `override`. Resets belong in `document`.

use std::collections::HashMap;

use super::super::date::Date;
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};

/// Fields of different node kinds in the two files, which Compose refuses to merge.
pub(super) type MergeConflicts = Vec<(String, Location)>;

/// Merges a service onto another.
pub(super) fn services(base: Node, over: Node, refused: &mut MergeConflicts) -> Node {
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
pub(super) type ComposeMerge<'a> = &'a mut dyn FnMut(&str, Node, Node, &mut MergeConflicts) -> Node;

/// Merges mappings key by key.
pub(super) fn maps(
    base: Vec<MapEntry>,
    over: Vec<MapEntry>,
    refused: &mut MergeConflicts,
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

/// Fields that become lists of `NAME=VALUE`, which are joined.
const SEQUENCES: &[&str] = &[
    "annotations",
    "build.additional_contexts",
    "build.args",
    "build.extra_hosts",
    "build.labels",
    "deploy.labels",
    "dns",
    "dns_opt",
    "dns_search",
    "env_file",
    "environment",
    "extra_hosts",
    "label_file",
    "labels",
    "sysctls",
    "tmpfs",
];

/// Merges a field of a service.
fn field(key: &str, base: Node, over: Node, refused: &mut MergeConflicts) -> Node {
    match key {
        "command" | "entrypoint" => over,
        key if SEQUENCES.contains(&key) => joined(base, over),
        "depends_on" | "models" | "networks" => any(key, mapping(base), mapping(over), refused),
        "build" => within(key, context(base), context(over), refused),
        "logging" if is_other_driver(&base, &over) => over,
        "deploy" | "healthcheck" | "ulimits" => within(key, base, over, refused),
        _ => any(key, base, over, refused),
    }
}

/// Merges a field whose own fields have rules.
fn within(of: &str, base: Node, over: Node, refused: &mut MergeConflicts) -> Node {
    match (base, over) {
        (Node { spot, value: NodeValue::Map(base) }, Node { value: NodeValue::Map(over), .. }) => {
            let mut merge = |key: &str, base: Node, over: Node, refused: &mut MergeConflicts| {
                let path = format!("{of}.{key}");
                let is_limit = of == "ulimits" && (base.entries().is_empty() || over.entries().is_empty());
                match path.as_str() {
                    "healthcheck.test" => over,
                    path if SEQUENCES.contains(&path) => joined(base, over),
                    _ if is_limit => over,
                    _ => any(key, base, over, refused),
                }
            };
            Node { spot, value: NodeValue::Map(maps(base, over, refused, &mut merge)) }
        }
        (base, over) => any(of, base, over, refused),
    }
}

fn joined(base: Node, over: Node) -> Node {
    let spot = over.spot.clone();
    let items = [sequence(base), sequence(over)].concat();
    Node { spot, value: NodeValue::List(items) }
}

/// Converts the short form of `build` to a mapping.
fn context(node: Node) -> Node {
    match node.text() {
        Some(_) => {
            let entry = MapEntry { key: "context".to_owned(), spot: node.spot.clone(), node: node.clone() };
            Node { spot: node.spot, value: NodeValue::Map(vec![entry]) }
        }
        None => node,
    }
}

/// Returns whether two settings of `logging` name different drivers, whose options do not belong together.
fn is_other_driver(base: &Node, over: &Node) -> bool {
    let drivers = base.text_of("driver").zip(over.text_of("driver"));
    drivers.is_some_and(|(base, over)| base != over)
}

/// Merges a field without a rule of its own: mappings are merged, lists are joined, and otherwise the
/// later one wins.
fn any(key: &str, base: Node, over: Node, refused: &mut MergeConflicts) -> Node {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;

    /// Returns the number of refusals, and the merged service in one line.
    fn merged(base: &str, over: &str) -> (usize, String) {
        let read = |text: &str| documents("f", text).expect("parses").remove(0);
        let mut refused = MergeConflicts::new();
        let node = services(read(base), read(over), &mut refused);
        (refused.len(), shown(&node))
    }

    fn shown(node: &Node) -> String {
        match &node.value {
            NodeValue::Scalar { text, .. } => text.clone(),
            NodeValue::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            NodeValue::Map(entries) => {
                let entries = entries.iter().map(|entry| format!("{}:{}", entry.key, shown(&entry.node)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// Each result is that of `docker-compose config`.
    #[test]
    fn fields_of_other_forms_are_merged_as_compose_does() {
        for (base, over, wanted) in [
            (
                "labels: {a: b}",
                "labels: {d: 2024-01-01, e: }",
                "{labels:[a=b d=2024-01-01 00:00:00 +0000 UTC e]}",
            ),
            ("labels: {a: b}", "labels: [x=y]", "{labels:[a=b x=y]}"),
            ("annotations: [a=b]", "annotations: {x: y}", "{annotations:[a=b x=y]}"),
            ("deploy: {labels: {a: b}}", "deploy: {labels: [x=y]}", "{deploy:{labels:[a=b x=y]}}"),
            ("build: .", "build: {args: [x=y]}", "{build:{context:. args:[x=y]}}"),
            ("build: {args: {a: b}}", "build: {args: [x=y]}", "{build:{args:[a=b x=y]}}"),
            ("dns: a", "dns: [b]", "{dns:[a b]}"),
            ("networks: [a]", "networks: {b: {aliases: [x]}}", "{networks:{a:{} b:{aliases:[x]}}}"),
            ("models: [a]", "models: {a: {model_var: X}}", "{models:{a:{model_var:X}}}"),
            ("ulimits: {n: 5}", "ulimits: {n: {soft: 1}}", "{ulimits:{n:{soft:1}}}"),
            ("ulimits: {n: {soft: 1}}", "ulimits: {n: 5}", "{ulimits:{n:5}}"),
            ("logging: {driver: a, options: {x: 1}}", "logging: {driver: b}", "{logging:{driver:b}}"),
            ("healthcheck: {test: x}", "healthcheck: {test: [CMD, y]}", "{healthcheck:{test:[CMD y]}}"),
        ] {
            assert_eq!(merged(base, over), (0, wanted.to_owned()), "{base} {over}");
        }
        assert_eq!(merged("cap_add: [a]", "cap_add: b").0, 1, "Compose cannot merge these either");
    }
}
