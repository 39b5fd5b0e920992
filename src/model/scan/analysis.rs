//! Resolution of query captures to reads: names are followed to their meanings, and compared with the
//! rules. The captures belong in `source_notes`, variables that are read without a call in `names`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tree_sitter::Node;

use super::capture_sites::{Act, CaptureSite, PlaceKind};
use super::conditions::{ReadNode, conditional};
use super::error::ScanRulesError;
use super::grammar::{Grammar, errors};
use super::references::references;
use super::rules::{Getter, Language, RawMissing, by_end};
use super::source_notes::SourceNotes;
use super::syntax::{self, Arguments};
use super::{EnvRead, FileScan, Requirement, Unknown, shown};
use crate::model::environment::is_variable_name;

/// Maximum depth of scripts in scripts.
const SCRIPTS: usize = 3;
/// Maximum depth of calls between functions that read.
const LAYERS: usize = 3;

/// Scans one text.
pub(super) fn scan(
    language: &Language,
    grammar: Grammar,
    text: &str,
    more: &BTreeMap<String, Getter>,
) -> Result<FileScan, ScanRulesError> {
    scan_nested(language, grammar, text, more, 0)
}

/// Scans one text that is nested in others, and the scripts in it.
fn scan_nested(
    language: &Language,
    grammar: Grammar,
    text: &str,
    more: &BTreeMap<String, Getter>,
    depth: usize,
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
        reads: Vec::new(),
        found: FileScan::default(),
    };
    reader.read_all();
    let scripts = reader.scripts();
    let mut found = reader.found;
    for script in scripts {
        if depth >= SCRIPTS {
            found.cut_short = true;
            break;
        }
        let mut nested = scan_nested(language, grammar, &script.text, more, depth + 1)?;
        if script.in_same_shell {
            nested.finds.retain(|find| !found.assigned.contains(&find.name));
        }
        found.include(nested, script.line);
    }
    found.errors = errors(&tree);
    found.cut_short = reader.notes.cut_short;
    found.imports = std::mem::take(&mut reader.notes.imports);
    Ok(found)
}

/// State of the scan of one text.
pub(super) struct SourceReader<'a, 't> {
    pub(super) language: &'a Language,
    pub(super) text: &'a str,
    pub(super) notes: SourceNotes<'t>,
    more: &'a BTreeMap<String, Getter>,
    /// Variables that the text checks before it reads them.
    asked: BTreeSet<String>,
    /// Reads of variables, in the order of the finds.
    reads: Vec<ReadNode<'t>>,
    pub(super) found: FileScan,
}

