//! Random changes of the files of an inventory, compared with and without its cache.

use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use proptest::sample::Index;

use super::lab::{ENTRIES, HEADS, Lab, changing};

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
    /// Replaces a file by a directory of the same name.
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
