//! Finds and reads the files of an inventory. Their meaning is in `model::inventory`.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::base::assets::Assets;
use crate::base::file_snapshot::FileSnapshot;
use crate::base::files::{self, FileError};
use crate::base::text::plural;
use crate::base::yaml::{self, CompiledDocument, YamlError};
use crate::base::{assets, share};
use crate::model::inventory::{Inventory, InventoryDocument, InventoryError, InventoryPart};
use crate::model::reference::{Reference, is_name};
use crate::ops::shared::services;

/// Maximum bytes of an inventory's file: its text and its content are in memory at once.
const LIMIT: u64 = 64 << 20;
/// Number of files for each thread: starting a thread costs as much as reading these.
const SHARE: usize = 24;
/// Name of the compiled built-in inventory; a golden test compiles it from its files.
const COMPILED: &str = "inventory.compiled";
/// Name of the head of an inventory that is a directory.
const HEAD: &str = "inventory.yaml";

/// The finding of a head that was named in place of its directory.
const HEAD_ALONE: &str =
    "it has no `components`; to read files `CATEGORY/NAME.yaml`, name their directory as the inventory";
const NO_NAME: &str = "it is not read, since no component can be called so: a name has letters, digits, `-`, `_` and `.`, begins with a letter or digit, and has 100 characters at most";
const NO_TEXT: &str = "it is not read, since its name is not UTF-8";
const NO_CATEGORY: &str = "its files are not read, since no category can be called so: a name has letters, digits, `-`, `_` and `.`, begins with a letter or digit, and has 100 characters at most";

/// An error of loading an inventory.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The path does not exist.
    #[error("there is no inventory at `{0}`")]
    Missing(String),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Several files cannot be read.
    #[error("{first} (and {})", plural(*others, "more file"))]
    Files {
        /// The first.
        first: FileError,
        /// Number of the others.
        others: usize,
    },
    /// A file is too long.
    #[error("`{0}` is longer than {limit} MiB, which is the most that one file of an inventory may hold", limit = LIMIT >> 20)]
    TooLong(String),
    /// The content is invalid.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// Loads an inventory from a directory or a file, or the built-in one.
///
/// # Errors
/// Fails when there is no inventory, or it cannot be read or understood.
pub fn load(path: Option<&Path>) -> Result<Inventory, LoadError> {
    read(path, &FileSnapshot::default())
}

/// Loads an inventory as [`load`], with a reader of its files.
fn read(path: Option<&Path>, files: &FileSnapshot) -> Result<Inventory, LoadError> {
    let Some(path) = path else {
        let mut compiled: HashMap<&str, CompiledDocument<'_>> =
            yaml::compiled(assets::embedded_text(COMPILED).unwrap_or_default()).into_iter().collect();
        let documents = built_in().into_iter().map(|document| {
            let compiled =
                document.file.strip_prefix(assets::BUILT_IN).and_then(|file| compiled.remove(file));
            (document, compiled)
        });
        return Ok(Inventory::read_compiled("built in", documents.collect())?);
    };
    let origin = path.display().to_string();
    let mut unread = Vec::new();
    let parts = if path.is_dir() {
        directory(path, files, &mut unread)?
    } else {
        let document = document(path, None, files).map_err(|error| match error {
            LoadError::File(error) if error.is_missing() => LoadError::Missing(origin.clone()),
            error => error,
        });
        vec![InventoryPart::parse(document?)]
    };
    let mut inventory = Inventory::of_parts(&origin, parts)?;
    for (path, why) in unread {
        inventory.note_unread(path.display().to_string(), why);
    }
    if inventory.components.is_empty() && path.is_file() {
        let is_head = path.file_name() == Some(OsStr::new(HEAD));
        inventory.note_unread(origin, if is_head { HEAD_ALONE } else { "it has no `components`" });
    }
    Ok(inventory)
}

/// Loads an inventory with the names of the backing services, and checks the dependencies of a user's one against
/// them. A test checks the built-in inventory.
///
/// # Errors
/// As [`load`].
pub fn load_checked(path: Option<&Path>, assets: &Assets) -> Result<Inventory, LoadError> {
    let mut inventory = read(path, assets.files())?;
    let services = services::names(assets)?;
    if path.is_some() {
        inventory.check_needs(&services);
    }
    inventory.backing_services = services;
    Ok(inventory)
}

fn built_in() -> Vec<InventoryDocument> {
    assets::embedded_tree("inventory")
        .into_iter()
        .filter_map(|(path, content)| {
            let file = path.to_str()?;
            Some(InventoryDocument {
                file: format!("{}{file}", assets::BUILT_IN),
                text: std::str::from_utf8(content).ok()?.into(),
                reference: file.strip_suffix(".yaml").and_then(Reference::parse),
            })
        })
        .collect()
}

