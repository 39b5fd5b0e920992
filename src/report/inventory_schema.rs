//! Report of `cki inventory schema`. The schema is made in `model::inventory`.

use crate::model::inventory::schema;
use crate::ui::Ui;

/// Prints the schema, whose keys are those of JSON Schema and no others, in lines.
pub fn print(ui: &Ui) {
    ui.exact(&format!("{:#}\n", schema()));
}
