//! What the queries captured in one text, before it is known what the names in it stand for.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use tree_sitter::{Node, Query, QueryCursor, StreamingIterator as _, Tree};

use super::imports::Import;
use super::syntax;

/// So many names at most stand for one.
const MEANINGS: usize = 8;
/// So many places in one file at most are looked at.
const PLACES: usize = 20_000;
/// So long may the queries of one file take.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many matches may be under way at once.
const MATCHES: u32 = 4096;

/// A place that may read the environment.
pub(super) struct Place<'t> {
    /// All of it.
    pub(super) read: Node<'t>,
    pub(super) kind: PlaceKind<'t>,
    /// Another value takes its place.
    pub(super) default: bool,
}

pub(super) enum PlaceKind<'t> {
    /// `function(arguments)`, or `receiver.function(arguments)`.
    Call { receiver: Option<Node<'t>>, function: Node<'t>, suffix: String, arguments: Node<'t> },
    /// `object[key]` or `object.property`.
    Entry { object: Node<'t>, key: Node<'t>, is_name: bool, act: Act },
    /// Struct tags.
    Tag,
}

/// What is done with an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    /// Only whether it is there.
    Ask,
    Write,
}

/// A variable by its name alone.
pub(super) struct Name<'t> {
    pub(super) node: Node<'t>,
    pub(super) default: bool,
    pub(super) required: bool,
    /// It is this, in capitals.
    pub(super) upper: bool,
}

/// A function of the text's own.
pub(super) struct Wrapper {
    pub(super) name: String,
    pub(super) parameters: Vec<Option<String>>,
    pub(super) body: Range<usize>,
}

/// All of it.
#[derive(Default)]
pub(super) struct Notes<'t> {
    aliases: HashMap<String, Vec<String>>,
    constants: HashMap<String, Option<String>>,
    pub(super) places: Vec<Place<'t>>,
    pub(super) names: BTreeMap<usize, Name<'t>>,
    pub(super) unknown: Vec<Node<'t>>,
    except: HashSet<usize>,
    /// Where each begins, and how far the longest of them goes.
    fallbacks: HashMap<usize, usize>,
    raises: HashMap<usize, usize>,
    guarded: Vec<Range<usize>>,
    tests: Vec<Range<usize>>,
    later: Vec<Range<usize>>,
    assigned: HashMap<String, Vec<(usize, Range<usize>)>>,
    /// Where each place is in the list, by its node and what is done there.
    seen: HashMap<(usize, u8), usize>,
    pub(super) strict: bool,
    pub(super) imports: Vec<Import>,
    pub(super) wrappers: Vec<Wrapper>,
    pub(super) cut_short: bool,
}

impl<'t> Notes<'t> {
    /// Asks the queries.
    pub(super) fn take(query: &Query, tree: &'t Tree, text: &str) -> Self {
        let mut notes = Self::default();
        let mut cursor = QueryCursor::new();
        cursor.set_match_limit(MATCHES);
        let names = query.capture_names();
        let end = Instant::now() + PATIENCE;
        let mut matches = cursor.matches(query, tree.root_node(), text.as_bytes());
        while let Some(found) = matches.next() {
            let captures = Captures {
                nodes: found.captures.iter().map(|one| (names[one.index as usize], one.node)).collect(),
                settings: query
                    .property_settings(found.pattern_index)
                    .iter()
                    .map(|one| (&*one.key, one.value.as_deref().unwrap_or_default()))
                    .collect(),
                text,
            };
            notes.note(&captures);
            if notes.places.len() + notes.names.len() > PLACES || Instant::now() > end {
                notes.cut_short = true;
                break;
            }
        }
        drop(matches);
        notes.cut_short |= cursor.did_exceed_match_limit();
        notes
    }

    fn note(&mut self, found: &Captures<'_, 't>) {
        self.note_names(found);
        self.note_ranges(found);
        self.note_places(found);
    }

