//! The user's text editor, as `git commit` calls it: `VISUAL`, else `EDITOR`, else `vi`. The content of files is up to
//! the callers.

use std::io;
use std::path::Path;
use std::process::ExitStatus;

use crate::host::foreground::{self, ForegroundEnd};
use crate::host::signals::Signal;
use crate::host::{Env, programs};

/// Editor without a setting of the user.
const DEFAULT: &str = "vi";

/// A failed call of the editor.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// The variable with the editor is no command line.
    #[error("`{variable}` is no command: {text}")]
    Words {
        /// The variable.
        variable: &'static str,
        /// Its value.
        text: String,
    },
    /// The program does not exist.
    #[error("there is no editor `{0}` in `PATH`")]
    Missing(String),
    /// The program could not be started.
    #[error("the editor `{program}` cannot be started")]
    Start {
        /// The program.
        program: String,
        /// Underlying error.
        source: io::Error,
    },
    /// The program reports a failure.
    #[error("the editor `{program}` ended with {status}")]
    Failed {
        /// The program.
        program: String,
        /// Its status.
        status: ExitStatus,
    },
}

/// Lets the user edit a file, and waits for the end of the editor, which gets the terminal. Returns the signal that
/// ended it, if one did.
///
/// # Errors
/// Fails if the editor cannot be started, or reports a failure.
pub fn edit(env: &Env, file: &Path) -> Result<Option<Signal>, EditorError> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| Some((name, env.get(name)?)));
    let (variable, text) = named.filter(|(_, text)| !text.trim().is_empty()).unwrap_or(("EDITOR", DEFAULT));
    let words = || EditorError::Words { variable, text: text.to_owned() };
    let mut words = shell_words::split(text).map_err(|_| words())?.into_iter();
    let name = words.next().unwrap_or_else(|| DEFAULT.to_owned());
    let program = programs::find(env, &name).ok_or_else(|| EditorError::Missing(name.clone()))?;
    let mut command = programs::command(env, program);
    command.args(words).arg(file);
    let ended = foreground::run(&mut command);
    match ended.map_err(|source| EditorError::Start { program: name.clone(), source })? {
        ForegroundEnd::Stopped(signal) => Ok(Some(signal)),
        ForegroundEnd::Ended(status) if status.success() => Ok(None),
        ForegroundEnd::Ended(status) => Err(EditorError::Failed { program: name, status }),
    }
}
