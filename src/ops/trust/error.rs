//! Errors of checking or recording trust. Their hints and exit codes are decided in `cli`.

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::config::Distrust;

/// An error of checking or recording trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The user has not consented to the project's decisions.
    #[error("`{}` is not trusted{}, and it decides {decides}", file.display(), if *changed { " any more, since its files have changed" } else { "" })]
    Untrusted {
        /// The project's `cki.toml`.
        file: PathBuf,
        /// The settings that it makes, as text.
        decides: String,
        /// An earlier content of these files was trusted.
        changed: bool,
    },
    /// There is no project to trust.
    #[error("there is no `cki.toml` of a project in `{}` or above it", .0.display())]
    NoProject(PathBuf),
    /// There is no directory for the record.
    #[error("trust cannot be recorded: neither `XDG_STATE_HOME` nor `HOME` is set")]
    NoState,
    /// A file that a setting names cannot be read.
    #[error("`{name}` of `{}` names what cannot be trusted: {source}", file.display())]
    Named {
        /// The project's `cki.toml`.
        file: PathBuf,
        /// The setting.
        name: &'static str,
        /// Underlying error.
        source: FileError,
    },
    /// Another user can change a file that a setting names.
    #[error("`{name}` of `{}` names what cannot be trusted: `{}`: {why}", file.display(), path.display())]
    Distrusted {
        /// The project's `cki.toml`.
        file: PathBuf,
        /// The setting.
        name: &'static str,
        /// The file that it names.
        path: PathBuf,
        /// The reason.
        why: Distrust,
    },
    /// A file was read that is not one of those that the user can trust: it came or went meanwhile.
    #[error("`{}` of the project of `{}` appeared or disappeared while `cki` read it", path.display(), file.display())]
    Unchecked {
        /// The project's `cki.toml`.
        file: PathBuf,
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}
