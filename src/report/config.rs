//! Report of `cki config`: settings with their values and origins, and changes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::secret::MASK;
use crate::base::text::{Cell, Fit, Table, safe_line};
use crate::config::{Config, KEYS, Key, SettingOrigin, SettingValue};
use crate::report::view;
use crate::ui::{Ui, Verbosity, style};

#[derive(Serialize)]
struct ConfigView<'a> {
    settings: Vec<SettingView>,
    files: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    inventory_copies: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct SettingView {
    name: &'static str,
    value: Option<String>,
    origin: Option<String>,
    variable: String,
    description: &'static str,
}

/// Prints the settings, and the state of each repository of the inventory.
pub fn print(ui: &Ui, config: &Config, copies: &[(String, String)]) {
    if ui.is_structured() {
        let settings = KEYS.iter().map(|key| setting_view(key, config)).collect();
        let files = config.files.iter().map(|file| file.display().to_string()).collect();
        let copies = copies.iter().map(|(source, state)| (source.as_str(), state.as_str()));
        let inventory_copies = copies.collect();
        return view::print(ui, &ConfigView { settings, files, inventory_copies });
    }
    if ui.is_names() {
        return ui.names(KEYS.iter().map(|key| key.name));
    }
    let mut table = Table::new(0, &[Fit::Whole, Fit::Whole, Fit::Wrap, Fit::Optional]);
    let mut add = |cells: [Cell; 4], variable: Cell| {
        table.row(cells.into_iter().chain(ui.is_wide().then_some(variable)));
    };
    let head = |text: &str| Cell::styled(text, style::dim);
    add(["SETTING", "VALUE", "FROM", "MEANING"].map(head), head("VARIABLE"));
    for key in KEYS {
        let SettingView { name, value, origin, variable, description } = setting_view(key, config);
        let cells = [
            Cell::styled(name, style::name),
            safe_line(&ui.place(value.as_deref().unwrap_or("–"))).into_owned().into(),
            safe_line(&ui.place(origin.as_deref().unwrap_or("–"))).into_owned().into(),
            Cell::styled(description, style::dim),
        ];
        add(cells, variable.into());
    }
    ui.lines(table.lines(ui.columns()));
    for (source, state) in copies {
        ui.status(&style::dim(&safe_line(&format!("{source}: {state}"))));
    }
    if config.files.is_empty() {
        ui.status(&style::dim("No `cki.toml` was found."));
    }
}

/// Prints the value of a setting.
pub fn print_value(ui: &Ui, key: &Key, value: &SettingValue) {
    let shown = if key.secret { MASK } else { value.text.as_str() };
    if ui.is_structured() {
        let (value, origin) = (Some(shown.to_owned()), Some(value.origin.to_string()));
        let (variable, description) = (key.variable(), key.help);
        return view::print(ui, &SettingView { name: key.name, value, origin, variable, description });
    }
    ui.data(&safe_line(shown));
    if ui.verbosity() == Verbosity::Verbose {
        ui.status(&style::dim(&format!("from {}", value.origin)));
    }
}

/// Prints the user's own file, and the others that settings come from.
pub fn print_paths(ui: &Ui, own: Option<&Path>, config: &Config) {
    let others = config.files.iter().map(PathBuf::as_path).filter(|file| Some(*file) != own);
    let paths: Vec<String> = own.into_iter().chain(others).map(|path| path.display().to_string()).collect();
    if ui.is_structured() {
        return view::print(ui, &PathsView { files: &paths });
    }
    ui.lines(paths);
}

/// Prints a change of a setting, and the layer above the user's file that overrides it.
pub fn print_change(
    ui: &Ui,
    key: &Key,
    file: &Path,
    (changed, is_set): (bool, bool),
    now: Option<&SettingValue>,
) {
    let place = file.display().to_string();
    let place = safe_line(&ui.place(&place)).into_owned();
    ui.status(&match changed {
        true if is_set => format!("Changed `{}` in `{place}`.", key.name),
        true => format!("Removed `{}` from `{place}`.", key.name),
        false if is_set => format!("`{place}` is unchanged: it says so already."),
        false => format!("Nothing was changed: `{place}` does not set `{}`.", key.name),
    });
    if let Some(now) = now
        && !matches!(now.origin, SettingOrigin::User { .. } | SettingOrigin::Default)
    {
        ui.warning(&format!("It has no effect here: {} sets `{}`.", now.origin, key.name));
    }
}

/// Prints the end of an edit.
pub fn print_edited(ui: &Ui, file: &Path, changed: bool) {
    let place = file.display().to_string();
    let place = safe_line(&ui.place(&place)).into_owned();
    ui.status(&if changed { format!("Changed `{place}`.") } else { "Nothing was changed.".to_owned() });
}

#[derive(Serialize)]
struct PathsView<'a> {
    files: &'a [String],
}

fn setting_view(key: &Key, config: &Config) -> SettingView {
    let value = config.get(key.name).filter(|value| !value.text.is_empty());
    SettingView {
        name: key.name,
        origin: value.as_ref().map(|value| value.origin.to_string()),
        value: value.map(|value| if key.secret { MASK.to_owned() } else { value.text }),
        variable: key.variable(),
        description: key.help,
    }
}
