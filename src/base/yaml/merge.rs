//! Merge of YAML trees in layers: mappings by key, lists by the keys of their items where rules say so, everything
//! else whole; null removes. Each node keeps its position, so that a merged tree knows the origin of each value. The
//! rules of a format are up to its reader.
//!
//! The merge is associative: [`LayeredNode::finish`] alone drops removals, and what is set on top of one keeps a mark.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::tree::{Location, MapEntry, Node, NodeValue};

/// Rules of a format. A path names keys from the top, without the items of lists: `stage.parameters`.
#[derive(Debug, Clone, Copy)]
pub struct MergeRules {
    /// Lists whose items merge by a key, by the path of the list.
    pub keyed: &'static [(&'static str, ItemKey)],
    /// Paths of mappings that are replaced whole.
    pub whole: &'static [&'static str],
}

/// Key of the items of a list.
#[derive(Debug, Clone, Copy)]
pub enum ItemKey {
    /// The values of these fields. An upper layer may write such a list as a mapping from key to item; several values
    /// are then separated by a space.
    Fields(&'static [&'static str]),
    /// The item itself, a text.
    Text,
}

/// Two layers that contradict each other.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{}: {} is {upper_kind} here, and {lower_kind} at {}",
    place(.upper),
    if path.is_empty() { "this file".to_owned() } else { format!("`{path}`") },
    place(.lower)
)]
pub struct MergeConflict {
    /// Path of the node.
    pub path: String,
    /// Position in the upper layer.
    pub upper: Location,
    /// Kind of node in the upper layer, with its article.
    pub upper_kind: &'static str,
    /// Position in the lower layer.
    pub lower: Location,
    /// Kind of node in the lower layer, with its article.
    pub lower_kind: &'static str,
}

impl MergeConflict {
    /// Returns the place in the upper layer, as `file:line:column`.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.upper)
    }
}

fn place(at: &Location) -> String {
    format!("{}:{}:{}", at.file, at.position.line, at.position.column)
}

/// A tree that further layers may change.
#[derive(Debug, Clone)]
pub struct LayeredNode {
    spot: Location,
    value: LayeredValue,
    /// It was set on top of a removal, so nothing of the layers below remains.
    replaces: bool,
}

#[derive(Debug, Clone)]
enum LayeredValue {
    /// Null: nothing of the lower layers remains.
    Removed,
    /// A value that replaces that of the lower layers.
    Whole(NodeValue),
    /// A mapping that merges by key.
    Map(Vec<LayeredEntry>),
    /// A list that merges by the keys of its items.
    List(Vec<LayeredItem>),
}

#[derive(Debug, Clone)]
struct LayeredEntry {
    key: String,
    spot: Location,
    node: LayeredNode,
}

#[derive(Debug, Clone)]
struct LayeredItem {
    /// Key, and how many items of the same layer had it before; `None` for an item without the key.
    key: Option<(String, usize)>,
    node: LayeredNode,
}

impl LayeredNode {
    fn new(spot: Location, value: LayeredValue) -> Self {
        Self { spot, value, replaces: false }
    }

    /// Creates the tree of one layer.
    ///
    /// # Errors
    /// Fails if a list of texts is written as a mapping that does more than remove.
    pub fn of(node: Node, rules: &MergeRules) -> Result<Self, MergeConflict> {
        of(node, "", rules)
    }

    /// Creates the tree of a layer that removes everything below.
    #[must_use]
    pub fn removed(spot: Location) -> Self {
        Self::new(spot, LayeredValue::Removed)
    }

    /// Puts a layer on top of this one.
    ///
    /// # Errors
    /// Fails if one has a mapping, a list or a text where the other has something else.
    pub fn with(self, upper: Self) -> Result<Self, MergeConflict> {
        merge(self, upper, "")
    }

    /// Returns the removals of this layer that remove nothing from those below, each with its path.
    #[must_use]
    pub fn void_removals(&self, below: Option<&Self>) -> Vec<(String, Location)> {
        let mut found = Vec::new();
        self.find_void_removals(below, "", &mut found);
        found
    }

