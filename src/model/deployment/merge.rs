//! Strategic merge in kustomize's form: mappings are merged key by key, the lists of a pod by the key of
//! their items, every other list is replaced, and `null` removes a key. The selection of targets belongs
//! in `patch`.

use std::collections::{HashMap, HashSet};

use super::finding;
use crate::base::yaml::tree::{MapEntry, Node, NodeValue};
use crate::model::inventory::InventoryFinding;

/// Keys that identify the items of merged lists.
const KEYS: &[(&str, &str)] = &[
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("env", "name"),
    ("volumes", "name"),
    ("imagePullSecrets", "name"),
    ("ports", "containerPort"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("hostAliases", "ip"),
    ("topologySpreadConstraints", "topologyKey"),
];

/// Kinds whose lists kustomize can merge, by API version. Without a version, a kind is unknown.
const KNOWN: &[(&str, &str, &[&str])] = &[
    ("", "v1", &["Pod", "PodTemplate", "ReplicationController", "Service", "ServiceAccount"]),
    ("apps", "v1", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("batch", "v1", &["CronJob", "Job"]),
    ("batch", "v1beta1", &["CronJob"]),
];

/// Returns whether kustomize merges the lists of a kind.
pub(super) fn is_keyed((group, version): (&str, &str), kind: &str) -> bool {
    KNOWN.iter().any(|known| (known.0, known.1) == (group, version) && known.2.contains(&kind))
}

/// State of a merge.
pub(super) struct StrategicMerge<'a> {
    /// Merges lists by key; the lists of kinds that kustomize does not know are replaced.
    pub(super) keyed: bool,
    pub(super) findings: &'a mut Vec<InventoryFinding>,
}

impl StrategicMerge<'_> {
    /// Merges a patch into a node; returns `None` if the patch deletes it.
    pub(super) fn node(&mut self, base: Node, patch: Node, key: &str) -> Option<Node> {
        match directive(&patch) {
            Some("delete") => return None,
            Some("replace") => return Some(self.clean(patch)),
            _ => {}
        }
        let Node { spot, value } = base;
        match (value, patch) {
            // A quoted text keeps its quotes.
            (
                NodeValue::Scalar { plain: false, .. },
                Node { value: NodeValue::Scalar { text, .. }, spot: by },
            ) => Some(Node { spot: by, value: NodeValue::Scalar { text, plain: false } }),
            (NodeValue::Map(base), Node { value: NodeValue::Map(patch), .. }) => {
                Some(Node { spot, value: NodeValue::Map(self.entries(base, patch)) })
            }
            (NodeValue::List(base), Node { value: NodeValue::List(patch), spot: by }) => {
                let by_key = KEYS.iter().find(|(list, _)| self.keyed && *list == key);
                Some(match by_key {
                    Some(_) if patch.is_empty() => Node { spot, value: NodeValue::List(base) },
                    Some((_, by_key)) => {
                        Node { spot, value: NodeValue::List(self.items(base, patch, by_key)) }
                    }
                    None => self.clean(Node { spot: by, value: NodeValue::List(patch) }),
                })
            }
            (_, patch) => Some(self.clean(patch)),
        }
    }

    fn entries(&mut self, mut base: Vec<MapEntry>, patch: Vec<MapEntry>) -> Vec<MapEntry> {
        for entry in patch {
            if entry.key.starts_with('$') {
                self.note(&entry);
                continue;
            }
            let at = base.iter().position(|known| known.key == entry.key);
            match (at, entry.node.is_null()) {
                (Some(at), true) => {
                    base.remove(at);
                }
                (None, true) => {}
                (Some(at), false) => {
                    let known = base.remove(at);
                    if let Some(node) = self.node(known.node, entry.node, &entry.key) {
                        base.insert(at, MapEntry { key: entry.key, spot: known.spot, node });
                    }
                }
                (None, false) => {
                    let node = self.clean(entry.node);
                    base.push(MapEntry { node, ..entry });
                }
            }
        }
        base
    }

    /// Merges lists: items of the patch come first, in its order, then the other items in their own.
    fn items(&mut self, base: Vec<Node>, patch: Vec<Node>, key: &str) -> Vec<Node> {
        if patch.iter().any(|item| directive(item) == Some("replace") && item.text_of(key).is_none()) {
            let kept = patch.into_iter().filter(|item| directive(item).is_none());
            return kept.map(|item| self.clean(item)).collect();
        }
        let patch = self.first_of_each(patch, key, "this patch");
        let base = self.first_of_each(base, key, "the patched list");
        let wanted: HashSet<&str> = patch.iter().filter_map(|item| item.text_of(key)).collect();
        let mut known = HashMap::new();
        let mut rest = Vec::new();
        for item in base {
            match item.text_of(key).filter(|id| wanted.contains(id)).map(str::to_owned) {
                Some(id) => {
                    known.insert(id, item);
                }
                None => rest.push(item),
            }
        }
        let mut merged = Vec::new();
        for item in patch {
            let known = item.text_of(key).and_then(|id| known.remove(id));
            if directive(&item) == Some("replace") {
                let message =
                    format!("`$patch: replace` in an item with a `{key}` changes nothing in kustomize");
                self.findings.push(finding(&item.spot, message));
                merged.extend(known);
                continue;
            }
            match known {
                Some(known) => merged.extend(self.node(known, item, "")),
                None if directive(&item) == Some("delete") => {}
                None => merged.push(self.clean(item)),
            }
        }
        merged.extend(rest);
        merged
    }

    /// Keeps the first item of each key, and drops items without a key, as kustomize does.
    fn first_of_each(&mut self, items: Vec<Node>, key: &str, list: &str) -> Vec<Node> {
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        for item in items {
            match item.text_of(key) {
                None => {
                    let message =
                        format!("this item has no `{key}`, by which kustomize merges, and is lost in {list}");
                    self.findings.push(finding(&item.spot, message));
                }
                Some(id) if !seen.insert(id.to_owned()) => {
                    let message = format!("`{id}` occurs twice, and only the first counts in {list}");
                    self.findings.push(finding(&item.spot, message));
                }
                Some(_) => kept.push(item),
            }
        }
        kept
    }

    /// Removes the merge directives from a node.
    fn clean(&mut self, node: Node) -> Node {
        let value = match node.value {
            NodeValue::Map(entries) => {
                let (own, directives): (Vec<MapEntry>, Vec<MapEntry>) =
                    entries.into_iter().partition(|entry| !entry.key.starts_with('$'));
                directives.iter().for_each(|entry| self.note(entry));
                let own = own.into_iter().filter(|entry| !entry.node.is_null());
                NodeValue::Map(own.map(|entry| MapEntry { node: self.clean(entry.node), ..entry }).collect())
            }
            NodeValue::List(items) => {
                // Where lists are replaced, kustomize only removes the directive from an item.
                let keyed = self.keyed;
                let kept = items.into_iter().filter(|item| !keyed || directive(item) != Some("delete"));
                NodeValue::List(kept.map(|item| self.clean(item)).collect())
            }
            scalar => scalar,
        };
        Node { spot: node.spot, value }
    }

    fn note(&mut self, entry: &MapEntry) {
        let known =
            entry.key == "$patch" && matches!(entry.node.text(), Some("delete" | "replace" | "merge"));
        if !known && !entry.key.starts_with("$setElementOrder") {
            let message = format!("the directive `{}` of a patch is not known", entry.key);
            self.findings.push(finding(&entry.spot, message));
        }
    }
}

