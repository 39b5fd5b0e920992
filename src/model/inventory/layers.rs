//! Layers of an inventory: documents of several sources become one, entry by entry and field by field. The merge works
//! on YAML trees before anything is typed, so that nothing else knows of layers. Reading the sources belongs in `ops`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Inventory;
use super::backstage::unplaced::{UnplacedKind, UnplacedPart};
use super::error::InventoryError;
use super::layer_summary::LayerSummary;
use super::read::{InventoryDocument, InventoryPart};
use super::source_map::SourceMap;
use crate::base::yaml::flat::FlatText;
use crate::base::yaml::merge::{ItemKey, LayeredNode, MergeRules};
use crate::base::yaml::tree::{self, Location, MapEntry, Node, NodeValue};
use crate::base::yaml::{Position, YamlError};
use crate::base::{share, text};
use crate::model::reference::{Reference, is_name};

/// Number of entries for each thread.
const SHARE: usize = 24;
/// Maximum bytes of a document that may be `null` and nothing else.
const SHORT: usize = 200;

/// Keys of the lists of the head. `docs/reference/inventory.md` has the same table.
const HEAD: MergeRules = MergeRules {
    keyed: &[
        ("categories", ItemKey::Fields(&["id"])),
        ("production.hosts", ItemKey::Text),
        ("ignore", ItemKey::Fields(&["rule", "component"])),
    ],
    whole: &[],
};
/// Keys of the lists of an entry.
const ENTRY: MergeRules = MergeRules {
    keyed: &[
        ("documentation", ItemKey::Fields(&["label"])),
        ("monitoring", ItemKey::Fields(&["label"])),
        ("dependencies", ItemKey::Fields(&["verb", "target"])),
        ("environment", ItemKey::Fields(&["name"])),
        ("hosts", ItemKey::Text),
        ("ignore", ItemKey::Fields(&["rule"])),
        ("stage.parameters", ItemKey::Fields(&["name"])),
    ],
    whole: &["run.ready"],
};

/// Content of one layer.
#[derive(Debug, Default)]
pub struct LayerContent {
    /// Number of the layer, from the lowest.
    pub layer: u16,
    /// Its documents.
    pub documents: Vec<LayerDocument>,
}

/// One document of a layer.
#[derive(Debug)]
pub enum LayerDocument {
    /// Text of a file.
    Text(InventoryDocument),
    /// The tree of an entry, or of the head without a reference.
    Tree(Option<Reference>, Node),
}

/// A document that takes part in a merge.
struct Piece {
    layer: u16,
    document: LayerDocument,
}

/// Merges layers, the lowest first, into parsed documents.
#[must_use]
pub fn merge_layers(layers: Vec<LayerContent>) -> Vec<Result<InventoryPart, InventoryError>> {
    let (mut heads, mut errors) = (Vec::new(), Vec::new());
    let mut entries: BTreeMap<Reference, Vec<Piece>> = BTreeMap::new();
    for LayerContent { layer, documents } in layers {
        for document in documents {
            let (head, items) = match document {
                LayerDocument::Text(document) if document.reference.is_none() => match split(&document) {
                    Ok(parts) => parts,
                    Err(error) => {
                        errors.push(Err(error));
                        continue;
                    }
                },
                LayerDocument::Tree(None, node) => (Some(node), Vec::new()),
                entry => (None, vec![Ok(entry)]),
            };
            heads.extend(head.map(|node| Piece { layer, document: LayerDocument::Tree(None, node) }));
            for item in items {
                let document = match item {
                    Ok(document) => document,
                    Err(error) => {
                        errors.push(Err(error));
                        continue;
                    }
                };
                let Some(reference) = document.reference().cloned() else { continue };
                let pieces = entries.entry(reference.clone()).or_default();
                match pieces.last().filter(|last| last.layer == layer) {
                    Some(first) => errors.push(Err(InventoryError::Twice {
                        file: document.spot(),
                        other: first.document.spot(),
                        reference,
                    })),
                    None => pieces.push(Piece { layer, document }),
                }
            }
        }
    }
    let mut parts = errors;
    if !heads.is_empty() {
        parts.extend(merged(None, heads).transpose());
    }
    let read = |(reference, pieces): (Reference, Vec<Piece>)| entry(reference, pieces).transpose();
    parts.extend(share::map(entries.into_iter().collect(), SHARE, read).into_iter().flatten());
    parts
}

impl LayerDocument {
    fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Text(document) => document.reference.as_ref(),
            Self::Tree(reference, _) => reference.as_ref(),
        }
    }

    fn spot(&self) -> String {
        match self {
            Self::Text(document) => document.file.clone(),
            Self::Tree(_, node) => place(&node.spot),
        }
    }

    /// Returns the tree of the document, and the position of its end if it is null.
    fn tree(self) -> Result<Node, InventoryError> {
        match self {
            Self::Tree(_, node) => Ok(node),
            Self::Text(document) => Ok(tree_of(&document.file, &document.text)?),
        }
    }
}

fn place(at: &Location) -> String {
    format!("{}:{}:{}", at.file, at.position.line, at.position.column)
}

