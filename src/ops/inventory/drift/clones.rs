//! The clones of an inventory's repositories, each found and read once, whatever the number of entries in it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::modules;
use super::paths::plain;
use crate::base::assets::Assets;
use crate::base::source_dir::{SourceDir, SourceKind};
use crate::host::Env;
use crate::model::draft::BuildFileFacts;
use crate::model::inventory::check::RelatedPlace;
use crate::model::inventory::check::drift::{BuildFileState, RepositoryFacts, ShownBuildFile};
use crate::model::inventory::{Build, Component, Inventory};
use crate::ops::draft::shown_components;
use crate::ops::scan::Scanner;
use crate::ops::shared::workspace::Workspace;

/// Maximum bytes of a build file.
const LIMIT: u64 = 1 << 20;
/// Usual names of build files, the first one that exists being used.
const USUAL: [&str; 2] = ["Containerfile", "Dockerfile"];

/// The clones.
pub(super) struct DriftClones {
    /// Index of the clone of each repository, or the reason why it cannot be used; `None` if there is none.
    places: HashMap<String, Result<Option<usize>, String>>,
    all: Vec<SourceClone>,
    /// Number of entries with each build file.
    uses: HashMap<(usize, String), usize>,
}

/// A clone.
struct SourceClone {
    root: PathBuf,
    sources: SourceDir,
    facts: RepositoryFacts,
}

impl DriftClones {
    /// Finds the clones of all entries.
    pub(super) fn find(inventory: &Inventory, workspace: &Workspace) -> Self {
        let mut clones = Self { places: HashMap::new(), all: Vec::new(), uses: HashMap::new() };
        for component in &inventory.components {
            for repo in component.repos() {
                if !clones.places.contains_key(repo) {
                    let place = match workspace.location(inventory, repo).found() {
                        Ok(Some(path)) => clones.open(&path),
                        Ok(None) => Ok(None),
                        Err(error) => Err(error.to_string()),
                    };
                    clones.places.insert(repo.to_owned(), place);
                }
            }
            let mut own: BTreeSet<usize> = BTreeSet::new();
            let build = component.build.as_ref().map(|build| build.repo.as_str());
            for repo in build.into_iter().chain(component.sources.iter().map(|source| source.repo.as_str())) {
                if let Some(index) = clones.index(repo) {
                    clones.all[index].facts.names.insert(repo.to_owned());
                    own.insert(index);
                }
            }
            for index in own {
                clones.all[index].facts.entries.push(component.reference.clone());
            }
            if let Some((index, path)) = clones.named_build_file(component) {
                *clones.uses.entry((index, path.clone())).or_default() += 1;
                clones.all[index].facts.named_build_files.push((path, component.reference.clone()));
            }
        }
        clones
    }

    /// Opens a clone, which other names may have, too.
    fn open(&mut self, path: &Path) -> Result<Option<usize>, String> {
        let root = path.canonicalize().map_err(|error| error.to_string())?;
        if let Some(known) = self.all.iter().position(|one| one.root == root) {
            return Ok(Some(known));
        }
        let sources = SourceDir::new(root.clone()).map_err(|error| error.to_string())?;
        self.all.push(SourceClone { root, sources, facts: RepositoryFacts::default() });
        Ok(Some(self.all.len() - 1))
    }

    /// Returns the index of a repository's clone.
    pub(super) fn index(&self, repo: &str) -> Option<usize> {
        self.places.get(repo)?.as_ref().ok().copied().flatten()
    }

    /// Returns the reason why the clone of a repository cannot be used.
    pub(super) fn trouble(&self, repo: &str) -> Option<&str> {
        self.places.get(repo)?.as_ref().err().map(String::as_str)
    }

    /// Returns the files of a repository's clone.
    pub(super) fn sources(&self, repo: &str) -> Option<&SourceDir> {
        Some(&self.all[self.index(repo)?].sources)
    }

    /// Returns the clones of a component's build and sources; none if one of them is missing.
    pub(super) fn searched(&self, component: &Component) -> Vec<usize> {
        let build = component.build.as_ref().map(|build| build.repo.as_str());
        let repos = build.into_iter().chain(component.sources.iter().map(|source| source.repo.as_str()));
        let indices: Option<BTreeSet<usize>> = repos.map(|repo| self.index(repo)).collect();
        indices.unwrap_or_default().into_iter().collect()
    }

    /// Returns the clone and the path of the build file that an entry names, which need not exist.
    fn named_build_file(&self, component: &Component) -> Option<(usize, String)> {
        let build = component.build.as_ref()?;
        let index = self.index(&build.repo)?;
        Some((index, self.path_of_build(index, build)?))
    }

    /// Returns the path of a build file in a clone, as a build finds it.
    fn path_of_build(&self, index: usize, build: &Build) -> Option<String> {
        if let Some(file) = &build.file {
            return plain(Path::new(file));
        }
        let context = plain(Path::new(build.context.as_deref().unwrap_or_default()))?;
        let at = |name: &str| Path::new(&context).join(name);
        let is_there = |name: &&str| self.all[index].sources.kind(&at(name)).is_ok_and(|kind| kind.is_some());
        let name = USUAL.into_iter().find(is_there).unwrap_or(USUAL[1]);
        Some(at(name).display().to_string())
    }

    /// Returns whether another entry has the same build file.
    pub(super) fn shares_build_file(&self, component: &Component) -> bool {
        let file = self.named_build_file(component);
        file.is_some_and(|file| self.uses.get(&file).is_some_and(|uses| *uses > 1))
    }

