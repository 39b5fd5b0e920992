//! Changes to the user's own `cki.toml` that keep everything else in it, comments and order included. Calls of an
//! editor are in `cli`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::error::ConfigError;
use super::file::place;
use super::keys::{KEYS, Key, SettingKind};
use super::layers::Config;
use super::project::FILE;
use super::value::SettingOrigin;
use crate::base::files::{self, DirectoryLock, FileError};
use crate::base::text;
use crate::host::Env;
use crate::model::inventory::InventorySource;

/// Maximum bytes of the file.
const LIMIT: u64 = 1 << 20;

/// A failed change of the user's settings.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such setting.
    #[error("there is no setting `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Similar names.
        nearest: Vec<String>,
    },
    /// The setting has no value.
    #[error("`{0}` has no value")]
    NoValue(&'static str),
    /// The value of a secret must not be typed on a command line.
    #[error("`{0}` is a secret, which other users would see on the command line")]
    Secret(&'static str),
    /// No directory for the file.
    #[error("there is no directory for your settings: neither `XDG_CONFIG_HOME` nor `HOME` is set")]
    NoDirectory,
    /// The name of a table has a value, or the other way round.
    #[error("`{}` has a value where `{name}` needs a table", file.display())]
    NoTable {
        /// The file.
        file: PathBuf,
        /// The setting.
        name: &'static str,
    },
    /// The file or the new value is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Finds a setting by its name.
///
/// # Errors
/// Fails if there is none; the error has similar names.
pub fn find_key(name: &str) -> Result<&'static Key, EditError> {
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| {
        let nearest = text::nearest(name, KEYS.iter().map(|key| key.name));
        let nearest = nearest.into_iter().map(str::to_owned).collect();
        EditError::Unknown { name: text::safe_line(name).into_owned(), nearest }
    })
}

/// Returns the user's own file, which may not exist. A link is followed, so that it stays one.
///
/// # Errors
/// Fails if there is no directory for it.
pub fn user_file(env: &Env) -> Result<PathBuf, EditError> {
    let file = env.config_directory().ok_or(EditError::NoDirectory)?.join(FILE);
    Ok(file.canonicalize().unwrap_or(file))
}

/// Sets a value in a file, or removes it. Returns whether the file changed. `cwd` is the directory to which a
/// typed path is relative.
///
/// # Errors
/// Fails if the value or the file is invalid, or the file cannot be written; it is then unchanged.
pub fn change(file: &Path, key: &'static Key, text: Option<&str>, cwd: &Path) -> Result<bool, EditError> {
    if let Some(text) = text {
        if key.secret {
            return Err(EditError::Secret(key.name));
        }
        Config::check(key, OsStr::new(text), cwd)?;
    }
    let directory = file.parent().unwrap_or(Path::new("/"));
    if text.is_some() {
        files::make_directory(directory)?;
    }
    let _lock = DirectoryLock::wait(directory);
    let before = match files::read_text(file, LIMIT) {
        Err(error) if error.is_missing() => String::new(),
        other => other?,
    };
    let mut document: DocumentMut = before.parse().map_err(|error: toml_edit::TomlError| {
        let (line, column) = place(&before, error.span().map_or(0, |span| span.start));
        let message = error.message().to_owned();
        ConfigError::Toml { file: file.to_path_buf(), line, column, message }
    })?;
    let (table, name) =
        key.name.rsplit_once('.').map_or((None, key.name), |(table, name)| (Some(table), name));
    let no_table = || EditError::NoTable { file: file.to_path_buf(), name: key.name };
    let table: &mut dyn TableLike = match table {
        None => document.as_table_mut(),
        // What is not there needs no removal, and no table.
        Some(table) if text.is_none() && document.get(table).is_none() => return Ok(false),
        Some(table) => {
            let item = document.entry(table).or_insert_with(|| Item::Table(Table::new()));
            item.as_table_like_mut().ok_or_else(no_table)?
        }
    };
    match text {
        None => {
            table.remove(name);
        }
        Some(text) => match table.get_mut(name) {
            // Comments beside a value belong to it.
            Some(old) if old.is_value() => {
                let decor = old.as_value().map(|old| old.decor().clone());
                *old = typed(key, text, cwd);
                if let (Some(new), Some(decor)) = (old.as_value_mut(), decor) {
                    *new.decor_mut() = decor;
                }
            }
            Some(_) => return Err(no_table()),
            None => {
                table.insert(name, typed(key, text, cwd));
            }
        },
    }
    let after = document.to_string();
    if after == before {
        return Ok(false);
    }
    write(file, &before, &after)?;
    Ok(true)
}