/// Parses the one document of a file. An empty file is an empty mapping.
fn tree_of(file: &str, text: &str) -> Result<Node, YamlError> {
    // A mark of the byte order is no part of the text.
    let mut found = tree::long_documents(file, text.trim_start_matches('\u{feff}'))?;
    let spot = |position: Position| Location { file: Arc::from(file), position };
    if let Some(second) = found.nodes.get(1) {
        let message = "one document is expected, and here is another one".to_owned();
        return Err(YamlError { file: file.to_owned(), position: Some(second.spot.position), message });
    }
    let says_null = || text.lines().any(|line| matches!(line.trim(), "null" | "Null" | "NULL" | "~"));
    Ok(match found.nodes.pop() {
        Some(node) => node,
        None if says_null() => {
            let value = NodeValue::Scalar { text: "null".to_owned(), plain: true };
            let at = found.empty.pop().unwrap_or_else(|| spot(Position { line: 1, column: 1 }));
            Node { spot: at, value }
        }
        None => Node { spot: spot(Position { line: 1, column: 1 }), value: NodeValue::Map(Vec::new()) },
    })
}

/// An entry of a file, or the error of one without a name.
type LayerItem = Result<LayerDocument, InventoryError>;

/// Splits the file of a head into the head itself and its entries.
fn split(document: &InventoryDocument) -> Result<(Option<Node>, Vec<LayerItem>), InventoryError> {
    let mut node = tree_of(&document.file, &document.text)?;
    let NodeValue::Map(entries) = &mut node.value else { return Ok((Some(node), Vec::new())) };
    let Some(at) = entries.iter().position(|entry| entry.key == "components") else {
        return Ok((Some(node), Vec::new()));
    };
    let MapEntry { node: list, .. } = entries.remove(at);
    let spot = list.spot.clone();
    let items = match list.value {
        NodeValue::List(items) => items.into_iter().map(named).collect(),
        // A mapping from reference to entry, which can remove one.
        NodeValue::Map(entries) => entries.into_iter().map(referenced).collect(),
        NodeValue::Scalar { .. } if list.is_null() => Vec::new(),
        NodeValue::Scalar { .. } => {
            let message =
                "`components` is a list of entries, or a mapping from `category/name` to one".to_owned();
            return Err(InventoryError::Name { file: place(&spot), message });
        }
    };
    Ok((Some(node), items))
}

fn named(node: Node) -> LayerItem {
    let file = place(&node.spot);
    let wrong = |message: String| Err(InventoryError::Name { file: file.clone(), message });
    let Some(name) = node.text_of("name").map(str::to_owned) else {
        return wrong("an entry lacks its `name`".to_owned());
    };
    let Some(category) = node.text_of("category").map(str::to_owned) else {
        return wrong(format!("the entry `{name}` lacks its `category`"));
    };
    for part in [&category, &name] {
        if !is_name(part) {
            return wrong(format!("`{part}` is no name: letters, digits, `-`, `_` and `.` only"));
        }
    }
    Ok(LayerDocument::Tree(Some(Reference { category, name }), node))
}

fn referenced(entry: MapEntry) -> LayerItem {
    let Some(reference) = Reference::parse(&entry.key) else {
        let message =
            format!("`{}` is not a reference of the form `category/name`", entry.key.escape_debug());
        return Err(InventoryError::Name { file: place(&entry.spot), message });
    };
    let node = match entry.node.is_null() {
        true => Node { spot: entry.spot, ..entry.node },
        false => entry.node,
    };
    Ok(LayerDocument::Tree(Some(reference), node))
}

/// Reads the pieces of one entry; `None` if it is removed.
fn entry(reference: Reference, mut pieces: Vec<Piece>) -> Result<Option<InventoryPart>, InventoryError> {
    // An entry of one layer needs no merge, unless it is written in a form that only layers have.
    if let [Piece { layer, document: LayerDocument::Text(document) }] = pieces.as_slice()
        && document.text.len() > SHORT
        && let Ok(part) = InventoryPart::parse_in(*layer, document.clone())
    {
        return Ok(Some(part));
    }
    if let [Piece { layer, document }] = pieces.as_slice()
        && let LayerDocument::Text(text) = document
    {
        let node = tree_of(&text.file, &text.text);
        // The typed parser describes what is no YAML.
        let Ok(node) = node else { return InventoryPart::parse_in(*layer, text.clone()).map(Some) };
        pieces = vec![Piece { layer: *layer, document: LayerDocument::Tree(Some(reference.clone()), node) }];
    }
    merged(Some(reference), pieces)
}

