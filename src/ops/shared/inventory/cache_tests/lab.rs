//! An inventory with a cache for tests, and all that commands can show of it.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::super::{FetchFailures, LoadError, load, load_at};
use crate::base::assets::Assets;
use crate::base::file_snapshot::FileSnapshot;
use crate::base::file_stamp::FileStamp;
use crate::model::inventory::{EntryDetails, Inventory, InventorySources, check};

/// Number of entries: enough to be cached.
pub(super) const COUNT: usize = 110;

/// Heads, of which some have the same length.
pub(super) const HEADS: [&str; 5] = [
    "title: One\nrepos: {tools: 'https://example.org/tools'}\ncategories: [{id: service, kind: service}]\n",
    "title: Two\nrepos: {tools: 'https://example.org/tools'}\ncategories: [{id: service, kind: cronjob}]\n",
    "title: Typo\nrepoz: {}\nproduction: {hosts: ['a b', prod.example.org]}\n",
    "title: [broken\n",
    "version: 1\ncomponents: [{name: inner, category: tool, description: In the head., colour: red}]\n",
];

/// Entries, of which some have the same length.
pub(super) const ENTRIES: [&str; 9] = [
    "description: Aaa.\n",
    "description: Bbb.\n",
    "descriptoin: Typo.\npeople: [one, two]\nimage: registry.example.org/x\n",
    "sources: [{repo: tools}, {repo: nowhere}]\nhosts: ['not a host', h.example.org]\n",
    "run: {command: [x], needs: [redis, nothing-like-this]}\n",
    "run: {command: [y], needs: [c1]}\ndependencies: [{verb: reads, target: service/c2}]\n",
    "documentation: [{label: Login, url: 'https://user:word@docs.example.org/x'}]\ninfrastructure: aws\n",
    "description: [broken\n",
    "",
];

/// An inventory with a cache of its own.
pub(super) struct Lab {
    directory: TempDir,
    pub(super) sources: InventorySources,
}

impl Lab {
    /// Makes an inventory of which the findings are of all kinds.
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (root, cache) = (directory.path().join("inventory"), directory.path().join("cache"));
        let sources = InventorySources { cache: Some(cache), ..InventorySources::of_path(&root) };
        let lab = Self { directory, sources };
        lab.write("inventory/inventory.yaml", HEADS[0]);
        for number in 0..COUNT {
            lab.write(
                &format!("inventory/service/c{number}.yaml"),
                &format!("description: The number {number}.\n"),
            );
        }
        lab.write("inventory/tool/t.yaml", ENTRIES[1]);
        lab.write("inventory/README.md", "No part of it.\n");
        lab.write("elsewhere/linked.yaml", ENTRIES[2]);
        symlink(lab.at("elsewhere/linked.yaml"), lab.at("inventory/tool/linked.yaml")).expect("links");
        lab
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Writes a file.
    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        let parent = path.parent().expect("has one");
        if std::fs::create_dir_all(parent).is_ok() {
            changing(&path, || drop(std::fs::write(&path, text)));
        }
    }

    pub(super) fn load(&self) -> Result<(Inventory, bool), LoadError> {
        self.load_with(&Assets::default())
    }

    /// Loads the inventory an hour from now, when all files are settled.
    pub(super) fn load_with(&self, assets: &Assets) -> Result<(Inventory, bool), LoadError> {
        let later = SystemTime::now() + Duration::from_secs(3600);
        load_at(&self.sources, assets, &FileSnapshot::default(), &FetchFailures::new(), later)
    }

    pub(super) fn is_cached(&self) -> bool {
        self.load().expect("loads").1
    }

    /// Returns what is shown without a cache.
    pub(super) fn uncached(&self) -> String {
        let sources = InventorySources { cache: None, ..self.sources.clone() };
        let (assets, files) = (Assets::default(), FileSnapshot::default());
        shown(
            &load_at(&sources, &assets, &files, &FetchFailures::new(), SystemTime::now())
                .map(|(read, _)| read),
        )
    }

    /// Loads twice, compares both with what is shown without a cache, and returns whether the second was cached.
    pub(super) fn compare(&self) -> bool {
        let expected = self.uncached();
        let mut is_cached = false;
        for _ in 0..2 {
            let loaded = self.load();
            is_cached = loaded.as_ref().is_ok_and(|(_, is_cached)| *is_cached);
            assert_eq!(shown(&loaded.map(|(read, _)| read)), expected);
        }
        let quiet = load(&self.sources).map(|read| read.components.len());
        assert_eq!(quiet.ok(), self.load().ok().map(|(read, _)| read.components.len()));
        is_cached
    }

    /// Returns the files of the cache.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.at("cache")).into_iter().flatten();
        entries.map(|entry| entry.expect("lists").path()).collect()
    }

    pub(super) fn only_file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

/// Makes a change, and repeats one until the state of the path and of its directory show it: the timestamps of old
/// kernels are as coarse as the ticks of their clock.
pub(super) fn changing(path: &Path, change: impl Fn()) {
    let state = |path: &Path| path.metadata().ok().map(|facts| FileStamp::of(&facts));
    let directory = path.parent().expect("has one");
    let (before, around) = (state(path), state(directory));
    change();
    while before.is_some() && state(path) == before {
        change();
    }
    let is_same = before.is_some() == state(path).is_some();
    while !is_same && state(directory) == around {
        let more = directory.join(".more");
        std::fs::write(&more, "").and_then(|()| std::fs::remove_file(&more)).expect("writes");
    }
}

/// Returns all that commands can show of an inventory.
pub(super) fn shown(read: &Result<Inventory, LoadError>) -> String {
    let inventory = match read {
        Ok(inventory) => inventory,
        Err(error) => return error.to_string(),
    };
    let mut text = format!(
        "{:?}\n",
        (
            &inventory.title,
            &inventory.origin,
            &inventory.categories,
            &inventory.repos,
            &inventory.production,
            &inventory.services,
            &inventory.layers,
            inventory.label(),
            inventory.findings(usize::MAX),
            inventory.finding_count(),
            inventory.mentioned_hosts().collect::<Vec<_>>(),
            inventory.addresses().filter(|address| address.contains('@')).collect::<Vec<_>>(),
        )
    );
    for one in &inventory.components {
        let summary = (&one.reference, &one.description, &one.kind, &one.infrastructure, &one.people);
        let places =
            (one.source_map.spot(""), one.source_map.place("description"), one.source_map.spot("run.needs"));
        let details: &EntryDetails = one;
        let facts = (one.is_runnable(), details, places, one.source_map.origins());
        writeln!(text, "{summary:?} {facts:?}").expect("writes");
    }
    let found = check::check(inventory);
    writeln!(text, "{:?}", (found.findings, found.silenced)).expect("writes");
    text
}
