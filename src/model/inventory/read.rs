//! From the texts of an inventory's files to an [`Inventory`], with everything that is wrong found
//! and placed. What makes it unusable is an error; the rest are findings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::entry::{Entry, Head};
use super::index::Index;
use super::problem::{Problem, What};
use super::{Component, Inventory, Production, Written};
use crate::base::text;
use crate::base::yaml::{self, Compiled, UnknownKey, YamlError};
use crate::model::reference::{Reference, is_name};

/// The text of one file.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its path, for messages.
    pub file: String,
    /// What is in it.
    pub text: Cow<'static, str>,
    /// What its place says that it is: the category and the name; `None` for the head.
    pub reference: Option<Reference>,
}

/// An inventory that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InventoryError {
    /// A file is not YAML, or not of the form that is wanted.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A newer format.
    #[error("{file}: the format has version {version}, and this `cki` knows version 1")]
    Version {
        /// The file and the place in it.
        file: String,
        /// The version that it names.
        version: u32,
    },
    /// Two entries of the same name.
    #[error("{file}: `{reference}` is there twice; the other one is in {other}")]
    Twice {
        /// The file of the second, and the place in it.
        file: String,
        /// That of the first.
        other: String,
        /// The name.
        reference: Reference,
    },
    /// An entry without a name, or with one that is none.
    #[error("{file}: {message}")]
    Name {
        /// The file and the place in it.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// Components that need each other before they can start.
    #[error("{file}: {} need each other, so none of them can start first",
        text::join_some(members.iter().map(|one| format!("`{one}`"))))]
    Cycle {
        /// The file of the first, and the place of its `needs`.
        file: String,
        /// The references, in order.
        members: Vec<String>,
    },
    /// More than one error.
    #[error("{first} (and {})", text::plural(*others, "more error"))]
    Several {
        /// The first.
        first: Box<InventoryError>,
        /// How many more.
        others: usize,
    },
    /// There is nothing there.
    #[error("`{0}` holds no inventory: neither `inventory.yaml` nor any entry at `category/name.yaml`")]
    Empty(String),
}

impl InventoryError {
    /// This error, and how many more there are.
    pub(super) fn with_others(self, others: usize) -> Self {
        if others == 0 { self } else { Self::Several { first: Box::new(self), others } }
    }
}

impl Inventory {
    /// Reads an inventory from its documents.
    ///
    /// # Errors
    /// When a document cannot be understood, or the whole makes no sense.
    pub fn read(origin: &str, documents: Vec<Document>) -> Result<Self, InventoryError> {
        Self::of_parts(origin, documents.into_iter().map(Part::parse).collect())
    }

    /// Reads an inventory whose documents have been compiled as well: their texts are then for places
    /// only. One without its compiled form is parsed.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn read_compiled(
        origin: &str,
        documents: Vec<(Document, Option<Compiled<'_>>)>,
    ) -> Result<Self, InventoryError> {
        let part = |(document, compiled): (Document, Option<Compiled<'_>>)| match compiled {
            Some(compiled) => of_compiled(document, &compiled),
            None => Part::parse(document),
        };
        Self::of_parts(origin, documents.into_iter().map(part).collect())
    }

    /// Puts an inventory together of its documents, each of which has been parsed.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn of_parts(origin: &str, parts: Vec<Result<Part, InventoryError>>) -> Result<Self, InventoryError> {
        if parts.is_empty() {
            return Err(InventoryError::Empty(origin.to_owned()));
        }
        let mut read = Self {
            title: "untitled".to_owned(),
            origin: origin.to_owned(),
            categories: Vec::new(),
            repos: BTreeMap::new(),
            production: Production::default(),
            services: BTreeMap::new(),
            written: Written::new(origin.to_owned(), Cow::Borrowed("")),
            components: Vec::with_capacity(parts.len()),
            problems: Vec::new(),
            index: Index::default(),
        };
        let mut errors = Errors::default();
        for part in parts {
            match part {
                Ok(part) => read.take(part, &mut errors),
                Err(error) => errors.note(error),
            }
        }
        errors.none()?;
        read.settle()?;
        Ok(read)
    }

    fn take(&mut self, part: Part, errors: &mut Errors) {
        let Part { content, written, problems } = part;
        self.problems.extend(problems);
        let head = match content {
            Content::Entry(one) => return self.components.push(one),
            Content::Head(head) => *head,
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
        // The name becomes that of a directory, and an argument of commands.
        for name in head.repos.keys().filter(|name| !is_name(name)) {
            let rule = "letters, digits, `-`, `_` and `.` only, beginning with a letter or digit";
            let message = format!("`{}` is no name of a repository: {rule}", name.escape_debug());
            errors.note(InventoryError::Name { file: written.spot("repos"), message });
        }
        self.title = head.title.unwrap_or_else(|| "untitled".to_owned());
        self.categories = head.categories;
        self.repos = head.repos;
        self.production = head.production;
        self.services = head.services;
        self.written = written;
    }
}

