//! Which files are looked at: those of the component's sources, its build file, and what they import
//! from repositories that are cloned. Nothing outside of a clone is ever opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::read::{Fate, Reading};
use super::store::Store;
use super::{Library, ScanError, ScanOutcome, ScanRequest};
use crate::model::inventory::Inventory;
use crate::model::scan::{ScanRules, candidates};

/// So many files at most are looked at.
const MOST: usize = 20_000;

/// A repository.
pub(super) struct Repository {
    /// Its name in the inventory.
    pub(super) name: String,
    /// Its files.
    pub(super) store: Store,
}

/// A file to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// The number of its repository.
    pub(super) repository: usize,
    /// Its path in there.
    pub(super) path: PathBuf,
    /// Whether an image is built from it, whatever it is called.
    pub(super) is_build_file: bool,
    /// Whether it is looked at only for being imported.
    pub(super) shared: bool,
}

/// What there is to look at.
#[derive(Default)]
pub(super) struct Files {
    pub(super) repositories: Vec<Repository>,
    pub(super) wanted: Vec<Wanted>,
    seen: BTreeSet<(usize, PathBuf)>,
    /// Where a package is: the number of the repository.
    packages: BTreeMap<String, Option<usize>>,
}

/// The files of a component.
pub(super) fn of(
    request: ScanRequest<'_>,
    rules: &ScanRules,
    outcome: &mut ScanOutcome,
) -> Result<Files, ScanError> {
    let mut files = Files::default();
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
        files.wanted.push(Wanted { repository, path, is_build_file: true, shared: false });
    }
    Ok(files)
}

impl Files {
    /// The number of a repository, if it is there.
    fn repository(&mut self, request: ScanRequest<'_>, name: &str) -> Result<Option<usize>, ScanError> {
        if let Some(known) = self.repositories.iter().position(|one| one.name == name) {
            return Ok(Some(known));
        }
        let Some(path) = request.workspace.place(request.inventory, name).found()? else { return Ok(None) };
        let store = match request.revision {
            Some(revision) => Store::of_revision(&path, revision)?,
            None => Store::of_clone(&path),
        };
        let Some(store) = store else { return Ok(None) };
        self.repositories.push(Repository { name: name.to_owned(), store });
        Ok(Some(self.repositories.len() - 1))
    }

    fn walk(&mut self, repository: usize, path: &str, rules: &ScanRules, outcome: &mut ScanOutcome) {
        let mut found = Vec::new();
        let Repository { name, store } = &self.repositories[repository];
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

    /// Adds a file, if it is not there; `false` if there are too many.
    fn add(&mut self, repository: usize, path: PathBuf, shared: bool) -> bool {
        if self.seen.len() >= MOST {
            return false;
        }
        if self.seen.insert((repository, path.clone())) {
            self.wanted.push(Wanted { repository, path, is_build_file: false, shared });
        }
        true
    }

    /// The repository that a package is in, if it is cloned.
    fn package(&mut self, package: &str, request: ScanRequest<'_>) -> Option<usize> {
        if let Some(known) = self.packages.get(package) {
            return *known;
        }
        // What others have at that time, nobody knows.
        if request.revision.is_some() {
            return None;
        }
        let names: Vec<&String> = request.inventory.repos.keys().collect();
        let has_it = |name: &String| {
            let Ok(Some(root)) = request.workspace.place(request.inventory, name).found() else {
                return false;
            };
            ["", "src"].iter().any(|folder| {
                let place = root.join(folder).join(package);
                place.is_dir() || place.with_extension("py").is_file()
            })
        };
        let home = names.into_iter().find(|name| has_it(name));
        let home = home.and_then(|name| self.repository(request, name).ok()?);
        self.packages.insert(package.to_owned(), home);
        home
    }
}

/// The files that the files of one round import, and that nobody has looked at yet.
pub(super) fn imported(
    readings: &[Reading],
    files: &mut Files,
    request: ScanRequest<'_>,
    rules: &ScanRules,
    outcome: &mut ScanOutcome,
) -> Vec<Wanted> {
    for reading in readings {
        let Fate::Read { language, scan } = &reading.fate else { continue };
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
                    outcome.libraries.extend(import.package().and_then(|package| library(package, request)));
                }
            }
        }
    }
    std::mem::take(&mut files.wanted)
}

/// A path in a repository, if there is a file.
fn existing(files: &Files, repository: usize, path: &Path) -> Option<PathBuf> {
    files.repositories[repository].store.file(path)
}

/// The repository of a package by its name, if that is not cloned.
fn library(package: &str, request: ScanRequest<'_>) -> Option<Library> {
    let inventory: &Inventory = request.inventory;
    let repo = inventory.repos.keys().find(|repo| repo.replace('-', "_") == package)?;
    if !matches!(request.workspace.place(inventory, repo).found(), Ok(None)) {
        return None;
    }
    let owner = inventory.components.iter().find(|component| component.repos().contains(&repo.as_str()));
    let component = owner.map(|component| component.reference.to_string());
    Some(Library { package: package.to_owned(), repo: repo.clone(), component })
}
