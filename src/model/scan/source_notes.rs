//! Captures of the queries in one text, before names are resolved. The resolution belongs in `analysis`.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use tree_sitter::{Node, Query, QueryCursor, StreamingIterator as _, Tree};

use super::arithmetic;
use super::capture_sites::{Act, Arithmetic, CaptureSite, Name, PlaceKind, PrefixScope, Wrapper};
use super::captures::Captures;
use super::imports::Import;
use super::syntax;

/// Maximum meanings of one name.
const MEANINGS: usize = 8;
/// Maximum places to check in one file.
const PLACES: usize = 20_000;
/// Maximum expressions to check for mentions of the environment in one file.
const MENTIONS: usize = 200_000;
/// Timeout of the queries of one file.
const PATIENCE: Duration = Duration::from_secs(2);
/// Maximum simultaneous matches.
const MATCHES: u32 = 4096;

/// Captures of one text.
#[derive(Default)]
pub(super) struct SourceNotes<'t> {
    aliases: HashMap<String, Vec<String>>,
    constants: HashMap<String, Option<String>>,
    pub(super) places: Vec<CaptureSite<'t>>,
    pub(super) names: BTreeMap<usize, Name<'t>>,
    pub(super) unknown: Vec<Node<'t>>,
    pub(super) prefixes: Vec<PrefixScope<'t>>,
    /// Prefixes of names that a library makes from keys.
    pub(super) key_prefixes: Vec<Node<'t>>,
    /// Commands that replace references in templates.
    pub(super) substitutions: Vec<Node<'t>>,
    /// Commands that may run scripts of their arguments.
    pub(super) scripts: Vec<Node<'t>>,
    /// Classes with base classes.
    pub(super) classes: Vec<Node<'t>>,
    /// Expressions that may be the environment.
    pub(super) mentions: Vec<Node<'t>>,
    /// Mentions that only check whether the environment is there.
    pub(super) tested: HashSet<usize>,
    /// Ranges in which the environment is given another name, or passed on to a program.
    pub(super) passed: Vec<Range<usize>>,
    pub(super) arithmetic: Vec<Arithmetic<'t>>,
    /// Arrays with texts as subscripts.
    pub(super) associative: HashSet<String>,
    except: HashSet<usize>,
    /// Longest end of the fallbacks that begin at each position.
    fallbacks: HashMap<usize, usize>,
    raises: HashMap<usize, usize>,
    guarded: Vec<Range<usize>>,
    tests: Vec<Range<usize>>,
    later: Vec<Range<usize>>,
    assigned: HashMap<String, Vec<(usize, Range<usize>)>>,
    /// Index of each place in the list, by its node and access.
    seen: HashMap<(usize, u8), usize>,
    pub(super) strict: bool,
    pub(super) imports: Vec<Import>,
    pub(super) wrappers: Vec<Wrapper>,
    pub(super) cut_short: bool,
}

impl<'t> SourceNotes<'t> {
    /// Runs the queries.
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
            if notes.places.len() + notes.names.len() > PLACES
                || notes.mentions.len() > MENTIONS
                || Instant::now() > end
            {
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

    /// Records aliases and constants.
    fn note_names(&mut self, found: &Captures<'_, 't>) {
        let member = found.text("member");
        self.mentions.extend(found.node("mention"));
        self.tested.extend(found.node("tested").map(|node| node.id()));
        self.passed.extend(found.node("passed").map(|node| node.byte_range()));
        self.associative.extend(found.text("associative").map(str::to_owned));
        if found.node("alias").is_some() {
            self.passed.extend(found.node("path").map(|node| node.byte_range()));
        }
        if let Some(node) = found.node("arithmetic") {
            let text = &found.text[node.byte_range()];
            for one in arithmetic::names_in(text).into_iter().filter(|one| one.is_set) {
                let sets = self.assigned.entry(one.name.to_owned()).or_default();
                sets.push((node.id(), node.start_byte() + one.at..node.end_byte()));
            }
            let array = found.text("array").map(str::to_owned);
            self.arithmetic.push(Arithmetic { node, array });
        }
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
            self.add_place(CaptureSite { read: read(function), kind, default });
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
            self.add_place(CaptureSite { read: read(key), kind, default });
        }
        if let Some(node) = found.node("name") {
            let name = self.names.entry(node.id()).or_insert(Name {
                node,
                default: false,
                required: false,
                upper: false,
                build: false,
                expression: false,
                field: false,
            });
            name.default |= default;
            for (key, mark) in [
                ("required", &mut name.required),
                ("upper", &mut name.upper),
                ("build", &mut name.build),
                ("expression", &mut name.expression),
                ("field", &mut name.field),
            ] {
                *mark |= found.is_set(key);
            }
        }
        if let Some(node) = found.node("tag") {
            self.add_place(CaptureSite { read: node, kind: PlaceKind::Tag, default });
        }
        if let Some(node) = found.node("whole") {
            self.add_place(CaptureSite { read: node, kind: PlaceKind::Whole(node), default });
        }
        self.unknown.extend(found.node("unknown"));
        self.note_blocks(found);
    }

