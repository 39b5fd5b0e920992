//! Errors of getting or keeping a token. Their hints and exit codes are decided in `cli`.

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::config::Distrust;
use crate::model::server::ServerAddressError;
use crate::systems::keyring::KeyringError;

/// An error of getting or keeping the token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The command failed.
    #[error("the command of `gitlab.token_command` failed: {0}")]
    Command(String),
    /// Other users can read the file.
    #[error("`{0}` holds a token and can be read by others")]
    Readable(String),
    /// Other users own the file, or can replace it.
    #[error("`{}` holds a token, and {why}", file.display())]
    Distrusted {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: Distrust,
    },
    /// `GITLAB_TOKENS` is no mapping.
    #[error(
        "`GITLAB_TOKENS` is no JSON object of servers and names of variables (line {line}, column {column})"
    )]
    Mapping {
        /// Line number, from 1.
        line: usize,
        /// Column number, from 1.
        column: usize,
    },
    /// The file of logins is damaged.
    #[error("{}:{line}:{column}: the file of `cki login` is damaged", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// Column number, from 1.
        column: usize,
    },
    /// There is no directory for logins.
    #[error("logins cannot be kept: neither `XDG_STATE_HOME` nor `HOME` is set")]
    NoState,
    /// The keyring that holds a token cannot be reached.
    #[error("the token for `{server}` is in the desktop keyring, which is not there in this session")]
    NoKeyring {
        /// Address of the server.
        server: String,
    },
    /// The keyring does not have the token any more.
    #[error("the token for `{server}` is not in the desktop keyring any more")]
    Lost {
        /// Address of the server.
        server: String,
    },
    /// The keyring failed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The text is not the address of a server.
    #[error(transparent)]
    Server(#[from] ServerAddressError),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl TokenError {
    /// Returns whether it is about a place that other programs, or the user after another login, may open: the search continues.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(self, Self::NoKeyring { .. } | Self::Lost { .. } | Self::Keyring(_))
    }
}