/// Merges the pieces of an entry, or of the head; `None` if it is removed.
fn merged(reference: Option<Reference>, pieces: Vec<Piece>) -> Result<Option<InventoryPart>, InventoryError> {
    let rules = if reference.is_some() { &ENTRY } else { &HEAD };
    let (mut files, mut whole): (Vec<(Arc<str>, u16)>, Option<LayeredNode>) = (Vec::new(), None);
    let mut void = Vec::new();
    for Piece { layer, document } in pieces {
        let node = document.tree()?;
        if reference.is_none() {
            check_version(&node)?;
        }
        files.push((Arc::clone(&node.spot.file), layer));
        let upper = LayeredNode::of(node, rules)?;
        // Nothing is below the lowest layer, where null stands for nothing.
        if layer > 0 {
            void.extend(
                upper
                    .void_removals(whole.as_ref())
                    .into_iter()
                    .map(|one| void_removal(one, reference.as_ref())),
            );
        }
        whole = Some(match whole {
            None => upper,
            Some(lower) => lower.with(upper)?,
        });
    }
    let Some(node) = whole.and_then(LayeredNode::finish) else {
        return Ok((!void.is_empty()).then(|| InventoryPart::notes_only(void)));
    };
    let flat = FlatText::of(&node);
    let layer_of =
        |file: &str| files.iter().rev().find(|(name, _)| **name == *file).map_or(0, |(_, layer)| *layer);
    let layers = flat.lines.iter().map(|spot| layer_of(&spot.file)).collect();
    InventoryPart::of_flat(reference, flat, layers).map(|part| Some(part.with_notes(void)))
}

/// Returns the note of a removal of nothing.
fn void_removal((path, spot): (String, Location), reference: Option<&Reference>) -> UnplacedPart {
    let owner = reference.map_or_else(|| "the head".to_owned(), |one| format!("`{one}`"));
    let message = match path.as_str() {
        "" => format!("`null` removes {owner}, which no lower layer has"),
        path => format!("`null` removes `{path}` of {owner}, which no lower layer has"),
    };
    UnplacedPart { spot, message, kind: UnplacedKind::VoidRemoval }
}

/// Refuses a head of a newer format, which a layer above it would hide.
fn check_version(head: &Node) -> Result<(), InventoryError> {
    match head.get("version") {
        Some(node) => match node.text().map(str::parse::<u32>) {
            Some(Ok(version)) if version != 1 => {
                Err(InventoryError::Version { file: place(&node.spot), version })
            }
            _ => Ok(()),
        },
        None => Ok(()),
    }
}

/// Origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOrigin {
    /// Path of the value in its entry: `environment.2.default`.
    pub path: String,
    /// Number of the layer that set it.
    pub layer: u16,
    /// File and line.
    pub place: String,
}

impl Inventory {
    /// Returns the layers that count, with their numbers.
    pub fn layers_in_use(&self) -> impl Iterator<Item = (usize, &LayerSummary)> {
        self.layers.iter().enumerate().filter(|(_, layer)| layer.left_out.is_none())
    }

    /// Returns whether there is more than one layer, so that origins of values are worth showing.
    #[must_use]
    pub fn is_layered(&self) -> bool {
        self.layers_in_use().count() > 1
    }

    /// Returns the layers that are left out, each with the reason.
    pub fn left_out(&self) -> impl Iterator<Item = (&LayerSummary, &str)> {
        self.layers.iter().filter_map(|layer| Some((layer, layer.left_out.as_deref()?)))
    }

    /// Returns the title and the sources with their ages: `CKI, default + /srv/private`.
    #[must_use]
    pub fn label(&self) -> String {
        let in_use: Vec<&LayerSummary> = self.layers_in_use().map(|(_, layer)| layer).collect();
        let age =
            |layer: &LayerSummary| layer.age.as_ref().map(|age| format!(" ({age})")).unwrap_or_default();
        match in_use.as_slice() {
            [] => format!("{}, {}", self.title, self.origin),
            [one] => format!("{}, {}{}", self.title, self.origin, age(one)),
            all => {
                let layers: Vec<String> =
                    all.iter().map(|layer| format!("{}{}", layer.label, age(layer))).collect();
                format!("{}, {}", self.title, layers.join(" + "))
            }
        }
    }
}

impl SourceMap {
    /// Returns the origin of each single value of an entry, and of each list of which only the whole has one.
    #[must_use]
    pub fn origins(&self) -> Vec<FieldOrigin> {
        let Ok(mut found) = tree::long_documents(self.file(), self.text()) else { return Vec::new() };
        let Some(mut node) = found.nodes.drain(..).next() else { return Vec::new() };
        if let Some(number) = self.entry_of("") {
            let items = node.get("components").map(Node::items).unwrap_or_default();
            let Some(item) = items.get(number as usize) else { return Vec::new() };
            node = item.clone();
        }
        let mut origins = Vec::new();
        self.add_origins(&node, "", &mut origins);
        origins
    }

    fn add_origins(&self, node: &Node, path: &str, origins: &mut Vec<FieldOrigin>) {
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match &node.value {
            NodeValue::Map(entries) => {
                entries.iter().for_each(|entry| self.add_origins(&entry.node, &below(&entry.key), origins));
            }
            NodeValue::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_origins(item, &below(&index.to_string()), origins);
                }
            }
            NodeValue::Scalar { .. } => {
                let (layer, file, position) = self.origin_of_line(node.spot.position);
                let place = format!("{}:{}", text::safe_line(file), position.line);
                origins.push(FieldOrigin { path: path.to_owned(), layer, place });
            }
        }
    }
}
