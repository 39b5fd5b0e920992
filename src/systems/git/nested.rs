//! Repositories in a directory: its own, and those of submodules and other clones within it. For callers that
//! pass the directory on without them.

use std::path::{Path, PathBuf};

/// Name of a repository's directory, or of the file that points to one.
const REPOSITORY: &str = ".git";

/// Returns whether a path leads into a repository, also on file systems that ignore case.
#[must_use]
pub fn is_within_repository(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(REPOSITORY))
}

/// Finds `.git` directories and files below a directory: each relative path, and whether it is a directory.
/// Does not follow links.
#[must_use]
pub fn repositories_below(directory: &Path) -> Vec<(PathBuf, bool)> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        // A directory that its owner cannot list is unreadable for a container of that user, too.
        let Ok(entries) = std::fs::read_dir(directory.join(&below)) else { continue };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let path = below.join(entry.file_name());
            if entry.file_name().eq_ignore_ascii_case(REPOSITORY) {
                if kind.is_dir() || kind.is_file() {
                    found.push((path, kind.is_dir()));
                }
            } else if kind.is_dir() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_below_finds_nested_repositories() {
        let directory = tempfile::tempdir().expect("a directory");
        for path in [".git/modules/a/.git", "a/b/.git", "node/.GIT"] {
            std::fs::create_dir_all(directory.path().join(path)).expect("makes");
        }
        std::fs::create_dir(directory.path().join("sub")).expect("makes");
        std::fs::write(directory.path().join("sub/.git"), "gitdir: x").expect("writes");
        std::os::unix::fs::symlink("/", directory.path().join("root")).expect("links");
        let found = repositories_below(directory.path());
        let expected = [(".git", true), ("a/b/.git", true), ("node/.GIT", true), ("sub/.git", false)];
        assert_eq!(found, expected.map(|(path, is_directory)| (PathBuf::from(path), is_directory)));
        assert!(is_within_repository(Path::new("a/.Git/config")));
        assert!(!is_within_repository(Path::new("a/.gitignore")));
    }
}