/// Replaces the content of the user's file, which was `before` (empty if it was missing), and keeps its mode. A new file
/// is for the user alone, since it may hold a token.
///
/// # Errors
/// Fails if the file has another content now, or cannot be written; it is then unchanged.
pub fn write(file: &Path, before: &str, after: &str) -> Result<(), FileError> {
    if before.is_empty() && file.symlink_metadata().is_err() {
        files::make_directory(file.parent().unwrap_or(Path::new("/")))?;
        return files::create(file, after.as_bytes(), 0o600);
    }
    files::replace(file, before, after)
}

/// Returns the value in its type.
fn typed(key: &Key, text: &str, cwd: &Path) -> Item {
    match key.kind {
        SettingKind::Bool => value(text::truth(text).unwrap_or_default()),
        SettingKind::Number => text.parse::<i64>().map_or_else(|_| value(text), value),
        // The file is elsewhere: what the user typed is relative to the working directory.
        SettingKind::Path if !text.is_empty() => value(cwd.join(text).display().to_string()),
        SettingKind::Sources => {
            match InventorySource::parse_list(text.as_ref(), cwd).unwrap_or_default().as_slice() {
                [] => value(text),
                [one] => value(one.written()),
                all => value(all.iter().map(InventorySource::written).collect::<toml_edit::Array>()),
            }
        }
        _ => value(text),
    }
}

impl Config {
    /// Checks a value as it would be read from the user's file.
    fn check(key: &'static Key, value: &OsStr, cwd: &Path) -> Result<(), ConfigError> {
        let origin = SettingOrigin::Flag("config set".to_owned());
        Self::default().set(key, value, origin, "`cki config set`", cwd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &str, name: &str, text: Option<&str>) -> Result<String, String> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("cki.toml");
        std::fs::write(&file, before).expect("writes");
        let key = find_key(name).expect("is a setting");
        change(&file, key, text, Path::new("/project")).map_err(|error| error.to_string())?;
        Ok(std::fs::read_to_string(&file).expect("reads"))
    }

    #[test]
    fn change_keeps_comments_order_and_other_values() {
        let before = "# mine\njobs = 3 # few\n\n[stage]\n# who\nbot = \"b\"\n";
        for (name, text, after) in [
            ("jobs", Some("5"), "# mine\njobs = 5 # few\n\n[stage]\n# who\nbot = \"b\"\n"),
            ("stage.bot", Some("me"), "# mine\njobs = 3 # few\n\n[stage]\n# who\nbot = \"me\"\n"),
            (
                "stage.timeout",
                Some("9"),
                "# mine\njobs = 3 # few\n\n[stage]\n# who\nbot = \"b\"\ntimeout = 9\n",
            ),
            ("jobs", None, "\n[stage]\n# who\nbot = \"b\"\n"),
            ("offline", None, before),
            ("run.memory", None, before),
            ("stage.timeout", None, before),
        ] {
            assert_eq!(changed(before, name, text).expect("changes"), after, "{name}");
        }
        assert_eq!(changed("", "stage.bot", Some("a\"b")).expect("writes"), "[stage]\nbot = 'a\"b'\n");
        assert_eq!(changed("", "offline", Some("yes")).expect("writes"), "offline = true\n");
        assert_eq!(changed("", "inventory", Some("x")).expect("writes"), "inventory = \"/project/x\"\n");
        assert_eq!(
            changed("stage.bot = 1\n", "stage.bot", Some("x")).expect("writes"),
            "stage.bot = \"x\"\n"
        );
    }

    #[test]
    fn change_refuses_invalid_values_secrets_and_files() {
        for (before, name, text, why) in [
            ("", "jobs", "x", "a whole number from 1 to 9999"),
            ("", "engine", "rkt", "one of auto, docker"),
            ("", "gitlab.token", "x", "is a secret"),
            ("stage = 1\n", "stage.bot", "x", "needs a table"),
            ("a = [\n", "jobs", "1", "cki.toml:"),
        ] {
            let error = changed(before, name, Some(text)).expect_err("is refused");
            assert!(error.contains(why), "{error}");
        }
        let unknown = find_key("stage.bott").expect_err("is unknown");
        assert!(
            matches!(unknown, EditError::Unknown { nearest, .. } if nearest.first().is_some_and(|name| name == "stage.bot"))
        );
    }
}
