//! From the texts of an inventory's files to an [`Inventory`], with everything that is wrong found
//! and placed. What makes it unusable is an error; the rest are findings.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Entry, Head};
use super::{Category, Component, Finding, Inventory, Written};
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
        for document in documents {
            let Document { file, text, reference } = document;
            match reference {
                Some(reference) => {
                    let (entry, unknown) = yaml::parse::<Entry>(&file, &text)?;
                    note_unknown(&mut findings, &file, unknown);
                    let written = Written { file, text, at: String::new() };
                    components.push(component(entry, Some(reference), written)?);
                }
                None => {
                    let (mut read, unknown) = yaml::parse::<Head>(&file, &text)?;
                    note_unknown(&mut findings, &file, unknown);
                    if let Some(version) = read.version.filter(|version| *version != 1) {
                        let written = Written { file, text, at: String::new() };
                        return Err(InventoryError::Version { file: written.spot("version"), version });
                    }
                    for (index, entry) in std::mem::take(&mut read.components).into_iter().enumerate() {
                        let at = format!("components.{index}");
                        let written = Written { file: file.clone(), text: text.clone(), at };
                        components.push(component(entry, None, written)?);
                    }
                    head_written = Written { file, text, at: String::new() };
                    head = read;
                }
            }
        }
        let mut inventory = Self {
            title: head.title.unwrap_or_else(|| "untitled".to_owned()),
            origin: origin.to_owned(),
            categories: head.categories,
            repos: head.repos,
            production: head.production,
            written: head_written,
            components,
            findings,
        };
        inventory.settle()?;
        Ok(inventory)
    }

    /// Sorts, fills in what a category implies, and checks the whole.
    fn settle(&mut self) -> Result<(), InventoryError> {
        for component in &self.components {
            if self.category(&component.reference.category).is_none() {
                let id = component.reference.category.clone();
                self.categories.push(Category { id, title: None, description: None, kind: None });
            }
        }
        let order: BTreeMap<String, usize> = self
            .categories
            .iter()
            .enumerate()
            .map(|(index, category)| (category.id.clone(), index))
            .collect();
        self.components
            .sort_by_key(|c| (order.get(&c.reference.category).copied(), c.reference.name.clone()));
        for pair in self.components.windows(2) {
            if pair[0].reference == pair[1].reference {
                return Err(InventoryError::Twice {
                    file: pair[1].written.spot(""),
                    other: pair[0].written.spot(""),
                    reference: pair[1].reference.clone(),
                });
            }
        }
        let implied: BTreeMap<String, String> =
            self.categories.iter().filter_map(|c| Some((c.id.clone(), c.kind.clone()?))).collect();
        for component in &mut self.components {
            if component.kind.is_none() {
                component.kind = implied.get(&component.reference.category).cloned();
            }
        }
        self.check_repos();
        self.check_cycles()
    }

    fn check_repos(&mut self) {
        let mut findings = Vec::new();
        for component in &self.components {
            let sources = component.sources.iter().enumerate();
            let mut named: Vec<(String, &str)> = sources
                .map(|(index, source)| (format!("sources.{index}.repo"), source.repo.as_str()))
                .collect();
            let links = component.documentation.iter().enumerate();
            named
                .extend(links.filter_map(|(i, link)| {
                    Some((format!("documentation.{i}.repo"), link.repo.as_deref()?))
                }));
            named.extend(component.build.iter().map(|build| ("build.repo".to_owned(), build.repo.as_str())));
            for (path, repo) in named.into_iter().filter(|(_, repo)| self.repo_url(repo).is_none()) {
                let nearest = text::nearest(repo, self.repos.keys().map(String::as_str));
                findings.push(Finding {
                    file: component.written.file.clone(),
                    position: component.written.position(&path),
                    message: format!("there is no repository `{repo}`{}", did_you_mean(&nearest)),
                });
            }
        }
        self.findings.extend(findings);
    }

    /// Components that need each other can never be started.
    fn check_cycles(&self) -> Result<(), InventoryError> {
        fn visit<'a>(
            inventory: &'a Inventory,
            component: &'a Component,
            path: &mut Vec<&'a Component>,
            done: &mut BTreeSet<&'a Reference>,
        ) -> Result<(), InventoryError> {
            if let Some(start) = path.iter().position(|c| c.reference == component.reference) {
                return Err(InventoryError::Cycle {
                    file: component.written.spot("run.needs"),
                    members: path[start..].iter().map(|c| format!("`{}`", c.reference)).collect(),
                });
            }
            if !done.insert(&component.reference) {
                return Ok(());
            }
            path.push(component);
            for need in component.run.iter().flat_map(|run| &run.needs) {
                if let Ok(needed) = inventory.find_exactly(need) {
                    visit(inventory, needed, path, done)?;
                }
            }
            path.pop();
            done.remove(&component.reference);
            Ok(())
        }
        self.components
            .iter()
            .filter(|c| c.run.as_ref().is_some_and(|run| !run.needs.is_empty()))
            .try_for_each(|component| visit(self, component, &mut Vec::new(), &mut BTreeSet::new()))
    }

    /// The component that another one needs: by `category/name` or the whole name.
    ///
    /// # Errors
    /// When there is none; a backing service of that name may be meant.
    pub fn find_exactly(&self, need: &str) -> Result<&Component, super::LookupError> {
        let mut found = self
            .components
            .iter()
            .filter(|c| c.is_runnable() && (c.name() == need || c.reference.to_string() == need));
        found.next().ok_or_else(|| super::LookupError::Unknown {
            query: need.to_owned(),
            inventory: self.label(),
            nearest: self.nearest(need),
        })
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
    "categories",
    "category",
    "command",
    "components",
    "context",
    "default",
    "dependencies",
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
    "kind",
    "label",
    "log",
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
    "ready",
    "repo",
    "repos",
    "required",
    "run",
    "secret",
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

fn did_you_mean(nearest: &[&str]) -> String {
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
