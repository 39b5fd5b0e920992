//! The checks of `cki rfc check` on documents that were read. The rules by name are in `rule`.

use std::collections::BTreeMap;

use super::document::RfcDocument;
use super::links::{LinkTarget, link_target};
use super::process::RfcProcess;
use super::rule::RfcRule;
use crate::base::text::{join_and, truncate_middle};
use crate::base::yaml::Position;
use crate::model::merge_request::MergeRequestName;

/// Maximum columns of a message: texts in documents may be of any length.
const LONGEST_MESSAGE: usize = 500;

/// A document to check.
#[derive(Debug)]
pub struct CheckedDocument<'a> {
    /// File, for messages.
    pub file: String,
    /// Path in the repository.
    pub path: &'a str,
    /// Number in the name of the file; `None` if it has no valid one.
    pub number: Option<u32>,
    /// The document, or the reason why it is not read.
    pub content: Result<&'a RfcDocument, &'a str>,
}

/// A breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfcFinding {
    /// File.
    pub file: String,
    /// Position in the file.
    pub position: Position,
    /// Rule.
    pub rule: RfcRule,
    /// ID of the document.
    pub id: Option<String>,
    /// Description of the fault, without a final period.
    pub message: String,
    /// Repair, as an imperative without a final period.
    pub fix: String,
}

/// Findings so far.
struct RfcFindings<'a> {
    process: &'a RfcProcess,
    /// Path of the project on its server.
    project: Option<&'a str>,
    found: Vec<RfcFinding>,
}

