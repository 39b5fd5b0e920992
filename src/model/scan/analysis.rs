//! Resolution of query captures to reads: names are followed to their meanings, and compared with the
//! rules. The captures belong in `notes`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::error::ScanRulesError;
use super::grammar::Grammar;
use super::rules::{Getter, Language, RawMissing, by_end};
use super::source_notes::{Act, CaptureSite, Name, PlaceKind, SourceNotes};
use super::syntax::{self, Arguments};
use super::{EnvRead, FileScan, Requirement, Unknown, shown};
use crate::model::environment::is_variable_name;

/// Maximum unparsed lines to report.
const ERRORS: usize = 20;
/// Maximum depth of calls between functions that read.
const LAYERS: usize = 3;

/// Scans one text.
pub(super) fn scan(
    language: &Language,
    grammar: Grammar,
    text: &str,
    more: &BTreeMap<String, Getter>,
) -> Result<FileScan, ScanRulesError> {
    let program = language.program()?;
    let Some(tree) = grammar.parse(text) else {
        return Ok(FileScan { cut_short: true, ..FileScan::default() });
    };
    let mut reader = SourceReader {
        language,
        text,
        notes: SourceNotes::take(&program.query, &tree, text),
        more,
        asked: BTreeSet::new(),
        found: FileScan::default(),
    };
    reader.read_all();
    let mut found = reader.found;
    found.errors = errors(&tree);
    found.cut_short = reader.notes.cut_short;
    found.imports = std::mem::take(&mut reader.notes.imports);
    Ok(found)
}

struct SourceReader<'a, 't> {
    language: &'a Language,
    text: &'a str,
    notes: SourceNotes<'t>,
    more: &'a BTreeMap<String, Getter>,
    /// Variables that the text checks before it reads them.
    asked: BTreeSet<String>,
    found: FileScan,
}

