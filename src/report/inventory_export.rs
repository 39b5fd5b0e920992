//! Report of `cki inventory export`: the file, and what it leaves out.

use std::path::Path;

use crate::base::files::{self, FileError};
use crate::base::text::{join_and, plural, safe_line};
use crate::base::yaml;
use crate::model::inventory::backstage::BackstageCatalog;
use crate::ui::{Ui, style};

/// Prints a catalog of Backstage.
pub fn print(ui: &Ui, catalog: &BackstageCatalog) {
    ui.exact(&text(catalog));
    print_lost(ui, catalog);
}

/// Writes a catalog of Backstage to a file.
///
/// # Errors
/// Fails if its directory is missing, or it cannot be written; a regular file is then unchanged.
pub fn write(ui: &Ui, catalog: &BackstageCatalog, file: &Path) -> Result<(), FileError> {
    files::write_output(file, text(catalog).as_bytes(), 0o644)?;
    let place = file.display().to_string();
    let count = plural(catalog.entities.len(), "component");
    ui.status(&safe_line(&format!("Wrote {count} to `{}`.", ui.place(&place))));
    print_lost(ui, catalog);
    Ok(())
}

fn text(catalog: &BackstageCatalog) -> String {
    catalog.entities.iter().map(|entity| format!("---\n{}", yaml::to_string(entity))).collect()
}

/// Prints what Backstage has no place for.
fn print_lost(ui: &Ui, catalog: &BackstageCatalog) {
    for reference in &catalog.skipped {
        ui.warning(&format!("`{reference}` is left out: Backstage does not accept its name."));
    }
    if !catalog.lost.is_empty() {
        let key = |(key, count): (&&str, &usize)| format!("`{key}` ({count})");
        let keys: Vec<String> = catalog.lost.iter().map(key).collect();
        ui.status(&style::dim(&format!("Backstage has no place for {}.", join_and(&keys))));
    }
}
