//! `cki docs --search`: the lines of all local documentation that contain a text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use regex::RegexBuilder;

use super::PAGE_LIMIT;
use crate::base::source_dir::SourceDir;
use crate::model::inventory::{Component, Inventory};
use crate::model::reference::Reference;
use crate::ops::shared::workspace::Workspace;

/// Endings of the names of files that hold documentation.
const ENDINGS: [&str; 5] = ["md", "markdown", "rst", "adoc", "txt"];
/// Maximum number of lines that are returned.
const MOST: usize = 1000;

/// A line that contains the text.
#[derive(Debug, PartialEq, Eq)]
pub struct SearchHit {
    /// The repository, by its name in the inventory.
    pub repo: String,
    /// Path in the repository.
    pub path: PathBuf,
    /// The file.
    pub file: PathBuf,
    /// Number of the line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

/// The result of a search.
#[derive(Debug, Default)]
pub struct SearchOutcome {
    /// Lines that contain the text, by repository and path.
    pub hits: Vec<SearchHit>,
    /// There are more lines than can be returned.
    pub is_cut: bool,
    /// Number of files that were searched.
    pub files: usize,
    /// Repositories without a clone, each with a component that names it.
    pub not_cloned: Vec<(String, Reference)>,
}

/// Searches the documentation in the clones of some components' repositories, whatever the case of the letters. The
/// files that a `.gitignore` excludes are left out.
#[must_use]
pub fn search(
    text: &str,
    components: &[&Component],
    inventory: &Inventory,
    workspace: &Workspace,
) -> SearchOutcome {
    let mut repos: BTreeMap<&str, &Component> = BTreeMap::new();
    for component in components {
        let linked = component.documentation.iter().filter_map(|link| link.repo.as_deref());
        for repo in linked.chain(component.repos()) {
            repos.entry(repo).or_insert(component);
        }
    }
    let mut outcome = SearchOutcome::default();
    // Two names of one repository share a clone.
    let mut clones: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for (repo, component) in repos {
        match workspace.location(inventory, repo).found() {
            Ok(Some(directory)) => {
                clones.entry(directory).or_insert(repo);
            }
            Ok(None) | Err(_) => outcome.not_cloned.push((repo.to_owned(), component.reference.clone())),
        }
    }
    let wanted = RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build();
    // A text that is escaped is an expression of its size; only one of megabytes is none.
    let Ok(wanted) = wanted else { return outcome };
    for (directory, repo) in clones {
        let Ok(files) = SourceDir::new(&directory) else { continue };
        for path in pages(&directory) {
            let Ok(content) = files.read_text(&path, PAGE_LIMIT) else { continue };
            outcome.files += 1;
            for (at, line) in content.lines().enumerate().filter(|(_, line)| wanted.is_match(line)) {
                if outcome.hits.len() == MOST {
                    outcome.is_cut = true;
                    return outcome;
                }
                outcome.hits.push(SearchHit {
                    repo: repo.to_owned(),
                    path: path.clone(),
                    file: directory.join(&path),
                    line: at + 1,
                    text: line.trim().to_owned(),
                });
            }
        }
    }
    outcome
}

/// Returns the paths of the documentation below a directory, sorted.
fn pages(directory: &Path) -> Vec<PathBuf> {
    let walk = WalkBuilder::new(directory).sort_by_file_name(Ord::cmp).require_git(false).build();
    let is_page = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
        ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
            || path.file_name() == Some("README".as_ref())
    };
    walk.filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()) && is_page(entry.path()))
        .filter_map(|entry| entry.path().strip_prefix(directory).ok().map(Path::to_path_buf))
        .collect()
}
