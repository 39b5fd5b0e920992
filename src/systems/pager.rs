//! The user's pager, as `git` calls it: `PAGER`, else `less`, which ends at once where the text fits the screen. The
//! text is up to the callers.

use std::ffi::OsStr;
use std::fs::File;
use std::process::Stdio;

use crate::host::foreground::{self, ForegroundEnd};
use crate::host::{Env, programs, scratch};

/// Pager without a setting of the user.
const DEFAULT: &str = "less";

/// Shows a text, and waits until the user has read it. Returns false if nothing was shown: the user wants no pager
/// (`PAGER=` or `PAGER=cat`), there is none, or this process is in the background.
#[must_use]
pub fn show(env: &Env, text: &str) -> bool {
    let is_empty = |(name, value): (&OsStr, &OsStr)| name == "PAGER" && value.is_empty();
    if env.iter().any(is_empty) || !foreground::has_terminal() {
        return false;
    }
    let named = match env.get("PAGER") {
        Some(named) => named,
        // It would ask for a key before it shows something.
        None if env.get("TERM").is_none() => return false,
        None => DEFAULT,
    };
    let Ok(words) = shell_words::split(named) else { return false };
    let Some((name, rest)) = words.split_first().filter(|(name, _)| name.as_str() != "cat") else {
        return false;
    };
    let Some(program) = programs::find(env, name) else { return false };
    let Ok((_directory, file)) = scratch::scratch_file(env, "page", text.as_bytes()) else { return false };
    let Ok(input) = File::open(file) else { return false };
    let mut command = programs::command(env, program);
    command.args(rest).stdin(Stdio::from(input));
    // As git does: end where the text fits, show colours, leave the text on the screen.
    for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
        if env.get(name).is_none() {
            command.env(name, value);
        }
    }
    match foreground::run(&mut command) {
        Ok(ForegroundEnd::Ended(status)) => status.success(),
        // The user has seen the page, and wants no more of it.
        Ok(ForegroundEnd::Stopped(_)) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    #[test]
    fn pager_is_not_called_when_the_user_wants_none() {
        let env = |pager: &str| {
            Env::new(
                [("PATH", "/usr/bin:/bin"), ("PAGER", pager)]
                    .map(|(n, v)| (OsString::from(n), OsString::from(v))),
            )
        };
        for pager in ["", "cat", "no-such-pager -x", "'"] {
            assert!(!show(&env(pager), "text"), "{pager}");
        }
        assert!(show(&env("grep -q text"), "text"));
        assert!(!show(&env("grep -q other"), "text"), "a pager that fails has shown nothing");
    }
}
