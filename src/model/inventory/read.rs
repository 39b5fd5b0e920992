//! Parsing the files of an inventory into an [`Inventory`]. Faults that make it unusable are errors; the
//! others are findings (`problem`). Reading the files from disk belongs in `ops`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component as PathPart, Path};

use super::backstage::unplaced::UnplacedPart;
use super::details::{EntryDetails, LazyDetails};
use super::entry::{ComponentEntry, InventoryFile};
use super::error::{Errors, InventoryError};
use super::index::Index;
use super::problem::{Problem, ProblemKind, did_you_mean};
use super::{Component, Inventory, Production, SourceMap};
use crate::base::text;
use crate::base::yaml::flat::FlatText;
use crate::base::yaml::{self, CompiledDocument, UnknownKey};
use crate::model::reference::{Reference, is_name};

/// Text of one file.
#[derive(Debug, Clone)]
pub struct InventoryDocument {
    /// Path, for messages.
    pub file: String,
    /// Content.
    pub text: Cow<'static, str>,
    /// Category and name that the file's path implies; `None` for the head.
    pub reference: Option<Reference>,
}

impl Inventory {
    /// Parses an inventory.
    ///
    /// # Errors
    /// Fails when a document is invalid, or the documents contradict each other.
    pub fn read(origin: &str, documents: Vec<InventoryDocument>) -> Result<Self, InventoryError> {
        Self::of_parts(origin, documents.into_iter().map(InventoryPart::parse).collect())
    }

    /// Reads an inventory whose documents are also given in compiled form; their texts then only serve
    /// for positions. A document without a compiled form is parsed.
    ///
    /// # Errors
    /// Fails like [`Self::read`].
    pub fn read_compiled(
        origin: &str,
        documents: Vec<(InventoryDocument, Option<CompiledDocument<'_>>)>,
    ) -> Result<Self, InventoryError> {
        let part = |(document, compiled): (InventoryDocument, Option<CompiledDocument<'_>>)| match compiled {
            Some(compiled) => of_compiled(document, &compiled),
            None => InventoryPart::parse(document),
        };
        Self::of_parts(origin, documents.into_iter().map(part).collect())
    }

    /// Builds an inventory from parsed documents.
    ///
    /// # Errors
    /// Fails like [`Self::read`].
    pub fn of_parts(
        origin: &str,
        parts: Vec<Result<InventoryPart, InventoryError>>,
    ) -> Result<Self, InventoryError> {
        if parts.is_empty() {
            return Err(InventoryError::Empty(origin.to_owned()));
        }
        let mut read = Self::empty(origin, parts.len());
        let mut errors = Errors::default();
        for part in parts {
            match part {
                Ok(part) => read.take(part, &mut errors),
                Err(error) => errors.note(error),
            }
        }
        errors.none()?;
        read.resolve()?;
        Ok(read)
    }

    /// Returns an inventory without content, with memory for a number of components.
    pub(super) fn empty(origin: &str, components: usize) -> Self {
        Self {
            title: "untitled".to_owned(),
            origin: origin.to_owned(),
            categories: Vec::new(),
            repos: BTreeMap::new(),
            production: Production::default(),
            services: BTreeMap::new(),
            rfcs: None,
            staging: None,
            ignore: Vec::new(),
            backing_services: Vec::new(),
            layers: Vec::new(),
            source_map: SourceMap::new(origin.to_owned(), Cow::Borrowed("")),
            components: Vec::with_capacity(components),
            problems: Vec::new(),
            has_head: false,
            checked_services: None,
            unplaced: Vec::new(),
            index: Index::default(),
        }
    }

    /// Adds a document.
    pub(super) fn take(&mut self, part: InventoryPart, errors: &mut Errors) {
        let InventoryPart { content, written, problems, notes } = part;
        self.problems.extend(problems);
        self.unplaced.extend(notes);
        let head = match content {
            DocumentContent::Entry(one) => return self.components.push(one),
            DocumentContent::Head(head) => *head,
            DocumentContent::Nothing => return,
        };
        if let Some(version) = head.version.filter(|version| *version != 1) {
            return errors.note(InventoryError::Version { file: written.spot("version"), version });
        }
        for (index, entry) in head.components.into_iter().enumerate() {
            match component(entry, None, written.entry(index)) {
                Ok(one) => self.components.push(one),
                Err(error) => errors.note(error),
            }
        }
        // The name becomes the name of a directory, and an argument of commands.
        for name in head.repos.keys().filter(|name| !is_name(name)) {
            let rule = "letters, digits, `-`, `_` and `.` only, beginning with a letter or digit";
            let message = format!("`{}` is no name of a repository: {rule}", name.escape_debug());
            errors.note(InventoryError::Name { file: written.spot("repos"), message });
        }
        self.title = head.title.unwrap_or_else(|| "untitled".to_owned());
        self.categories = head.categories;
        self.repos = head.repos;
        for (name, url) in &mut self.repos {
            // The name of a file stands for its path, with this character for what is not text.
            if !is_relative(url) {
                continue;
            }
            let file = written.file_of(&format!("repos.{name}"));
            if file.contains(char::REPLACEMENT_CHARACTER) {
                let message = format!(
                    "the path of `{}` is relative to this file, whose own path is not UTF-8: give an absolute path, or move the file",
                    name.escape_debug()
                );
                errors.note(InventoryError::Name { file: written.spot("repos"), message });
            } else if let Some(path) = relative_to(file, url) {
                *url = path;
            }
        }
        self.production = head.production;
        self.services = head.services;
        self.rfcs = head.rfcs;
        self.staging = head.staging;
        self.ignore = head.ignore;
        self.source_map = written;
        self.has_head = true;
    }
}

/// Returns the path that a relative path in a file stands for: it begins with `./` or `../`, or is `.` or `..`.
/// `None` for anything else, and in an inventory that is no file.
fn relative_to(file: &str, path: &str) -> Option<String> {
    if !is_relative(path) || !file.starts_with('/') {
        return None;
    }
    let mut whole = Path::new(file).parent()?.to_path_buf();
    for part in Path::new(path).components() {
        match part {
            PathPart::Normal(name) => whole.push(name),
            PathPart::ParentDir => {
                whole.pop();
            }
            _ => {}
        }
    }
    whole.to_str().map(str::to_owned)
}

/// Returns whether an address is a relative path.
fn is_relative(path: &str) -> bool {
    matches!(path.split('/').next(), Some("." | ".."))
}

/// Parsed content of one document with its problems.
pub struct InventoryPart {
    content: DocumentContent,
    written: SourceMap,
    problems: Vec<Problem>,
    /// Notes for the check alone.
    notes: Vec<UnplacedPart>,
}

enum DocumentContent {
    Entry(Component),
    Head(Box<InventoryFile>),
    /// Layers removed it.
    Nothing,
}

impl InventoryPart {
    /// Parses a document.
    ///
    /// # Errors
    /// Fails when the document is invalid.
    pub fn parse(document: InventoryDocument) -> Result<Self, InventoryError> {
        Self::parse_in(0, document)
    }

