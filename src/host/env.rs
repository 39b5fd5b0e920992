//! Environment variables, and the directories that they name (XDG Base Directory Specification). Names and
//! meaning of the settings in variables are in `config`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Environment of the process, read once.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<OsString, OsString>);

impl Env {
    /// Creates an environment from pairs.
    pub fn new<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// Returns the environment with one variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Returns a variable that is set, not empty, and UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// Returns a variable that is set and not empty.
    #[must_use]
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Returns all variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(key, value)| (key.as_os_str(), value.as_os_str()))
    }

    /// Returns the home directory.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.absolute("HOME")
    }

    /// Returns the directory for configuration files: `$XDG_CONFIG_HOME/cki`.
    #[must_use]
    pub fn config_directory(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// Returns the directory for persistent data: `$XDG_DATA_HOME/cki`.
    #[must_use]
    pub fn data_directory(&self) -> Option<PathBuf> {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    /// Returns the directory for state that later runs need: `$XDG_STATE_HOME/cki`.
    #[must_use]
    pub fn state_directory(&self) -> Option<PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// Returns the directory for data that can be made again: `$XDG_CACHE_HOME/cki`.
    #[must_use]
    pub fn cache_directory(&self) -> Option<PathBuf> {
        self.xdg("XDG_CACHE_HOME", ".cache")
    }

    /// Returns the directory for sockets and running processes: `$XDG_RUNTIME_DIR/cki`, or a directory of
    /// the user in the temporary directory.
    #[must_use]
    pub fn runtime_directory(&self) -> PathBuf {
        self.absolute("XDG_RUNTIME_DIR").map_or_else(
            || self.temporary_directory().join(format!("cki-{}", nix::unistd::getuid())),
            |directory| directory.join("cki"),
        )
    }

    /// Returns the directory for temporary files: `$TMPDIR`, or `/tmp`.
    #[must_use]
    pub fn temporary_directory(&self) -> PathBuf {
        self.absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"))
    }

    fn xdg(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        self.absolute(variable)
            .or_else(|| self.home().map(|home| home.join(below_home)))
            .map(|directory| directory.join("cki"))
    }

    /// Returns the path in a variable. The specification says to ignore a relative path.
    fn absolute(&self, variable: &str) -> Option<PathBuf> {
        self.get_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_directories_follow_xdg() {
        let env =
            Env::new([("HOME", "/home/a"), ("XDG_STATE_HOME", "/state"), ("XDG_DATA_HOME", "relative")]);
        assert_eq!(env.config_directory(), Some(PathBuf::from("/home/a/.config/cki")));
        assert_eq!(env.state_directory(), Some(PathBuf::from("/state/cki")));
        assert_eq!(env.data_directory(), Some(PathBuf::from("/home/a/.local/share/cki")));
    }
}
