//! The index of the search: a script, since a page that is opened as a file may not fetch one.

use serde::Serialize;

use super::frame::first_line;
use super::names::{component_page, rfc_page, service_page};
use super::pages::Site;
use crate::report::graph::category_class;

/// An entry: short names, since there are many.
#[derive(Serialize)]
struct EntryView<'a> {
    /// Name.
    n: &'a str,
    /// Category, or kind of entry.
    c: &'a str,
    /// Class of the category.
    k: String,
    /// Page from the top of the site.
    p: String,
    /// Description.
    d: String,
    /// Other words to find it by: kind, owners, variables.
    w: String,
}

impl Site<'_> {
    /// Returns the script.
    pub(super) fn index(&self) -> String {
        let clean = |text: &str| self.cleaner.clean(text);
        let components = self.content.components().iter().map(|component| {
            let words = component.kind.iter().chain(&component.people).chain(&component.infrastructure);
            let variables = component.environment.iter().map(|variable| variable.name.as_str());
            let words: Vec<&str> = words.map(AsRef::as_ref).chain(variables).collect();
            EntryView {
                n: component.name(),
                c: &component.reference.category,
                k: category_class(self.content.inventory, &component.reference.category),
                p: component_page(&component.reference),
                d: clean(first_line(component)),
                w: clean(&words.join(" ")),
            }
        });
        let services = self.content.services.iter().map(|service| EntryView {
            n: &service.name,
            c: "backing service",
            k: String::new(),
            p: service_page(&service.name),
            d: clean(service.description.as_deref().unwrap_or_default()),
            w: service.provided.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(" "),
        });
        let rfcs = self.content.rfcs.iter().map(|rfc| EntryView {
            n: &rfc.id,
            c: "request for comments",
            k: String::new(),
            p: rfc_page(&rfc.name),
            d: clean(&rfc.title),
            w: clean(rfc.author.as_deref().unwrap_or_default()),
        });
        let entries: Vec<EntryView<'_>> = components.chain(services).chain(rfcs).collect();
        // Views contain only strings.
        let json = serde_json::to_string(&entries).unwrap_or_default();
        // JSON is JavaScript, but for these two characters in old browsers.
        let json = json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        format!("window.ckiSearch({json});\n")
    }
}
