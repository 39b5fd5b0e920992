//! The files of a repository that a draft is made from. Bounded, and without following links: the repository
//! may be anybody's.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::base::files::{self, FileError};

/// Maximum bytes of a file.
const LIMIT: u64 = 1 << 20;
/// Maximum depth of a directory.
const DEPTH: usize = 4;
/// Maximum number of names to look at.
const NAMES: usize = 20_000;
/// Directories that hold other people's files, tests, or results.
const SKIPPED: &[&str] = &[
    "node_modules",
    "vendor",
    "third_party",
    "target",
    "dist",
    "venv",
    "site-packages",
    "test",
    "tests",
    "testdata",
    "fixtures",
    "examples",
    "example",
    "docs",
];
const COMPOSE: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// The files of a repository by their use, each relative to its root, the nearest to the root first.
#[derive(Debug, Default)]
pub(super) struct FoundFiles {
    /// Build files of the usual names.
    pub(super) builds: Vec<PathBuf>,
    /// The default Compose files of directories.
    pub(super) compose: Vec<PathBuf>,
    /// Other YAML files.
    pub(super) yaml: Vec<PathBuf>,
    /// README of the root.
    pub(super) readme: Option<PathBuf>,
    /// Not everything was looked at.
    pub(super) is_cut_short: bool,
}

/// Finds the files of a repository.
pub(super) fn find(root: &Path) -> FoundFiles {
    let mut found = FoundFiles::default();
    let mut level = vec![PathBuf::new()];
    let mut left = NAMES;
    for _ in 0..DEPTH {
        let mut below = Vec::new();
        for directory in level {
            let Ok(mut names) = files::list_dir(&root.join(&directory)) else { continue };
            names.sort();
            for name in names {
                if left == 0 {
                    found.is_cut_short = true;
                    return found;
                }
                left -= 1;
                let path = directory.join(&name);
                let Ok(facts) = root.join(&path).symlink_metadata() else { continue };
                if facts.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                    below.push(path);
                } else if facts.is_file() {
                    found.take(path, &name);
                }
            }
        }
        level = below;
    }
    found
}

impl FoundFiles {
    /// Returns whether the directory of a file has a build file already.
    fn is_built(&self, path: &Path) -> bool {
        self.builds.iter().any(|known| known.parent() == path.parent())
    }

    fn take(&mut self, path: PathBuf, name: &str) {
        let is_at_root = path.parent().is_some_and(|parent| parent.as_os_str().is_empty());
        match name {
            // A directory with both is built from the first.
            "Containerfile" | "Dockerfile" if self.is_built(&path) => {}
            "Containerfile" | "Dockerfile" => self.builds.push(path),
            _ if COMPOSE.contains(&name) => self.compose.push(path),
            _ if name.ends_with(".yaml") || name.ends_with(".yml") => self.yaml.push(path),
            _ if is_at_root && name.to_ascii_lowercase().starts_with("readme") => self.readme = Some(path),
            _ => {}
        }
    }
}

/// Returns the text of a plain file in a repository; `None` for anything else.
pub(super) fn text(root: &Path, path: &Path) -> Option<String> {
    let whole = root.join(path);
    let is_plain = whole.symlink_metadata().is_ok_and(|facts| facts.is_file());
    is_plain.then(|| files::read_text(&whole, LIMIT).ok()).flatten()
}

/// Writes a file that must not be there yet.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), FileError> {
    let fail = |source| FileError::new("write", path, source);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(fail)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)
}
