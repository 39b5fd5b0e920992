//! The desktop keyring: the Secret Service of freedesktop.org on the session bus, as GNOME Keyring, KWallet and
//! KeePassXC offer it. What is kept there is up to the callers. All calls block.

use std::collections::HashMap;
use std::os::unix::fs::FileTypeExt as _;

use dbus_secret_service::{EncryptionType, Error, SecretService};

use crate::base::secret::Secret;
use crate::host::Env;

/// Seconds until a question of the keyring to the user counts as unanswered.
const PATIENCE: u64 = 60;
/// Type of a secret that is text.
const TEXT: &str = "text/plain";

/// Names and values by which a secret is found.
pub type KeyringAttributes<'a> = [(&'a str, &'a str)];

/// A failed call of a keyring.
#[derive(Debug, thiserror::Error)]
#[error("the desktop keyring {0}")]
pub struct KeyringError(String);

impl From<Error> for KeyringError {
    fn from(error: Error) -> Self {
        Self(match error {
            Error::Locked => "is locked".to_owned(),
            Error::Prompt => "was not unlocked".to_owned(),
            Error::Unavailable => "does not answer".to_owned(),
            Error::NoResult => "has no place for secrets".to_owned(),
            Error::UnsupportedSecretFormat => "holds something else than text".to_owned(),
            error => format!("failed: {error}"),
        })
    }
}

/// Open keyring of the user's desktop.
pub struct Keyring(SecretService);

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

impl Keyring {
    /// Opens the keyring. `None` if there is no session bus, or no keyring on it.
    ///
    /// # Errors
    /// Fails if there is one and it does not answer as it should.
    pub fn open(env: &Env) -> Result<Option<Self>, KeyringError> {
        if !has_session_bus(env) {
            return Ok(None);
        }
        // The secret stays on a socket of this machine that belongs to the user, so it needs no encryption on its way.
        match SecretService::connect_with_max_prompt_timeout(EncryptionType::Plain, PATIENCE) {
            Ok(service) => Ok(Some(Self(service))),
            Err(Error::Unavailable) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns a secret; `None` if there is none with these attributes. Asks the user to unlock the keyring if needed.
    ///
    /// # Errors
    /// Fails if the keyring stays locked, or the secret is not text.
    pub fn read(&self, attributes: &KeyringAttributes<'_>) -> Result<Option<Secret>, KeyringError> {
        let found = self.0.search_items(map(attributes))?;
        let Some(item) = found.unlocked.first().or(found.locked.first()) else { return Ok(None) };
        item.ensure_unlocked().or_else(|_| item.unlock())?;
        let text = String::from_utf8(item.get_secret()?);
        Ok(Some(Secret::new(text.map_err(|_| KeyringError("holds something else than text".to_owned()))?)))
    }

    /// Keeps a secret, in place of one with the same attributes.
    ///
    /// # Errors
    /// Fails if the keyring stays locked, or does not take it.
    pub fn write(
        &self,
        label: &str,
        attributes: &KeyringAttributes<'_>,
        secret: &Secret,
    ) -> Result<(), KeyringError> {
        let collection = self.0.get_any_collection()?;
        collection.ensure_unlocked().or_else(|_| collection.unlock())?;
        collection.create_item(label, map(attributes), secret.expose().as_bytes(), true, TEXT)?;
        Ok(())
    }

    /// Removes the secrets with these attributes. Returns whether there was one.
    ///
    /// # Errors
    /// Fails if the keyring does not remove them.
    pub fn remove(&self, attributes: &KeyringAttributes<'_>) -> Result<bool, KeyringError> {
        let found = self.0.search_items(map(attributes))?;
        let all: Vec<_> = found.unlocked.iter().chain(&found.locked).collect();
        all.iter().try_for_each(|item| item.delete())?;
        Ok(!all.is_empty())
    }
}

fn map<'a>(attributes: &KeyringAttributes<'a>) -> HashMap<&'a str, &'a str> {
    attributes.iter().copied().collect()
}

/// Returns whether a session bus is there. Without this look, the library would start one.
fn has_session_bus(env: &Env) -> bool {
    if env.get("DBUS_SESSION_BUS_ADDRESS").is_some() {
        return true;
    }
    let directory = env.get_os("XDG_RUNTIME_DIR").map(std::path::PathBuf::from);
    let bus = directory.filter(|path| path.is_absolute()).map(|path| path.join("bus"));
    bus.and_then(|bus| bus.metadata().ok()).is_some_and(|facts| facts.file_type().is_socket())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyring_is_absent_without_a_session_bus() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("bus"), "").expect("writes");
        let env = Env::new([("XDG_RUNTIME_DIR", directory.path().as_os_str().to_owned())]);
        assert!(matches!(Keyring::open(&env), Ok(None)));
        assert!(matches!(Keyring::open(&Env::default()), Ok(None)));
    }
}
