//! The files of a repository that a draft is made from. Bounded, and without following links: the repository
//! may be anybody's.

use std::path::{Path, PathBuf};

use crate::base::files::{self, FileError};
use crate::base::source_dir::SourceDir;

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
    "genproto",
];
const COMPOSE: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

const OVERRIDES: &[&str] = &[
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// The files of a repository by their use, each relative to its root, the nearest to the root first.
#[derive(Debug, Default)]
pub(super) struct FoundFiles {
    /// Build files of the usual names.
    pub(super) builds: Vec<PathBuf>,
    /// The default Compose files of directories.
    pub(super) compose: Vec<PathBuf>,
    /// The files that Compose reads after these.
    pub(super) overrides: Vec<PathBuf>,
    /// Other YAML files.
    pub(super) yaml: Vec<PathBuf>,
    /// Python modules.
    pub(super) python: Vec<PathBuf>,
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

    /// Returns the Compose files that Compose reads when it is started in the directory of one, in its order.
    pub(super) fn with_override(&self, compose: &Path) -> Vec<PathBuf> {
        let names = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            OVERRIDES.iter().position(|one| *one == name)
        };
        let near = self.overrides.iter().filter(|path| path.parent() == compose.parent());
        std::iter::once(compose.to_owned()).chain(near.min_by_key(names).cloned()).collect()
    }

    fn take(&mut self, path: PathBuf, name: &str) {
        let is_at_root = path.parent().is_some_and(|parent| parent.as_os_str().is_empty());
        match name {
            // A directory with both is built from the first.
            "Containerfile" | "Dockerfile" if self.is_built(&path) => {}
            "Containerfile" | "Dockerfile" => self.builds.push(path),
            "Containerfile.in" | "Dockerfile.in" if !self.is_built(&path) => self.builds.push(path),
            _ if name.ends_with(".in") && path.parent().is_some_and(|parent| parent.ends_with("builds")) => {
                self.builds.push(path);
            }
            _ if name.ends_with(".py") => self.python.push(path),
            _ if COMPOSE.contains(&name) => self.compose.push(path),
            _ if OVERRIDES.contains(&name) => self.overrides.push(path),
            _ if name.ends_with(".yaml") || name.ends_with(".yml") => self.yaml.push(path),
            _ if is_at_root && name.to_ascii_lowercase().starts_with("readme") => self.readme = Some(path),
            _ => {}
        }
    }
}

/// Returns the text of a regular file in a repository; `None` for anything else.
pub(super) fn text(root: &SourceDir, path: &Path) -> Option<String> {
    root.read_text(path, LIMIT).ok()
}

/// Writes files that must not be there yet: all of them, or none.
///
/// # Errors
/// Fails when one of them is there already, or cannot be written; none is then written.
pub fn write_new(all: &[(PathBuf, String)]) -> Result<(), FileError> {
    let mut written: Vec<&Path> = Vec::new();
    for (path, text) in all {
        if let Err(error) = files::create(path, text.as_bytes(), 0o644) {
            for path in written {
                // The first error is the one to report.
                let _ = std::fs::remove_file(path);
            }
            return Err(error);
        }
        written.push(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_new_writes_all_files_or_none() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        let names = || files::list_dir(directory.path()).expect("lists");
        let all = |second: &str| vec![(at("a"), "1".to_owned()), (at(second), "2".to_owned())];
        write_new(&all("none/b")).expect_err("there is no such directory");
        assert_eq!(names(), Vec::<String>::new());
        std::fs::write(at("b"), "mine").expect("writes");
        let error = write_new(&all("b")).expect_err("exists").to_string();
        assert!(error.contains("/b`: it is there already"), "{error}");
        assert_eq!(names(), ["b"]);
        assert_eq!(std::fs::read_to_string(at("b")).expect("reads"), "mine");
        write_new(&all("c")).expect("writes");
        assert_eq!(names(), ["a", "b", "c"]);
    }
}