/// The errors of all files, of which the first is told, and how many more there are.
#[derive(Default)]
struct Errors {
    first: Option<InventoryError>,
    others: usize,
}

impl Errors {
    fn note(&mut self, error: InventoryError) {
        match &self.first {
            None => self.first = Some(error),
            Some(_) => self.others += 1,
        }
    }

    fn none(self) -> Result<(), InventoryError> {
        self.first.map_or(Ok(()), |first| Err(first.with_others(self.others)))
    }
}

/// What one document holds, and what is wrong with it.
pub struct Part {
    content: Content,
    written: Written,
    problems: Vec<Problem>,
}

#[expect(clippy::large_enum_variant, reason = "entries are many and come in by value; the head is one")]
enum Content {
    Entry(Component),
    Head(Box<Head>),
}

impl Part {
    /// Parses a document.
    ///
    /// # Errors
    /// Fails when it cannot be understood.
    pub fn parse(document: Document) -> Result<Self, InventoryError> {
        let Document { file, text, reference } = document;
        match reference {
            Some(reference) => {
                let (entry, unknown) = yaml::parse::<Entry>(&file, &text)?;
                of_entry(entry, reference, Written::new(file, text), unknown)
            }
            None => {
                let (head, unknown) = yaml::parse::<Head>(&file, &text)?;
                Ok(of_head(head, Written::new(file, text), unknown))
            }
        }
    }
}

fn of_compiled(document: Document, compiled: &Compiled<'_>) -> Result<Part, InventoryError> {
    let written = |document: Document| Written::new(document.file, document.text);
    if let Some(reference) = &document.reference {
        let Some(entry) = compiled.typed::<Entry>() else { return Part::parse(document) };
        return of_entry(entry, reference.clone(), written(document), Vec::new());
    }
    match compiled.typed::<Head>() {
        Some(head) => Ok(of_head(head, written(document), Vec::new())),
        None => Part::parse(document),
    }
}

fn of_entry(
    entry: Entry,
    reference: Reference,
    written: Written,
    unknown: Vec<UnknownKey>,
) -> Result<Part, InventoryError> {
    let problems = unknown_keys(&written, unknown);
    let content = Content::Entry(component(entry, Some(reference), written.clone())?);
    Ok(Part { content, written, problems })
}

fn of_head(head: Head, written: Written, unknown: Vec<UnknownKey>) -> Part {
    let problems = unknown_keys(&written, unknown);
    Part { content: Content::Head(Box::new(head)), written, problems }
}

fn component(entry: Entry, place: Option<Reference>, written: Written) -> Result<Component, InventoryError> {
    let wrong = |message: String| InventoryError::Name { file: written.spot(""), message };
    let category = entry.category.or_else(|| place.as_ref().map(|place| place.category.clone()));
    let name = entry.name.or_else(|| place.as_ref().map(|place| place.name.clone()));
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
    Ok(Component {
        reference,
        description: entry.description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        kind: entry.kind,
        infrastructure: entry.infrastructure,
        people: entry.people,
        documentation: entry.documentation,
        sources: entry.sources,
        monitoring: entry.monitoring,
        dependencies: entry.dependencies,
        environment: entry.environment,
        hosts: entry.hosts,
        deployment: entry.deployment,
        image: entry.image,
        build: entry.build,
        run: entry.run,
        stage: entry.stage,
        written,
    })
}

fn unknown_keys(written: &Written, unknown: Vec<UnknownKey>) -> Vec<Problem> {
    let problem = |UnknownKey { path, key, known }| Problem {
        written: written.clone(),
        path,
        what: What::UnknownKey { key, known },
    };
    unknown.into_iter().map(problem).collect()
}