    /// Parses a document of a layer.
    pub(super) fn parse_in(layer: u16, document: InventoryDocument) -> Result<Self, InventoryError> {
        let InventoryDocument { file, text, reference } = document;
        match reference {
            Some(reference) => {
                let (entry, unknown) = yaml::parse::<ComponentEntry>(&file, &text)?;
                of_entry(entry, reference, SourceMap::in_layer(layer, file, text), unknown)
            }
            None => {
                let (head, unknown) = yaml::parse::<InventoryFile>(&file, &text)?;
                of_head(head, SourceMap::in_layer(layer, file, text), unknown)
            }
        }
    }

    /// Parses a document that is merged of several layers; without a reference, it is the head. `layers` are those of
    /// its lines.
    pub(super) fn of_flat(
        reference: Option<Reference>,
        flat: FlatText,
        layers: Vec<u16>,
    ) -> Result<Self, InventoryError> {
        match reference {
            Some(reference) => {
                let (entry, unknown) = flat.parse::<ComponentEntry>()?;
                of_entry(entry, reference, SourceMap::merged(flat, layers), unknown)
            }
            None => {
                let (head, unknown) = flat.parse::<InventoryFile>()?;
                of_head(head, SourceMap::merged(flat, layers), unknown)
            }
        }
    }
}

impl InventoryPart {
    /// Creates a part without content.
    pub(super) fn notes_only(notes: Vec<UnplacedPart>) -> Self {
        let written = SourceMap::new(String::new(), Cow::Borrowed(""));
        Self { content: DocumentContent::Nothing, written, problems: Vec::new(), notes }
    }