fn directive(node: &Node) -> Option<&str> {
    node.text_of("$patch")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;

    fn names(node: &Node) -> Vec<String> {
        let pair = |item: &Node| {
            format!("{}={}", item.text_of("name").unwrap_or("?"), item.text_of("value").unwrap_or("-"))
        };
        node.get("env").map_or_else(Vec::new, |env| env.items().iter().map(pair).collect())
    }

    fn merged(base: &str, patch: &str, keyed: bool) -> (Node, Vec<String>) {
        let read = |file: &str, text: &str| documents(file, text).expect("parses").remove(0);
        let mut findings = Vec::new();
        let node =
            StrategicMerge { keyed, findings: &mut findings }.node(read("b", base), read("p", patch), "");
        (node.expect("is left"), findings.iter().map(ToString::to_string).collect())
    }

    const BASE: &str =
        "{env: [{name: A, value: a}, {name: B, value: b}, {name: C, value: c}], args: [x], k: 1}";

    #[test]
    fn merge_matches_list_items_by_name() {
        let (node, findings) = merged(
            BASE,
            "{env: [{name: C, value: z}, {name: D, value: d}, {name: A, $patch: delete}], args: [y], k: null}",
            true,
        );
        assert_eq!(names(&node), ["C=z", "D=d", "B=b"]);
        let value = node.get("env").expect("is there").items()[0].get("value").expect("is there");
        assert_eq!((value.spot.line(), node.get("k").is_none()), ("p:1".to_owned(), true));
        assert_eq!((node.get("args").map(|args| args.items().len()), findings.len()), (Some(1), 0));
    }

    #[test]
    fn merge_replaces_unkeyed_lists_and_by_directive() {
        let (node, _) = merged(BASE, "{env: [{name: D, value: d}]}", false);
        assert_eq!(names(&node), ["D=d"]);
        let (node, _) = merged(BASE, "{env: [{name: A, $patch: delete}]}", false);
        assert_eq!(names(&node), ["A=-"]);
        let (node, _) = merged(BASE, "{env: [{$patch: replace}, {name: D, value: d}]}", true);
        assert_eq!(names(&node), ["D=d"]);
        let (node, _) = merged(BASE, "{env: []}", true);
        assert_eq!(names(&node).len(), 3, "an empty list changes nothing");
        let (node, findings) = merged(
            BASE,
            "{env: [{name: A, $patch: replace}, {name: B, value: x}, {name: B, $patch: delete}]}",
            true,
        );
        assert_eq!((names(&node).join(" "), findings.len()), ("A=a B=x C=c".to_owned(), 2), "{findings:?}");
        let (_, findings) = merged(BASE, "{$retainKeys: [env]}", true);
        assert_eq!(findings, ["p:1:2: the directive `$retainKeys` of a patch is not known"]);
    }
}
