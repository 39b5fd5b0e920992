//! Tests of the cache of inventories: whatever happens to the files and to the cache, a command shows what reading the
//! files would show.

use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

use super::{FetchFailures, LoadError, load, load_at};
use crate::base::assets::Assets;
use crate::base::file_snapshot::FileSnapshot;
use crate::base::file_stamp::FileStamp;
use crate::model::inventory::{
    ComponentSelector, EntryDetails, Inventory, InventorySource, InventorySources, check,
};

/// Number of entries: enough to be cached.
const COUNT: usize = 110;

/// An inventory with a cache of its own.
struct Lab {
    directory: TempDir,
    sources: InventorySources,
}

impl Lab {
    /// Makes an inventory of which the findings are of all kinds.
    fn new() -> Self {
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

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Writes a file.
    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        let parent = path.parent().expect("has one");
        if std::fs::create_dir_all(parent).is_ok() {
            changing(&path, || drop(std::fs::write(&path, text)));
        }
    }

    fn load(&self) -> Result<(Inventory, bool), LoadError> {
        self.load_with(&Assets::default())
    }

    /// Loads the inventory an hour from now, when all files are settled.
    fn load_with(&self, assets: &Assets) -> Result<(Inventory, bool), LoadError> {
        let later = SystemTime::now() + Duration::from_secs(3600);
        load_at(&self.sources, assets, &FileSnapshot::default(), &FetchFailures::new(), later)
    }

    fn is_cached(&self) -> bool {
        self.load().expect("loads").1
    }

    /// Returns what is shown without a cache.
    fn uncached(&self) -> String {
        let sources = InventorySources { cache: None, ..self.sources.clone() };
        let (assets, files) = (Assets::default(), FileSnapshot::default());
        shown(
            &load_at(&sources, &assets, &files, &FetchFailures::new(), SystemTime::now())
                .map(|(read, _)| read),
        )
    }

    /// Loads twice, compares both with what is shown without a cache, and returns whether the second was cached.
    fn compare(&self) -> bool {
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
    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.at("cache")).into_iter().flatten();
        entries.map(|entry| entry.expect("lists").path()).collect()
    }

    fn only_file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

