//! Report of `cki init`: the drafted files, and what the repository does not tell.

use std::path::Path;

use serde::Serialize;

use crate::base::text::{command_line, safe_line};
use crate::ops::init::InitDraft;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct InitView<'a> {
    directory: String,
    components: &'a [String],
    next: &'a [String],
    files: Vec<DraftedFileView<'a>>,
    schema: Option<String>,
    findings: Vec<DraftFindingView<'a>>,
    written: bool,
}

#[derive(Serialize)]
struct DraftedFileView<'a> {
    path: String,
    content: &'a str,
}

#[derive(Serialize)]
struct DraftFindingView<'a> {
    place: &'a str,
    message: &'a str,
}

/// Prints the drafted files and the findings; in JSON and YAML, [`print_end`] prints them.
pub fn print(ui: &Ui, draft: &InitDraft) {
    if ui.is_structured() {
        return;
    }
    for (path, text) in &draft.files {
        ui.data(&style::name(&safe_line(&ui.place(&path.display().to_string()))));
        ui.lines(text.lines().map(|line| format!("  {}", safe_line(line))));
        ui.data("");
    }
    if let Some(schema) = &draft.schema {
        ui.data(&style::name(&safe_line(&ui.place(&schema.display().to_string()))));
        ui.data("  The JSON Schema of inventories, for editors.\n");
    }
    for finding in &draft.findings {
        ui.warning(&safe_line(&format!("{}: {}.", finding.place, finding.message)));
    }
}

/// Prints the end: the next command, which is typed in `directory`. `names_inventory`: a setting of the user names
/// another inventory than that of the project.
pub fn print_end(ui: &Ui, draft: &InitDraft, written: bool, directory: &Path, names_inventory: bool) {
    if ui.is_structured() {
        let files = draft
            .files
            .iter()
            .map(|(path, content)| DraftedFileView { path: path.display().to_string(), content });
        let findings = draft
            .findings
            .iter()
            .map(|finding| DraftFindingView { place: &finding.place, message: &finding.message });
        let view = InitView {
            directory: draft.root.display().to_string(),
            components: &draft.components,
            next: &draft.next,
            files: files.collect(),
            schema: draft.schema.as_ref().map(|path| path.display().to_string()),
            findings: findings.collect(),
            written,
        };
        return view::print(ui, &view);
    }
    if !written {
        return ui.status("Nothing was written.");
    }
    let typed = |path: &Path| path.strip_prefix(directory).unwrap_or(path).display().to_string();
    let mut words = vec!["cki".to_owned()];
    words.extend(draft.next.iter().cloned());
    if names_inventory && let Some((inventory, _)) = draft.files.last() {
        words.extend(["--inventory".to_owned(), typed(inventory)]);
    }
    let mut command = command_line(&words);
    if !directory.starts_with(&draft.root) {
        command = format!("cd {} && {command}", command_line(&[typed(&draft.root)]));
    }
    ui.status(&format!("{} Written and trusted. Next: `{command}`", style::good("✔")));
}
