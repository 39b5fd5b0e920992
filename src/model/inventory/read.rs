//! From the texts of an inventory's files to an [`Inventory`], with everything that is wrong found
//! and placed. What makes it unusable is an error; the rest are findings.

use std::borrow::Cow;

use super::entry::{Entry, Head};
use super::{Component, Finding, Inventory, Written};
use crate::base::text;
use crate::base::yaml::{self, UnknownKey, YamlError};
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
    #[error("{file}: {} need each other, so none of them can start first", text::join_and(members))]
    Cycle {
        /// The file of the first, and the place of its `needs`.
        file: String,
        /// The references, in order.
        members: Vec<String>,
    },
    /// There is nothing there.
    #[error("`{0}` holds no inventory: neither `inventory.yaml` nor any entry at `category/name.yaml`")]
    Empty(String),
}

impl Inventory {
    /// Reads an inventory from its documents.
    ///
    /// # Errors
    /// When a document cannot be understood, or the whole makes no sense.
    pub fn read(origin: &str, documents: Vec<Document>) -> Result<Self, InventoryError> {
        if documents.is_empty() {
            return Err(InventoryError::Empty(origin.to_owned()));
        }
        let mut findings = Vec::new();
        let mut components = Vec::new();
        let mut head = Head::default();
        let mut head_written =
            Written { file: origin.to_owned(), text: Cow::Borrowed(""), at: String::new() };
        for part in parse_all(documents) {
            match part? {
                Part::Entry(one, found) => {
                    findings.extend(found);
                    components.push(*one);
                }
                Part::Head { read, written, found } => {
                    findings.extend(found);
                    let mut read = *read;
                    if let Some(version) = read.version.filter(|version| *version != 1) {
                        return Err(InventoryError::Version { file: written.spot("version"), version });
                    }
                    for (index, entry) in std::mem::take(&mut read.components).into_iter().enumerate() {
                        let (file, text) = (written.file.clone(), written.text.clone());
                        let written = Written { file, text, at: format!("components.{index}") };
                        components.push(component(entry, None, written)?);
                    }
                    (head, head_written) = (read, written);
                }
            }
        }
        let mut inventory = Self {
            title: head.title.unwrap_or_else(|| "untitled".to_owned()),
            origin: origin.to_owned(),
            categories: head.categories,
            repos: head.repos,
            production: head.production,
            services: head.services,
            written: head_written,
            components,
            findings,
        };
        inventory.settle()?;
        Ok(inventory)
    }
}

/// What one document holds, and what is wrong with it.
enum Part {
    Entry(Box<Component>, Vec<Finding>),
    Head { read: Box<Head>, written: Written, found: Vec<Finding> },
}

