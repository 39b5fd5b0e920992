//! The files of `templates/`, carried inside the binary, each of which a folder of the user's may
//! replace. What a template means is known only to whoever asks for it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::files::{self, FileError};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// How the names of files begin that are in this program, and nowhere on this machine.
pub const BUILT_IN: &str = "built in: ";

/// A template longer than this is a mistake.
const LIMIT: u64 = 4 << 20;

/// Where templates come from: the user's folders first, then what the binary carries.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    overrides: Vec<PathBuf>,
    /// The directory below `templates/` of which only the binary's own files count.
    closed: Option<&'static str>,
}

/// One template with its origin.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The text.
    pub text: Cow<'static, str>,
    /// Where it came from, for messages: a path, or `built in: services/rabbitmq.yaml`.
    pub origin: String,
}

impl Assets {
    /// Templates in which the files of `overrides` replace those of the same path; the first
    /// folder that has a file wins.
    #[must_use]
    pub fn new(overrides: Vec<PathBuf>) -> Self {
        Self { overrides, closed: None }
    }

    /// The same, except that nothing replaces the files of one directory.
    #[must_use]
    pub fn closed(self, directory: &'static str) -> Self {
        Self { closed: Some(directory), ..self }
    }

    fn overrides(&self, path: &str) -> &[PathBuf] {
        let first = Path::new(path).components().next();
        let is_closed = self.closed.is_some_and(|closed| {
            first.is_some_and(|first| first.as_os_str() == closed) || path.contains("..")
        });
        if is_closed { &[] } else { &self.overrides }
    }

    /// One template by its path below `templates/`, `None` if nobody has it.
    ///
    /// # Errors
    /// When a file of the user's is there but cannot be read.
    pub fn text(&self, path: &str) -> Result<Option<Asset>, FileError> {
        for folder in self.overrides(path) {
            let file = folder.join(path);
            match files::read_text(&file, LIMIT) {
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

    /// The names of the files directly in a folder below `templates/`, sorted.
    ///
    /// # Errors
    /// When a folder of the user's is there but cannot be read.
    pub fn names(&self, folder: &str) -> Result<Vec<String>, FileError> {
        let mut names: Vec<String> = EMBEDDED
            .get_dir(folder)
            .map_or_else(Vec::new, |dir| dir.files().filter_map(|file| name_of(file.path())).collect());
        for path in self.overrides(folder) {
            let folder = path.join(folder);
            for name in files::all_names_in(&folder)? {
                names.push(name.into_string().map_err(|name| files::no_text(folder.join(name)))?);
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// A file of the binary's own `templates/` as text.
#[must_use]
pub fn embedded_text(path: &str) -> Option<&'static str> {
    EMBEDDED.get_file(path).and_then(|file| file.contents_utf8())
}

/// All files of the binary's own `templates/` below a folder, at any depth: path relative to that
/// folder, and content; sorted by path.
#[must_use]
pub fn embedded_tree(folder: &str) -> Vec<(PathBuf, &'static [u8])> {
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
    if let Some(dir) = EMBEDDED.get_dir(folder) {
        walk(dir, Path::new(folder), &mut found);
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
    fn a_file_of_the_users_replaces_ours() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("services")).expect("makes a folder");
        std::fs::write(folder.path().join("services/mine.yaml"), "mine").expect("writes");
        let assets = Assets::new(vec![folder.path().to_path_buf()]);
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
