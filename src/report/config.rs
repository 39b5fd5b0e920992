//! Report of `cki config`: every setting with its value and origin.

use serde::Serialize;

use crate::base::secret::MASK;
use crate::base::text::{Cell, Fit, Table, safe_line};
use crate::config::{Config, KEYS, Key};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct ConfigView {
    settings: Vec<SettingView>,
    files: Vec<String>,
}

#[derive(Serialize)]
struct SettingView {
    name: &'static str,
    value: Option<String>,
    origin: Option<String>,
    variable: String,
    description: &'static str,
}

/// Prints the settings.
pub fn print(ui: &Ui, config: &Config) {
    if ui.is_structured() {
        let settings = KEYS.iter().map(|key| setting_view(key, config)).collect();
        let files = config.files.iter().map(|file| file.display().to_string()).collect();
        return view::print(ui, &ConfigView { settings, files });
    }
    let mut table = Table::new(0, &[Fit::Whole, Fit::Whole, Fit::Wrap, Fit::Optional]);
    table.row(["SETTING", "VALUE", "FROM", "MEANING"].map(|text| Cell::styled(text, style::dim)));
    for key in KEYS {
        let SettingView { name, value, origin, description, .. } = setting_view(key, config);
        table.row([
            Cell::styled(name, style::name),
            safe_line(&ui.place(value.as_deref().unwrap_or("–"))).into_owned().into(),
            safe_line(&ui.place(origin.as_deref().unwrap_or("–"))).into_owned().into(),
            Cell::styled(description, style::dim),
        ]);
    }
    ui.lines(table.lines(ui.columns()));
    if config.files.is_empty() {
        ui.status(&style::dim("No `cki.toml` was found."));
    }
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
