//! Report of `cki build`: the image that was built.

use serde::Serialize;

use crate::ops::build::Built;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct BuildView<'a> {
    image: &'a str,
    id: &'a str,
    commit: &'a str,
    dirty: bool,
    unchanged: bool,
}

/// Prints the image.
pub fn print(ui: &Ui, component: &str, built: &Built) {
    if ui.is_json() {
        let Built { image, id, commit, dirty, unchanged } = built;
        let (dirty, unchanged) = (*dirty, *unchanged);
        return view::print(ui, &BuildView { image, id, commit, dirty, unchanged });
    }
    ui.data(&built.image);
    let state = if built.unchanged { "Unchanged: these sources were built before." } else { "Built." };
    ui.say(&style::dim(&format!("{state} Run it with `cki run-local {component}`.")));
}
