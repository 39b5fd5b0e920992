//! The settings in a `cki.toml`, with the position of each. Which files count is in `layers` and `project`.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::error::ConfigError;
use super::keys::{KEYS, Key, SettingKind};
use super::layers::Config;
use super::value::SettingOrigin;
use crate::base::files;
use crate::base::text;
use crate::model::inventory::{InventorySource, shown_source};

/// Maximum bytes of a configuration file.
const LIMIT: u64 = 1 << 20;

impl Config {
    /// Adds the settings of a file, if there is one.
    pub(super) fn read_file(&mut self, file: &Path, project: bool) -> Result<(), ConfigError> {
        let text = match files::read_text(file, LIMIT) {
            Err(error) if error.is_missing() => return Ok(()),
            other => other?,
        };
        self.files.push(file.to_path_buf());
        if project {
            self.project_content = Some(text.clone().into_bytes());
        }
        self.read_content(&text, file, project)
    }

    /// Adds the settings in the text of a file.
    pub(super) fn read_content(&mut self, text: &str, file: &Path, project: bool) -> Result<(), ConfigError> {
        let table = DeTable::parse(text).map_err(|error| {
            let (line, column) = place(text, error.span().map_or(0, |span| span.start));
            let message = error.message().to_owned();
            ConfigError::Toml { file: file.to_path_buf(), line, column, message }
        })?;
        self.read_table(table.get_ref(), "", text, file, &|line| {
            let file = file.to_path_buf();
            if project { SettingOrigin::Project { file, line } } else { SettingOrigin::User { file, line } }
        })
    }

    fn read_table(
        &mut self,
        table: &DeTable<'_>,
        prefix: &str,
        text: &str,
        file: &Path,
        origin: &dyn Fn(usize) -> SettingOrigin,
    ) -> Result<(), ConfigError> {
        let directory = file.parent().unwrap_or(Path::new("/"));
        for (name, value) in table {
            let (line, column) = place(text, name.span().start);
            let name = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            if let DeValue::Table(inner) = value.get_ref() {
                self.read_table(inner, &name, text, file, origin)?;
                continue;
            }
            let Some(key) = KEYS.iter().find(|key| key.name == name) else {
                let nearest = text::nearest(&name, KEYS.iter().map(|key| key.name));
                let hint = nearest.first().map(|n| format!(" Did you mean `{n}`?")).unwrap_or_default();
                self.warnings.push(format!("{}:{column}: there is no setting `{name}`.{hint}", origin(line)));
                continue;
            };
            let origin = origin(line);
            if key.personal && matches!(origin, SettingOrigin::Project { .. }) {
                let place = format!("{origin}:{column}");
                return Err(ConfigError::Personal { key: name, place, why: String::new() });
            }
            let (line, column) = place(text, value.span().start);
            let place = format!("{}:{line}:{column}", file.display());
            if let (SettingKind::Sources, DeValue::Array(items)) = (key.kind, value.get_ref()) {
                self.read_sources(key, items, origin, &place, directory)?;
                continue;
            }
            let value = scalar(value).ok_or_else(|| ConfigError::SettingValue {
                key: name,
                value: "a list or date".to_owned(),
                place: place.clone(),
                why: "it is one text, number or truth value".to_owned(),
            })?;
            self.set(key, value.as_ref(), origin, &place, directory)?;
        }
        Ok(())
    }
}

impl Config {
    /// Adds a list of sources of an inventory.
    fn read_sources(
        &mut self,
        key: &'static Key,
        items: &DeArray<'_>,
        origin: SettingOrigin,
        place: &str,
        directory: &Path,
    ) -> Result<(), ConfigError> {
        let source = |item: &Spanned<DeValue<'_>>| {
            let text = match item.get_ref() {
                DeValue::String(text) => text.to_string(),
                _ => String::new(),
            };
            InventorySource::parse(text.as_ref(), directory).map_err(|why| {
                let (key, value) = (key.name.to_owned(), text::safe_line(&shown_source(&text)).into_owned());
                ConfigError::SettingValue { key, value, place: place.to_owned(), why }
            })
        };
        let sources = items.iter().map(source).collect::<Result<Vec<_>, _>>()?;
        self.set_sources(key, sources, origin, place)
    }
}

fn scalar(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the line and column of a byte offset, both from 1.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    (line, column)
}
