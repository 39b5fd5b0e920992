//! Tests of loading an inventory: its findings, and that a directory and a file read alike.

use super::*;
use crate::model::inventory::InventoryError;
use crate::model::reference::Reference;

#[test]
fn built_in_inventory_loads_without_findings() {
    let mut inventory = load(&InventorySources::default()).expect("loads");
    inventory.check_needs(&services::names(&Assets::default()).expect("are carried"));
    assert_eq!(inventory.findings(9), []);
    assert_eq!(inventory.title, "CKI");
    assert_eq!(inventory.components.len(), 44);
    assert!(inventory.get(&Reference::new("external", "gitlab-com")).is_none());
    let lookaside = inventory.find("lookaside-static").expect("is there");
    assert_eq!(lookaside.kind.as_deref(), Some("cronjob"));
}

#[test]
fn load_reports_ignored_and_unused_files() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path();
    let write = |path: &str, text: &str| {
        std::fs::create_dir_all(root.join(path).parent().expect("has one")).expect("makes");
        std::fs::write(root.join(path), text).expect("writes");
    };
    write("inventory.yaml", "title: T\n");
    write("service/a b.yaml", "description: A.\n");
    write("service/.a.yaml", "description: hidden\n");
    write("two words/b.yaml", "description: B.\n");
    write("notes and so on/c.md", "none");
    write("service/a.yaml", "run: {needs: [postgrs, b, postgres]}\n");
    write("service/b.yaml", "run: {needs: [a]}\n");
    let shown = |inventory: &Inventory| -> Vec<String> {
        inventory
            .findings(9)
            .iter()
            .map(|one| one.to_string().replace(&root.display().to_string(), ""))
            .collect()
    };
    let seen = shown(
        &load_checked(
            &InventorySources::of_path(root),
            &Assets::default(),
            &FileSnapshot::default(),
            &FetchFailures::new(),
        )
        .expect("loads"),
    );
    for (finding, part) in seen.iter().zip([
        "/two words: its files are not read",
        "/service/a b.yaml: it is not read",
        "/service/a.yaml:1:15: there is no backing service or component `postgrs`; did you mean `postgres`?",
        "/service/a.yaml:1:24: `b` cannot be started",
        "/service/b.yaml:1:15: `a` cannot be started",
    ]) {
        assert!(finding.starts_with(part), "{seen:#?}");
    }
    assert_eq!(seen.len(), 5, "{seen:#?}");
    let alone = shown(
        &load_checked(
            &InventorySources::of_path(&root.join("inventory.yaml")),
            &Assets::default(),
            &FileSnapshot::default(),
            &FetchFailures::new(),
        )
        .expect("loads"),
    );
    assert!(alone.len() == 1 && alone[0].contains("name their directory as the inventory"), "{alone:?}");
}

#[test]
fn load_reads_directory_and_file_alike() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path();
    std::fs::create_dir_all(root.join("service")).expect("makes");
    std::fs::write(root.join("inventory.yaml"), "title: T\n").expect("writes");
    std::fs::write(root.join("service/a.yaml"), "description: A.\n").expect("writes");
    std::fs::write(root.join("service/README.md"), "no entry").expect("writes");
    let inventory = load(&InventorySources::of_path(root)).expect("loads");
    assert_eq!((inventory.title.as_str(), inventory.components[0].name()), ("T", "a"));
    let file = root.join("one.yaml");
    std::fs::write(&file, "components: [{name: a, category: service, description: A.}]").expect("writes");
    assert_eq!(
        load(&InventorySources::of_path(&file)).expect("loads").components[0].description.as_deref(),
        Some("A.")
    );
    assert!(matches!(load(&InventorySources::of_path(&root.join("none"))), Err(LoadError::Missing(_))));
    let empty = tempfile::tempdir().expect("a temporary directory");
    assert!(matches!(
        load(&InventorySources::of_path(empty.path())),
        Err(LoadError::Inventory(InventoryError::Empty(_)))
    ));
}
