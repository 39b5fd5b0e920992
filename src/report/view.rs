//! Common parts of JSON results.

use serde::Serialize;

use crate::base::yaml;
use crate::ui::Ui;

/// Version of all JSON results. Keys may be added; a change of meaning makes it 3.
pub const SCHEMA_VERSION: u32 = 2;

#[derive(Serialize)]
struct VersionedView<'a, T> {
    schema_version: u32,
    #[serde(flatten)]
    view: &'a T,
}

/// Prints a result as one JSON object, or as a YAML document.
pub fn print<T: Serialize>(ui: &Ui, view: &T) {
    let versioned = VersionedView { schema_version: SCHEMA_VERSION, view };
    if ui.is_yaml() {
        return ui.exact(&yaml::to_string(&versioned));
    }
    // View structs contain only strings, numbers, lists and maps with string keys.
    let text = serde_json::to_string_pretty(&versioned).unwrap_or_default();
    ui.exact(&format!("{text}\n"));
}

/// Prints a result as one line of JSON, the last of a stream of lines.
pub fn print_line<T: Serialize>(ui: &Ui, kind: &str, view: &T) {
    #[derive(Serialize)]
    struct Line<'a, T> {
        r#type: &'a str,
        #[serde(flatten)]
        view: VersionedView<'a, T>,
    }
    let line = Line { r#type: kind, view: VersionedView { schema_version: SCHEMA_VERSION, view } };
    ui.exact(&format!("{}\n", serde_json::to_string(&line).unwrap_or_default()));
}
