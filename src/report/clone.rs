//! Report of `cki clone`: the result for each repository. Text for people is printed by events during the
//! work.

use serde::Serialize;

use crate::base::text::{Cell, Table, plural_of, safe_line};
use crate::model::event::TaskOutcome;
use crate::ops::clone::{CloneOutcome, CloneRepository};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct CloneView<'a> {
    repositories: Vec<RepositoryView<'a>>,
}

#[derive(Serialize)]
struct RepositoryView<'a> {
    name: &'a str,
    url: &'a str,
    path: String,
    state: &'static str,
    detail: String,
    head: Option<String>,
    branch: Option<&'a str>,
}

/// Prints the results of the repositories.
pub fn print(ui: &Ui, outcome: &CloneOutcome) {
    if ui.is_structured() {
        let repositories = outcome.repositories.iter().map(repository_view).collect();
        return view::print(ui, &CloneView { repositories });
    }
    if ui.is_names() {
        return ui.names(outcome.repositories.iter().map(|one| &one.name));
    }
    if ui.is_wide() {
        ui.lines(table(outcome).lines(None));
    }
    let count = |state: TaskOutcome| outcome.repositories.iter().filter(|r| r.state.state() == state).count();
    let all = plural_of(outcome.repositories.len(), "repository", "repositories");
    let words = [
        (count(TaskOutcome::Done), "changed"),
        (count(TaskOutcome::Unchanged), "unchanged"),
        (count(TaskOutcome::Skipped), "skipped"),
        (count(TaskOutcome::Failed), "failed"),
    ];
    let parts: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    ui.status(&style::dim(&format!("{all}: {}", parts.join(", "))));
}

fn table(outcome: &CloneOutcome) -> Table {
    let mut table = Table::new(0, &[]);
    let head = ["NAME", "STATE", "BRANCH", "HEAD", "PATH", "ADDRESS", "DETAIL"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for one in outcome.repositories.iter().map(repository_view) {
        let head = one.head.as_deref().unwrap_or("–");
        let texts = [one.state, one.branch.unwrap_or("–"), head, &one.path, one.url, &one.detail];
        let name = Cell::styled(safe_line(one.name), style::name);
        table.row([name].into_iter().chain(texts.map(|text| safe_line(text).into_owned().into())));
    }
    table
}

fn repository_view(repository: &CloneRepository) -> RepositoryView<'_> {
    RepositoryView {
        name: &repository.name,
        url: &repository.url,
        path: repository.path.display().to_string(),
        state: match repository.state.state() {
            TaskOutcome::Done => "done",
            TaskOutcome::Unchanged => "unchanged",
            TaskOutcome::Skipped => "skipped",
            TaskOutcome::Failed => "failed",
        },
        detail: repository.detail(),
        head: repository.head().map(|head| head.to_string()),
        branch: repository.checkout.as_ref().and_then(|checkout| checkout.branch.as_deref()),
    }
}