/// Checks documents. `exists` tells whether the clone has a path.
#[must_use]
pub fn check(
    documents: &[CheckedDocument<'_>],
    process: &RfcProcess,
    project: Option<&str>,
    exists: &dyn Fn(&str) -> bool,
) -> Vec<RfcFinding> {
    let mut findings = RfcFindings { process, project, found: Vec::new() };
    findings.check_numbers(documents);
    for document in documents {
        match document.content {
            Ok(content) => findings.check_document(document, content, exists),
            Err(why) => {
                let fix = "make it a text file of the repository, of at most 1 MiB".to_owned();
                findings.add(
                    RfcRule::UnreadDocument,
                    document,
                    Position { line: 1, column: 1 },
                    (why.to_owned(), fix),
                );
            }
        }
    }
    findings.found.sort_by(|a, b| (&a.file, a.position, a.rule).cmp(&(&b.file, b.position, b.rule)));
    findings.found
}

impl RfcFindings<'_> {
    fn add(
        &mut self,
        rule: RfcRule,
        document: &CheckedDocument<'_>,
        position: Position,
        (message, fix): (String, String),
    ) {
        self.found.push(RfcFinding {
            file: document.file.clone(),
            position,
            rule,
            id: document.number.map(|number| self.process.id(number)),
            message: truncate_middle(&message, LONGEST_MESSAGE),
            fix: truncate_middle(&fix, LONGEST_MESSAGE),
        });
    }

    fn check_numbers(&mut self, documents: &[CheckedDocument<'_>]) {
        const TOP: Position = Position { line: 1, column: 1 };
        let mut by_number: BTreeMap<u32, Vec<&CheckedDocument<'_>>> = BTreeMap::new();
        for document in documents {
            match document.number {
                Some(number) => by_number.entry(number).or_default().push(document),
                None => {
                    let name = self.process.path(1, "words of the title");
                    let message = format!("`{}` has no valid number and words", last_part(document.path));
                    let fix = format!("rename it, as in `{}`", last_part(&name));
                    self.add(RfcRule::InvalidName, document, TOP, (message, fix));
                }
            }
        }
        let numbers: Vec<u32> = by_number.keys().copied().collect();
        let next = RfcProcess::next_number(&numbers, &[]).map(|number| self.process.id(number));
        for (number, same) in by_number.iter().filter(|(_, same)| same.len() > 1) {
            for document in same {
                let others: Vec<String> = same
                    .iter()
                    .filter(|other| other.path != document.path)
                    .map(|other| format!("`{}`", last_part(other.path)))
                    .collect();
                let verb = if others.len() == 1 { "has" } else { "have" };
                let message =
                    format!("{} {verb} the number {}, too", join_and(&others), self.process.id(*number));
                let free = next.as_deref().map(|id| format!(" to {id}")).unwrap_or_default();
                let fix = format!("renumber the newer one{free}, in its name and its title");
                self.add(RfcRule::DuplicateNumber, document, TOP, (message, fix));
            }
        }
    }

    fn check_document(
        &mut self,
        document: &CheckedDocument<'_>,
        content: &RfcDocument,
        exists: &dyn Fn(&str) -> bool,
    ) {
        const TOP: Position = Position { line: 1, column: 1 };
        if let Some(fault) = &content.fault {
            let message = format!("the front matter is no YAML: {}", fault.text);
            let fix = "mend it, or put the value into quotes".to_owned();
            self.add(RfcRule::InvalidFrontMatter, document, fault.position, (message, fix));
        }
        self.check_title(document, content);
        if content.author.is_none() && content.fault.is_none() {
            let fix = format!("add `{}` to the front matter", self.process.author_key);
            self.add(RfcRule::NoAuthor, document, TOP, ("it names no author".to_owned(), fix));
        }
        self.check_merge_request(document, content);
        self.check_sections(document, content);
        for link in &content.links {
            let (message, fix) = match link_target(document.path, &link.target) {
                LinkTarget::Elsewhere => continue,
                LinkTarget::Files(paths) if paths.iter().any(|path| exists(path)) => continue,
                LinkTarget::Files(_) => (
                    format!("there is no file `{}`", link.target),
                    "mend the path, or add the file to the repository",
                ),
                LinkTarget::Outside => (
                    format!("the link `{}` leads out of the repository", link.target),
                    "give the web address",
                ),
            };
            self.add(RfcRule::BrokenLink, document, link.position, (message, fix.to_owned()));
        }
    }

    fn check_title(&mut self, document: &CheckedDocument<'_>, content: &RfcDocument) {
        const TOP: Position = Position { line: 1, column: 1 };
        let id = document.number.map(|number| self.process.id(number));
        let Some(title) = &content.title else {
            if content.fault.is_none() {
                let wanted = id.unwrap_or_else(|| self.process.id(1));
                let fix = format!("add `title: \"{wanted}: …\"` to the front matter");
                self.add(RfcRule::NoTitle, document, TOP, ("it has no title".to_owned(), fix));
            }
            return;
        };
        let Some(id) = id.filter(|_| content.number != document.number) else { return };
        let fix = format!("begin it with `{id}: `, or rename the file");
        let message = match content.number {
            Some(other) => {
                format!("the title says {}, and the name of the file {id}", self.process.id(other))
            }
            None => format!("the title does not begin with {id}"),
        };
        self.add(RfcRule::NumberMismatch, document, title.position, (message, fix));
    }

    fn check_merge_request(&mut self, document: &CheckedDocument<'_>, content: &RfcDocument) {
        const TOP: Position = Position { line: 1, column: 1 };
        let project = self.project.unwrap_or("group/project");
        let Some(found) = &content.merge_request else {
            if content.fault.is_none() {
                let fix = format!(
                    "add `{}: {project}!N` to the front matter when the merge request is open",
                    self.process.merge_request_key
                );
                let told = ("it names no merge request".to_owned(), fix);
                self.add(RfcRule::NoMergeRequest, document, TOP, told);
            }
            return;
        };
        let message = match MergeRequestName::parse(&found.text) {
            Err(_) | Ok(MergeRequestName { component: Some(_), .. }) => {
                format!("`{}` is no merge request", found.text)
            }
            Ok(name) => match (&name.project, self.project) {
                (Some(named), Some(project)) if !named.eq_ignore_ascii_case(project) => {
                    format!("`{}` is a merge request of another project", found.text)
                }
                _ => return,
            },
        };
        let fix = format!("write it as `{project}!N`");
        self.add(RfcRule::InvalidMergeRequest, document, found.position, (message, fix));
    }

    fn check_sections(&mut self, document: &CheckedDocument<'_>, content: &RfcDocument) {
        let wanted = &self.process.sections.clone();
        let of_name = |name: &str| wanted.iter().position(|one| one.eq_ignore_ascii_case(name));
        let mut last: Option<usize> = None;
        for section in &content.sections {
            let Some(at) = of_name(&section.name) else { continue };
            match last {
                Some(before) if at < before => {
                    let message = format!("the section `{}` comes after `{}`", wanted[at], wanted[before]);
                    let fix = format!("move it before `{}`", wanted[before]);
                    self.add(RfcRule::SectionOrder, document, section.position, (message, fix));
                }
                _ => last = Some(at),
            }
            if section.is_empty {
                let message = format!("the section `{}` is empty", wanted[at]);
                let fix = "write it, or say that there is nothing to say".to_owned();
                self.add(RfcRule::EmptySection, document, section.position, (message, fix));
            }
        }
        let has = |name: &str| content.sections.iter().any(|one| one.name.eq_ignore_ascii_case(name));
        for (at, name) in wanted.iter().enumerate().filter(|(_, name)| !has(name)) {
            // The place where it belongs: before the next section that is there.
            let next = content.sections.iter().find(|one| of_name(&one.name).is_some_and(|other| other > at));
            let end = Position { line: 1, column: 1 };
            let position = next.or(content.sections.last()).map_or(end, |section| section.position);
            let place = match next {
                Some(section) => format!(" before `{}`", section.name),
                None => " at the end".to_owned(),
            };
            let told = (format!("the section `{name}` is missing"), format!("add it{place}"));
            self.add(RfcRule::MissingSection, document, position, told);
        }
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the findings about documents at paths, each as place, rule and message.
    fn findings(texts: &[(&str, &str)]) -> Vec<String> {
        let process = RfcProcess::sample("rfcs");
        let read: Vec<RfcDocument> =
            texts.iter().map(|(_, text)| RfcDocument::parse(text, &process)).collect();
        let documents: Vec<CheckedDocument<'_>> = texts
            .iter()
            .zip(&read)
            .map(|((path, _), content)| CheckedDocument {
                file: (*path).to_owned(),
                path,
                number: process.number_of_path(path),
                content: Ok(content),
            })
            .collect();
        let exists = |path: &str| texts.iter().any(|(known, _)| *known == path);
        let found = check(&documents, &process, Some("group/docs"), &exists);
        let line = |one: RfcFinding| {
            let Position { line, column } = one.position;
            format!("{}:{line}:{column} {}: {} | {}", one.file, one.rule.name(), one.message, one.fix)
        };
        found.into_iter().map(line).collect()
    }

    const GOOD: &str = "---\ntitle: \"CKI-001: A\"\nauthor: Ann\nmerge_request: group/docs!4\n---\n## Abstract\nx\n\
                        ## Motivation\nx\n## Approach\n[b](cki-002-b.md) [c](../cki-002-b/#x) [d](https://x.example)\n";

    #[test]
    fn check_accepts_complete_documents_and_gaps() {
        let second = GOOD.replace("001", "002");
        let ninth = GOOD.replace("001", "009");
        let all =
            [("rfcs/cki-001-a.md", GOOD), ("rfcs/cki-002-b.md", &second), ("rfcs/cki-009-c.md", &ninth)];
        assert_eq!(findings(&all), [] as [&str; 0]);
    }

    #[test]
    fn check_finds_each_fault_at_its_place() {
        let text = "---\ntitle: \"CKI-003: A\"\nmerge_request: other/docs!4\n---\n\n## Motivation\n\n## Abstract\nx\n\
                    [b](gone.md)\n[c](../../../x)\n";
        insta::assert_snapshot!(findings(&[("rfcs/cki-001-a.md", text), ("rfcs/cki-001-b.md", "# CKI-001: B\n")]).join("\n"), @"
        rfcs/cki-001-a.md:1:1 duplicate-number: `cki-001-b.md` has the number CKI-001, too | renumber the newer one to CKI-002, in its name and its title
        rfcs/cki-001-a.md:1:1 no-author: it names no author | add `author` to the front matter
        rfcs/cki-001-a.md:2:8 number-mismatch: the title says CKI-003, and the name of the file CKI-001 | begin it with `CKI-001: `, or rename the file
        rfcs/cki-001-a.md:3:16 invalid-merge-request: `other/docs!4` is a merge request of another project | write it as `group/docs!N`
        rfcs/cki-001-a.md:6:1 empty-section: the section `Motivation` is empty | write it, or say that there is nothing to say
        rfcs/cki-001-a.md:8:1 missing-section: the section `Approach` is missing | add it at the end
        rfcs/cki-001-a.md:8:1 section-order: the section `Abstract` comes after `Motivation` | move it before `Motivation`
        rfcs/cki-001-a.md:10:1 broken-link: there is no file `gone.md` | mend the path, or add the file to the repository
        rfcs/cki-001-a.md:11:1 broken-link: the link `../../../x` leads out of the repository | give the web address
        rfcs/cki-001-b.md:1:1 duplicate-number: `cki-001-a.md` has the number CKI-001, too | renumber the newer one to CKI-002, in its name and its title
        rfcs/cki-001-b.md:1:1 no-author: it names no author | add `author` to the front matter
        rfcs/cki-001-b.md:1:1 no-merge-request: it names no merge request | add `merge_request: group/docs!N` to the front matter when the merge request is open
        rfcs/cki-001-b.md:1:1 missing-section: the section `Abstract` is missing | add it at the end
        rfcs/cki-001-b.md:1:1 missing-section: the section `Motivation` is missing | add it at the end
        rfcs/cki-001-b.md:1:1 missing-section: the section `Approach` is missing | add it at the end
        ");
        insta::assert_snapshot!(findings(&[("rfcs/cki-1-a.md", "---\ntitle: {\n---\n"), ("rfcs/cki-002-a.md", "")]).join("\n"), @r#"
        rfcs/cki-002-a.md:1:1 no-title: it has no title | add `title: "CKI-002: …"` to the front matter
        rfcs/cki-002-a.md:1:1 no-author: it names no author | add `author` to the front matter
        rfcs/cki-002-a.md:1:1 no-merge-request: it names no merge request | add `merge_request: group/docs!N` to the front matter when the merge request is open
        rfcs/cki-002-a.md:1:1 missing-section: the section `Abstract` is missing | add it at the end
        rfcs/cki-002-a.md:1:1 missing-section: the section `Motivation` is missing | add it at the end
        rfcs/cki-002-a.md:1:1 missing-section: the section `Approach` is missing | add it at the end
        rfcs/cki-1-a.md:1:1 invalid-name: `cki-1-a.md` has no valid number and words | rename it, as in `cki-001-words-of-the-title.md`
        rfcs/cki-1-a.md:1:1 missing-section: the section `Abstract` is missing | add it at the end
        rfcs/cki-1-a.md:1:1 missing-section: the section `Motivation` is missing | add it at the end
        rfcs/cki-1-a.md:1:1 missing-section: the section `Approach` is missing | add it at the end
        rfcs/cki-1-a.md:2:8 invalid-front-matter: the front matter is no YAML: unclosed bracket '{' | mend it, or put the value into quotes
        "#);
        for (rule, name, ..) in RfcRule::ALL {
            assert_eq!(rule.name(), name);
        }
    }
}
