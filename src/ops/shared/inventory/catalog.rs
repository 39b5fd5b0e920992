//! A catalog of Backstage as a source: its files, with those that locations name, on this machine or in a repository.
//! The meaning of entities is in `model::inventory::backstage`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::directory::HEAD;
use super::error::{LIMIT, LoadError};
use super::footprint::Footprint;
use crate::base::file_snapshot::FileSnapshot;
use crate::model::inventory::InventoryError;
use crate::model::inventory::backstage::{
    MappedCatalog, UnplacedPart, entities, is_catalog_text, locations, map_entities,
};

/// Names of the file with which a catalog begins.
const FILES: [&str; 2] = ["catalog-info.yaml", "catalog-info.yml"];
/// Maximum number of files of a catalog.
const MOST: usize = 10_000;

/// Reader of a source: returns the text of a file by its path in the source, if there is one.
pub(super) type ReadFile<'a> = &'a mut dyn FnMut(&str) -> Result<Option<String>, LoadError>;

/// Returns the file with which a catalog on this machine begins, by its path in the source; `None` if the source is no
/// catalog. The path is empty for a source that is a file itself.
pub(super) fn first_file(root: &Path, files: &FileSnapshot) -> Option<&'static str> {
    if !root.is_dir() {
        let text = files.read_text(root, LIMIT).ok()?;
        return is_catalog_text("", &text).then_some("");
    }
    if root.join(HEAD).symlink_metadata().is_ok() {
        return None;
    }
    first_of(|name| match files.read_text(&root.join(name), LIMIT) {
        Ok(text) => FirstFile::Text(text),
        Err(error) if error.is_missing() => FirstFile::Missing,
        Err(_) => FirstFile::Unreadable,
    })
}

/// Records the files that decide whether a directory on this machine is a catalog, before they are read.
pub(super) fn note_first_files(root: &Path, footprint: &Footprint) {
    for path in FILES.map(|name| root.join(name)) {
        if path.symlink_metadata().is_ok() {
            footprint.note_before(&path);
        }
    }
}

/// A file with which a catalog may begin.
pub(super) enum FirstFile {
    Text(String),
    Missing,
    /// Reading the source reports the error.
    Unreadable,
}

/// Returns the file of a directory with which a catalog begins.
pub(super) fn first_of(mut read: impl FnMut(&str) -> FirstFile) -> Option<&'static str> {
    FILES.into_iter().find(|name| match read(name) {
        FirstFile::Text(text) => is_catalog_text(name, &text),
        FirstFile::Missing => false,
        FirstFile::Unreadable => true,
    })
}

/// Reads a catalog. `name` makes the name of a file for messages of its path in the source.
pub(super) fn load(
    first: &str,
    name: &dyn Fn(&str) -> String,
    read: ReadFile<'_>,
) -> Result<MappedCatalog, LoadError> {
    let (mut all, mut unplaced) = (Vec::new(), Vec::new());
    let mut seen = HashSet::from([first.to_owned()]);
    let mut todo = vec![first.to_owned()];
    let mut failed = Vec::new();
    while let Some(path) = todo.pop() {
        let Some(text) = read(&path)? else { continue };
        let found = match entities(&name(&path), &text, &mut unplaced) {
            Ok(found) => found,
            Err(error) => {
                failed.push(InventoryError::from(error).into());
                continue;
            }
        };
        for location in locations(&found, &mut unplaced) {
            let mut refuse = |why: &str| {
                let message = format!("`{}` {why}, so it is not read", location.target);
                unplaced.push(UnplacedPart::new(location.spot.clone(), message));
            };
            // A source that is a single file has no others.
            let inner = (!first.is_empty()).then(|| relative(&path, &location.target)).flatten();
            let Some(target) = inner else {
                refuse("is outside of this source");
                continue;
            };
            if seen.len() >= MOST {
                refuse("is one file too many");
            } else if seen.insert(target.clone()) {
                match read(&target) {
                    Ok(Some(_)) => todo.push(target),
                    Ok(None) => refuse("does not exist"),
                    Err(error) => failed.push(error),
                }
            }
        }
        all.extend(found);
    }
    LoadError::all(failed)?;
    Ok(map_entities(all, unplaced))
}

/// Returns the path in the source of a target in one of its files; `None` if it leads out.
fn relative(file: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Reads a catalog on this machine, and returns its files as well: all that decides what it says.
pub(super) fn load_path(
    root: &Path,
    first: &str,
    files: &FileSnapshot,
) -> Result<(MappedCatalog, Vec<PathBuf>), LoadError> {
    let base = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let at = |path: &str| if path.is_empty() { root.to_path_buf() } else { root.join(path) };
    let mut read_files = Vec::new();
    let mut read = |path: &str| {
        let file = at(path);
        // A link out of the source would be read unseen.
        if file.canonicalize().is_ok_and(|real| !real.starts_with(&base)) {
            return Ok(None);
        }
        match files.read_text(&file, LIMIT) {
            Ok(text) => {
                read_files.push(file);
                Ok(Some(text))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    };
    let catalog = load(first, &|path| at(path).display().to_string(), &mut read)?;
    read_files.sort();
    read_files.dedup();
    Ok((catalog, read_files))
}

/// Returns the files of a catalog on this machine; `None` if the source is none.
#[must_use]
pub fn catalog_files(root: &Path, files: &FileSnapshot) -> Option<Vec<PathBuf>> {
    let first = first_file(root, files)?;
    load_path(root, first, files).ok().map(|(_, files)| files)
}
