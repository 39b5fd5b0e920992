//! Entities as entries: names, people, links, sources and relations. Reading entities is in `entity`.

use std::collections::{BTreeSet, HashMap};

use super::annotations::{DEPENDENCIES, NOBODY, PEOPLE, REFERENCE, SOURCE, read_verb};
use super::entity::{BackstageEntity, DEFAULT, EntityKey, key_of, parts};
use super::faults;
use super::names::references;
use super::unplaced::UnplacedPart;
use crate::base::text::join_and;
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};
use crate::model::inventory::layers::LayerDocument;
use crate::model::reference::Reference;

/// Kinds of entities that become entries, each with its keys of `spec` that have a place.
const KINDS: [(&str, &[&str]); 7] = [
    (
        "component",
        &[
            "type",
            "owner",
            "system",
            "subcomponentOf",
            "providesApis",
            "consumesApis",
            "dependsOn",
            "dependencyOf",
        ],
    ),
    ("api", &["type", "owner", "system"]),
    ("resource", &["type", "owner", "system", "dependsOn", "dependencyOf"]),
    ("system", &["type", "owner", "domain"]),
    ("domain", &["type", "owner", "subdomainOf"]),
    ("group", &["type", "parent", "children", "members"]),
    ("user", &["memberOf"]),
];
/// Annotations that have a place.
const ANNOTATIONS: [&str; 4] = [REFERENCE, PEOPLE, DEPENDENCIES, SOURCE];
/// Keys of `metadata` that have a place, or none of their own.
const METADATA: [&str; 5] = ["name", "namespace", "description", "annotations", "links"];

/// A catalog as the documents of a layer.
#[derive(Debug, Default)]
pub struct MappedCatalog {
    /// The entries.
    pub documents: Vec<LayerDocument>,
    /// Parts that have no place.
    pub unplaced: Vec<UnplacedPart>,
}

/// A relation of an entry to another one: the verb, the target and the position.
type Relation = (String, Reference, Location);

/// Turns entities into entries.
#[must_use]
pub fn map_entities(entities: Vec<BackstageEntity>, mut unplaced: Vec<UnplacedPart>) -> MappedCatalog {
    let (known, others): (Vec<_>, Vec<_>) =
        entities.into_iter().partition(|entity| KINDS.iter().any(|(kind, _)| *kind == entity.kind));
    for entity in others.iter().filter(|entity| entity.kind != "location") {
        let message = format!("the kind of `{}` has no place in the inventory", entity.shown());
        unplaced.push(UnplacedPart::new(entity.node.spot.clone(), message));
    }
    known.iter().for_each(|entity| faults::check(entity, &mut unplaced));
    let by_key: HashMap<EntityKey, usize> =
        known.iter().enumerate().map(|(at, entity)| (entity.key(), at)).collect();
    let mut mapping = Mapping {
        names: references(&known),
        relations: known.iter().map(|_| Vec::new()).collect(),
        unplaced,
        entities: &known,
        by_key,
    };
    (0..known.len()).for_each(|at| mapping.relate(at));
    let documents = (0..known.len()).filter_map(|at| mapping.entry(at)).collect();
    MappedCatalog { documents, unplaced: mapping.unplaced }
}

struct Mapping<'a> {
    entities: &'a [BackstageEntity],
    /// References of the entries.
    names: Vec<Result<Reference, String>>,
    by_key: HashMap<EntityKey, usize>,
    relations: Vec<Vec<Relation>>,
    unplaced: Vec<UnplacedPart>,
}

