//! The text of a new entry from `templates/entry.yaml`, and the facts that it lacks. Where the text is put is up to the
//! caller.

use minijinja::context;

use super::write::{DraftedComponent, entry_text, scalar};
use crate::base::template::{TemplateError, Templates, WorkBudget};
use crate::model::inventory::Component;
use crate::model::reference::Reference;

/// Facts of a new entry that its repository does not tell.
#[derive(Debug, Clone)]
pub struct EntryHead<'a> {
    /// Full name.
    pub reference: &'a Reference,
    /// Kind.
    pub kind: &'a str,
    /// People or teams that look after it.
    pub owners: &'a [String],
    /// Path of the JSON Schema, for an entry with a file of its own.
    pub schema: Option<&'a str>,
    /// Name of its repository in the inventory, or its address.
    pub repo: &'a str,
}

/// Renders the template of entries. Each of its variables is YAML already.
///
/// # Errors
/// Fails if the template is invalid.
pub fn render_entry(
    template: &str,
    head: &EntryHead<'_>,
    one: Option<&DraftedComponent>,
) -> Result<String, TemplateError> {
    let owners: Vec<String> = head.owners.iter().map(|owner| scalar(owner)).collect();
    let of = |field: fn(&DraftedComponent) -> Option<&String>| one.and_then(field).map(|text| scalar(text));
    let text = Templates::new(&WorkBudget::default()).render(
        template,
        context! {
            schema => head.schema,
            name => scalar(&head.reference.name),
            category => scalar(&head.reference.category),
            kind => scalar(head.kind),
            owners => owners.join(", "),
            repo => scalar(head.repo),
            description => of(|one| one.description.as_ref()),
            readme => of(|one| one.readme.as_ref()),
            facts => one.map(|one| entry_text(head.repo, one)),
        },
    )?;
    Ok(format!("{}\n", text.trim_end()))
}

/// A fact that a new entry lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Key in the entry.
    pub key: &'static str,
    /// Line in the text of the entry: that of the key in a comment, or else the last one.
    pub line: usize,
    /// The fact.
    pub message: &'static str,
}

/// Returns the facts that an entry lacks, with their lines in its text.
#[must_use]
pub fn gaps(text: &str, entry: &Component) -> Vec<Gap> {
    let lacks = [
        (entry.description.is_none(), "description", "its purpose"),
        (entry.people.is_empty(), "people", "who looks after it"),
        (entry.documentation.is_empty(), "documentation", "links to its documentation"),
        (entry.monitoring.is_empty(), "monitoring", "links to dashboards, logs and alerts"),
        (entry.dependencies.is_empty(), "dependencies", "what it reads, writes or calls"),
        (entry.sources.is_empty() && entry.image.is_none(), "sources", "where its code is"),
        (!entry.is_runnable(), "build", "how to build it, or `image`, `run` or `deployment`"),
    ];
    let last = text.lines().count();
    let line = |key: &str| {
        let is_it = |line: &str| {
            line.trim_start().strip_prefix("# ").is_some_and(|line| line.starts_with(&format!("{key}:")))
        };
        text.lines().position(is_it).map_or(last, |at| at + 1)
    };
    let all = lacks.into_iter().filter(|(is_lacking, ..)| *is_lacking);
    all.map(|(_, key, message)| Gap { key, line: line(key), message }).collect()
}
