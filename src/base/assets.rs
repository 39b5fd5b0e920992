//! The files of `templates/`, embedded in the binary. Files in a directory of the user replace them. The
//! meaning of a template is up to the code that loads it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::file_snapshot::FileSnapshot;
use super::files::{self, FileError};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Prefix of the names of embedded files, which do not exist on this machine.
pub const BUILT_IN: &str = "built in: ";

/// Maximum bytes of a template; a longer one is a mistake.
const LIMIT: u64 = 4 << 20;

/// Templates from the user's directories, or else from the binary.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    overrides: Vec<PathBuf>,
    /// Directory below `templates/` in which the user's files do not count.
    closed: Option<&'static str>,
    /// Reader of the user's files.
    files: FileSnapshot,
}

/// A template with its origin.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Content of the template.
    pub text: Cow<'static, str>,
    /// Origin for messages: a path, or `built in: services/rabbitmq.yaml`.
    pub origin: String,
}

impl Assets {
    /// Creates templates in which the files of `overrides` replace those with the same path; the first
    /// directory with a file wins.
    #[must_use]
    pub fn new(overrides: Vec<PathBuf>) -> Self {
        Self { overrides, ..Self::default() }
    }

    /// Returns the templates with one directory that cannot be overridden.
    #[must_use]
    pub fn closed(self, directory: &'static str) -> Self {
        Self { closed: Some(directory), ..self }
    }

    /// Returns the templates with a reader of the user's files.
    #[must_use]
    pub fn reading(self, files: FileSnapshot) -> Self {
        Self { files, ..self }
    }

    /// Returns the reader of the user's files.
    #[must_use]
    pub fn files(&self) -> &FileSnapshot {
        &self.files
    }

    fn overrides(&self, path: &str) -> &[PathBuf] {
        let first = Path::new(path).components().next();
        let is_closed = self.closed.is_some_and(|closed| {
            first.is_some_and(|first| first.as_os_str() == closed) || path.contains("..")
        });
        if is_closed { &[] } else { &self.overrides }
    }

    /// Returns a template by its path below `templates/`, or `None` if it does not exist.
    ///
    /// # Errors
    /// Fails if a file of the user cannot be read.
    pub fn text(&self, path: &str) -> Result<Option<Asset>, FileError> {
        for directory in self.overrides(path) {
            let file = directory.join(path);
            match self.files.read_text(&file, LIMIT) {
                Ok(text) => {
                    let origin = file.display().to_string();
                    return Ok(Some(Asset { text: Cow::Owned(text), origin }));
                }
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(embedded_text(path)
            .map(|text| Asset { text: Cow::Borrowed(text), origin: format!("{BUILT_IN}{path}") }))
    }

    /// Returns the names of the files directly in a directory below `templates/`, sorted.
    ///
    /// # Errors
    /// Fails if a directory of the user cannot be read.
    pub fn names(&self, directory: &str) -> Result<Vec<String>, FileError> {
        let mut names: Vec<String> = EMBEDDED
            .get_dir(directory)
            .map_or_else(Vec::new, |dir| dir.files().filter_map(|file| name_of(file.path())).collect());
        for path in self.overrides(directory) {
            let directory = path.join(directory);
            for name in self.files.all_names_in(&directory)? {
                names.push(name.into_string().map_err(|name| files::no_text(directory.join(name)))?);
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// Returns an embedded file of `templates/` as text.
#[must_use]
pub fn embedded_text(path: &str) -> Option<&'static str> {
    EMBEDDED.get_file(path).and_then(|file| file.contents_utf8())
}

/// Returns all embedded files of `templates/` below a directory, at any depth: path relative to that
/// directory, and content; sorted by path.
#[must_use]
pub fn embedded_tree(directory: &str) -> Vec<(PathBuf, &'static [u8])> {
    fn walk(dir: &Dir<'static>, root: &Path, found: &mut Vec<(PathBuf, &'static [u8])>) {
        for file in dir.files() {
            let path = file.path().strip_prefix(root).unwrap_or(file.path());
            found.push((path.to_path_buf(), file.contents()));
        }
        for dir in dir.dirs() {
            walk(dir, root, found);
        }
    }
    let mut found = Vec::new();
    if let Some(dir) = EMBEDDED.get_dir(directory) {
        walk(dir, Path::new(directory), &mut found);
    }
    found.sort();
    found
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_prefers_user_files_over_built_in() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(directory.path().join("services")).expect("makes a directory");
        std::fs::write(directory.path().join("services/mine.yaml"), "mine").expect("writes");
        let assets = Assets::new(vec![directory.path().to_path_buf()]);
        let mine = assets.text("services/mine.yaml").expect("reads").expect("is there");
        assert_eq!(mine.text, "mine");
        assert!(assets.names("services").expect("lists").contains(&"mine.yaml".to_owned()));
        let closed = assets.clone().closed("services");
        assert!(closed.text("services/mine.yaml").expect("reads").is_none());
        assert!(!closed.names("services").expect("lists").contains(&"mine.yaml".to_owned()));
        assert!(assets.text("services/none.yaml").expect("reads").is_none());
        let ours = assets.text("inventory/inventory.yaml").expect("reads").expect("is built in");
        assert_eq!(ours.origin, "built in: inventory/inventory.yaml");
    }
}
