//! Reads YAML of a foreign format: documents as trees of nodes. For files of other programs, of which `cki` reads a
//! part. Their meaning is up to the callers; a node is in `node`.
//!
//! Aliases and merge keys are resolved within limits on the number of nodes, the depth and the length of
//! the text, so that none of these can explode.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span};

pub use super::node::{Location, MapEntry, Node, NodeValue};
use super::{Position, YamlError};

/// Maximum nodes in all documents of a text; aliases count as often as they are used.
const NODES: usize = 200_000;
/// Maximum bytes of all their scalars.
const BYTES: usize = 16 << 20;
/// Maximum depth.
const DEPTH: usize = 128;

/// Documents of a text.
#[derive(Debug, Default)]
pub struct YamlDocuments {
    /// Documents other than empty ones.
    pub nodes: Vec<Node>,
    /// Tags of their nodes.
    pub tags: Tags,
    /// Empty documents, which some programs refuse.
    pub empty: Vec<Location>,
}

/// Parses the documents of a text; omits empty ones.
///
/// # Errors
/// Fails if the text is not YAML, has a duplicate key, or exceeds a limit.
pub fn documents(file: &str, text: &str) -> Result<Vec<Node>, YamlError> {
    Ok(tagged_documents(file, text)?.nodes)
}

/// Tags by the position of their node: `!reset`, or `tag:yaml.org,2002:str`. An empty one marks a key
/// without quotes, which is a text here and may be something else to others.
pub type Tags = HashMap<Position, String>;

/// Parses the documents of a text, with the tags of their nodes and the positions of empty ones.
///
/// # Errors
/// Same as [`documents`].
pub fn tagged_documents(file: &str, text: &str) -> Result<YamlDocuments, YamlError> {
    read(file, text, TreeLimits { nodes: NODES, bytes: BYTES })
}

/// Parses the documents of a text that may be long: its length bounds the number of nodes.
///
/// # Errors
/// Same as [`documents`].
pub fn long_documents(file: &str, text: &str) -> Result<YamlDocuments, YamlError> {
    read(file, text, TreeLimits { nodes: NODES.max(text.len()), bytes: BYTES.max(text.len()) })
}

fn read(file: &str, text: &str, limits: TreeLimits) -> Result<YamlDocuments, YamlError> {
    let mut builder = TreeBuilder {
        file: file.into(),
        open: Vec::new(),
        anchors: HashMap::new(),
        done: Vec::new(),
        tags: Tags::new(),
        nodes: 0,
        bytes: 0,
        limits,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let marker = error.marker();
            let position = Position { line: marker.line().max(1), column: marker.col() + 1 };
            let message = match error.kind() {
                ErrorKind::RecursionLimitExceeded => too_deep(),
                _ => super::error::one_line(&error.info()),
            };
            YamlError { file: file.to_owned(), position: Some(position), message }
        })?;
        builder.take(event, &span)?;
    }
    let (empty, nodes): (Vec<Node>, Vec<Node>) = builder.done.into_iter().partition(Node::is_null);
    let empty = empty.into_iter().map(|node| node.spot).collect();
    Ok(YamlDocuments { nodes, tags: builder.tags, empty })
}

fn too_deep() -> String {
    format!("it is nested more than {DEPTH} levels deep")
}

/// An unfinished collection.
struct OpenNode {
    anchor: usize,
    spot: Location,
    content: NodeContent,
}

enum NodeContent {
    List(Vec<Node>),
    Map {
        entries: Vec<MapEntry>,
        names: HashSet<String>,
        key: Option<(String, Location, bool)>,
        /// Entries of `<<`, if there is one.
        merged: Option<Vec<MapEntry>>,
    },
}

struct TreeBuilder {
    file: Arc<str>,
    open: Vec<OpenNode>,
    anchors: HashMap<usize, (Node, (usize, usize, usize))>,
    done: Vec<Node>,
    tags: Tags,
    nodes: usize,
    bytes: usize,
    limits: TreeLimits,
}