impl Mapping<'_> {
    /// Returns the entity that a reference names, and the reference of its entry, also of one that does not exist.
    fn target(&self, at: usize, text: &str, kind: &str) -> (Option<usize>, Option<Reference>) {
        let entity = &self.entities[at];
        let (kind, namespace, name) = parts(text, kind, &entity.namespace);
        if let Some(found) = self.by_key.get(&key_of(kind, namespace, name)) {
            return (Some(*found), self.names[*found].clone().ok());
        }
        let kind = kind.to_lowercase();
        let category = if matches!(kind.as_str(), "group" | "user") { "people" } else { &kind };
        let is_default = namespace.eq_ignore_ascii_case(DEFAULT);
        let name = if is_default { name.to_owned() } else { format!("{namespace}.{name}") };
        (None, Reference::parse(&format!("{category}/{name}")))
    }

    /// Records the relations of an entity: its own, and those of which the other end has the dependency.
    fn relate(&mut self, at: usize) {
        let entity = &self.entities[at];
        let lists = [
            ("dependsOn", "component", "uses", false),
            ("dependencyOf", "component", "uses", true),
            ("consumesApis", "api", "consumes", false),
            ("providesApis", "api", "provided-by", true),
            ("system", "system", "part-of", false),
            ("domain", "domain", "part-of", false),
            ("subcomponentOf", "component", "part-of", false),
            ("subdomainOf", "domain", "part-of", false),
            ("parent", "group", "part-of", false),
            ("memberOf", "group", "part-of", false),
            ("children", "group", "part-of", true),
            ("members", "user", "part-of", true),
        ];
        let known = KINDS.iter().find(|(kind, _)| *kind == entity.kind).map_or(&[][..], |(_, keys)| keys);
        for (key, kind, verb, is_inverse) in lists.iter().filter(|(key, ..)| known.contains(key)) {
            let Some(node) = entity.spec(key) else { continue };
            let texts = match &node.value {
                NodeValue::List(items) => items.iter().collect(),
                _ => vec![node],
            };
            // Backstage takes a component for granted nowhere here.
            let needs_kind = key.starts_with("depend").then_some(*kind);
            for node in texts {
                if let Some(message) = faults::of_reference(node, key, &entity.shown(), needs_kind) {
                    self.unplaced.push(UnplacedPart::fault(node.spot.clone(), message));
                    if node.text().is_none_or(|text| self.target(at, text, kind).1.is_none()) {
                        continue;
                    }
                }
                let target = node.text().map(|text| self.target(at, text, kind));
                let own = self.names[at].clone().ok();
                match (target, own) {
                    (Some((Some(other), _)), Some(own)) if *is_inverse => {
                        self.add(other, (*verb).to_owned(), own, &node.spot);
                    }
                    // The other end has no entry that could have the dependency.
                    (Some((None, Some(target))), _) if *key == "providesApis" => {
                        self.add(at, "provides".to_owned(), target, &node.spot);
                    }
                    (Some((_, Some(target))), _) if !is_inverse => {
                        for (verb, target) in verbs_of(entity, verb, target) {
                            self.add(at, verb, target, &node.spot);
                        }
                    }
                    _ => {
                        let message =
                            format!("`{key}` of `{}` names nothing that has an entry", entity.shown());
                        self.unplaced.push(UnplacedPart::new(node.spot.clone(), message));
                    }
                }
            }
        }
    }

    fn add(&mut self, at: usize, verb: String, target: Reference, spot: &Location) {
        let is_there = |(known, to, _): &Relation| *known == verb && *to == target;
        // Both ends of a relation may state it.
        if !self.relations[at].iter().any(is_there) {
            self.relations[at].push((verb, target, spot.clone()));
        }
    }

    /// Returns the entry of an entity.
    fn entry(&mut self, at: usize) -> Option<LayerDocument> {
        let entity = &self.entities[at];
        let reference = match &self.names[at] {
            Ok(reference) => reference.clone(),
            Err(name) => {
                let message =
                    format!("`{}` is not read, since no component can be called `{name}`", entity.shown());
                self.unplaced.push(UnplacedPart::new(entity.node.spot.clone(), message));
                return None;
            }
        };
        let mut lost = BTreeSet::new();
        let mut map = Vec::new();
        let mut put =
            |key: &str, node: Node| map.push(MapEntry { key: key.to_owned(), spot: node.spot.clone(), node });
        let display_name = entity.spec("profile").and_then(|profile| profile.get("displayName"));
        let description = entity.metadata("description").or(display_name).or(entity.metadata("title"));
        description.into_iter().for_each(|node| put("description", node.clone()));
        let kind = entity.spec("type").cloned();
        let kind =
            kind.or_else(|| (entity.kind == "user").then(|| Node::text_at(&entity.node.spot, "person")));
        kind.into_iter().for_each(|node| put("kind", node));
        self.people(at).into_iter().for_each(|node| put("people", node));
        let (documentation, monitoring) = links(entity, &mut lost);
        documentation.into_iter().for_each(|node| put("documentation", node));
        monitoring.into_iter().for_each(|node| put("monitoring", node));
        match entity.annotation(SOURCE).map(|node| (node, node.text().and_then(source))) {
            Some((node, Some((repo, path)))) => put("sources", sources(&node.spot, &repo, path.as_deref())),
            Some((_, None)) => {
                lost.insert(format!("metadata.annotations.{SOURCE}"));
            }
            None => {}
        }
        let relations = std::mem::take(&mut self.relations[at]);
        if let Some((_, _, spot)) = relations.first() {
            let spot = spot.clone();
            let items = relations.iter().map(|(verb, target, spot)| dependency(spot, verb, target)).collect();
            put("dependencies", Node { spot, value: NodeValue::List(items) });
        }
        self.note_lost(entity, description, lost);
        let spot = entity.node.spot.clone();
        Some(LayerDocument::Tree(Some(reference), Node { spot, value: NodeValue::Map(map) }))
    }

    /// Returns the people of an entity.
    fn people(&self, at: usize) -> Option<Node> {
        let entity = &self.entities[at];
        if let Some(node) = entity.annotation(PEOPLE) {
            let names = node.text()?.split(',').map(str::trim).filter(|name| !name.is_empty());
            let items = names.map(|name| Node::text_at(&node.spot, name)).collect();
            return Some(Node { spot: node.spot.clone(), value: NodeValue::List(items) });
        }
        let owner = entity.spec("owner")?;
        let text = owner.text()?;
        let (found, reference) = self.target(at, text, "group");
        let (_, _, written) = parts(text, "group", &entity.namespace);
        if found.is_none() && written == NOBODY {
            return None;
        }
        let name = reference.map_or_else(|| written.to_owned(), |one| one.name);
        let item = Node::text_at(&owner.spot, name);
        Some(Node { spot: owner.spot.clone(), value: NodeValue::List(vec![item]) })
    }

    /// Records the keys of an entity that have no place, in one finding.
    fn note_lost(
        &mut self,
        entity: &BackstageEntity,
        description: Option<&Node>,
        mut lost: BTreeSet<String>,
    ) {
        let is_description = |node: &Node| description.is_some_and(|found| found.text() == node.text());
        let known = KINDS.iter().find(|(kind, _)| *kind == entity.kind).map_or(&[][..], |(_, keys)| keys);
        let entries = |key: &str| entity.node.get(key).map(Node::entries).unwrap_or_default();
        for entry in entries("metadata").iter().filter(|entry| !METADATA.contains(&entry.key.as_str())) {
            if !(entry.key == "title" && is_description(&entry.node)) {
                lost.insert(format!("metadata.{}", entry.key));
            }
        }
        for entry in entity.metadata("annotations").map(Node::entries).unwrap_or_default() {
            if !ANNOTATIONS.contains(&entry.key.as_str()) {
                lost.insert(format!("metadata.annotations.{}", entry.key));
            }
        }
        for entry in entries("spec") {
            let of_profile = entry.node.entries().iter().filter(|one| !is_description(&one.node));
            match entry.key.as_str() {
                "profile" => lost.extend(of_profile.map(|one| format!("spec.profile.{}", one.key))),
                key if known.contains(&key) => {}
                key => {
                    lost.insert(format!("spec.{key}"));
                }
            }
        }
        let top = entity.node.entries().iter().map(|entry| entry.key.as_str());
        let top = top.filter(|key| !["apiVersion", "kind", "metadata", "spec"].contains(key));
        lost.extend(top.map(str::to_owned));
        if !lost.is_empty() {
            let verb = if lost.len() == 1 { "has" } else { "have" };
            let names: Vec<String> = lost.into_iter().map(|key| format!("`{key}`")).collect();
            let message =
                format!("{} of `{}` {verb} no place in the inventory", join_and(&names), entity.shown());
            self.unplaced.push(UnplacedPart::new(entity.node.spot.clone(), message));
        }
    }
}