    fn find_void_removals(&self, lower: Option<&Self>, path: &str, found: &mut Vec<(String, Location)>) {
        let lower = lower.filter(|lower| !matches!(lower.value, LayeredValue::Removed));
        match &self.value {
            LayeredValue::Removed if lower.is_none() => found.push((path.to_owned(), self.spot.clone())),
            LayeredValue::Removed | LayeredValue::Whole(_) => {}
            LayeredValue::Map(entries) => {
                let nodes: HashMap<&str, &Self> = match lower.map(|lower| &lower.value) {
                    Some(LayeredValue::Map(known)) => {
                        known.iter().map(|entry| (entry.key.as_str(), &entry.node)).collect()
                    }
                    _ => HashMap::new(),
                };
                for LayeredEntry { key, node, .. } in entries {
                    node.find_void_removals(nodes.get(key.as_str()).copied(), &below(path, key), found);
                }
            }
            LayeredValue::List(items) => {
                let nodes: HashMap<&(String, usize), &Self> = match lower.map(|lower| &lower.value) {
                    Some(LayeredValue::List(known)) => {
                        known.iter().filter_map(|item| Some((item.key.as_ref()?, &item.node))).collect()
                    }
                    _ => HashMap::new(),
                };
                for LayeredItem { key, node } in items {
                    let old = key.as_ref().and_then(|key| nodes.get(key)).copied();
                    let path = key.as_ref().map_or_else(|| path.to_owned(), |(key, _)| below(path, key));
                    node.find_void_removals(old, &path, found);
                }
            }
        }
    }

    /// Returns the merged tree; `None` if it is removed.
    #[must_use]
    pub fn finish(self) -> Option<Node> {
        let value = match self.value {
            LayeredValue::Removed => return None,
            LayeredValue::Whole(value) => value,
            LayeredValue::Map(entries) => NodeValue::Map(
                entries
                    .into_iter()
                    .filter_map(|LayeredEntry { key, spot, node }| {
                        Some(MapEntry { key, spot, node: node.finish()? })
                    })
                    .collect(),
            ),
            LayeredValue::List(items) => {
                NodeValue::List(items.into_iter().filter_map(|item| item.node.finish()).collect())
            }
        };
        Some(Node { spot: self.spot, value })
    }

    fn kind(&self) -> &'static str {
        match &self.value {
            LayeredValue::Removed => "nothing",
            LayeredValue::Map(_) | LayeredValue::Whole(NodeValue::Map(_)) => "a mapping",
            LayeredValue::List(_) | LayeredValue::Whole(NodeValue::List(_)) => "a list",
            LayeredValue::Whole(NodeValue::Scalar { .. }) => "a single value",
        }
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn of(node: Node, path: &str, rules: &MergeRules) -> Result<LayeredNode, MergeConflict> {
    if node.is_null() {
        return Ok(LayeredNode::removed(node.spot));
    }
    let Node { spot, value } = node;
    let keyed = rules.keyed.iter().find(|(list, _)| *list == path).map(|(_, key)| key);
    let value = match (value, keyed) {
        (NodeValue::List(items), Some(key)) => LayeredValue::List(items_of(items, *key, path, rules)?),
        (NodeValue::Map(entries), Some(key)) => LayeredValue::List(items_by_key(entries, *key, path, rules)?),
        (NodeValue::Map(entries), None) if !rules.whole.contains(&path) => {
            LayeredValue::Map(entries_of(entries, path, rules)?)
        }
        (value, _) => LayeredValue::Whole(value),
    };
    Ok(LayeredNode::new(spot, value))
}

fn entries_of(
    entries: Vec<MapEntry>,
    path: &str,
    rules: &MergeRules,
) -> Result<Vec<LayeredEntry>, MergeConflict> {
    let entry = |entry: MapEntry| {
        let node = of(entry.node, &below(path, &entry.key), rules)?;
        Ok(LayeredEntry { key: entry.key, spot: entry.spot, node })
    };
    entries.into_iter().map(entry).collect()
}

/// Returns the items of a list, each with its key.
fn items_of(
    items: Vec<Node>,
    key: ItemKey,
    path: &str,
    rules: &MergeRules,
) -> Result<Vec<LayeredItem>, MergeConflict> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut item = |node: Node| {
        let key = key_of(&node, key).map(|key| {
            let before = seen.entry(key.clone()).or_default();
            *before += 1;
            (key, *before - 1)
        });
        Ok(LayeredItem { key, node: item_node(node, path, rules)? })
    };
    items.into_iter().map(&mut item).collect()
}

/// Returns the tree of an item. The rules of the list itself do not apply to it.
fn item_node(node: Node, path: &str, rules: &MergeRules) -> Result<LayeredNode, MergeConflict> {
    let value = match node.value {
        NodeValue::Map(entries) => LayeredValue::Map(entries_of(entries, path, rules)?),
        other => LayeredValue::Whole(other),
    };
    Ok(LayeredNode::new(node.spot, value))
}

