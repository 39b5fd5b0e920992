//! Report of `cki docs`: the pages of a component, the list of its documentation, and the result of a search.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::text::{Cell, Fit, Table, plural, safe_line};
use crate::model::inventory::Link;
use crate::ops::docs::{DocPage, Documentation, PageContent, SearchOutcome};
use crate::report::view;
use crate::ui::{Ui, markdown, style};

/// Maximum width of a page: longer lines are hard to read.
const WIDEST: usize = 100;
/// Minimum width of a page.
const NARROWEST: usize = 20;
/// Maximum number of repositories that are named as not cloned.
const MOST_NAMES: usize = 3;

/// Returns the pages of a component as text, with the links to the rest. Without a width, the pages are as they were
/// written.
#[must_use]
pub fn page(ui: &Ui, found: &Documentation<'_>, columns: Option<usize>) -> String {
    let name = found.component.name();
    let mut lines: Vec<String> = Vec::new();
    for page in &found.pages {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(style::dim(&safe_line(&place(page))));
        match &page.content {
            PageContent::Text { text, .. } | PageContent::Fetched { text, .. } => {
                lines.push(rendered(ui, text, &page.path, columns));
            }
            other => lines.push(safe_line(&state(other, name)).into_owned()),
        }
    }
    if found.pages.is_empty() {
        lines.push(format!(
            "The entry of `{name}` names no page of documentation and no sources with a README."
        ));
    }
    for (heading, links) in [("Links", &found.links), ("Monitoring", &found.monitoring)] {
        if links.is_empty() {
            continue;
        }
        lines.extend([String::new(), style::heading(heading)]);
        let mut table = Table::new(2, &[Fit::Whole, Fit::Wrap]);
        for link in links {
            table.row([Cell::from(safe_line(&link.label).into_owned()), Cell::from(address(link))]);
        }
        lines.extend(table.lines(columns));
    }
    lines.join("\n")
}

/// Returns the text of a page for a terminal of some width.
pub(super) fn rendered(ui: &Ui, text: &str, path: &str, columns: Option<usize>) -> String {
    // Mask first, so that no later change of the text hides a secret from masking.
    let clean = |text: &str| ui.masked(text).lines().map(safe_line).collect::<Vec<_>>().join("\n");
    let safe = clean(text);
    let is_markdown = [".md", ".markdown"].iter().any(|ending| path.to_lowercase().ends_with(ending));
    match columns.filter(|_| is_markdown) {
        Some(columns) => markdown::render(&safe, columns.clamp(NARROWEST, WIDEST), &clean),
        None => safe,
    }
}

fn place(page: &DocPage) -> String {
    let from = match &page.content {
        PageContent::Fetched { url, .. } => format!(" · {url}"),
        _ => String::new(),
    };
    format!("{} · {} in {}{from}", page.label, page.path, page.repo)
}

fn address(link: &Link) -> String {
    safe_line(link.url.as_deref().unwrap_or_default()).into_owned()
}

/// Returns what was found of a page, in a few words.
fn state(content: &PageContent, name: &str) -> String {
    match content {
        PageContent::Text { .. } => "here".to_owned(),
        PageContent::NotCloned => format!("not cloned: cki clone {name}"),
        PageContent::Fetched { url, .. } => url.clone(),
        PageContent::Unfetched(why) => format!("not cloned: cki clone {name}; {why}"),
        PageContent::Missing => "the repository has no such file".to_owned(),
        PageContent::Unreadable(why) => why.clone(),
    }
}

#[derive(Serialize)]
struct DocsView<'a> {
    component: String,
    pages: Vec<PageView<'a>>,
    links: Vec<DocLinkView<'a>>,
    monitoring: Vec<DocLinkView<'a>>,
}

#[derive(Serialize)]
struct PageView<'a> {
    label: &'a str,
    repo: &'a str,
    path: &'a str,
    /// The file on this machine.
    file: Option<String>,
    /// The reason for its absence.
    reason: Option<String>,
}

#[derive(Serialize)]
struct DocLinkView<'a> {
    label: &'a str,
    url: Option<&'a str>,
}

impl<'a> DocLinkView<'a> {
    fn of(link: &'a Link) -> Self {
        Self { label: &link.label, url: link.url.as_deref() }
    }
}

/// The documentation of several components.
#[derive(Serialize)]
struct AllDocsView<'a> {
    components: Vec<DocsView<'a>>,
}

impl<'a> DocsView<'a> {
    fn of(found: &'a Documentation<'_>) -> Self {
        let name = found.component.name();
        let pages = found.pages.iter().map(|page| PageView {
            label: &page.label,
            repo: &page.repo,
            path: &page.path,
            file: page.content.file().map(|file| file.display().to_string()),
            reason: page.content.file().is_none().then(|| state(&page.content, name)),
        });
        Self {
            component: found.component.reference.to_string(),
            pages: pages.collect(),
            links: found.links.iter().map(|link| DocLinkView::of(link)).collect(),
            monitoring: found.monitoring.iter().map(|link| DocLinkView::of(link)).collect(),
        }
    }
}

