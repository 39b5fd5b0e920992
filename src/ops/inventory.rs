//! Finds the files of an inventory and reads it. What the files mean is for `model::inventory`.

use std::path::Path;

use crate::base::assets;
use crate::base::files::{self, FileError};
use crate::model::inventory::{Document, Inventory, InventoryError};
use crate::model::reference::Reference;

/// No file of an inventory is longer.
const LIMIT: u64 = 8 << 20;
/// The head of an inventory that is a folder.
const HEAD: &str = "inventory.yaml";

/// An inventory that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is nothing at that place.
    #[error("there is no inventory at `{0}`")]
    Missing(String),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The files make no inventory.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// Loads an inventory from a folder or a file, or the built-in one.
///
/// # Errors
/// When there is none, or it cannot be read or understood.
pub fn load(path: Option<&Path>) -> Result<Inventory, LoadError> {
    let Some(path) = path else {
        return Ok(Inventory::read("built in", built_in())?);
    };
    let origin = path.display().to_string();
    let documents = if path.is_dir() {
        folder(path)?
    } else if path.exists() {
        let text = files::read_text(path, LIMIT)?;
        vec![Document { file: origin.clone(), text: text.into(), reference: None }]
    } else {
        return Err(LoadError::Missing(origin));
    };
    Ok(Inventory::read(&origin, documents)?)
}

fn built_in() -> Vec<Document> {
    assets::embedded_tree("inventory")
        .into_iter()
        .filter_map(|(path, content)| {
            let file = path.to_str()?;
            Some(Document {
                file: format!("{}{file}", assets::BUILT_IN),
                text: std::str::from_utf8(content).ok()?.into(),
                reference: file.strip_suffix(".yaml").and_then(Reference::parse),
            })
        })
        .collect()
}

/// Reads `inventory.yaml` and `<category>/<name>.yaml`; nothing deeper, so a link that leads back
/// does no harm.
fn folder(root: &Path) -> Result<Vec<Document>, FileError> {
    let mut documents = Vec::new();
    let mut add = |path: &Path, file: String, reference| {
        let text = files::read_text(path, LIMIT)?;
        documents.push(Document { file, text: text.into(), reference });
        Ok::<_, FileError>(())
    };
    let shown = |path: &Path| path.display().to_string();
    let head = root.join(HEAD);
    if head.is_file() {
        add(&head, shown(&head), None)?;
    }
    for category in files::names_in(root)? {
        let folder = root.join(&category);
        if category.starts_with('.') || !folder.is_dir() {
            continue;
        }
        for file in files::names_in(&folder)? {
            let name = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml"));
            let Some(reference) = name.and_then(|name| Reference::parse(&format!("{category}/{name}")))
            else {
                continue;
            };
            let path = folder.join(&file);
            add(&path, shown(&path), Some(reference))?;
        }
    }
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_inventory_is_whole() {
        let inventory = load(None).expect("loads");
        assert_eq!(inventory.findings(9), []);
        assert_eq!(inventory.title, "CKI");
        assert_eq!(inventory.components.len(), 44);
        assert!(inventory.get(&Reference::new("external", "gitlab-com")).is_none());
        let lookaside = inventory.find("lookaside-static").expect("is there");
        assert_eq!(lookaside.kind.as_deref(), Some("cronjob"));
    }

    #[test]
    fn a_folder_and_a_file_hold_the_same() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
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
        let empty = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(load(Some(empty.path())), Err(LoadError::Inventory(InventoryError::Empty(_)))));
    }
}