/// Returns the items of a list that is written as a mapping from key to item.
fn items_by_key(
    entries: Vec<MapEntry>,
    key: ItemKey,
    path: &str,
    rules: &MergeRules,
) -> Result<Vec<LayeredItem>, MergeConflict> {
    let mut items = Vec::with_capacity(entries.len());
    for MapEntry { key: name, spot, mut node } in entries {
        if node.is_null() {
            items.push(LayeredItem { key: Some((name, 0)), node: LayeredNode::removed(spot) });
            continue;
        }
        let (ItemKey::Fields(fields), NodeValue::Map(inner)) = (key, &mut node.value) else {
            let (lower, upper) = (spot.clone(), node.spot);
            return Err(MergeConflict {
                path: below(path, &name),
                upper,
                upper_kind: "no mapping",
                lower,
                lower_kind: "the key of an item, which takes a mapping or null,",
            });
        };
        for (at, (field, value)) in fields.iter().zip(name.splitn(fields.len(), ' ')).enumerate() {
            if !inner.iter().any(|entry| entry.key == *field) {
                let node = Node::text_at(&spot, value);
                inner.insert(at, MapEntry { key: (*field).to_owned(), spot: spot.clone(), node });
            }
        }
        items.push(LayeredItem { key: Some((name, 0)), node: item_node(node, path, rules)? });
    }
    Ok(items)
}

/// Returns the key of an item.
fn key_of(node: &Node, key: ItemKey) -> Option<String> {
    match key {
        ItemKey::Text => node.text().map(str::to_owned),
        ItemKey::Fields(fields) => {
            let first = node.text_of(fields.first()?)?;
            // Only the first part is required.
            let rest = fields[1..].iter().filter_map(|field| node.text_of(field));
            Some(rest.fold(first.to_owned(), |key, part| format!("{key} {part}")))
        }
    }
}

fn merge(lower: LayeredNode, upper: LayeredNode, path: &str) -> Result<LayeredNode, MergeConflict> {
    if upper.replaces || matches!(upper.value, LayeredValue::Removed) {
        return Ok(upper);
    }
    if matches!(lower.value, LayeredValue::Removed) {
        return Ok(LayeredNode { replaces: true, ..upper });
    }
    if lower.kind() != upper.kind() {
        return Err(MergeConflict {
            path: path.to_owned(),
            upper_kind: upper.kind(),
            upper: upper.spot,
            lower_kind: lower.kind(),
            lower: lower.spot,
        });
    }
    let value = match (lower.value, upper.value) {
        (LayeredValue::Map(lower), LayeredValue::Map(upper)) => {
            LayeredValue::Map(merge_entries(lower, upper, path)?)
        }
        (LayeredValue::List(lower), LayeredValue::List(upper)) => {
            LayeredValue::List(merge_items(lower, upper, path)?)
        }
        (_, upper) => upper,
    };
    Ok(LayeredNode { spot: upper.spot, value, replaces: lower.replaces })
}

/// Merges entries by key: those of the lower layer keep their order, new ones follow.
fn merge_entries(
    lower: Vec<LayeredEntry>,
    upper: Vec<LayeredEntry>,
    path: &str,
) -> Result<Vec<LayeredEntry>, MergeConflict> {
    let places: HashMap<String, usize> =
        lower.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    let mut merged: Vec<Option<LayeredEntry>> = lower.into_iter().map(Some).collect();
    for entry in upper {
        let old = places.get(&entry.key).map(|at| (*at, merged[*at].take()));
        match old {
            Some((at, Some(old))) => {
                let node = merge(old.node, entry.node, &below(path, &entry.key))?;
                merged[at] = Some(LayeredEntry { key: entry.key, spot: entry.spot, node });
            }
            _ => merged.push(Some(entry)),
        }
    }
    Ok(merged.into_iter().flatten().collect())
}

/// Merges items by key, as entries; items without a key are added.
fn merge_items(
    lower: Vec<LayeredItem>,
    upper: Vec<LayeredItem>,
    path: &str,
) -> Result<Vec<LayeredItem>, MergeConflict> {
    let places: HashMap<(String, usize), usize> =
        lower.iter().enumerate().filter_map(|(at, item)| Some((item.key.clone()?, at))).collect();
    let mut merged: Vec<Option<LayeredItem>> = lower.into_iter().map(Some).collect();
    for item in upper {
        let at = item.key.as_ref().and_then(|key| places.get(key).copied());
        let old = at.map(|at| (at, merged[at].take()));
        match old {
            Some((at, Some(old))) => {
                let path = item.key.as_ref().map_or_else(|| path.to_owned(), |(key, _)| below(path, key));
                let node = merge(old.node, item.node, &path)?;
                merged[at] = Some(LayeredItem { key: item.key, node });
            }
            _ => merged.push(Some(item)),
        }
    }
    Ok(merged.into_iter().flatten().collect())
}