/// Makes a change, and repeats one until the state of the path and of its directory show it: the timestamps of old
/// kernels are as coarse as the ticks of their clock.
fn changing(path: &Path, change: impl Fn()) {
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
fn shown(read: &Result<Inventory, LoadError>) -> String {
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

/// Heads, of which some have the same length.
const HEADS: [&str; 5] = [
    "title: One\nrepos: {tools: 'https://example.org/tools'}\ncategories: [{id: service, kind: service}]\n",
    "title: Two\nrepos: {tools: 'https://example.org/tools'}\ncategories: [{id: service, kind: cronjob}]\n",
    "title: Typo\nrepoz: {}\nproduction: {hosts: ['a b', prod.example.org]}\n",
    "title: [broken\n",
    "version: 1\ncomponents: [{name: inner, category: tool, description: In the head., colour: red}]\n",
];

/// Entries, of which some have the same length.
const ENTRIES: [&str; 9] = [
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

/// A change of the files.
#[derive(Debug, Clone)]
enum Edit {
    Head(Index),
    Entry(u8, Index),
    Linked(Index),
    Remove(u8),
    Rename(u8),
    /// A file or directory with a name that is not read.
    Unread(u8),
    /// Something that no reader looks at.
    Other,
    /// A directory in the place of a file.
    Directory,
    Mode(u8),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        2 => any::<Index>().prop_map(Edit::Head),
        6 => (0..9u8, any::<Index>()).prop_map(|(number, text)| Edit::Entry(number, text)),
        2 => any::<Index>().prop_map(Edit::Linked),
        1 => (0..9u8).prop_map(Edit::Remove),
        1 => (0..9u8).prop_map(Edit::Rename),
        1 => (0..3u8).prop_map(Edit::Unread),
        1 => Just(Edit::Other),
        1 => Just(Edit::Directory),
        1 => (0..9u8).prop_map(Edit::Mode),
    ];
    proptest::collection::vec(edit, 1..6)
}

fn apply(lab: &Lab, edit: &Edit) {
    let entry = |number: u8| format!("inventory/service/c{number}.yaml");
    match edit {
        Edit::Head(text) => lab.write("inventory/inventory.yaml", HEADS[text.index(HEADS.len())]),
        Edit::Entry(number, text) => lab.write(&entry(*number), ENTRIES[text.index(ENTRIES.len())]),
        Edit::Linked(text) => lab.write("elsewhere/linked.yaml", ENTRIES[text.index(ENTRIES.len())]),
        Edit::Remove(number) => {
            let path = lab.at(&entry(*number));
            changing(&path, || drop(std::fs::remove_file(&path)));
        }
        Edit::Rename(number) => {
            let (from, to) =
                (lab.at(&entry(*number)), lab.at(&format!("inventory/service/renamed-{number}.yaml")));
            changing(&from, || drop(std::fs::rename(&from, &to)));
        }
        Edit::Unread(0) => lab.write("inventory/service/a b.yaml", "description: x\n"),
        Edit::Unread(1) => lab.write("inventory/two words/a.yaml", "description: x\n"),
        Edit::Unread(_) => lab.write("inventory/README.md", "Changed.\n"),
        Edit::Other => lab.write("inventory/service/.hidden.yaml", "description: x\n"),
        Edit::Directory => {
            drop(std::fs::remove_file(lab.at("inventory/README.md")));
            lab.write("inventory/README.md/x.yaml", "description: In a directory with an unusual name.\n");
        }
        Edit::Mode(number) => {
            let path = lab.at(&entry(*number));
            changing(&path, || drop(std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640))));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn cached_inventory_shows_what_the_files_say(edits in edits()) {
        let lab = Lab::new();
        prop_assert!(lab.compare(), "nothing is cached");
        for edit in edits {
            apply(&lab, &edit);
            let is_read = lab.load().is_ok();
            prop_assert_eq!(lab.compare(), is_read, "what can be read is cached: {:?}", edit);
        }
    }
}

#[test]
fn layers_are_cached_with_the_origin_of_each_line() {
    let mut lab = Lab::new();
    lab.write("private/inventory.yaml", "title: Private\nproduction: {hosts: [secret.example.org]}\n");
    for number in 0..COUNT / 2 {
        let text = "people: [me]\nenvironment:\n  - {name: A, default: '1'}\nunknown: here\n";
        lab.write(&format!("private/service/c{number}.yaml"), text);
    }
    lab.write("private/tool/t.yaml", "null\n");
    lab.sources.list =
        vec![InventorySource::BuiltIn, lab.sources.list[0].clone(), InventorySource::Path(lab.at("private"))];
    assert!(lab.compare());
    let (read, is_cached) = lab.load().expect("loads");
    let merged = read.find("service/c3").expect("is there");
    let origins: Vec<u16> = merged.source_map.origins().iter().map(|origin| origin.layer).collect();
    assert!(is_cached && origins.contains(&1) && origins.contains(&2), "{origins:?}");
    lab.write("private/service/c3.yaml", "people: {broken\n");
    assert!(!lab.compare());
    // Layers that contradict each other are an error with both places, with a cache and without.
    lab.write("private/service/c3.yaml", "description: {a: mapping}\n");
    assert!(!lab.compare());
    lab.write("private/service/c3.yaml", "people: [you]\n");
    assert!(lab.compare());
    // Other sources have a place of their own.
    lab.sources.list.pop();
    assert!(!lab.is_cached() && lab.is_cached() && lab.files().len() == 2);
}

#[test]
fn broken_caches_are_read_as_none_and_replaced() {
    let lab = Lab::new();
    assert!(!lab.is_cached() && lab.is_cached());
    let (file, expected) = (lab.only_file(), lab.uncached());
    let content = std::fs::read(&file).expect("reads");
    assert_eq!(file.metadata().expect("is there").permissions().mode() & 0o777, 0o600);
    let broken = |what: &str, content: &[u8]| {
        std::fs::write(&file, content).expect("writes");
        let (read, is_cached) = lab.load().expect("loads");
        assert!(!is_cached, "{what}");
        assert_eq!(shown(&Ok(read)), expected, "{what}");
        assert!(lab.is_cached(), "{what}");
    };
    // A test of `packed` changes each byte.
    for at in (0..content.len()).step_by(content.len() / 12) {
        let mut changed = content.clone();
        changed[at] ^= 0x20;
        broken(&format!("byte {at}"), &changed);
        broken(&format!("cut at {at}"), &content[..at]);
    }
    broken("of another version", b"cki inventory cache 0\n");
    // A file that others can write, or a link to one, is not used: it could say anything.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("sets");
    assert!(!lab.is_cached() && lab.is_cached());
    std::fs::rename(&file, lab.at("moved")).expect("moves");
    symlink(lab.at("moved"), &file).expect("links");
    assert!(!lab.is_cached() && lab.is_cached());
    // One of other sources under this name.
    let other = Lab::new();
    assert!(!other.is_cached());
    std::fs::copy(other.only_file(), &file).expect("copies");
    assert!(!lab.is_cached() && lab.is_cached());
    std::fs::remove_dir_all(lab.at("cache")).expect("removes");
    assert!(!lab.is_cached() && lab.is_cached());
}

#[test]
fn no_cache_is_no_error() {
    let mut lab = Lab::new();
    std::fs::write(lab.at("cache"), "in the way").expect("writes");
    assert!(!lab.compare());
    lab.sources.cache = Some("/proc/nowhere".into());
    assert!(!lab.compare());
    lab.sources.cache = None;
    assert!(!lab.compare());
    // A small inventory is read faster than a cache.
    lab.sources.cache = Some(lab.at("small"));
    for number in 50..COUNT {
        std::fs::remove_file(lab.at(&format!("inventory/service/c{number}.yaml"))).expect("removes");
    }
    assert!(!lab.compare() && !lab.at("small").exists());
}

#[test]
fn the_files_of_a_check_of_trust_are_not_cached() {
    let lab = Lab::new();
    assert!(!lab.is_cached() && lab.is_cached());
    let files = FileSnapshot::of(vec![lab.at("inventory")], []);
    let loaded = load_at(&lab.sources, &Assets::default(), &files, &FetchFailures::new(), SystemTime::now());
    assert!(!loaded.expect("loads").1);
}

#[test]
fn known_content_of_one_file_takes_effect_in_place_of_the_cache() {
    let lab = Lab::new();
    assert!(!lab.is_cached() && lab.is_cached());
    let path = lab.at("inventory/service/c5.yaml");
    let files = FileSnapshot::of(vec![path.clone()], [(path, b"description: Known.\n".to_vec())]);
    let loaded = load_at(&lab.sources, &Assets::default(), &files, &FetchFailures::new(), SystemTime::now());
    let (read, is_cached) = loaded.expect("loads");
    let described = |read: &Inventory| read.find("service/c5").expect("is there").description.clone();
    assert_eq!((described(&read).as_deref(), is_cached), (Some("Known."), false));
    // It is not what later commands see.
    let (read, is_cached) = lab.load().expect("loads");
    assert_eq!((described(&read).as_deref(), is_cached), (Some("The number 5."), true));
}

#[test]
fn files_that_changed_a_moment_ago_are_not_cached() {
    let lab = Lab::new();
    let changed =
        lab.at("inventory/service/c9.yaml").metadata().and_then(|facts| facts.modified()).expect("has one");
    let load = |after: Duration| {
        let (assets, files) = (Assets::default(), FileSnapshot::default());
        load_at(&lab.sources, &assets, &files, &FetchFailures::new(), changed + after).expect("loads").1
    };
    for _ in 0..2 {
        assert!(!load(Duration::from_secs(1)));
    }
    assert!(lab.files().is_empty());
    assert!(!load(Duration::from_secs(60)) && load(Duration::ZERO), "once cached, the time does not matter");
    // The same length and the same timestamp of the content: the timestamp of the attributes tells.
    let path = lab.at("inventory/service/c9.yaml");
    lab.write("inventory/service/c9.yaml", "description: The numbxr 9.\n");
    std::fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(changed))
        .expect("sets");
    assert!(!lab.is_cached());
    assert!(lab.uncached().contains("numbxr"));
    assert!(lab.compare());
}

#[test]
fn cached_entries_are_read_when_a_command_needs_them() {
    let lab = Lab::new();
    lab.write("inventory/service/c5.yaml", ENTRIES[4]);
    assert!(!lab.is_cached());
    let (read, is_cached) = lab.load().expect("loads");
    // Only the entry with a finding that depends on the names of backing services.
    assert!(is_cached && read.unread_entries() == read.components.len() - 1, "{}", read.unread_entries());
    let unread = read.unread_entries();
    let listed = |text: &str| {
        let selector = ComponentSelector::parse([text]).expect("is a selector");
        read.components.iter().filter(|one| selector.matches(one)).count()
    };
    assert_eq!((listed("number 7"), listed("kind=service")), (11, COUNT));
    assert!(read.find("c7").expect("is there").description.is_some() && !read.components[0].is_runnable());
    assert_eq!((read.findings(99).len(), read.unread_entries()), (2, unread));
    assert_eq!(read.find("c8").expect("is there").documentation.len(), 0);
    assert_eq!(read.unread_entries(), unread - 1);
    read.read_details();
    assert_eq!(read.unread_entries(), 0);
}

#[test]
fn needs_are_checked_again_with_other_backing_services() {
    let lab = Lab::new();
    lab.write("inventory/service/c5.yaml", ENTRIES[4]);
    assert!(!lab.is_cached());
    let assets = Assets::new(vec![lab.at("templates")]);
    let findings = |assets: &Assets| {
        let (read, is_cached) = lab.load_with(assets).expect("loads");
        assert!(is_cached);
        read.findings(9).iter().any(|one| one.message.contains("nothing-like-this"))
    };
    assert!(findings(&Assets::default()) && findings(&assets));
    lab.write("templates/services/nothing-like-this.yaml", "image: x\n");
    assert!(!findings(&Assets::new(vec![lab.at("templates")])));
    assert!(findings(&Assets::default()));
}

#[test]
fn the_cache_is_bounded() {
    let mut lab = Lab::new();
    for number in 0..12 {
        lab.sources.list = vec![InventorySource::Path(lab.at(&format!("link-{number}")))];
        symlink(lab.at("inventory"), lab.at(&format!("link-{number}"))).expect("links");
        assert!(!lab.is_cached() && lab.is_cached());
    }
    assert_eq!(lab.files().len(), 8);
}

#[test]
fn concurrent_commands_read_whole_caches() {
    let lab = Lab::new();
    let expected: Vec<String> = [ENTRIES[0], ENTRIES[3]]
        .map(|text| {
            lab.write("inventory/service/c5.yaml", text);
            lab.uncached()
        })
        .to_vec();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..6 {
                    let seen = shown(&lab.load().map(|(read, _)| read));
                    assert!(expected.contains(&seen), "{seen}");
                }
            });
        }
        for round in 0..6 {
            // As editors write: under another name, then renamed.
            lab.write("inventory/.new", [ENTRIES[0], ENTRIES[3]][round % 2]);
            std::fs::rename(lab.at("inventory/.new"), lab.at("inventory/service/c5.yaml")).expect("renames");
            drop(std::fs::remove_file(lab.files().first().cloned().unwrap_or_default()));
        }
    });
    assert!(lab.compare() && lab.files().len() == 1);
}