    /// Adds what only the check reports.
    pub(super) fn with_notes(mut self, notes: Vec<UnplacedPart>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Reads the head of an inventory from the cache, and returns its problems apart: others may come before them.
    pub(super) fn stored_head(written: SourceMap) -> Option<(Self, Vec<Problem>)> {
        let (head, unknown) = yaml::parse::<InventoryFile>(written.file(), written.text()).ok()?;
        let mut part = of_head(head, written, unknown).ok()?;
        let problems = std::mem::take(&mut part.problems);
        Some((part, problems))
    }

    /// Returns the unknown keys of an entry from the cache.
    pub(super) fn problems_of_entry(written: &SourceMap) -> Option<Vec<Problem>> {
        let (_, unknown) = yaml::parse::<ComponentEntry>(written.file(), written.text()).ok()?;
        unknown_keys(written, unknown).ok()
    }
}

fn of_compiled(
    document: InventoryDocument,
    compiled: &CompiledDocument<'_>,
) -> Result<InventoryPart, InventoryError> {
    let written = |document: InventoryDocument| SourceMap::new(document.file, document.text);
    if let Some(reference) = &document.reference {
        let Some(entry) = compiled.typed::<ComponentEntry>() else { return InventoryPart::parse(document) };
        return of_entry(entry, reference.clone(), written(document), Vec::new());
    }
    match compiled.typed::<InventoryFile>() {
        Some(head) => of_head(head, written(document), Vec::new()),
        None => InventoryPart::parse(document),
    }
}

fn of_entry(
    entry: ComponentEntry,
    reference: Reference,
    written: SourceMap,
    unknown: Vec<UnknownKey>,
) -> Result<InventoryPart, InventoryError> {
    let problems = unknown_keys(&written, unknown)?;
    let content = DocumentContent::Entry(component(entry, Some(reference), written.clone())?);
    Ok(InventoryPart { content, written, problems, notes: Vec::new() })
}

fn of_head(
    head: InventoryFile,
    written: SourceMap,
    unknown: Vec<UnknownKey>,
) -> Result<InventoryPart, InventoryError> {
    let problems = unknown_keys(&written, unknown)?;
    let content = DocumentContent::Head(Box::new(head));
    Ok(InventoryPart { content, written, problems, notes: Vec::new() })
}

fn component(
    mut entry: ComponentEntry,
    place: Option<Reference>,
    written: SourceMap,
) -> Result<Component, InventoryError> {
    let wrong = |message: String| InventoryError::Name { file: written.spot(""), message };
    let category = entry.category.take().or_else(|| place.as_ref().map(|place| place.category.clone()));
    let name = entry.name.take().or_else(|| place.as_ref().map(|place| place.name.clone()));
    let name = name.ok_or_else(|| wrong("an entry lacks its `name`".to_owned()))?;
    let category = category.ok_or_else(|| wrong(format!("the entry `{name}` lacks its `category`")))?;
    for part in [&category, &name] {
        if !is_name(part) {
            return Err(wrong(format!("`{part}` is no name: letters, digits, `-`, `_` and `.` only")));
        }
    }
    let reference = Reference { category, name };
    if let Some(place) = place.filter(|place| *place != reference) {
        return Err(wrong(format!("the file's place says `{place}`, its content says `{reference}`")));
    }
    let details = LazyDetails::new(EntryDetails::take(&mut entry));
    Ok(Component {
        reference,
        description: entry
            .description
            .map(|text| text.trim().to_owned().into())
            .filter(|text: &Cow<'_, str>| !text.is_empty()),
        kind: entry.kind.map(Cow::Owned),
        infrastructure: entry.infrastructure.map(Cow::Owned),
        people: entry.people.into_iter().map(Cow::Owned).collect(),
        source_map: written,
        details,
    })
}

/// Returns the problems of unknown keys.
///
/// # Errors
/// Fails if one is part of the rules against production, or likely meant to be.
fn unknown_keys(written: &SourceMap, unknown: Vec<UnknownKey>) -> Result<Vec<Problem>, InventoryError> {
    const RULES: &str = "production";
    for UnknownKey { path, key, known } in &unknown {
        let is_below = path.split('.').any(|step| step == RULES);
        let is_meant = known.contains(&RULES) && !text::nearest(key, [RULES]).is_empty();
        if is_below || is_meant {
            let nearest = text::nearest(key, known.iter().copied());
            let file = written.spot(path);
            return Err(InventoryError::Production {
                file,
                key: path.clone(),
                instead: did_you_mean(&nearest),
            });
        }
    }
    let problem = |UnknownKey { path, key, known }| Problem {
        source_map: written.clone(),
        path,
        what: ProblemKind::UnknownKey { key, known },
    };
    Ok(unknown.into_iter().map(problem).collect())
}
