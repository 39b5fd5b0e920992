//! The rule on files that hold a token: the user's own, and readable by nobody else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::error::TokenError;
use crate::base::files::FileError;
use crate::config::distrusted;

/// Refuses a file that others can read or replace, or that belongs to somebody else.
pub(super) fn check_private(file: &Path) -> Result<(), TokenError> {
    let facts = file.metadata().map_err(|source| FileError::new("read", file, source))?;
    if let Some(why) = distrusted(file) {
        return Err(TokenError::Distrusted { file: file.to_owned(), why });
    }
    match facts.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => Err(TokenError::Readable(file.display().to_string())),
    }
}
