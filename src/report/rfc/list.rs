//! Report of `cki rfc list`, as text and as JSON.

use serde::Serialize;

use crate::base::text::{Cell, Fit, Table, join_some, plural, plural_of, safe_line};
use crate::model::rfc::RfcState;
use crate::ops::rfc::{RfcListing, RfcRow, RfcShelf, ServerAnswer};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct RfcListView<'a> {
    clone: String,
    server: Option<&'a str>,
    project: Option<&'a str>,
    /// Reason why the server was not asked, or did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_silent: Option<&'a str>,
    /// IDs on the server's default branch that the clone lacks.
    not_in_clone: &'a [String],
    total: usize,
    rfcs: Vec<RfcView<'a>>,
}

#[derive(Serialize)]
struct RfcView<'a> {
    id: &'a str,
    number: u32,
    title: &'a str,
    state: &'static str,
    status: Option<&'a str>,
    author: Option<&'a str>,
    merge_request: Option<&'a str>,
    url: Option<&'a str>,
    feedback: Option<FeedbackView>,
    draft: bool,
    unresolved_threads: bool,
    path: Option<&'a str>,
    clashes: &'a [String],
}

#[derive(Serialize)]
struct FeedbackView {
    from: String,
    until: String,
}

fn view(row: &RfcRow) -> RfcView<'_> {
    let feedback = row
        .window
        .map(|window| FeedbackView { from: window.start.to_string(), until: window.end.to_string() });
    RfcView {
        id: &row.id,
        number: row.number,
        title: &row.title,
        state: row.state.name(),
        status: row.status.as_deref(),
        author: row.author.as_deref(),
        merge_request: row.merge_request.as_deref(),
        url: row.url.as_deref(),
        feedback,
        draft: row.is_draft,
        unresolved_threads: row.has_open_threads,
        path: row.path.as_deref(),
        clashes: &row.clashes,
    }
}

/// Prints the requests for comments.
pub fn print(ui: &Ui, listing: &RfcListing, shelf: &RfcShelf, server: &ServerAnswer) {
    let rows = &listing.rows;
    if ui.is_names() {
        ui.names(rows.iter().map(|row| &row.id));
    } else if ui.is_structured() {
        print_view(ui, listing, shelf, server);
    } else {
        ui.pages(if ui.is_wide() { wide(rows) } else { lines(rows, ui.columns()) });
        print_summary(ui, listing, shelf, server);
    }
    print_warnings(ui, listing, shelf, server);
}

fn print_view(ui: &Ui, listing: &RfcListing, shelf: &RfcShelf, server: &ServerAnswer) {
    let claims = server.claims();
    let silent = match server {
        ServerAnswer::Silent(why) => Some(why.as_str()),
        ServerAnswer::Asked(_) => None,
    };
    let list = RfcListView {
        clone: shelf.clone.display().to_string(),
        server: claims.map(|open| open.server.as_str()),
        project: claims.map(|open| open.project.as_str()),
        server_silent: silent,
        not_in_clone: &listing.missing,
        total: listing.total,
        rfcs: listing.rows.iter().map(view).collect(),
    };
    view::print(ui, &list);
}

fn print_summary(ui: &Ui, listing: &RfcListing, shelf: &RfcShelf, server: &ServerAnswer) {
    let rfcs = |count| plural_of(count, "request for comments", "requests for comments");
    let count = match (listing.rows.len(), listing.total) {
        (some, all) if some == all => rfcs(all),
        (some, all) => format!("{some} of {}", rfcs(all)),
    };
    let asked = match server.claims() {
        Some(open) => {
            format!("{} on {}", plural(open.merge_requests, "open merge request"), open.server)
        }
        None => "no merge requests".to_owned(),
    };
    let clone = ui.place(&shelf.clone.display().to_string()).into_owned();
    ui.status(&style::dim(&safe_line(&format!("{count} · {asked} · clone: {clone}"))));
}

