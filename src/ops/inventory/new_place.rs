//! The place of a new entry: a file of its own, or an item in the list of an inventory that is one file. The text of the
//! entry is up to `new`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::new_error::NewEntryError;
use crate::base::files::{self, DirectoryLock, FileError};
use crate::model::draft::with_entry;
use crate::model::inventory::{Inventory, InventoryDocument, InventorySource, InventorySources};
use crate::model::reference::Reference;
use crate::ops::draft::SCHEMA;

/// Maximum bytes of an inventory of one file.
const LIMIT: u64 = 64 << 20;

/// The source that new entries are written to.
#[derive(Debug)]
pub(super) enum EntryPlace {
    /// A directory with `CATEGORY/NAME.yaml`.
    Directory(PathBuf),
    /// A file with all entries.
    File {
        /// Path.
        path: PathBuf,
        /// Content when it was read.
        before: String,
        /// Content, with the entries that were added.
        text: String,
        /// Changed already.
        is_changed: bool,
    },
}

/// A file with a new entry.
#[derive(Debug)]
pub(super) struct EntryFile {
    pub(super) path: PathBuf,
    /// Line where the entry begins.
    pub(super) line: usize,
    /// Content of the file when it was read; `None` if the file must be new.
    pub(super) before: Option<String>,
    pub(super) document: InventoryDocument,
}

impl EntryPlace {
    /// Returns the uppermost source of an inventory, if entries can be written to it.
    pub(super) fn of(sources: &InventorySources) -> Result<Self, NewEntryError> {
        let refuse = |layer: String, is_built_in| Err(NewEntryError::Source { layer, is_built_in });
        match sources.list.last() {
            None | Some(InventorySource::BuiltIn) => refuse("the built-in inventory".to_owned(), true),
            Some(InventorySource::Git(source)) => refuse(format!("`{source}`"), false),
            Some(InventorySource::Path(path)) if path.is_dir() => {
                let is_catalog =
                    ["catalog-info.yaml", "catalog-info.yml"].iter().any(|name| path.join(name).exists());
                if is_catalog && !path.join("inventory.yaml").exists() {
                    return Err(NewEntryError::Catalog(path.clone()));
                }
                Ok(Self::Directory(path.clone()))
            }
            Some(InventorySource::Path(path)) => {
                let text = files::read_text(path, LIMIT)?;
                if crate::model::inventory::backstage::is_catalog_text(&path.display().to_string(), &text) {
                    return Err(NewEntryError::Catalog(path.clone()));
                }
                Ok(Self::File { path: path.clone(), before: text.clone(), text, is_changed: false })
            }
        }
    }

    /// Returns the file with the JSON Schema, next to the inventory.
    pub(super) fn schema(&self) -> PathBuf {
        match self {
            Self::Directory(path) => path.join(SCHEMA),
            Self::File { path, .. } => path.with_file_name(SCHEMA),
        }
    }

    /// Returns the path of the JSON Schema in an entry with a file of its own.
    pub(super) fn schema_reference(&self) -> Option<String> {
        matches!(self, Self::Directory(_)).then(|| format!("../{SCHEMA}"))
    }

    /// Puts an entry in its place. `force` replaces one that is there.
    pub(super) fn put(
        &mut self,
        reference: &Reference,
        entry: &str,
        inventory: &Inventory,
        force: bool,
    ) -> Result<EntryFile, NewEntryError> {
        let known = inventory.get(reference);
        let exists = |place: String| NewEntryError::Exists { reference: reference.clone(), place };
        if let Some(known) = known.filter(|_| !force) {
            return Err(exists(known.source_map.place("")));
        }
        match self {
            Self::Directory(root) => {
                let directory = root.join(&reference.category);
                let other = directory.join(format!("{}.yml", reference.name));
                let path = match other.symlink_metadata() {
                    Ok(_) => other,
                    Err(_) => directory.join(format!("{}.yaml", reference.name)),
                };
                let before = match path.symlink_metadata() {
                    Ok(found) if !found.is_file() => return Err(NewEntryError::Special(path)),
                    Ok(_) if !force => return Err(exists(path.display().to_string())),
                    Ok(_) => Some(files::read_text(&path, LIMIT)?),
                    Err(_) => None,
                };
                let file = path.display().to_string();
                let text = entry.to_owned().into();
                let document = InventoryDocument { file, text, reference: Some(reference.clone()) };
                Ok(EntryFile { path, line: 1, before, document })
            }
            Self::File { path, before, text, is_changed } => {
                let file = path.display().to_string();
                let at = known.filter(|one| one.source_map.file() == file);
                let at = at.and_then(|one| one.source_map.entry_of("")).map(|at| at as usize);
                let (changed, line) = with_entry(&file, text, entry, at.filter(|_| !*is_changed))?;
                text.clone_from(&changed);
                *is_changed = true;
                let document = InventoryDocument { file, text: changed.into(), reference: None };
                Ok(EntryFile { path: path.clone(), line, before: Some(before.clone()), document })
            }
        }
    }
}

/// Waits until no other command changes the uppermost source of an inventory. Hold the result from reading the inventory
/// to the end of writing it.
pub(super) fn lock(sources: &InventorySources) -> Option<DirectoryLock> {
    match sources.list.last() {
        Some(InventorySource::Path(path)) if path.is_dir() => Some(DirectoryLock::wait(path)),
        Some(InventorySource::Path(path)) => Some(DirectoryLock::wait_for(path)),
        _ => None,
    }
}

/// Writes the files: each as a whole, those without a text in `before` only where nothing is, and the others only if
/// they have that text.
pub(super) fn write(files: &[(PathBuf, String)], before: &HashMap<PathBuf, String>) -> Result<(), FileError> {
    let (old, new): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|(path, _)| before.contains_key(path));
    for (path, _) in &new {
        files::make_directory(path.parent().unwrap_or(Path::new("/")))?;
    }
    crate::ops::draft::write_new(&new)?;
    for (path, text) in &old {
        files::replace(path, &before[path], text)?;
    }
    Ok(())
}
