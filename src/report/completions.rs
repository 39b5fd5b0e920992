//! Report of `cki completions --install`: the path of the script and the line that loads it, as text and as
//! JSON.

use serde::Serialize;

use crate::report::view;
use crate::systems::shell::{CompletionState, Shell};
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct InstalledView<'a> {
    shell: &'a str,
    file: String,
    /// File that needs a line, and that line, unless it is present or not needed.
    start: Option<String>,
    line: Option<&'a str>,
}

/// Prints the path of the written script, and the remaining steps.
pub fn print(ui: &Ui, shell: &Shell, standing: &CompletionState) {
    let missing = shell.start.as_ref().filter(|_| *standing == CompletionState::NotLoaded);
    if ui.is_structured() {
        let (start, line) = missing.map(|(start, line)| (start.display().to_string(), line.as_str())).unzip();
        let file = shell.file.display().to_string();
        return view::print(ui, &InstalledView { shell: &shell.name, file, start, line });
    }
    ui.status(&format!("Wrote `{}`.", shell.file.display()));
    match (missing, &shell.start) {
        (Some((start, line)), _) => {
            ui.status(&format!("Add this line to `{}`, and start a new {}:", start.display(), shell.name));
            ui.data(&style::command(line));
        }
        (None, Some((start, line))) if *standing == CompletionState::Completes(shell.file.clone()) => {
            ui.status(&format!(
                "A new {} completes `cki`. If it does not, add this line to `{}`: {line}",
                shell.name,
                start.display()
            ));
        }
        _ => ui.status(&format!("A new {} completes `cki`.", shell.name)),
    }
}
