//! Tests of the cache of inventories: whatever happens to the files and to the cache, a command shows what reading the
//! files would show.

mod edits;
mod lab;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, SystemTime};

use super::{FetchFailures, component_names, load_at};
use crate::base::assets::Assets;
use crate::base::file_snapshot::FileSnapshot;
use crate::base::files;
use crate::model::inventory::{ComponentSelector, Inventory, InventorySource};
use lab::{COUNT, ENTRIES, Lab, shown};

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
fn names_are_completed_without_a_look_at_other_entries() {
    let lab = Lab::new();
    assert!(!lab.is_cached() && lab.is_cached());
    // `c7` is among the names, since a backing service is called so.
    let help_of = |wanted: &str, shown: &str| {
        let names = component_names(&lab.sources, &["c7".to_owned()], |one| one.name.starts_with(wanted));
        names.expect("loads").iter().find(|one| one.name == shown).and_then(|one| one.help)
    };
    let (old, new) = (Some("The number 7."), Some("Seven."));
    assert_eq!((help_of("c8", "c7"), help_of("c8", "c9")), (old, None));
    lab.write("inventory/service/c70.yaml", "description: Seventy.\n");
    assert_eq!(help_of("c8", "c8"), Some("The number 8."), "only such names are looked at");
    assert_eq!(help_of("c70", "c70"), Some("Seventy."));
    lab.write("inventory/service/c7.yaml", "description: Seven.\n");
    assert_eq!(help_of("c8", "c7"), new);
    // Where no name fits, a file that changed may have one.
    assert_eq!((help_of("c-none", "c7"), help_of("c-none", "c8")), (new, None));
    // A new file changes its directory.
    lab.write("inventory/service/c8-new.yaml", "description: New.\n");
    assert_eq!(help_of("c8", "c8-new"), Some("New."));
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
        // Completion finds the name all the same, and removes a file whose names nobody else would read.
        let names = component_names(&lab.sources, &[], |one| one.name == "c7").expect("loads");
        assert_eq!(names.iter().map(|one| one.help).collect::<Vec<_>>(), [Some("The number 7.")], "{what}");
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
fn a_file_that_a_fix_replaces_shows_at_once() {
    let lab = Lab::new();
    lab.write("inventory/service/c9.yaml", "descritpion: x\n");
    assert!(!lab.is_cached() && lab.is_cached());
    let path = lab.at("inventory/service/c9.yaml");
    let before = path.metadata().and_then(|facts| facts.modified()).expect("has one");
    files::write_atomic(&path, b"description: x\n", 0o644).expect("writes");
    // Another command at that moment, which stores nothing, and the next ones.
    let (assets, files) = (Assets::default(), FileSnapshot::default());
    let at_once = load_at(&lab.sources, &assets, &files, &FetchFailures::new(), before).expect("loads");
    let expected = lab.uncached();
    assert!(!at_once.1 && shown(&Ok(at_once.0)) == expected && !expected.contains("descritpion"));
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
