//! Report of `cki build`: the images that were built.

use serde::Serialize;

use crate::base::text::{Cell, Table, plural, safe_line};
use crate::ops::build::BuildOutcome;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct BuildReportView<'a> {
    component: &'a str,
    image: &'a str,
    id: &'a str,
    commit: &'a str,
    dirty: bool,
    unchanged: bool,
}

#[derive(Serialize)]
struct AllView<'a> {
    images: Vec<BuildReportView<'a>>,
}

/// Prints the image of a component.
pub fn print(ui: &Ui, component: &str, built: &BuildOutcome) {
    if ui.is_structured() {
        return view::print(ui, &build_view(component, built));
    }
    if ui.is_names() || ui.is_wide() {
        return rows(ui, &[(component, built)]);
    }
    ui.data(&built.image);
    let state = if built.unchanged { "Unchanged: these sources were built before." } else { "Built." };
    ui.status(&style::dim(&format!("{state} Run it with `cki run-local {component}`.")));
}

/// Prints the images of several components, of which `wanted` were to be built.
pub fn print_all(ui: &Ui, built: &[(&str, BuildOutcome)], wanted: usize) {
    if ui.is_structured() {
        let images = built.iter().map(|(component, built)| build_view(component, built)).collect();
        return view::print(ui, &AllView { images });
    }
    rows(ui, &built.iter().map(|(component, built)| (*component, built)).collect::<Vec<_>>());
    if ui.is_names() {
        return;
    }
    let unchanged = built.iter().filter(|(_, built)| built.unchanged).count();
    let ready = built.len();
    let count = if ready == wanted {
        plural(wanted, "image")
    } else {
        format!("{ready} of {}", plural(wanted, "image"))
    };
    ui.status(&style::dim(&format!("{count}: {} built, {unchanged} unchanged.", ready - unchanged)));
}

/// Prints the images, which identify the rows; in the wide form, a table.
fn rows(ui: &Ui, built: &[(&str, &BuildOutcome)]) {
    if !ui.is_wide() {
        return ui.lines(built.iter().map(|(_, built)| &built.image));
    }
    let mut table = Table::new(0, &[]);
    table.row(["COMPONENT", "IMAGE", "COMMIT", "STATE", "ID"].map(|text| Cell::styled(text, style::dim)));
    for (component, BuildOutcome { image, id, commit, dirty, unchanged }) in built {
        let dirty = if *dirty { ", changed" } else { "" };
        table.row([
            Cell::styled(*component, style::name),
            image.as_str().into(),
            format!("{}{dirty}", safe_line(commit)).into(),
            if *unchanged { "unchanged" } else { "built" }.into(),
            Cell::styled(safe_line(id), style::dim),
        ]);
    }
    ui.lines(table.lines(ui.columns()));
}

fn build_view<'a>(component: &'a str, built: &'a BuildOutcome) -> BuildReportView<'a> {
    let BuildOutcome { image, id, commit, dirty, unchanged } = built;
    BuildReportView { component, image, id, commit, dirty: *dirty, unchanged: *unchanged }
}
