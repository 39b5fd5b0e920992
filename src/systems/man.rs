//! The program `man`, which shows manual pages. Their text is in `cli`.

use crate::base::files::FileError;
use crate::host::foreground::{self, ForegroundEnd};
use crate::host::{Env, programs, scratch};

/// Shows the source of a page, and waits until the user has read it. Returns whether there is a program that could.
///
/// # Errors
/// Fails if the page cannot be written for it.
pub fn show(env: &Env, page: &str) -> Result<bool, FileError> {
    let Some(program) = programs::find(env, "man") else { return Ok(false) };
    // `man` reads a page from standard input, too, but then its pager has no terminal to read keys from.
    let (_directory, file) = scratch::scratch_file(env, "cki.1", page.as_bytes())?;
    Ok(match foreground::run(programs::command(env, program).arg("-l").arg(file)) {
        Ok(ForegroundEnd::Ended(status)) => status.success(),
        // The user has seen the page, and wants no more of it.
        Ok(ForegroundEnd::Stopped(_)) => true,
        Err(_) => false,
    })
}