/// Returns the verbs with which an entry names a target, and the reference that it uses: those of the annotation, or
/// else the one of the relation.
fn verbs_of(entity: &BackstageEntity, verb: &str, target: Reference) -> Vec<(String, Reference)> {
    let annotated = entity.annotation(DEPENDENCIES).and_then(Node::text).unwrap_or_default();
    let pairs = annotated.split(',').filter_map(|pair| {
        let (verb, target) = pair.trim().split_once(' ')?;
        Some((read_verb(verb).into_owned(), Reference::parse(target)?))
    });
    let named: Vec<(String, Reference)> =
        pairs.filter(|(_, one)| *one == target || one.name.eq_ignore_ascii_case(&target.name)).collect();
    if named.is_empty() || verb != "uses" { vec![(verb.to_owned(), target)] } else { named }
}

fn text_map(spot: &Location, pairs: &[(&str, &str)]) -> Node {
    let entry = |(key, value): &(&str, &str)| MapEntry {
        key: (*key).to_owned(),
        spot: spot.clone(),
        node: Node::text_at(spot, *value),
    };
    Node { spot: spot.clone(), value: NodeValue::Map(pairs.iter().map(entry).collect()) }
}

fn dependency(spot: &Location, verb: &str, target: &Reference) -> Node {
    text_map(spot, &[("verb", verb), ("target", &target.to_string())])
}

