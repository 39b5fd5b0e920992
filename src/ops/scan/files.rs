//! The files to scan: those of the component's sources, its build file, and their imports from cloned
//! repositories. Nothing outside of a clone is ever opened.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::source_file::{FileReading, ReadOutcome, SourceRepository, WantedFile};
use super::store::SourceTree;
use super::{Library, ScanError, ScanOutcome, ScanRequest};
use crate::model::inventory::Inventory;
use crate::model::scan::{ScanRules, candidates};

/// Maximum number of files to scan.
pub(super) const MOST: usize = 20_000;

/// The files to scan.
pub(super) struct SourceFiles<'a> {
    pub(super) repositories: Vec<SourceRepository>,
    pub(super) wanted: Vec<WantedFile>,
    seen: BTreeSet<(usize, PathBuf)>,
    packages: &'a PackageIndex,
}

/// The packages of all clones of an inventory, listed when the first import needs them.
#[derive(Debug, Default)]
pub(super) struct PackageIndex {
    /// The cloned repository of each package.
    cloned: OnceCell<HashMap<String, String>>,
    /// The repositories of the inventory by the name of their package.
    libraries: OnceCell<HashMap<String, Library>>,
}

/// Returns the files of a component.
pub(super) fn of<'a>(
    request: ScanRequest<'_>,
    rules: &ScanRules,
    packages: &'a PackageIndex,
    outcome: &mut ScanOutcome,
) -> Result<SourceFiles<'a>, ScanError> {
    let (repositories, wanted, seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut files = SourceFiles { repositories, wanted, seen, packages };
    for source in &request.component.sources {
        let Some(repository) = files.repository(request, &source.repo)? else {
            if !outcome.not_cloned.contains(&source.repo) {
                outcome.not_cloned.push(source.repo.clone());
            }
            continue;
        };
        let path = source.path.as_deref().unwrap_or_default();
        files.walk(repository, path, rules, outcome);
    }
    if let Some(build) = request.component.build.as_ref().filter(|_| !files.repositories.is_empty())
        && let Some(file) = &build.file
        && let Some(repository) = files.repository(request, &build.repo)?
        && let Some(path) = files.repositories[repository].store.file(Path::new(file))
    {
        files.wanted.retain(|wanted| wanted.repository != repository || wanted.path != path);
        files.seen.insert((repository, path.clone()));
        files.wanted.push(WantedFile { repository, path, is_build_file: true, shared: false });
    }
    Ok(files)
}

impl SourceFiles<'_> {
    /// Returns the index of a repository, if it is cloned.
    fn repository(&mut self, request: ScanRequest<'_>, name: &str) -> Result<Option<usize>, ScanError> {
        if let Some(known) = self.repositories.iter().position(|one| one.name == name) {
            return Ok(Some(known));
        }
        let Some(path) = request.workspace.location(request.inventory, name).found()? else {
            return Ok(None);
        };
        let store = match request.revision {
            Some(revision) => SourceTree::of_revision(&path, revision)?,
            None => SourceTree::of_clone(&path),
        };
        let Some(store) = store else { return Ok(None) };
        self.repositories.push(SourceRepository { name: name.to_owned(), store });
        Ok(Some(self.repositories.len() - 1))
    }

    fn walk(&mut self, repository: usize, path: &str, rules: &ScanRules, outcome: &mut ScanOutcome) {
        let mut found = Vec::new();
        let SourceRepository { name, store } = &self.repositories[repository];
        let walked = store.walk(path, rules, &mut |file| {
            found.push(file);
            found.len() <= MOST
        });
        if let Err(why) = walked {
            outcome.not_read.push((format!("{name}/{path}"), why));
        }
        for file in found {
            match file {
                Ok(file) => {
                    if !self.add(repository, file, false) {
                        outcome.cut_short = true;
                        return;
                    }
                }
                Err(why) => outcome.not_read.push((path.to_owned(), why)),
            }
        }
    }

    /// Adds a new file; returns `false` at the maximum.
    fn add(&mut self, repository: usize, path: PathBuf, shared: bool) -> bool {
        if self.seen.len() >= MOST {
            return false;
        }
        if self.seen.insert((repository, path.clone())) {
            self.wanted.push(WantedFile { repository, path, is_build_file: false, shared });
        }
        true
    }

    /// Returns the repository of a package, if it is cloned.
    fn package(&mut self, package: &str, request: ScanRequest<'_>) -> Option<usize> {
        // The state of other repositories at that revision is unknown.
        if request.revision.is_some() {
            return None;
        }
        let name = self.packages.cloned.get_or_init(|| packages(request)).get(package)?.clone();
        self.repository(request, &name).ok()?
    }

    /// Returns the repository of a package by its name, if it is not cloned.
    fn find_library(&mut self, package: &str, request: ScanRequest<'_>) -> Option<Library> {
        let library = self.packages.libraries.get_or_init(|| libraries(request.inventory)).get(package)?;
        let place = request.workspace.location(request.inventory, &library.repo);
        matches!(place.found(), Ok(None)).then(|| library.clone())
    }
}

