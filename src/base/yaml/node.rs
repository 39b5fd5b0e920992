//! A node of a YAML document, which knows its position, and the look-ups in it. Reading a text is up to `tree`.

use std::sync::Arc;

use super::Position;

/// Position of a node in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Name of the text: a path.
    pub file: Arc<str>,
    /// Position in the text.
    pub position: Position,
}

impl Location {
    /// Formats the position as `file:line`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}:{}", self.file, self.position.line)
    }
}

/// A node with its position.
#[derive(Debug, Clone)]
pub struct Node {
    /// Start of the node.
    pub spot: Location,
    /// Content of the node.
    pub value: NodeValue,
}

/// Content of a node.
#[derive(Debug, Clone)]
pub enum NodeValue {
    /// String, number, boolean or null, as written.
    Scalar {
        /// Text without quotes and escapes.
        text: String,
        /// The scalar is not quoted, so that `null` means null.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in its written order.
    Map(Vec<MapEntry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct MapEntry {
    /// Key.
    pub key: String,
    /// Position of the key.
    pub spot: Location,
    /// Value.
    pub node: Node,
}

impl Node {
    /// Creates a string at a position.
    #[must_use]
    pub fn text_at(spot: &Location, text: impl Into<String>) -> Self {
        Self { spot: spot.clone(), value: NodeValue::Scalar { text: text.into(), plain: false } }
    }

    /// Returns the text of a scalar that is not null.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// Returns whether it is null: `null`, `~`, or empty.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.value, NodeValue::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Returns whether it is written as true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(self.text(), Some("true" | "True" | "TRUE" | "yes" | "on"))
    }

    /// Returns the items of a list; none for other nodes.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match &self.value {
            NodeValue::List(items) => items,
            _ => &[],
        }
    }

    /// Returns the entries of a mapping; none for other nodes.
    #[must_use]
    pub fn entries(&self) -> &[MapEntry] {
        match &self.value {
            NodeValue::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the value of a key, unless it is null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node).filter(|n| !n.is_null())
    }

    /// Returns the node at the end of a chain of keys.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Returns the text of a key.
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Changes the texts of this node and of all nodes below it.
    pub fn for_each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        match &mut self.value {
            NodeValue::Scalar { text, .. } => change(text),
            NodeValue::List(items) => items.iter_mut().for_each(|item| item.for_each_text(change)),
            NodeValue::Map(entries) => entries.iter_mut().for_each(|entry| entry.node.for_each_text(change)),
        }
    }

    /// Returns the number of nodes, the bytes of text, and the depth.
    #[must_use]
    pub fn size(&self) -> (usize, usize, usize) {
        let below: Vec<(usize, usize, usize)> = match &self.value {
            NodeValue::Scalar { text, .. } => return (1, text.len(), 1),
            NodeValue::List(items) => items.iter().map(Self::size).collect(),
            NodeValue::Map(entries) => entries
                .iter()
                .map(|entry| {
                    let (nodes, bytes, depth) = entry.node.size();
                    (nodes + 1, bytes + entry.key.len(), depth)
                })
                .collect(),
        };
        below.into_iter().fold((1, 0, 1), |sum, one| (sum.0 + one.0, sum.1 + one.1, sum.2.max(one.2 + 1)))
    }
}