    /// What stands for what.
    fn note_names(&mut self, found: &Captures<'_, 't>) {
        let member = found.text("member");
        if let (Some(path), Some(name)) = (found.path("path"), found.text("alias").or(member)) {
            let path = match member {
                Some(member) if path.ends_with('.') => format!("{path}{member}"),
                Some(member) => format!("{path}.{member}"),
                None => path,
            };
            let meanings = self.aliases.entry(name.to_owned()).or_default();
            if meanings.len() < MEANINGS && !meanings.contains(&path) {
                meanings.push(path);
            }
        }
        if let (Some(name), Some(node)) = (found.text("constant"), found.node("text")) {
            let said = syntax::literal(node, found.text);
            let known = self.constants.entry(name.to_owned()).or_insert_with(|| said.clone());
            if *known != said {
                *known = None;
            }
        }
        if let Some(import) = found.path("import").or_else(|| found.text("import").map(str::to_owned)) {
            let path =
                match found.path("import.from").or_else(|| found.text("import.from").map(str::to_owned)) {
                    Some(from) if from.ends_with('.') => format!("{from}{import}"),
                    Some(from) => format!("{from}.{import}"),
                    None => import,
                };
            self.imports.push(Import { path });
        }
        if let (Some(name), Some(parameters), Some(body)) =
            (found.text("wrapper"), found.node("parameters"), found.node("body"))
        {
            let parameters = syntax::parameters(parameters, found.text);
            self.wrappers.push(Wrapper { name: name.to_owned(), parameters, body: body.byte_range() });
        }
    }

    fn note_ranges(&mut self, found: &Captures<'_, 't>) {
        self.except.extend(found.node("except").map(|node| node.id()));
        self.except.extend(found.node("write").map(|node| node.id()));
        for (name, ranges) in
            [("guarded", &mut self.guarded), ("test", &mut self.tests), ("later", &mut self.later)]
        {
            ranges.extend(found.node(name).map(|node| node.byte_range()));
        }
        for (name, ends) in [("fallback", &mut self.fallbacks), ("raises", &mut self.raises)] {
            if let Some(node) = found.node(name) {
                let end = ends.entry(node.start_byte()).or_default();
                *end = node.end_byte().max(*end);
            }
        }
        self.strict |= found.node("strict").is_some();
        if let Some(node) = found.node("assigned") {
            // In `X=${X:-y}`, X is read before it is set.
            let whole = node.parent().filter(|parent| parent.kind() == "variable_assignment");
            let range = whole.unwrap_or(node).byte_range();
            self.assigned
                .entry(found.text[node.byte_range()].to_owned())
                .or_default()
                .push((node.id(), range));
        }
    }

    fn note_places(&mut self, found: &Captures<'_, 't>) {
        let default = found.is_set("default");
        let read = |node| found.node("read").or(found.node("write")).or(found.node("asked")).unwrap_or(node);
        if let (Some(function), Some(arguments)) = (found.node("function"), found.node("arguments")) {
            let suffix = found.setting("suffix").unwrap_or_default().to_owned();
            let kind = PlaceKind::Call { receiver: found.node("receiver"), function, suffix, arguments };
            self.add_place(Place { read: read(function), kind, default });
        }
        if let (Some(object), Some(key)) =
            (found.node("object"), found.node("key").or(found.node("property")))
        {
            let act = match (found.node("write"), found.node("asked")) {
                (Some(_), _) => Act::Write,
                (None, Some(_)) => Act::Ask,
                (None, None) => Act::Read,
            };
            let is_name = found.node("property").is_some();
            let kind = PlaceKind::Entry { object, key, is_name, act };
            self.add_place(Place { read: read(key), kind, default });
        }
        if let Some(node) = found.node("name") {
            let new = Name { node, default: false, required: false, upper: false };
            let name = self.names.entry(node.id()).or_insert(new);
            name.default |= default;
            name.required |= found.is_set("required");
            name.upper |= found.is_set("upper");
        }
        if let Some(node) = found.node("tag") {
            self.add_place(Place { read: node, kind: PlaceKind::Tag, default });
        }
        self.unknown.extend(found.node("unknown"));
    }