/// Returns the packages that can be imported from the top, or from `src`, of each clone of the
/// inventory's repositories; the first repository with a package counts.
fn packages(request: ScanRequest<'_>) -> HashMap<String, String> {
    let mut packages = HashMap::new();
    for repo in request.inventory.repos.keys() {
        let Ok(Some(root)) = request.workspace.location(request.inventory, repo).found() else { continue };
        let listed = [root.join("src"), root].into_iter().filter_map(|place| std::fs::read_dir(place).ok());
        for path in listed.flatten().filter_map(|entry| Some(entry.ok()?.path())) {
            let is_module = path.extension().is_some_and(|one| one == "py") && path.is_file();
            let name = if is_module { path.file_stem() } else { path.file_name().filter(|_| path.is_dir()) };
            if let Some(name) = name.and_then(|name| name.to_str()) {
                packages.entry(name.to_owned()).or_insert_with(|| repo.clone());
            }
        }
    }
    packages
}

/// Returns the repositories of the inventory, each by its package name.
fn libraries(inventory: &Inventory) -> HashMap<String, Library> {
    let mut owners = HashMap::new();
    for component in &inventory.components {
        for repo in component.repos() {
            owners.entry(repo).or_insert(&component.reference);
        }
    }
    let mut libraries = HashMap::new();
    for repo in inventory.repos.keys() {
        let package = repo.replace('-', "_");
        let component = owners.get(repo.as_str()).map(ToString::to_string);
        let library = Library { package: package.clone(), repo: repo.clone(), component };
        libraries.entry(package).or_insert(library);
    }
    libraries
}

/// Returns the new files that the files of one round import.
pub(super) fn imported(
    readings: &[FileReading],
    files: &mut SourceFiles<'_>,
    request: ScanRequest<'_>,
    rules: &ScanRules,
    outcome: &mut ScanOutcome,
) -> Vec<WantedFile> {
    for reading in readings {
        let ReadOutcome::Read { language, scan } = &reading.fate else { continue };
        if !rules.languages[*language].follows_imports() {
            continue;
        }
        for import in &scan.imports {
            let own = reading.wanted.repository;
            let found = candidates(import, &reading.wanted.path)
                .into_iter()
                .find_map(|path| Some((own, existing(files, own, &path)?)));
            let found = found.or_else(|| {
                let repository = files.package(import.package()?, request)?;
                let path = candidates(import, Path::new("")).into_iter();
                path.into_iter().find_map(|path| Some((repository, existing(files, repository, &path)?)))
            });
            match found {
                Some((repository, path)) => {
                    if !rules.is_test(&path) && !files.add(repository, path, true) {
                        outcome.cut_short = true;
                    }
                }
                None => {
                    let package = import.package();
                    outcome
                        .libraries
                        .extend(package.and_then(|package| files.find_library(package, request)));
                }
            }
        }
    }
    std::mem::take(&mut files.wanted)
}

/// Returns a path in a repository, if there is a file.
fn existing(files: &SourceFiles<'_>, repository: usize, path: &Path) -> Option<PathBuf> {
    files.repositories[repository].store.file(path)
}