/// Limits of all documents of a text.
#[derive(Clone, Copy)]
struct TreeLimits {
    nodes: usize,
    bytes: usize,
}

impl TreeBuilder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), YamlError> {
        let position = Position { line: span.start.line(), column: span.start.col() + 1 };
        let spot = Location { file: self.file.clone(), position };
        if let Event::Scalar(_, _, _, Some(tag))
        | Event::SequenceStart(_, _, Some(tag))
        | Event::MappingStart(_, _, Some(tag)) = &event
        {
            self.tags.insert(position, tag.to_string());
        }
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                // `!!str null` is a string.
                let plain = style == ScalarStyle::Plain && tag.is_none();
                self.count(1, text.len(), 1, &spot)?;
                let value = NodeValue::Scalar { text: text.into_owned(), plain };
                self.put(Node { spot, value }, anchor)?;
            }
            Event::Alias(anchor) => {
                // An unfinished collection cannot contain itself.
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.wrong(&spot, "this alias names what it is in".to_owned()));
                };
                self.count(size.0, size.1, size.2, &spot)?;
                self.put(node, 0)?;
            }
            Event::UnresolvedAlias(_) => return Err(self.wrong(&spot, "this alias names nothing".to_owned())),
            Event::SequenceStart(_, anchor, _) => {
                self.count(1, 0, 1, &spot)?;
                self.open.push(OpenNode { anchor, spot, content: NodeContent::List(Vec::new()) });
            }
            Event::MappingStart(_, anchor, _) => {
                self.count(1, 0, 1, &spot)?;
                let (entries, names) = (Vec::new(), HashSet::new());
                let content = NodeContent::Map { entries, names, key: None, merged: None };
                self.open.push(OpenNode { anchor, spot, content });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(OpenNode { anchor, spot, content }) = self.open.pop() {
                    let value = match content {
                        NodeContent::List(items) => NodeValue::List(items),
                        NodeContent::Map { entries, names, merged, .. } => {
                            NodeValue::Map(with_merged(entries, names, merged.unwrap_or_default()))
                        }
                    };
                    self.put(Node { spot, value }, anchor)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, bytes: usize, depth: usize, spot: &Location) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.open.len() + depth > DEPTH {
            return Err(self.wrong(spot, too_deep()));
        }
        let TreeLimits { nodes, bytes } = self.limits;
        if self.nodes > nodes || self.bytes > bytes {
            let message = format!(
                "it has more than {nodes} nodes or {} MiB of text, counting each use of an alias",
                bytes >> 20
            );
            return Err(self.wrong(spot, message));
        }
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if anchor != 0 {
            let size = node.size();
            // A node with an anchor is stored a second time.
            self.nodes = self.nodes.saturating_add(size.0);
            self.bytes = self.bytes.saturating_add(size.1);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let file = self.file.clone();
        let wrong = |spot: &Location, message: String| YamlError {
            file: file.to_string(),
            position: Some(spot.position),
            message,
        };
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.done.push(node),
            Some(NodeContent::List(items)) => items.push(node),
            Some(NodeContent::Map { entries, names, key, merged }) => match key.take() {
                None => {
                    let NodeValue::Scalar { text, plain } = node.value else {
                        return Err(wrong(&node.spot, "a key must be a text".to_owned()));
                    };
                    if plain {
                        self.tags.entry(node.spot.position).or_default();
                    }
                    *key = Some((text, node.spot, plain));
                }
                Some((name, spot, true)) if name == "<<" => {
                    let maps = match node.value {
                        NodeValue::List(items) => items,
                        _ => vec![node],
                    };
                    if !maps.iter().all(|item| matches!(item.value, NodeValue::Map(_))) {
                        return Err(wrong(&spot, "`<<` takes a mapping, or a list of them".to_owned()));
                    }
                    let more = maps.into_iter().flat_map(|item| match item.value {
                        NodeValue::Map(more) => more,
                        _ => Vec::new(),
                    });
                    if merged.replace(more.collect()).is_some() {
                        return Err(wrong(&spot, "duplicate key `<<`".to_owned()));
                    }
                }
                Some((name, spot, _)) => {
                    if !names.insert(name.clone()) {
                        return Err(wrong(&spot, format!("duplicate key `{name}`")));
                    }
                    entries.push(MapEntry { key: name, spot, node });
                }
            },
        }
        Ok(())
    }

    fn wrong(&self, spot: &Location, message: String) -> YamlError {
        YamlError { file: self.file.to_string(), position: Some(spot.position), message }
    }
}