    fn note_blocks(&mut self, found: &Captures<'_, 't>) {
        match (found.node("prefix"), found.node("prefixer"), found.node("prefixed")) {
            (Some(prefix), Some(function), Some(body)) => {
                self.prefixes.push(PrefixScope { function, prefix, body: body.byte_range() });
            }
            (Some(prefix), ..) => self.key_prefixes.push(prefix),
            _ => {}
        }
        self.substitutions.extend(found.node("substitution"));
        self.scripts.extend(found.node("script"));
        self.classes.extend(found.node("class"));
    }

    /// Adds a place, or merges it with the same place from another query.
    fn add_place(&mut self, place: CaptureSite<'t>) {
        let act = match &place.kind {
            PlaceKind::Entry { act: Act::Ask, .. } => 1,
            PlaceKind::Entry { act: Act::Write, .. } => 2,
            PlaceKind::Whole(_) => 3,
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

    /// Returns the variables that the text sets itself.
    pub(super) fn assigned(&self) -> BTreeSet<String> {
        let is_kept = |(id, _): &(usize, _)| !self.except.contains(id);
        let kept = self.assigned.iter().filter(|(_, all)| all.iter().any(is_kept));
        kept.map(|(name, _)| name.clone()).collect()
    }

    /// Returns whether the text has set a variable before it reads it.
    pub(super) fn is_assigned(&self, name: &str, at: usize) -> bool {
        let is_later = self.later.iter().any(|body| body.contains(&at));
        self.assigned
            .get(name)
            .into_iter()
            .flatten()
            .filter(|(id, range)| !self.except.contains(id) && !range.contains(&at))
            .any(|(_, range)| is_later || range.end <= at)
    }

    /// Returns whether an exception excludes a node that a query matched.
    pub(super) fn is_excepted(&self, node: Node<'_>) -> bool {
        self.except.contains(&node.id())
    }

    /// Returns whether a read has a fallback.
    pub(super) fn has_fallback(&self, read: Node<'_>) -> bool {
        begins(&self.fallbacks, read)
    }

    /// Returns whether a read requires a value.
    pub(super) fn must_be_there(&self, read: Node<'_>) -> bool {
        begins(&self.raises, read)
    }

    /// Returns whether the failure of a read is caught.
    pub(super) fn is_guarded(&self, read: Node<'_>) -> bool {
        within(&self.guarded, read)
    }

    /// Returns whether a read is in a test.
    pub(super) fn is_test(&self, read: Node<'_>) -> bool {
        within(&self.tests, read)
    }

    /// Returns all meanings of a name, including itself.
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

    /// Returns the text of a constant.
    pub(super) fn constant(&self, path: &str) -> Option<&str> {
        let last = path.rsplit('.').next()?;
        self.constants.get(last)?.as_deref()
    }
}

/// Returns whether a range begins with the node, and is at least as long.
fn begins(ends: &HashMap<usize, usize>, node: Node<'_>) -> bool {
    ends.get(&node.start_byte()).is_some_and(|end| *end >= node.end_byte())
}

fn within(ranges: &[Range<usize>], node: Node<'_>) -> bool {
    ranges.iter().any(|range| range.start <= node.start_byte() && range.end >= node.end_byte())
}
