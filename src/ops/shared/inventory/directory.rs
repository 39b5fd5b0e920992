//! Files of an inventory that is a directory. Their meaning is in `model::inventory`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::error::{LIMIT, LoadError};
use super::footprint::Footprint;
use crate::base::file_snapshot::FileSnapshot;
use crate::base::files::{self, DirectoryName};
use crate::base::{listed_files, share};
use crate::model::inventory::InventoryDocument;
use crate::model::reference::{Reference, is_name};

/// Number of files for each thread: starting a thread costs as much as reading these.
const SHARE: usize = 24;
/// Name of the head of an inventory that is a directory.
pub(super) const HEAD: &str = "inventory.yaml";

pub(super) const NO_NAME: &str = "it is not read, since no component can be called so: a name has letters, digits, `-`, `_` and `.`, begins with a letter or digit, and has 100 characters at most";
pub(super) const NO_TEXT: &str = "it is not read, since its name is not UTF-8";
pub(super) const NO_CATEGORY: &str = "its files are not read, since no category can be called so: a name has letters, digits, `-`, `_` and `.`, begins with a letter or digit, and has 100 characters at most";

/// Reads `inventory.yaml` and `<category>/<name>.yaml`; nothing deeper, so a link that leads back does no
/// harm. The thread that reads a file also applies `make` to it. Paths without a valid name are
/// added to `unread`, and errors of single files to `failed`.
pub(super) fn directory<T: Send>(
    root: &Path,
    snapshot: &FileSnapshot,
    footprint: &Footprint,
    unread: &mut Vec<(String, &'static str)>,
    failed: &mut Vec<LoadError>,
    make: impl Fn(InventoryDocument) -> T + Sync,
) -> Result<Vec<T>, LoadError> {
    footprint.note_before(root);
    let is_category = |one: &DirectoryName| {
        one.name.to_str().is_some_and(is_name) && !one.is_file && root.join(&one.name).is_dir()
    };
    let (categories, others): (Vec<DirectoryName>, Vec<DirectoryName>) =
        snapshot.names_in(root)?.into_iter().partition(is_category);
    for other in others.iter().map(|one| &one.name).filter(|name| !name.as_bytes().starts_with(b".")) {
        let path = root.join(other);
        if !path.is_dir() {
            footprint.note_no_directory(&path);
            continue;
        }
        footprint.note_before(&path);
        if snapshot.names_in(&path)?.iter().any(|file| is_yaml(&file.name)) {
            unread.push((path.display().to_string(), NO_CATEGORY));
        }
    }
    // The files of each category; the threads join the paths.
    let mut wanted: Vec<(Option<&str>, DirectoryName)> = Vec::new();
    // Any kind of file: reading it reports the error.
    if root.join(HEAD).symlink_metadata().is_ok() {
        wanted.push((None, DirectoryName { name: HEAD.into(), is_file: false }));
    }
    for category in categories.iter().filter_map(|category| category.name.to_str()) {
        footprint.note_before(&root.join(category));
        for file in snapshot.names_in(&root.join(category))? {
            if file.name.to_str().and_then(entry_name).is_some() {
                wanted.push((Some(category), file));
            } else if is_yaml(&file.name) {
                let why = if file.name.to_str().is_none() { NO_TEXT } else { NO_NAME };
                unread.push((root.join(category).join(file.name).display().to_string(), why));
            }
        }
    }
    let part = |(category, DirectoryName { name: file, is_file }): (Option<&str>, DirectoryName)| {
        let Some(category) = category else {
            return Ok(make(document_of(&root.join(file), is_file, None, snapshot, footprint)?));
        };
        let path = root.join(category).join(&file);
        let Some(name) = file.to_str().and_then(entry_name) else {
            return Err(files::no_text(path).into());
        };
        let reference = Some(Reference::new(category, name));
        Ok(make(document_of(&path, is_file, reference, snapshot, footprint)?))
    };
    let mut parts = Vec::with_capacity(wanted.len());
    for read in share::map(wanted, SHARE, part) {
        match read {
            Ok(part) => parts.push(part),
            Err(error) => failed.push(error),
        }
    }
    Ok(parts)
}

/// Returns whether the extension of a file's name is that of an inventory's file.
pub(super) fn is_yaml(file: &OsStr) -> bool {
    let bytes = file.as_bytes();
    !bytes.starts_with(b".") && (bytes.ends_with(b".yaml") || bytes.ends_with(b".yml"))
}

/// Returns the name of the entry in a file.
pub(super) fn entry_name(file: &str) -> Option<&str> {
    let name = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml"));
    name.filter(|name| is_name(name))
}

/// Reads a file.
pub(super) fn document(
    path: &Path,
    reference: Option<Reference>,
    files: &FileSnapshot,
    footprint: &Footprint,
) -> Result<InventoryDocument, LoadError> {
    document_of(path, false, reference, files, footprint)
}

/// Reads a file, which its directory may have listed as one.
fn document_of(
    path: &Path,
    is_file: bool,
    reference: Option<Reference>,
    files: &FileSnapshot,
    footprint: &Footprint,
) -> Result<InventoryDocument, LoadError> {
    let read = || {
        if footprint.is_void() {
            return files.read_text(path, LIMIT);
        }
        let (content, state) = listed_files::read(path, is_file, LIMIT)?;
        footprint.note(path, state);
        files::text(content, path)
    };
    match read() {
        Ok(text) => Ok(InventoryDocument { file: path.display().to_string(), text: text.into(), reference }),
        Err(_) if path.metadata().is_ok_and(|found| found.len() > LIMIT) => {
            Err(LoadError::TooLong(path.display().to_string()))
        }
        Err(error) => Err(error.into()),
    }
}
