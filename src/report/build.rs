//! Report of `cki build`: the image that was built.

use serde::Serialize;

use crate::ops::build::BuildOutcome;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct BuildReportView<'a> {
    image: &'a str,
    id: &'a str,
    commit: &'a str,
    dirty: bool,
    unchanged: bool,
}

/// Prints the image.
pub fn print(ui: &Ui, component: &str, built: &BuildOutcome) {
    if ui.is_structured() {
        let BuildOutcome { image, id, commit, dirty, unchanged } = built;
        let (dirty, unchanged) = (*dirty, *unchanged);
        return view::print(ui, &BuildReportView { image, id, commit, dirty, unchanged });
    }
    ui.data(&built.image);
    let state = if built.unchanged { "Unchanged: these sources were built before." } else { "Built." };
    ui.status(&style::dim(&format!("{state} Run it with `cki run-local {component}`.")));
}