    /// Several queries may see the same place; what any of them says of it holds.
    fn add_place(&mut self, place: Place<'t>) {
        let act = match &place.kind {
            PlaceKind::Entry { act: Act::Ask, .. } => 1,
            PlaceKind::Entry { act: Act::Write, .. } => 2,
            _ => 0,
        };
        match self.seen.entry((place.read.id(), act)) {
            Entry::Occupied(known) => self.places[*known.get()].default |= place.default,
            Entry::Vacant(new) => {
                new.insert(self.places.len());
                self.places.push(place);
            }
        }
    }

    /// Variables that the text sets for itself.
    pub(super) fn assigned(&self) -> BTreeSet<String> {
        let is_kept = |(id, _): &(usize, _)| !self.except.contains(id);
        let kept = self.assigned.iter().filter(|(_, all)| all.iter().any(is_kept));
        kept.map(|(name, _)| name.clone()).collect()
    }

    /// Whether the text has set a variable by the time that it reads it.
    pub(super) fn is_assigned(&self, name: &str, at: usize) -> bool {
        let is_later = self.later.iter().any(|body| body.contains(&at));
        self.assigned
            .get(name)
            .into_iter()
            .flatten()
            .filter(|(id, range)| !self.except.contains(id) && !range.contains(&at))
            .any(|(_, range)| is_later || range.end <= at)
    }

    /// Whether something is not to be taken although a query found it.
    pub(super) fn is_excepted(&self, node: Node<'_>) -> bool {
        self.except.contains(&node.id())
    }

    /// Whether something else takes the place of what is read.
    pub(super) fn has_fallback(&self, read: Node<'_>) -> bool {
        begins(&self.fallbacks, read)
    }

    /// Whether what is read must be there.
    pub(super) fn must_be_there(&self, read: Node<'_>) -> bool {
        begins(&self.raises, read)
    }

    /// Whether a failure is caught.
    pub(super) fn is_guarded(&self, read: Node<'_>) -> bool {
        within(&self.guarded, read)
    }

    /// Whether it is a test.
    pub(super) fn is_test(&self, read: Node<'_>) -> bool {
        within(&self.tests, read)
    }

    /// All that a name may stand for, itself included.
    pub(super) fn meanings(&self, path: &str) -> Vec<String> {
        let mut all = vec![path.to_owned()];
        let mut next = 0;
        while next < all.len() && all.len() < MEANINGS * 4 {
            let path = all[next].clone();
            let (head, rest) = path.split_at(path.find('.').unwrap_or(path.len()));
            for meant in self.aliases.get(head).into_iter().flatten() {
                let longer = format!("{meant}{rest}");
                if longer.len() < 300 && !all.contains(&longer) {
                    all.push(longer);
                }
            }
            next += 1;
        }
        all
    }

    /// The text that a name stands for.
    pub(super) fn constant(&self, path: &str) -> Option<&str> {
        let last = path.rsplit('.').next()?;
        self.constants.get(last)?.as_deref()
    }
}

/// One match.
struct Captures<'q, 't> {
    nodes: Vec<(&'q str, Node<'t>)>,
    settings: Vec<(&'q str, &'q str)>,
    text: &'q str,
}

impl<'q, 't> Captures<'q, 't> {
    fn node(&self, name: &str) -> Option<Node<'t>> {
        self.nodes.iter().find(|(other, _)| *other == name).map(|(_, node)| *node)
    }

    fn text(&self, name: &str) -> Option<&'q str> {
        self.text.get(self.node(name)?.byte_range())
    }

    fn path(&self, name: &str) -> Option<String> {
        syntax::path(self.node(name)?, self.text)
    }

    fn setting(&self, name: &str) -> Option<&'q str> {
        self.settings.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    fn is_set(&self, name: &str) -> bool {
        self.setting(name).is_some()
    }
}

/// Whether something begins where the node does, and is at least as long.
fn begins(ends: &HashMap<usize, usize>, node: Node<'_>) -> bool {
    ends.get(&node.start_byte()).is_some_and(|end| *end >= node.end_byte())
}

fn within(ranges: &[Range<usize>], node: Node<'_>) -> bool {
    ranges.iter().any(|range| range.start <= node.start_byte() && range.end >= node.end_byte())
}
