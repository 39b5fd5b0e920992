//! Report of `cki rfc show`: a document as `cki docs` shows pages, and as JSON.

use serde::Serialize;

use crate::base::text::{safe_line, wrap_styled};
use crate::model::rfc::RfcDocument;
use crate::ops::rfc::{LocalRfc, RfcShelf};
use crate::report::docs::rendered;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct RfcTextView<'a> {
    id: String,
    title: &'a str,
    description: Option<&'a str>,
    author: Option<&'a str>,
    merge_request: Option<&'a str>,
    status: Option<&'a str>,
    path: &'a str,
    file: String,
    sections: Vec<&'a str>,
    text: &'a str,
}

/// Prints a document as JSON or YAML.
pub fn print_view(ui: &Ui, shelf: &RfcShelf, rfc: &LocalRfc, document: &RfcDocument) {
    let view = RfcTextView {
        id: rfc.number.map(|number| shelf.process.id(number)).unwrap_or_default(),
        title: rfc.title(),
        description: document.description.as_deref(),
        author: document.author.as_deref(),
        merge_request: document.merge_request.as_ref().map(|one| one.text.as_str()),
        status: document.status.as_deref(),
        path: &rfc.path,
        file: rfc.file.display().to_string(),
        sections: document.sections.iter().map(|section| section.name.as_str()).collect(),
        text: &document.body,
    };
    view::print(ui, &view);
}

/// Returns a document for a terminal of some width; without one, its Markdown as it was written.
#[must_use]
pub fn page(
    ui: &Ui,
    shelf: &RfcShelf,
    rfc: &LocalRfc,
    document: &RfcDocument,
    columns: Option<usize>,
) -> String {
    let id = rfc.number.map(|number| shelf.process.id(number)).unwrap_or_default();
    let place = if rfc.is_on_base { None } else { Some("not on the default branch") };
    let facts = [
        document.status.as_deref(),
        document.author.as_deref(),
        document.merge_request.as_ref().map(|one| one.text.as_str()),
        place,
    ];
    let facts: Vec<&str> = [rfc.path.as_str()].into_iter().chain(facts.into_iter().flatten()).collect();
    // Mask first, so that no later change of the text hides a secret from masking.
    let wrapped = |text: &str, paint: fn(&str) -> String| {
        let safe = safe_line(&ui.masked(text)).into_owned();
        wrap_styled(&safe, columns.unwrap_or(usize::MAX)).into_iter().map(move |line| paint(&line))
    };
    let mut lines: Vec<String> = wrapped(&facts.join(" · "), style::dim).collect();
    lines.extend(wrapped(&format!("{id}: {}", rfc.title()), style::heading));
    if let Some(description) = &document.description {
        lines.extend([String::new(), rendered(ui, description, &rfc.path, columns)]);
    }
    lines.extend([String::new(), rendered(ui, document.body.trim(), &rfc.path, columns)]);
    lines.join("\n")
}
