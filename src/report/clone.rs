//! Report of `cki clone`: the result for each repository. Text for people is printed by events during the
//! work.

use serde::Serialize;

use crate::base::text::plural_of;
use crate::model::event::State;
use crate::ops::clone::{CloneOutcome, Repository};
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
    if ui.is_json() {
        let repositories = outcome.repositories.iter().map(repository_view).collect();
        return view::print(ui, &CloneView { repositories });
    }
    let count = |state: State| outcome.repositories.iter().filter(|r| r.state.state() == state).count();
    let all = plural_of(outcome.repositories.len(), "repository", "repositories");
    let words = [
        (count(State::Done), "changed"),
        (count(State::Unchanged), "unchanged"),
        (count(State::Skipped), "skipped"),
        (count(State::Failed), "failed"),
    ];
    let parts: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    ui.say(&style::dim(&format!("{all}: {}", parts.join(", "))));
}

fn repository_view(repository: &Repository) -> RepositoryView<'_> {
    RepositoryView {
        name: &repository.name,
        url: &repository.url,
        path: repository.path.display().to_string(),
        state: match repository.state.state() {
            State::Done => "done",
            State::Unchanged => "unchanged",
            State::Skipped => "skipped",
            State::Failed => "failed",
        },
        detail: repository.detail(),
        head: repository.head().map(|head| head.to_string()),
        branch: repository.checkout.as_ref().and_then(|checkout| checkout.branch.as_deref()),
    }
}