/// Prints the documentation of components, each page and link with its place. `is_one`: the user named one component, so
/// that the result is about it, and not a list.
pub fn print_list(ui: &Ui, found: &[Documentation<'_>], is_one: bool) {
    if ui.is_structured() {
        let mut views: Vec<DocsView<'_>> = found.iter().map(DocsView::of).collect();
        return match views.pop() {
            Some(only) if is_one => view::print(ui, &only),
            last => {
                views.extend(last);
                view::print(ui, &AllDocsView { components: views });
            }
        };
    }
    if ui.is_names() {
        let pages = found.iter().flat_map(|one| &one.pages);
        let files = pages.filter_map(|page| page.content.file());
        return ui.names(files.map(|file| file.display().to_string()));
    }
    for (number, one) in found.iter().enumerate() {
        if !is_one {
            let gap = if number > 0 { vec![String::new()] } else { Vec::new() };
            let heading = style::heading(&safe_line(&one.component.reference.to_string()));
            ui.lines(gap.into_iter().chain([heading]));
        }
        print_table(ui, one, if is_one { 0 } else { 2 });
    }
}

fn print_table(ui: &Ui, found: &Documentation<'_>, indent: usize) {
    let name = found.component.name();
    let mut table = Table::new(indent, &[Fit::Whole, Fit::Wrap, Fit::Wrap]);
    for page in &found.pages {
        let state = match page.content.file() {
            Some(file) => ui.place(&file.display().to_string()).into_owned(),
            None => state(&page.content, name),
        };
        table.row([
            Cell::from(safe_line(&page.label).into_owned()),
            Cell::from(safe_line(&format!("{} in {}", page.path, page.repo)).into_owned()),
            Cell::styled(safe_line(&state), style::dim),
        ]);
    }
    for link in found.links.iter().chain(&found.monitoring) {
        table.row([Cell::from(safe_line(&link.label).into_owned()), Cell::from(address(link))]);
    }
    ui.lines(table.lines(ui.columns()));
}

#[derive(Serialize)]
struct SearchView<'a> {
    text: &'a str,
    hits: Vec<HitView<'a>>,
    truncated: bool,
    files: usize,
    not_cloned: Vec<&'a str>,
}

#[derive(Serialize)]
struct HitView<'a> {
    repo: &'a str,
    path: String,
    file: String,
    line: usize,
    text: &'a str,
}

/// Prints the lines that a search has found, as `FILE:LINE: TEXT`.
pub fn print_search(ui: &Ui, text: &str, found: &SearchOutcome) {
    if ui.is_structured() {
        let hits = found.hits.iter().map(|hit| HitView {
            repo: &hit.repo,
            path: hit.path.display().to_string(),
            file: hit.file.display().to_string(),
            line: hit.line,
            text: &hit.text,
        });
        let view = SearchView {
            text,
            hits: hits.collect(),
            truncated: found.is_cut,
            files: found.files,
            not_cloned: found.not_cloned.iter().map(|(repo, _)| repo.as_str()).collect(),
        };
        return view::print(ui, &view);
    }
    let line = |hit: &crate::ops::docs::SearchHit| {
        let masked = ui.masked(&hit.text);
        let file = hit.file.display().to_string();
        format!("{}:{}: {}", style::name(&safe_line(&ui.place(&file))), hit.line, safe_line(&masked))
    };
    if ui.is_names() {
        let files: BTreeSet<_> = found.hits.iter().map(|hit| hit.file.display().to_string()).collect();
        ui.names(files);
    } else {
        ui.lines(found.hits.iter().map(line));
    }
    if found.is_cut {
        ui.status(&format!("Only the first {} are shown.", plural(found.hits.len(), "line")));
    }
    if found.hits.is_empty() {
        ui.status(&format!(
            "No line of {} contains `{}`.",
            plural(found.files, "local page"),
            safe_line(text)
        ));
    }
    if let [(_, component), ..] = found.not_cloned.as_slice() {
        let names: Vec<_> =
            found.not_cloned.iter().take(MOST_NAMES).map(|(repo, _)| safe_line(repo)).collect();
        let rest = found.not_cloned.len() - names.len();
        let rest = if rest == 0 { String::new() } else { format!(" and {}", plural(rest, "other")) };
        let names = names.join(", ");
        ui.hint(&format!(
            "not cloned, so not searched: {names}{rest}; `cki clone {component}` gets the first."
        ));
    }
}