/// Meaning of a place.
enum SeenNames<'t> {
    Read {
        name: Node<'t>,
        is_name: bool,
        default: Option<Node<'t>>,
        missing: bool,
        build: bool,
    },
    Fixed(Vec<String>),
    /// Each expression is a name.
    Names(Vec<Node<'t>>),
    /// A text with references.
    Template(Node<'t>),
    /// A key of which a library makes the name.
    Key(Node<'t>),
    /// All variables, or names that are unknown here.
    All,
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
        self.take_mentions(&places);
        let names = std::mem::take(&mut self.notes.names);
        for name in names.values() {
            self.take_name(name);
        }
        self.take_arithmetic();
        self.take_substitutions();
        self.take_settings();
        for node in std::mem::take(&mut self.notes.unknown) {
            self.add_unknown(node);
        }
        self.found.assigned = self.notes.assigned();
        let is_required = |find: &EnvRead| find.need == Requirement::Required;
        for at in conditional(&self.reads, &self.found.finds, is_required, self.text) {
            self.found.finds[at].need = Requirement::Optional;
        }
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
                if getter.prefix {
                    return None;
                }
                if getter.all || self.prefix(place.read, &path).is_none() {
                    return Some(SeenNames::All);
                }
                if getter.template {
                    return arguments.get(Some(getter.name), getter.key.as_deref()).map(SeenNames::Template);
                }
                if getter.derived && arguments.by_position.len() == 1 {
                    return arguments.by_position.first().copied().map(SeenNames::Key);
                }
                if getter.each {
                    let names = arguments.by_position.into_iter().skip(getter.name);
                    return Some(SeenNames::Names(names.collect()));
                }
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
                let meanings = self.meanings(&path);
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
            PlaceKind::Whole(object) => {
                (self.is_table(*object) || self.is_watched(*object)).then_some(SeenNames::All)
            }
            PlaceKind::Tag => None,
        }
    }

    /// Returns all meanings of a name, including those that the rules know.
    pub(super) fn meanings(&self, path: &str) -> Vec<String> {
        let mut meanings = self.notes.meanings(path);
        for (other, path) in &self.language.aliases {
            let rest = |meaning: &String| {
                let rest = meaning.strip_prefix(other.as_str())?;
                (rest.is_empty() || rest.starts_with('.')).then(|| format!("{path}{rest}"))
            };
            let more: Vec<String> = meanings.iter().filter_map(rest).collect();
            meanings.extend(more);
        }
        meanings
    }

    /// Returns whether an expression is the whole environment.
    pub(super) fn is_table(&self, node: Node<'_>) -> bool {
        let path = syntax::path(node, self.text).unwrap_or_default();
        let meanings = self.meanings(&path);
        meanings.iter().any(|path| by_end(&self.language.tables, path).is_some())
    }

    pub(super) fn getter(&self, path: &str) -> Option<&Getter> {
        let meanings = self.meanings(path);
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
            ..Getter::default()
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
            SeenNames::All => self.add_unknown(place.read),
            SeenNames::Names(names) => {
                for name in names {
                    match self.said(name, false) {
                        Some(name) => self.add(place.read, name, Requirement::Optional, false),
                        None => self.add_unknown(place.read),
                    }
                }
            }
            SeenNames::Template(node) => match syntax::literal(node, self.text) {
                Some(text) => {
                    for (name, need, _) in references(&text) {
                        self.add(place.read, name, need, false);
                    }
                }
                None => self.add_unknown(place.read),
            },
            SeenNames::Key(node) => {
                let prefixes = self.notes.key_prefixes.iter();
                let prefix: Option<String> = prefixes.map(|node| syntax::literal(*node, self.text)).collect();
                let key = syntax::literal(node, self.text);
                let name = prefix.zip(key).map(|(prefix, key)| {
                    let separator = if prefix.is_empty() { "" } else { "_" };
                    format!("{prefix}{separator}{key}").to_uppercase()
                });
                match name.filter(|name| is_variable_name(name)) {
                    Some(name) => self.add(place.read, name, Requirement::Optional, false),
                    None => self.add_unknown(place.read),
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
                    Some(name) => {
                        let name = format!("{}{name}", self.prefix_of(place));
                        self.add(place.read, name, need, build);
                    }
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
    pub(super) fn said(&self, node: Node<'_>, is_name: bool) -> Option<String> {
        let said = if is_name {
            self.text[node.byte_range()].to_owned()
        } else if let Some(said) = syntax::literal(node, self.text) {
            said
        } else {
            let path = syntax::path(node, self.text)?;
            let meanings = self.meanings(&path);
            meanings.iter().find_map(|path| self.notes.constant(path))?.to_owned()
        };
        is_variable_name(&said).then_some(said)
    }

    pub(super) fn add(&mut self, at: Node<'t>, name: String, need: Requirement, build: bool) {
        let (line, test) = (at.start_position().row + 1, self.notes.is_test(at));
        self.reads.push((at, self.found.finds.len()));
        self.found.finds.push(EnvRead { name, line, need, build, test });
    }

    pub(super) fn add_unknown(&mut self, node: Node<'_>) {
        self.found.unknown.push(Unknown {
            line: node.start_position().row + 1,
            text: shown(&self.text[node.byte_range()]),
            test: self.notes.is_test(node),
        });
    }
}