/// Meaning of a place.
enum SeenNames<'t> {
    Read { name: Node<'t>, is_name: bool, default: Option<Node<'t>>, missing: bool, build: bool },
    Fixed(Vec<String>),
    Ask(Node<'t>),
    Write(Node<'t>, bool),
}

impl<'t> SourceReader<'_, 't> {
    fn read_all(&mut self) {
        let places = std::mem::take(&mut self.notes.places);
        // A function with the name as parameter is a reader itself, and so is one that calls it.
        for _ in 0..LAYERS {
            let before = self.found.wrappers.len();
            for place in &places {
                if let Some(seen) = self.see(place) {
                    self.learn(place, &seen);
                }
            }
            if self.found.wrappers.len() == before {
                break;
            }
        }
        for place in &places {
            if let PlaceKind::Call { function, .. } = &place.kind {
                let name = &self.text[function.byte_range()];
                let last = name.rsplit(['.', ':']).next().unwrap_or_default();
                if is_variable_name(last) {
                    self.found.calls.insert(last.to_owned());
                }
            }
            match self.see(place) {
                Some(seen) => self.take(place, seen),
                None if matches!(place.kind, PlaceKind::Tag) => self.take_tag(place),
                None => {}
            }
        }
        let names = std::mem::take(&mut self.notes.names);
        for name in names.values() {
            self.take_name(name);
        }
        for node in std::mem::take(&mut self.notes.unknown) {
            self.add_unknown(node);
        }
        self.found.assigned = self.notes.assigned();
        let asked = std::mem::take(&mut self.asked);
        for find in &mut self.found.finds {
            if find.need == Requirement::Required && asked.contains(&find.name) {
                find.need = Requirement::Optional;
            }
        }
    }

    /// Interprets a place by the rules.
    fn see(&self, place: &CaptureSite<'t>) -> Option<SeenNames<'t>> {
        match &place.kind {
            PlaceKind::Call { receiver, function, suffix, arguments } => {
                let mut path = syntax::path(*function, self.text)?;
                if let Some(receiver) = receiver {
                    path = format!("{}.{path}", syntax::path(*receiver, self.text)?);
                }
                path.push_str(suffix);
                let getter = self.getter(&path)?;
                if !getter.reads.is_empty() {
                    return Some(SeenNames::Fixed(getter.reads.clone()));
                }
                let arguments = Arguments::of(*arguments, self.text);
                Some(SeenNames::Read {
                    name: arguments.get(Some(getter.name), getter.key.as_deref())?,
                    is_name: false,
                    default: arguments.get(getter.default, getter.keyword.as_deref()),
                    missing: getter.missing == Some(RawMissing::Error),
                    build: getter.build,
                })
            }
            PlaceKind::Entry { object, key, is_name, act } => {
                let path = syntax::path(*object, self.text)?;
                let meanings = self.notes.meanings(&path);
                let table = meanings.iter().find_map(|path| by_end(&self.language.tables, path))?;
                if *act == Act::Read && self.notes.is_excepted(place.read) {
                    return None;
                }
                Some(match act {
                    Act::Ask => SeenNames::Ask(*key),
                    Act::Write => SeenNames::Write(*key, *is_name),
                    Act::Read => SeenNames::Read {
                        name: *key,
                        is_name: *is_name,
                        default: None,
                        missing: table.missing == Some(RawMissing::Error),
                        build: false,
                    },
                })
            }
            PlaceKind::Tag => None,
        }
    }

    fn getter(&self, path: &str) -> Option<&Getter> {
        let meanings = self.notes.meanings(path);
        let by_rule = meanings.iter().find_map(|path| by_end(&self.language.getters, path));
        by_rule.or_else(|| {
            let own = |path: &str| {
                let last = path.strip_prefix("self.").or_else(|| path.strip_prefix("cls.")).unwrap_or(path);
                self.found.wrappers.get(last)
            };
            own(path).or_else(|| meanings.iter().find_map(|path| by_end(self.more, path)))
        })
    }

    /// Records the surrounding function as a reader if the name is one of its parameters.
    fn learn(&mut self, place: &CaptureSite<'_>, seen: &SeenNames<'t>) {
        let SeenNames::Read { name, is_name: false, default, missing, build } = seen else { return };
        let at = place.read.start_byte();
        let contains_read = |body: &Range<usize>| body.contains(&at);
        let wrapper = self.notes.wrappers.iter().filter(|one| contains_read(&one.body));
        let Some(wrapper) = wrapper.min_by_key(|one| one.body.len()) else { return };
        let position = |node: Node<'_>| {
            let written = &self.text[node.byte_range()];
            wrapper.parameters.iter().position(|parameter| parameter.as_deref() == Some(written))
        };
        let Some(number) = position(*name) else { return };
        let by_parameter = default.and_then(position);
        let has_default = default.is_some() || place.default || self.notes.has_fallback(place.read);
        let fails = (*missing || self.notes.must_be_there(place.read)) && !self.notes.is_guarded(place.read);
        let getter = Getter {
            name: number,
            key: wrapper.parameters[number].clone(),
            default: by_parameter,
            keyword: by_parameter.and_then(|number| wrapper.parameters[number].clone()),
            missing: (fails && (by_parameter.is_some() || !has_default)).then_some(RawMissing::Error),
            build: *build,
            reads: Vec::new(),
        };
        let wrapper = wrapper.name.clone();
        self.found.wrappers.entry(wrapper).or_insert(getter);
    }

    fn take(&mut self, place: &CaptureSite<'t>, seen: SeenNames<'t>) {
        match seen {
            SeenNames::Fixed(names) => {
                for name in names {
                    self.add(place.read, name, Requirement::Optional, false);
                }
            }
            SeenNames::Ask(key) => {
                if let Some(name) = self.said(key, false) {
                    self.asked.insert(name.clone());
                    self.add(place.read, name, Requirement::Optional, false);
                }
            }
            SeenNames::Write(key, is_name) => {
                if let Some(name) = self.said(key, is_name) {
                    self.found.sets.push((name, key.start_position().row + 1));
                }
            }
            SeenNames::Read { name, is_name, default, missing, build } => {
                let real = |node: Node<'_>| {
                    !self.language.nothing.iter().any(|nothing| *nothing == self.text[node.byte_range()])
                };
                let has_default =
                    default.is_some_and(real) || place.default || self.notes.has_fallback(place.read);
                let fails = missing && default.is_none() || self.notes.must_be_there(place.read);
                let need = match (has_default, fails && !self.notes.is_guarded(place.read)) {
                    (true, _) => Requirement::Default,
                    (false, true) => Requirement::Required,
                    (false, false) => Requirement::Optional,
                };
                match self.said(name, is_name) {
                    Some(name) => self.add(place.read, name, need, build),
                    None if self.is_parameter(place.read, name) => {}
                    None if syntax::literal(name, self.text).is_some() => {}
                    None => self.add_unknown(place.read),
                }
            }
        }
    }

    /// Returns whether the name is a parameter, so that the callers determine the variable.
    fn is_parameter(&self, read: Node<'_>, name: Node<'_>) -> bool {
        let written = &self.text[name.byte_range()];
        let inner = self.notes.wrappers.iter().filter(|one| one.body.contains(&read.start_byte()));
        inner.min_by_key(|one| one.body.len()).is_some_and(|one| {
            self.found.wrappers.contains_key(&one.name)
                && one.parameters.iter().any(|parameter| parameter.as_deref() == Some(written))
        })
    }

    /// Returns the name that an expression evaluates to.
    fn said(&self, node: Node<'_>, is_name: bool) -> Option<String> {
        let said = if is_name {
            self.text[node.byte_range()].to_owned()
        } else if let Some(said) = syntax::literal(node, self.text) {
            said
        } else {
            let path = syntax::path(node, self.text)?;
            let meanings = self.notes.meanings(&path);
            meanings.iter().find_map(|path| self.notes.constant(path))?.to_owned()
        };
        is_variable_name(&said).then_some(said)
    }

    fn take_name(&mut self, name: &Name<'t>) {
        let node = name.node;
        let written = &self.text[node.byte_range()];
        let mut said = syntax::literal(node, self.text).unwrap_or_else(|| written.to_owned());
        if name.upper {
            said = said.to_uppercase();
        }
        if !is_variable_name(&said)
            || self.notes.is_excepted(node)
            || self.notes.is_assigned(&said, node.start_byte())
        {
            return;
        }
        let need = match (name.default, name.required || self.notes.strict) {
            (true, _) => Requirement::Default,
            (false, true) => Requirement::Required,
            (false, false) => Requirement::Optional,
        };
        self.add(node, said, need, false);
    }

    fn take_tag(&mut self, place: &CaptureSite<'t>) {
        let tag = &self.text[place.read.byte_range()];
        let pairs = syntax::tag_pairs(tag);
        let value =
            |wanted: &[&str]| pairs.iter().find(|(key, _)| wanted.contains(key)).map(|(_, value)| *value);
        for (key, said) in &pairs {
            if !self.language.tags.iter().any(|tag| tag == key) {
                continue;
            }
            let mut options = said.split(',');
            let name = options.next().unwrap_or_default().trim();
            let options: Vec<&str> = options.map(str::trim).collect();
            let has_default = value(&["envDefault", "default"]).is_some()
                || options.iter().any(|option| option.starts_with("default="));
            let required = options.iter().any(|option| matches!(*option, "required" | "notEmpty"))
                || value(&["required"]) == Some("true");
            if is_variable_name(name) {
                let need = match (has_default, required) {
                    (true, _) => Requirement::Default,
                    (false, true) => Requirement::Required,
                    (false, false) => Requirement::Optional,
                };
                self.add(place.read, name.to_owned(), need, false);
            }
        }
    }

    fn add(&mut self, at: Node<'_>, name: String, need: Requirement, build: bool) {
        let (line, test) = (at.start_position().row + 1, self.notes.is_test(at));
        self.found.finds.push(EnvRead { name, line, need, build, test });
    }

    fn add_unknown(&mut self, node: Node<'_>) {
        self.found.unknown.push(Unknown {
            line: node.start_position().row + 1,
            text: shown(&self.text[node.byte_range()]),
            test: self.notes.is_test(node),
        });
    }
}

/// Returns the lines that the grammar cannot parse.
fn errors(tree: &Tree) -> Vec<usize> {
    let mut lines = Vec::new();
    if !tree.root_node().has_error() {
        return lines;
    }
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            let line = node.start_position().row + 1;
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
        if lines.len() >= ERRORS {
            return lines;
        }
        if node.has_error() && !node.is_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return lines;
            }
        }
    }
}