fn print_warnings(ui: &Ui, listing: &RfcListing, shelf: &RfcShelf, server: &ServerAnswer) {
    let warn = |text: String| ui.warning(&safe_line(&text));
    if !shelf.has_directory {
        let (clone, directory) = (shelf.clone.display(), &shelf.process.directory);
        warn(format!("`{clone}` has no directory `{directory}`."));
    }
    match server {
        ServerAnswer::Silent(why) => warn(format!("Open merge requests are not in this list: {why}.")),
        ServerAnswer::Asked(open) if open.unread > 0 => {
            let unread = plural(open.unread, "merge request");
            warn(format!("The changes of {unread} were not read; only titles and branches count."));
        }
        ServerAnswer::Asked(_) => {}
    }
    for (file, why) in &listing.unread {
        warn(format!("Cannot read `{}`: {why}.", ui.place(file)));
    }
    let mut seen = std::collections::BTreeSet::new();
    for row in listing.rows.iter().filter(|row| !row.clashes.is_empty()) {
        if seen.insert(row.number) {
            let own = match row.state {
                RfcState::Open | RfcState::Due => row.merge_request.clone(),
                RfcState::Merged | RfcState::Local => None,
            };
            let own = own.or_else(|| row.path.as_deref().map(|path| last_part(path).to_owned()));
            let all = own.into_iter().chain(row.clashes.iter().cloned()).collect::<Vec<_>>();
            warn(format!("Several have the number {}: {}.", row.id, join_some(all.into_iter())));
        }
    }
    if !listing.missing.is_empty() {
        let ids = join_some(listing.missing.iter().cloned());
        ui.hint(&safe_line(&format!(
            "the server has {ids}, which the clone lacks: `cki clone --repo {}` updates it.",
            shelf.process.repo
        )));
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns the state, with the end of the time for feedback.
fn state(row: &RfcRow) -> String {
    let mut parts = vec![match (row.state, row.window) {
        (RfcState::Open, Some(window)) => format!("open until {}", window.end_date()),
        (RfcState::Due, Some(window)) => format!("due since {}", window.end_date()),
        _ => row.word().to_owned(),
    }];
    parts.extend(row.is_draft.then(|| "draft".to_owned()));
    parts.extend(row.has_open_threads.then(|| "open threads".to_owned()));
    parts.join(", ")
}

fn paint(row: &RfcRow) -> fn(&str) -> String {
    match row.state {
        RfcState::Open => style::good,
        RfcState::Due => style::warn,
        RfcState::Merged | RfcState::Local => style::dim,
    }
}

fn text(text: Option<&str>) -> String {
    safe_line(text.unwrap_or("–")).into_owned()
}

fn lines(rows: &[RfcRow], columns: Option<usize>) -> Vec<String> {
    let mut table = Table::new(0, &[Fit::Whole, Fit::Wrap, Fit::Cut, Fit::Whole, Fit::Optional]);
    for row in rows {
        table.row([
            Cell::styled(row.id.as_str(), style::name),
            Cell::styled(safe_line(&state(row)), paint(row)),
            text(Some(&row.title)).into(),
            text(row.merge_request.as_deref().map(short)).into(),
            Cell::styled(text(row.author.as_deref()), style::dim),
        ]);
    }
    table.lines(columns)
}

/// Returns the number of a merge request, without its project.
fn short(name: &str) -> &str {
    name.rfind('!').map_or(name, |at| &name[at..])
}

fn wide(rows: &[RfcRow]) -> Vec<String> {
    let mut table = Table::new(0, &[]);
    let head = ["ID", "STATE", "FEEDBACK UNTIL", "OPEN", "TITLE", "AUTHOR", "MERGE REQUEST", "PATH"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for row in rows {
        let open = [row.is_draft.then_some("draft"), row.has_open_threads.then_some("threads")];
        let open: Vec<&str> = open.into_iter().flatten().collect();
        table.row([
            Cell::styled(row.id.as_str(), style::name),
            Cell::styled(safe_line(row.word()), paint(row)),
            text(row.window.map(|window| window.end_date()).as_deref()).into(),
            text(Some(open.join(",").as_str()).filter(|text| !text.is_empty())).into(),
            text(Some(&row.title)).into(),
            text(row.author.as_deref()).into(),
            text(row.url.as_deref().or(row.merge_request.as_deref())).into(),
            text(row.path.as_deref()).into(),
        ]);
    }
    table.lines(None)
}