    /// Returns the state of the build file of a component, if its repository is cloned.
    pub(super) fn build_file(&self, component: &Component) -> Option<BuildFileState> {
        let (index, path) = self.named_build_file(component)?;
        let clone = &self.all[index];
        match clone.sources.kind(Path::new(&path)) {
            Ok(None) => Some(BuildFileState::Missing { path, moved: None }),
            Ok(Some(SourceKind::File)) => {
                let Ok(text) = clone.sources.read_text(Path::new(&path), LIMIT) else {
                    return Some(BuildFileState::Unread);
                };
                let file = clone.root.join(&path).display().to_string();
                let facts = BuildFileFacts::read(&text);
                let place =
                    |port: &u16| RelatedPlace { file: file.clone(), line: line_of_port(&text, *port) };
                Some(BuildFileState::Read {
                    exposed: facts.ports.iter().map(|port| (*port, place(port))).collect(),
                    command: facts.command,
                    is_template: path.ends_with(".in"),
                })
            }
            Ok(Some(SourceKind::Directory)) | Err(_) => Some(BuildFileState::Unread),
        }
    }

    /// Reads the components and the modules that the clones of some repositories show.
    pub(super) fn read(
        &mut self,
        inventory: &Inventory,
        repos: &HashSet<&str>,
        assets: &Assets,
        env: &Env,
    ) -> anyhow::Result<()> {
        let indices: BTreeSet<usize> = repos.iter().filter_map(|repo| self.index(repo)).collect();
        for index in indices {
            let groups = modules::groups(inventory, &self.all[index].facts.entries, &self.all[index].sources);
            let clone = &mut self.all[index];
            clone.facts.module_groups = groups;
            // Without a build in it, a repository holds the deployment or the libraries of components.
            if clone.facts.named_build_files.is_empty() {
                continue;
            }
            let shown = shown_components(&clone.root, assets, env)?;
            clone.facts.build_files = shown
                .into_iter()
                .map(|one| ShownBuildFile {
                    file: clone.root.join(&one.build_file).display().to_string(),
                    path: one.build_file,
                    component: one.name,
                    root: clone.root.display().to_string(),
                })
                .collect();
        }
        Ok(())
    }

    /// Returns the only build file of a clone that has the name of a missing one, and that no entry names.
    pub(super) fn moved(&self, component: &Component, path: &str) -> Option<String> {
        let (index, _) = self.named_build_file(component)?;
        let facts = &self.all[index].facts;
        let named: HashSet<&str> = facts.named_build_files.iter().map(|(path, _)| path.as_str()).collect();
        let name = Path::new(path).file_name();
        let mut found = facts
            .build_files
            .iter()
            .filter(|one| Path::new(&one.path).file_name() == name && !named.contains(one.path.as_str()));
        let first = found.next()?;
        found.next().is_none().then(|| first.path.clone())
    }

    /// Searches a clone for words, apart from the files of the inventory.
    pub(super) fn search(
        &mut self,
        index: usize,
        scanner: &Scanner,
        words: &HashSet<String>,
        files: &HashSet<PathBuf>,
    ) {
        let clone = &mut self.all[index];
        let root = clone.root.clone();
        let is_of_inventory = |path: &Path| files.contains(&root.join(path));
        clone.facts.mentions = scanner.mentions(&root, words, &is_of_inventory);
    }

    /// Returns the path of a file of a component's scan on this machine.
    pub(super) fn file(&self, component: &Component, label: &str) -> String {
        let repos = component.repos();
        let with_repo = repos.iter().filter_map(|repo| {
            let rest = label.strip_prefix(repo)?.strip_prefix('/')?;
            Some((self.index(repo)?, rest))
        });
        let without = repos.iter().filter_map(|repo| Some((self.index(repo)?, label)));
        let whole = |(index, path): (usize, &str)| self.all[index].root.join(path);
        let mut all = with_repo.chain(without).map(whole);
        all.find(|path| path.is_file()).map_or_else(|| label.to_owned(), |path| path.display().to_string())
    }

    pub(super) fn into_facts(self) -> Vec<RepositoryFacts> {
        self.all.into_iter().map(|one| one.facts).collect()
    }
}

/// Returns the files of an inventory: they mention everything that entries have.
pub(super) fn inventory_files(inventory: &Inventory) -> HashSet<PathBuf> {
    let entries = inventory.components.iter().map(|one| one.source_map.file());
    let layers = inventory.layers.iter().filter_map(|layer| layer.path.as_deref());
    let files: HashSet<&Path> =
        entries.chain([inventory.source_map.file()]).map(Path::new).chain(layers).collect();
    files.into_iter().filter_map(|file| file.canonicalize().ok()).collect()
}

/// Returns the line of the last instruction that exposes a port, or else of the last one that exposes any.
fn line_of_port(text: &str, port: u16) -> usize {
    let is_exposing = |line: &&str| line.trim_start().to_ascii_uppercase().starts_with("EXPOSE");
    let number = port.to_string();
    let has_it = |line: &str| line.split(|c: char| !c.is_ascii_digit()).any(|word| word == number);
    let mut lines: Vec<(usize, &str)> =
        text.lines().enumerate().filter(|(_, line)| is_exposing(line)).collect();
    lines.reverse();
    let found = lines.iter().find(|(_, line)| has_it(line)).or(lines.first());
    found.map_or(1, |(index, _)| index + 1)
}
