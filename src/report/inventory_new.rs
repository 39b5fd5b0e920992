//! Report of `cki inventory new`: the entry, the facts that it lacks, and the next command.

use serde::Serialize;

use crate::base::text::{command_line, safe_line};
use crate::ops::inventory::new::NewEntryDraft;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct NewEntryView<'a> {
    entries: Vec<NewTextView<'a>>,
    files: Vec<String>,
    schema: Option<String>,
    missing: Vec<MissingFactView<'a>>,
    findings: Vec<NewFindingView<'a>>,
    next: &'a [String],
    written: bool,
}

#[derive(Serialize)]
struct NewTextView<'a> {
    component: String,
    place: String,
    content: &'a str,
}

#[derive(Serialize)]
struct MissingFactView<'a> {
    place: &'a str,
    key: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct NewFindingView<'a> {
    place: &'a str,
    message: &'a str,
}

/// Prints the findings, and with `shows_text` the entries; in JSON and YAML, [`print_end`] prints them.
pub fn print(ui: &Ui, draft: &NewEntryDraft, shows_text: bool) {
    if ui.is_structured() {
        return;
    }
    for entry in draft.entries.iter().filter(|_| shows_text) {
        ui.data(&style::name(&safe_line(&ui.place(&entry.place(1)))));
        ui.lines(entry.text.lines().map(|line| format!("  {}", safe_line(line))));
        ui.data("");
    }
    for finding in &draft.findings {
        ui.warning(&safe_line(&format!("{}: {}.", ui.place(&finding.place), finding.message)));
    }
}

/// Prints the end: the files, the facts that are missing, and the next command.
pub fn print_end(ui: &Ui, draft: &NewEntryDraft, written: bool) {
    if ui.is_structured() {
        return view::print(ui, &entry_view(draft, written));
    }
    if written {
        let schema = draft.schema.iter().map(|path| path.display().to_string());
        for place in draft.entries.iter().map(|entry| entry.place(1)).chain(schema) {
            ui.data(&format!("{} {}", style::good("✔"), safe_line(&ui.place(&place))));
        }
    }
    if !draft.gaps.is_empty() {
        ui.status("Only you know:");
        for (place, gap) in &draft.gaps {
            ui.status(&safe_line(&format!("  {}: `{}`: {}", ui.place(place), gap.key, gap.message)));
        }
    }
    if !written {
        return ui.status("Nothing was written.");
    }
    let words: Vec<String> = std::iter::once("cki".to_owned()).chain(draft.next.iter().cloned()).collect();
    ui.status(&format!("Next: `{}`", command_line(&words)));
}

fn entry_view(draft: &NewEntryDraft, written: bool) -> NewEntryView<'_> {
    let entries = draft.entries.iter().map(|entry| NewTextView {
        component: entry.reference.to_string(),
        place: entry.place(1),
        content: &entry.text,
    });
    let missing =
        draft.gaps.iter().map(|(place, gap)| MissingFactView { place, key: gap.key, message: gap.message });
    let findings = draft
        .findings
        .iter()
        .map(|finding| NewFindingView { place: &finding.place, message: &finding.message });
    NewEntryView {
        entries: entries.collect(),
        files: draft.files.iter().map(|(path, _)| path.display().to_string()).collect(),
        schema: draft.schema.as_ref().map(|path| path.display().to_string()),
        missing: missing.collect(),
        findings: findings.collect(),
        next: &draft.next,
        written,
    }
}
