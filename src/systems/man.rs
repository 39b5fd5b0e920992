//! The program `man`, which shows manual pages. Their text is in `cli`.

use std::io;
use std::process::Command;

use crate::base::files::FileError;
use crate::host::{Env, programs};

/// Shows the source of a page, and waits until the user has read it. Returns whether there is a program that could.
///
/// # Errors
/// Fails if the page cannot be written for it.
pub fn show(env: &Env, page: &str) -> Result<bool, FileError> {
    let Some(program) = programs::find(env, "man") else { return Ok(false) };
    let failed = |source: io::Error| FileError::new("write", "a temporary file", source);
    // `man` reads a page from standard input, too, but then its pager has no terminal to read keys from.
    let mut file = tempfile::Builder::new().prefix("cki-").suffix(".1").tempfile().map_err(failed)?;
    io::Write::write_all(&mut file, page.as_bytes()).map_err(failed)?;
    let status = Command::new(program).arg("-l").arg(file.path()).env_clear().envs(env.iter()).status();
    Ok(status.is_ok_and(|status| status.success()))
}