/// Parses documents, in their order. A command that only wants to list a few dozen files spends its
/// time here, so the processors share the work.
fn parse_all(documents: Vec<Document>) -> Vec<Result<Part, InventoryError>> {
    /// A thread costs as much as so many small files.
    const SHARE: usize = 24;
    const MOST: usize = 4;
    let shares = documents.len().div_ceil(SHARE).clamp(1, MOST);
    let size = documents.len().div_ceil(shares).max(1);
    let parse_share = |share: Vec<Document>| share.into_iter().map(parse).collect::<Vec<_>>();
    let mut documents = documents.into_iter();
    let first: Vec<Document> = documents.by_ref().take(size).collect();
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        while documents.len() > 0 {
            let share = documents.by_ref().take(size).collect();
            workers.push(scope.spawn(move || parse_share(share)));
        }
        let mut results = parse_share(first);
        for worker in workers {
            match worker.join() {
                Ok(parts) => results.extend(parts),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}

fn parse(document: Document) -> Result<Part, InventoryError> {
    let Document { file, text, reference } = document;
    let mut found = Vec::new();
    match reference {
        Some(reference) => {
            let (entry, unknown) = yaml::parse::<Entry>(&file, &text)?;
            note_unknown(&mut found, &file, unknown);
            let written = Written { file, text, at: String::new() };
            Ok(Part::Entry(Box::new(component(entry, Some(reference), written)?), found))
        }
        None => {
            let (read, unknown) = yaml::parse::<Head>(&file, &text)?;
            note_unknown(&mut found, &file, unknown);
            Ok(Part::Head { read: Box::new(read), written: Written { file, text, at: String::new() }, found })
        }
    }
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

/// The keys that an entry or the head may have, to find the nearest to a wrong one.
const KEYS: &[&str] = &[
    "args",
    "bot",
    "build",
    "capabilities",
    "categories",
    "category",
    "command",
    "components",
    "container",
    "context",
    "default",
    "dependencies",
    "deployment",
    "description",
    "documentation",
    "environment",
    "exec",
    "file",
    "hosts",
    "http",
    "id",
    "image",
    "inferred",
    "infrastructure",
    "init",
    "kind",
    "label",
    "log",
    "memory",
    "monitoring",
    "name",
    "needs",
    "once",
    "parameters",
    "path",
    "pattern",
    "people",
    "pipelines",
    "port",
    "ports",
    "production",
    "project",
    "read_only",
    "ready",
    "repo",
    "repos",
    "required",
    "run",
    "secret",
    "services",
    "sources",
    "stage",
    "target",
    "tcp",
    "title",
    "type",
    "url",
    "verb",
    "version",
    "via",
    "workdir",
    "writable",
];

fn note_unknown(findings: &mut Vec<Finding>, file: &str, unknown: Vec<UnknownKey>) {
    findings.extend(unknown.into_iter().map(|key| {
        let nearest = text::nearest(key.key(), KEYS.iter().copied());
        Finding {
            file: file.to_owned(),
            position: key.position,
            message: format!("the key `{}` is unknown{}", key.path, did_you_mean(&nearest)),
        }
    }));
}

pub(super) fn did_you_mean(nearest: &[&str]) -> String {
    nearest.first().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Result<Inventory, InventoryError> {
        let head = Document { file: "inventory.yaml".into(), text: Cow::Borrowed(text), reference: None };
        Inventory::read("here", vec![head])
    }

    const SAMPLE: &str = "\
version: 1
title: Sample
categories: [{id: service, title: Services, kind: service}, {id: cronjob, kind: cronjob}]
repos: {tools: 'https://example.org/tools'}
components:
  - {name: b-two, category: service, sources: [{repo: toosl}]}
  - name: a_one
    category: service
    descripton: oops
    dependencies: [{verb: writes, target: service/b-two, inferred: true}]
  - {name: nightly, category: cronjob}
";

    #[test]
    fn entries_are_sorted_and_findings_placed() {
        let inventory = read(SAMPLE).expect("reads");
        let names: Vec<String> = inventory.components.iter().map(|c| c.reference.to_string()).collect();
        assert_eq!(names, ["service/a_one", "service/b-two", "cronjob/nightly"]);
        assert!(inventory.components[2].is_one_shot());
        let findings: Vec<String> = inventory.findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "inventory.yaml:9:5: the key `components.1.descripton` is unknown; did you mean `description`?",
                "inventory.yaml:6:49: there is no repository `toosl`; did you mean `tools`?",
            ]
        );
        let b = Reference::new("service", "b-two");
        assert_eq!(inventory.dependents(&b).map(|(c, _)| c.name()).collect::<Vec<_>>(), ["a_one"]);
    }

    #[test]
    fn names_match_whole_by_part_or_not_at_all() {
        let inventory = read(SAMPLE).expect("reads");
        for query in ["a_one", "service/a_one", "a-one", "one", "A_ONE"] {
            assert_eq!(inventory.find(query).expect(query).name(), "a_one");
        }
        assert!(matches!(inventory.find("service"), Err(super::super::LookupError::Ambiguous { .. })));
        let wrong = inventory.find("nigthly").expect_err("is mistyped");
        assert!(
            matches!(wrong, super::super::LookupError::Unknown { nearest, .. } if nearest == ["nightly"])
        );
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let twice = "components: [{name: a, category: x}, {name: a, category: x}]";
        assert!(matches!(read(twice), Err(InventoryError::Twice { .. })));
        let cycle = "components:\n- {name: a, category: x, run: {command: [a], needs: [b]}}\n- {name: b, category: x, run: {command: [b], needs: [x/a]}}\n";
        assert_eq!(
            read(cycle).expect_err("is a cycle").to_string(),
            "inventory.yaml:2:46: `x/a` and `x/b` need each other, so none of them can start first"
        );
        let error = read("title: x\ncategories: 7\n").expect_err("is no list").to_string();
        assert!(error.starts_with("inventory.yaml:2:13: "), "{error}");
        assert!(matches!(read("version: 2"), Err(InventoryError::Version { version: 2, .. })));
    }
}
