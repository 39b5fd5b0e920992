//! Environment variables and the folders that they name (XDG Base Directory Specification).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The environment of the process, read once.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<OsString, OsString>);

impl Env {
    /// From pairs.
    pub fn new<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The same with one variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// A variable that is set, not empty, and text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// All variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(key, value)| (key.as_os_str(), value.as_os_str()))
    }

    /// The home directory.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.absolute("HOME")
    }

    /// The folder for configuration files: `$XDG_CONFIG_HOME/cki`.
    #[must_use]
    pub fn config_folder(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// The folder for data that should stay: `$XDG_DATA_HOME/cki`.
    #[must_use]
    pub fn data_folder(&self) -> Option<PathBuf> {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    /// The folder for what a run must find again: `$XDG_STATE_HOME/cki`.
    #[must_use]
    pub fn state_folder(&self) -> Option<PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// The folder for sockets and running processes: `$XDG_RUNTIME_DIR/cki`, or one of the user's
    /// own below the folder for temporary files.
    #[must_use]
    pub fn runtime_folder(&self) -> PathBuf {
        self.absolute("XDG_RUNTIME_DIR").map_or_else(
            || self.temporary_folder().join(format!("cki-{}", nix::unistd::getuid())),
            |folder| folder.join("cki"),
        )
    }

    /// The folder for temporary files: `$TMPDIR`, or `/tmp`.
    #[must_use]
    pub fn temporary_folder(&self) -> PathBuf {
        self.absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"))
    }

    fn xdg(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        self.absolute(variable)
            .or_else(|| self.home().map(|home| home.join(below_home)))
            .map(|folder| folder.join("cki"))
    }

    /// The specification says that a relative path is to be ignored.
    fn absolute(&self, variable: &str) -> Option<PathBuf> {
        self.get_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_follow_xdg() {
        let env =
            Env::new([("HOME", "/home/a"), ("XDG_STATE_HOME", "/state"), ("XDG_DATA_HOME", "relative")]);
        assert_eq!(env.config_folder(), Some(PathBuf::from("/home/a/.config/cki")));
        assert_eq!(env.state_folder(), Some(PathBuf::from("/state/cki")));
        assert_eq!(env.data_folder(), Some(PathBuf::from("/home/a/.local/share/cki")));
    }
}
