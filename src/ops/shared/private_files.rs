//! Files that other users may not read, written once by whichever process is first. What they hold is up to
//! `workspace_secrets`.

use std::fs::{DirBuilder, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::base::files::{self, FileError};

/// Returns whether a file exists.
pub(super) fn is_there(file: &Path) -> Result<bool, FileError> {
    file.try_exists().map_err(|source| FileError::new("read", file, source))
}

/// Reads a file of at most `longest` bytes, and makes it private.
pub(super) fn read(file: &Path, longest: u64) -> Result<String, FileError> {
    let text = files::read_text(file, longest)?;
    narrow(file, 0o600)?;
    Ok(text)
}

/// Removes permissions of other users from a path.
pub(super) fn narrow(path: &Path, mode: u32) -> Result<(), FileError> {
    let fail = |source| FileError::new("protect", path, source);
    let known = std::fs::metadata(path).map_err(fail)?.mode();
    if known & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(fail)
}

/// Creates a directory that other users may not enter, with those above it.
pub(super) fn make_private(directory: &Path) -> Result<(), FileError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| FileError::new("create", directory, source))
}

/// Writes a file atomically, unless another process was first.
pub(super) fn first(file: &Path, content: &[u8]) -> Result<(), FileError> {
    let fail = |source| FileError::new("write", file, source);
    let parent = file.parent().unwrap_or(Path::new("/"));
    let mut temporary = tempfile::Builder::new()
        .prefix(".cki-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(parent)
        .map_err(fail)?;
    temporary.write_all(content).map_err(fail)?;
    temporary.as_file().sync_all().map_err(fail)?;
    match temporary.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(fail(error.error)),
    }
}
