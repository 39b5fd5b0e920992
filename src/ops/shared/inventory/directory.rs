//! Files of an inventory that is a directory. Their meaning is in `model::inventory`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::error::{LIMIT, LoadError};
use crate::base::file_snapshot::FileSnapshot;
use crate::base::{files, share};
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
/// added to `unread`.
pub(super) fn directory<T: Send>(
    root: &Path,
    snapshot: &FileSnapshot,
    unread: &mut Vec<(String, &'static str)>,
    make: impl Fn(InventoryDocument) -> T + Sync,
) -> Result<Vec<T>, LoadError> {
    let is_category = |name: &OsString| name.to_str().is_some_and(is_name) && root.join(name).is_dir();
    let (categories, others): (Vec<OsString>, Vec<OsString>) =
        snapshot.all_names_in(root)?.into_iter().partition(is_category);
    for other in others.iter().filter(|name| !name.as_bytes().starts_with(b".")) {
        let path = root.join(other);
        if path.is_dir() && snapshot.all_names_in(&path)?.iter().any(|file| is_yaml(file)) {
            unread.push((path.display().to_string(), NO_CATEGORY));
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
                unread.push((root.join(category).join(file).display().to_string(), why));
            }
        }
    }
    let part = |(category, file): (Option<&str>, OsString)| {
        let Some(category) = category else {
            return Ok(make(document(&root.join(file), None, snapshot)?));
        };
        let path = root.join(category).join(&file);
        let Some(name) = file.to_str().and_then(entry_name) else {
            return Err(files::no_text(path).into());
        };
        Ok(make(document(&path, Some(Reference::new(category, name)), snapshot)?))
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
) -> Result<InventoryDocument, LoadError> {
    match files.read_text(path, LIMIT) {
        Ok(text) => Ok(InventoryDocument { file: path.display().to_string(), text: text.into(), reference }),
        Err(_) if path.metadata().is_ok_and(|found| found.len() > LIMIT) => {
            Err(LoadError::TooLong(path.display().to_string()))
        }
        Err(error) => Err(error.into()),
    }
}
