//! Report of `cki trust`: the decisions of a project's files, and its trust. The rules are in `ops::trust`.

use std::path::Path;

use serde::Serialize;

use crate::base::secret::MASK;
use crate::base::text::{Cell, Fit, Table, plural, safe_line};
use crate::host::Host;
use crate::ops::trust::{Decision, ProjectFiles, TrustStanding};
use crate::report::view;
use crate::ui::prompt::Unconfirmed;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct TrustView<'a> {
    directory: String,
    file: String,
    trusted: bool,
    decides: Vec<DecisionView<'a>>,
}

#[derive(Serialize)]
struct DecisionView<'a> {
    name: &'a str,
    value: Option<&'a str>,
    files: Option<usize>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    commits: &'a [String],
}

/// Prints the decisions of a project, and that it is now trusted; with `dry_run`, its current trust.
pub fn print(ui: &Ui, project: &ProjectFiles, before: TrustStanding, dry_run: bool) {
    let trusted = !dry_run || before == TrustStanding::Trusted;
    if ui.is_structured() {
        let decides = project.decisions.iter().map(|decision| DecisionView {
            name: decision.name,
            value: decision.value.as_deref(),
            files: decision.files,
            commits: &decision.commits,
        });
        return view::print(
            ui,
            &TrustView {
                directory: project.directory().display().to_string(),
                file: project.file.display().to_string(),
                trusted,
                decides: decides.collect(),
            },
        );
    }
    if ui.is_names() {
        return ui.names(project.decisions.iter().map(|decision| decision.name));
    }
    ui.lines(decisions(project).lines(ui.columns()));
    let directory = safe_line(&project.directory().display().to_string()).into_owned();
    ui.status(&match (dry_run, before) {
        (false, TrustStanding::Trusted) => format!("`{directory}` was trusted already."),
        (false, _) => format!("`{directory}` is trusted until one of these files changes."),
        (true, TrustStanding::Trusted) => format!("`{directory}` is trusted."),
        (true, TrustStanding::Changed) => {
            format!("`{directory}` is not trusted any more: its files have changed.")
        }
        (true, TrustStanding::Unknown) => format!("`{directory}` is not trusted."),
    });
}

/// Prints that trust was removed, or that there was none.
pub fn print_removed(ui: &Ui, directory: &Path, removed: bool) {
    let directory = safe_line(&directory.display().to_string()).into_owned();
    ui.status(&if removed {
        format!("`{directory}` is not trusted any more.")
    } else {
        format!("`{directory}` was not trusted.")
    });
}

/// Asks the user to trust a project, and shows all of its decisions.
///
/// # Errors
/// Fails unless the user agrees.
pub fn ask(ui: &Ui, host: &Host, project: &ProjectFiles, standing: TrustStanding) -> Result<(), Unconfirmed> {
    let file = safe_line(&project.file.display().to_string()).into_owned();
    ui.status(&if standing == TrustStanding::Changed {
        format!("`{file}` and the files that it names have changed since you trusted them. They decide:")
    } else {
        format!("`{file}` is not trusted yet. It decides:")
    });
    for line in decisions(project).lines(ui.columns()) {
        ui.status(&line);
    }
    ui.confirm(host, "Trust this directory?")
}

fn decisions(project: &ProjectFiles) -> Table {
    let mut table = Table::new(2, &[Fit::Whole, Fit::Whole, Fit::Optional]);
    for decision in &project.decisions {
        let Decision { name, value, files, commits } = decision;
        let value = value.as_deref().map_or(MASK.into(), safe_line).into_owned();
        let files = files.map(|count| plural(count, "file"));
        let notes: Vec<String> = files.into_iter().chain(commits.iter().cloned()).collect();
        let files = safe_line(&notes.join(", ")).into_owned();
        table.row([Cell::styled(*name, style::name), value.into(), Cell::styled(files, style::dim)]);
    }
    table
}
