//! Report of `cki rfc new`: the branch, the document, and the commands that come next.

use serde::Serialize;

use crate::base::text::{Cell, Fit, Table, command_line, plural, safe_line};
use crate::ops::rfc::{NewRfc, NumberCheck};
use crate::report::view;
use crate::systems::git::CommitId;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct NewRfcView<'a> {
    id: &'a str,
    title: &'a str,
    branch: &'a str,
    base: &'a str,
    /// Commit of the branch; `null` in a dry run.
    commit: Option<String>,
    path: &'a str,
    clone: &'a str,
    checked_on_server: Option<&'a str>,
    switch: String,
    push: String,
    merge_request: Option<&'a str>,
    text: &'a str,
}

/// Prints a new request for comments; without a commit, one that a dry run would create.
pub fn print(ui: &Ui, new: &NewRfc, commit: Option<CommitId>) {
    let git = |words: &[&str]| {
        let words = ["git", "-C", new.clone.as_str()].into_iter().chain(words.iter().copied());
        command_line(&words.map(str::to_owned).collect::<Vec<_>>())
    };
    let switch = git(&["switch", &new.branch]);
    let push = git(&["push", "--set-upstream", "origin", &new.branch]);
    if ui.is_structured() {
        let server = match &new.check {
            NumberCheck::Clone => None,
            NumberCheck::Server { server, .. } => Some(server.as_str()),
        };
        let view = NewRfcView {
            id: &new.id,
            title: &new.title,
            branch: &new.branch,
            base: &new.base,
            commit: commit.map(|commit| commit.to_string()),
            path: &new.path,
            clone: &new.clone,
            checked_on_server: server,
            switch,
            push,
            merge_request: new.merge_request.as_deref(),
            text: &new.text,
        };
        return view::print(ui, &view);
    }
    ui.data(&format!("{} {}", style::name(&new.id), safe_line(&new.title)));
    let mut table = Table::new(2, &[Fit::Whole, Fit::Wrap]);
    let from = safe_line(&new.base).into_owned();
    let branch = match commit {
        Some(commit) => format!("{} at {}, from {from}", new.branch, commit.short()),
        None => format!("{}, from {from}", new.branch),
    };
    let row = |table: &mut Table, name: &str, text: &str| {
        table.row([Cell::styled(name, style::dim), Cell::from(safe_line(text).into_owned())]);
    };
    row(&mut table, "branch", &branch);
    row(&mut table, "file", &new.path);
    row(&mut table, "number", &checked(new));
    for (id, place) in &new.passed {
        row(&mut table, "", &format!("{id} is taken by {place}"));
    }
    ui.lines(table.lines(ui.columns()));
    if commit.is_none() {
        ui.lines(
            std::iter::once(String::new()).chain(new.text.lines().map(|line| safe_line(line).into_owned())),
        );
        ui.status("Nothing was created: this was a dry run.");
        return;
    }
    let mut next = vec![switch, format!("edit {}", new.path), git(&["commit", "--all", "--amend"]), push];
    let next = match &new.merge_request {
        Some(address) => {
            next.push(format!("open {address}"));
            next
        }
        None => next,
    };
    ui.status("The working tree is unchanged. Next:");
    next.iter().for_each(|line| ui.status(&format!("  {}", safe_line(line))));
}

/// Returns the places in which the number is free.
fn checked(new: &NewRfc) -> String {
    match &new.check {
        NumberCheck::Clone => "free in the clone; merge requests were not looked at".to_owned(),
        NumberCheck::Server { server, merge_requests, unread } => {
            let open = plural(*merge_requests, "open merge request");
            let rest = match unread {
                0 => String::new(),
                unread => format!("; of {unread}, only titles and branches were read"),
            };
            format!("free in the clone, on {server} and in {open}{rest}")
        }
    }
}
