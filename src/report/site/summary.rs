//! The summary of a site that was written.

use serde::Serialize;

use crate::base::text::{plural, plural_of, safe_line};
use crate::ops::inventory::site::SiteContent;
use crate::report::view;
use crate::ui::{Ui, style};

/// Facts about a site that was written.
#[derive(Debug, Serialize)]
pub struct SiteSummary {
    directory: String,
    /// Address or path of the first page.
    start: String,
    components: usize,
    services: usize,
    readmes: usize,
    rfcs: usize,
    findings: usize,
    files: usize,
    opened: bool,
}

impl SiteSummary {
    /// Creates the summary. `start` is the address or path of the first page, and `is_open` tells that a browser shows it.
    #[must_use]
    pub fn new(
        content: &SiteContent<'_>,
        directory: String,
        start: String,
        files: usize,
        is_open: bool,
    ) -> Self {
        Self {
            directory,
            start,
            components: content.components().len(),
            services: content.services.len(),
            readmes: content.readmes.iter().flatten().count(),
            rfcs: content.rfcs.len(),
            findings: content.checked.findings.len(),
            files,
            opened: is_open,
        }
    }
}

/// Prints the summary: the address or path of the first page as data, all else as status.
pub fn print(ui: &Ui, summary: &SiteSummary, is_served: bool) {
    if ui.is_structured() {
        return view::print(ui, summary);
    }
    if summary.opened {
        ui.status(&format!("Opened {} in your browser.", summary.start));
    } else {
        ui.data(&summary.start);
    }
    let rfcs = plural_of(summary.rfcs, "request for comments", "requests for comments");
    let mut facts = vec![
        plural(summary.components, "component"),
        plural(summary.services, "backing service"),
        plural(summary.readmes, "README"),
        plural(summary.findings, "finding"),
        plural(summary.files, "file"),
    ];
    if summary.rfcs > 0 {
        facts.insert(3, rfcs);
    }
    ui.status(&style::dim(&safe_line(&format!("{} · directory: {}", facts.join(" · "), summary.directory))));
    if is_served {
        ui.status("Serves the site until Ctrl-C.");
    }
}