/// Merges entries: written entries win over merged ones, and earlier merged entries over later ones.
fn with_merged(
    mut entries: Vec<MapEntry>,
    mut names: HashSet<String>,
    merged: Vec<MapEntry>,
) -> Vec<MapEntry> {
    entries.extend(merged.into_iter().filter(|entry| names.insert(entry.key.clone())));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Node {
        documents("f.yaml", text).expect("parses").remove(0)
    }

    #[test]
    fn documents_record_location_of_every_node() {
        let node = one("a:\n  - {b: 1, c: 'null'}\n  - ~\nd: |\n  two\n  lines\n");
        let b = node.at(&["a"]).expect("is there").items()[0].get("b").expect("is there");
        assert_eq!((b.text(), b.spot.line()), (Some("1"), "f.yaml:2".to_owned()));
        assert_eq!(node.get("a").expect("is there").items()[0].text_of("c"), Some("null"));
        assert!(node.get("a").expect("is there").items()[1].is_null());
        assert_eq!(node.text_of("d"), Some("two\nlines\n"));
        let several =
            tagged_documents("f", "# none\n---\na: 1\n---\n---\nb: 2\n---\nnull\n").expect("parses");
        assert_eq!((several.nodes.len(), several.empty.len()), (2, 2));
    }

    #[test]
    fn documents_resolve_aliases_and_merge_keys() {
        let node = one("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [{c: 1}, *x]}\nw: *x\n");
        assert_eq!(node.at(&["y", "a"]).and_then(Node::text), Some("1"));
        assert_eq!(node.at(&["y", "b"]).and_then(Node::text), Some("3"));
        assert_eq!(node.get("z").map(|z| z.entries().len()), Some(3));
        // The position of a value is the place where it is written.
        assert_eq!(node.at(&["w", "a"]).map(|a| a.spot.line()), Some("f.yaml:1".to_owned()));
    }

    #[test]
    fn documents_report_location_of_errors() {
        let error = |text: &str| documents("f.yaml", text).expect_err("is wrong").to_string();
        assert_eq!(error("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: duplicate key `a`");
        assert_eq!(error("a:\n  <<: {b: 1}\n  <<: {c: 1}\n"), "f.yaml:3:3: duplicate key `<<`");
        assert!(error("a: {<<: [{b: 1}, 2]}").contains("takes a mapping"));
        assert!(error("a: [1\nb").starts_with("f.yaml:"), "{}", error("a: [1\nb"));
        assert_eq!(error("a: &a [*a]"), "f.yaml:1:8: this alias names what it is in");
        assert_eq!(error("? [a]\n: b"), "f.yaml:1:3: a key must be a text");
        let deep = error(&"[".repeat(1000));
        assert!(deep.ends_with("it is nested more than 128 levels deep"), "{deep}");
        let long = format!("[{}]", "x, ".repeat(200_001));
        assert!(
            error(&long).ends_with("more than 200000 nodes or 16 MiB of text, counting each use of an alias")
        );
    }

    #[test]
    fn documents_refuse_alias_bombs() {
        let mut wide = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        let mut deep = String::from("a0: &a0 [x]\n");
        for level in 1..400 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            wide.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
            deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 10_000].join(", "));
        for bomb in [wide, deep, long] {
            assert!(documents("x", &bomb).is_err());
        }
    }

    proptest! {
        #[test]
        fn documents_never_panic(text in "[-a-c:{}\\[\\],&*<!|>?'\"#~\\n \\t%@é]{0,80}") {
            let _ = documents("f", &text);
        }
    }
}