fn sources(spot: &Location, repo: &str, path: Option<&str>) -> Node {
    let mut pairs = vec![("repo", repo)];
    pairs.extend(path.map(|path| ("path", path)));
    Node { spot: spot.clone(), value: NodeValue::List(vec![text_map(spot, &pairs)]) }
}

/// Returns the repository and the path of a source location: `url:https://host/group/repo/-/tree/main/path/`.
fn source(text: &str) -> Option<(String, Option<String>)> {
    let url = text.strip_prefix("url:")?;
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    for mark in ["/-/tree/", "/-/blob/", "/tree/", "/blob/", "/src/branch/"] {
        if let Some((repo, below)) = rest.split_once(mark) {
            let path =
                below.split_once('/').map(|(_, path)| path.trim_matches('/')).filter(|path| !path.is_empty());
            return Some((format!("{scheme}://{repo}"), path.map(str::to_owned)));
        }
    }
    Some((format!("{scheme}://{}", rest.trim_end_matches('/')), None))
}

/// Returns the links to documentation, and those to monitoring.
fn links(entity: &BackstageEntity, lost: &mut BTreeSet<String>) -> (Option<Node>, Option<Node>) {
    let Some(list) = entity.metadata("links") else { return (None, None) };
    let (mut documentation, mut monitoring) = (Vec::new(), Vec::new());
    for item in list.items() {
        let Some(url) = item.text_of("url") else {
            lost.insert("metadata.links".to_owned());
            continue;
        };
        let node = text_map(&item.spot, &[("label", item.text_of("title").unwrap_or(url)), ("url", url)]);
        let is_monitoring = |key: &str| item.text_of(key).is_some_and(|text| text.contains("dashboard"));
        let to =
            if is_monitoring("type") || is_monitoring("icon") { &mut monitoring } else { &mut documentation };
        to.push(node);
        let others = item.entries().iter().map(|entry| entry.key.as_str());
        let others = others.filter(|key| !["url", "title", "type", "icon"].contains(key));
        lost.extend(others.map(|key| format!("metadata.links.{key}")));
    }
    let list = |items: Vec<Node>| {
        (!items.is_empty()).then(|| Node { spot: list.spot.clone(), value: NodeValue::List(items) })
    };
    (list(documentation), list(monitoring))
}