/// Compiles the built-in inventory for the program, from its files in `templates/`.
///
/// # Errors
/// Fails when one of them is not YAML.
pub fn compile() -> Result<String, YamlError> {
    let documents = built_in();
    let tree = |document: &InventoryDocument| -> Result<_, YamlError> {
        // An entry may be empty.
        let first = |text: &str| Ok(yaml::tree::documents(&document.file, text)?.into_iter().next());
        first(&document.text).and_then(|tree| if tree.is_none() { first("{}") } else { Ok(tree) })
    };
    let trees = documents.iter().map(tree).collect::<Result<Vec<_>, _>>()?;
    let name =
        |document: &'_ InventoryDocument| document.file.trim_start_matches(assets::BUILT_IN).to_owned();
    let names: Vec<String> = documents.iter().map(name).collect();
    let named = names.iter().zip(trees).filter_map(|(name, tree)| Some((name.as_str(), tree?)));
    Ok(yaml::compile(&named.collect::<Vec<_>>()))
}

/// Reads `inventory.yaml` and `<category>/<name>.yaml`; nothing deeper, so a link that leads back does no
/// harm. The thread that reads a file also parses it. Paths without a valid name are
/// added to `unread`.
fn directory(
    root: &Path,
    snapshot: &FileSnapshot,
    unread: &mut Vec<(PathBuf, &'static str)>,
) -> Result<Vec<Result<InventoryPart, InventoryError>>, LoadError> {
    let is_category = |name: &OsString| name.to_str().is_some_and(is_name) && root.join(name).is_dir();
    let (categories, others): (Vec<OsString>, Vec<OsString>) =
        snapshot.all_names_in(root)?.into_iter().partition(is_category);
    for other in others.iter().filter(|name| !name.as_bytes().starts_with(b".")) {
        let path = root.join(other);
        if path.is_dir() && snapshot.all_names_in(&path)?.iter().any(|file| is_yaml(file)) {
            unread.push((path, NO_CATEGORY));
        }
    }
    // The files of each category; the threads join the paths.
    let mut wanted: Vec<(Option<&str>, OsString)> = Vec::new();
    // Any kind of file: reading it reports the error.
    if root.join(HEAD).symlink_metadata().is_ok() {
        wanted.push((None, HEAD.into()));
    }
    for category in categories.iter().filter_map(|category| category.to_str()) {
        for file in snapshot.all_names_in(&root.join(category))? {
            if file.to_str().and_then(entry_name).is_some() {
                wanted.push((Some(category), file));
            } else if is_yaml(&file) {
                let why = if file.to_str().is_none() { NO_TEXT } else { NO_NAME };
                unread.push((root.join(category).join(file), why));
            }
        }
    }
    let part = |(category, file): (Option<&str>, OsString)| {
        let Some(category) = category else {
            return Ok(InventoryPart::parse(document(&root.join(file), None, snapshot)?));
        };
        let path = root.join(category).join(&file);
        let Some(name) = file.to_str().and_then(entry_name) else {
            return Err(files::no_text(path).into());
        };
        Ok(InventoryPart::parse(document(&path, Some(Reference::new(category, name)), snapshot)?))
    };
    let (mut parts, mut failed, mut others) = (Vec::with_capacity(wanted.len()), None, 0);
    for read in share::map(wanted, SHARE, part) {
        match read {
            Ok(part) => parts.push(part),
            Err(error) if failed.is_none() => failed = Some(error),
            Err(_) => others += 1,
        }
    }
    match failed {
        None => Ok(parts),
        Some(LoadError::File(first)) if others > 0 => Err(LoadError::Files { first, others }),
        Some(error) => Err(error),
    }
}

/// Returns whether the extension of a file's name is that of an inventory's file.
fn is_yaml(file: &OsStr) -> bool {
    let bytes = file.as_bytes();
    !bytes.starts_with(b".") && (bytes.ends_with(b".yaml") || bytes.ends_with(b".yml"))
}

/// Returns the name of the entry in a file.
fn entry_name(file: &str) -> Option<&str> {
    let name = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml"));
    name.filter(|name| is_name(name))
}

fn document(
    path: &Path,
    reference: Option<Reference>,
    files: &FileSnapshot,
) -> Result<InventoryDocument, LoadError> {
    match files.read_text(path, LIMIT) {
        Ok(text) => Ok(InventoryDocument { file: path.display().to_string(), text: text.into(), reference }),
        Err(_) if path.metadata().is_ok_and(|found| found.len() > LIMIT) => {
            Err(LoadError::TooLong(path.display().to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_inventory_loads_without_findings() {
        let mut inventory = load(None).expect("loads");
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
        let seen = shown(&load_checked(Some(root), &Assets::default()).expect("loads"));
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
        let alone =
            shown(&load_checked(Some(&root.join("inventory.yaml")), &Assets::default()).expect("loads"));
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
        let inventory = load(Some(root)).expect("loads");
        assert_eq!((inventory.title.as_str(), inventory.components[0].name()), ("T", "a"));
        let file = root.join("one.yaml");
        std::fs::write(&file, "components: [{name: a, category: service, description: A.}]").expect("writes");
        assert_eq!(load(Some(&file)).expect("loads").components[0].description.as_deref(), Some("A."));
        assert!(matches!(load(Some(&root.join("none"))), Err(LoadError::Missing(_))));
        let empty = tempfile::tempdir().expect("a temporary directory");
        assert!(matches!(load(Some(empty.path())), Err(LoadError::Inventory(InventoryError::Empty(_)))));
    }
}
