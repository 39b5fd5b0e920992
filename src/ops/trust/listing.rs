//! Files whose content a user trusts together with a project: those of its inventory and templates. Reading and hashing
//! them is up to the caller.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::base::file_snapshot::FileSnapshot;
use crate::base::files::FileError;
use crate::model::inventory::InventorySource;
use crate::ops::shared::inventory::catalog_files;

/// Maximum number of files that one setting may name.
const FILES_LIMIT: usize = 200_000;
/// Inventories and templates have files directly in their directory, and one level below.
const DEPTH: usize = 2;

/// Returns the files of the sources of an inventory that are on this machine.
pub(super) fn files_of_sources(
    sources: &[InventorySource],
    snapshot: &FileSnapshot,
) -> Result<Vec<PathBuf>, FileError> {
    let paths = sources.iter().filter_map(InventorySource::path);
    // A catalog is all that its first file leads to, at any depth.
    let files = |path| catalog_files(path, snapshot).map_or_else(|| files_of(path, snapshot), Ok);
    Ok(paths.map(files).collect::<Result<Vec<_>, _>>()?.concat())
}

/// Returns the files of an inventory or a directory of templates; none if it does not exist yet. A file
/// that appears later ends trust.
pub(super) fn files_of(root: &Path, snapshot: &FileSnapshot) -> Result<Vec<PathBuf>, FileError> {
    let facts = match root.metadata().map_err(|error| FileError::new("read", root, error)) {
        Err(error) if error.is_missing() => return Ok(Vec::new()),
        facts => facts?,
    };
    if facts.is_file() {
        return Ok(vec![root.to_path_buf()]);
    }
    if !facts.is_dir() {
        let why = io::Error::other("it is neither a file nor a directory");
        return Err(FileError::new("read", root, why));
    }
    let mut found = Vec::new();
    let mut level = vec![root.to_path_buf()];
    for _ in 0..DEPTH {
        let mut below = Vec::new();
        for directory in &level {
            for name in snapshot.all_names_in(directory)? {
                if name.as_bytes().starts_with(b".") {
                    continue;
                }
                let path = directory.join(name);
                if path.is_dir() {
                    below.push(path);
                } else if path.symlink_metadata().is_ok_and(|facts| facts.is_symlink()) {
                    // Content outside of the directory would be trusted unseen, and could change unseen.
                    let leads_out = path.canonicalize().is_ok_and(|real| !is_within(&real, root));
                    if leads_out {
                        let why = io::Error::other("it is a link that leads out of the directory");
                        return Err(FileError::new("read", path, why));
                    }
                    if path.is_file() {
                        found.push(path);
                    }
                } else {
                    // A pipe, a socket or a device is refused where it is read.
                    found.push(path);
                }
            }
            if found.len() > FILES_LIMIT {
                let why = format!("there are more than {FILES_LIMIT} files");
                return Err(FileError::new("read", root, io::Error::other(why)));
            }
        }
        level = below;
    }
    Ok(found)
}

/// Returns whether a path is in a directory, with symbolic links resolved.
fn is_within(real: &Path, directory: &Path) -> bool {
    directory.canonicalize().is_ok_and(|directory| real.starts_with(directory))
}
