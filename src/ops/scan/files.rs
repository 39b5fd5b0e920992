//! Which files are looked at: those of the component's sources, its build file, and what they import
//! from repositories that are cloned. Nothing outside of a clone is ever opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::read::{Fate, Reading};
use super::{Library, ScanOutcome, ScanRequest};
use crate::model::inventory::Inventory;
use crate::model::scan::{ScanRules, candidates};

/// So many files at most are looked at.
const MOST: usize = 20_000;

/// A clone.
#[derive(Debug)]
pub(super) struct Repository {
    /// Its name in the inventory.
    pub(super) name: String,
    /// Where it is, without symbolic links.
    pub(super) root: PathBuf,
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
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) repositories: Vec<Repository>,
    pub(super) wanted: Vec<Wanted>,
    seen: BTreeSet<(usize, PathBuf)>,
    /// Where a package is: the number of the repository.
    packages: BTreeMap<String, Option<usize>>,
}

/// The files of a component.
pub(super) fn of(request: ScanRequest<'_>, rules: &ScanRules, outcome: &mut ScanOutcome) -> Files {
    let mut files = Files::default();
    for source in &request.component.sources {
        let Some(repository) = files.repository(request, &source.repo) else {
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
        && let Some(repository) = files.repository(request, &build.repo)
        && let Some(path) = files.inside(repository, Path::new(file))
        && files.repositories[repository].root.join(&path).is_file()
    {
        files.wanted.retain(|wanted| wanted.repository != repository || wanted.path != path);
        files.seen.insert((repository, path.clone()));
        files.wanted.push(Wanted { repository, path, is_build_file: true, shared: false });
    }
    files
}

impl Files {
    /// The number of a repository, if it is cloned.
    fn repository(&mut self, request: ScanRequest<'_>, name: &str) -> Option<usize> {
        if let Some(known) = self.repositories.iter().position(|one| one.name == name) {
            return Some(known);
        }
        let place = request.workspace.place(request.inventory, name);
        let root = place.path.canonicalize().ok().filter(|root| root.is_dir())?;
        self.repositories.push(Repository { name: name.to_owned(), root });
        Some(self.repositories.len() - 1)
    }

    /// The path in a repository that a path stands for, if that is inside.
    fn inside(&self, repository: usize, path: &Path) -> Option<PathBuf> {
        let root = &self.repositories[repository].root;
        let real = root.join(path).canonicalize().ok()?;
        real.strip_prefix(root).ok().map(Path::to_path_buf)
    }

    fn walk(&mut self, repository: usize, path: &str, rules: &ScanRules, outcome: &mut ScanOutcome) {
        let root = self.repositories[repository].root.clone();
        let Some(start) = self.inside(repository, Path::new(path)) else {
            let why =
                if root.join(path).exists() { "is outside of the clone" } else { "is not in the clone" };
            outcome.not_read.push((format!("{}/{path}", self.repositories[repository].name), why.to_owned()));
            return;
        };
        let skipped = rules.skipped.clone();
        let walk = WalkBuilder::new(root.join(&start))
            .hidden(false)
            .ignore(false)
            .git_global(false)
            .follow_links(false)
            .sort_by_file_name(std::ffi::OsStr::cmp)
            .filter_entry(move |entry| {
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                entry.depth() == 0
                    || !is_folder
                    || !skipped.iter().any(|name| entry.file_name() == name.as_str())
            })
            .build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    outcome.not_read.push((path.to_owned(), error.to_string()));
                    continue;
                }
            };
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let Ok(path) = entry.path().strip_prefix(&root) else { continue };
            if !self.add(repository, path.to_path_buf(), false) {
                outcome.cut_short = true;
                return;
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
        let names: Vec<&String> = request.inventory.repos.keys().collect();
        let has_it = |root: &Path| {
            ["", "src"].iter().any(|folder| {
                let place = root.join(folder).join(package);
                place.is_dir() || place.with_extension("py").is_file()
            })
        };
        let home =
            names.into_iter().find(|name| has_it(&request.workspace.place(request.inventory, name).path));
        let home = home.and_then(|name| self.repository(request, name));
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
    let inside = files.inside(repository, path)?;
    files.repositories[repository].root.join(&inside).is_file().then_some(inside)
}

/// The repository of a package by its name, if that is not cloned.
fn library(package: &str, request: ScanRequest<'_>) -> Option<Library> {
    let inventory: &Inventory = request.inventory;
    let repo = inventory.repos.keys().find(|repo| repo.replace('-', "_") == package)?;
    if request.workspace.place(inventory, repo).path.exists() {
        return None;
    }
    let owner = inventory.components.iter().find(|component| component.repos().contains(&repo.as_str()));
    let component = owner.map(|component| component.reference.to_string());
    Some(Library { package: package.to_owned(), repo: repo.clone(), component })
}
