//! Logins that `cki login` keeps: a record of each, and the token in the desktop keyring or, without one, in the same
//! file. Checks of a token against its server are in `ops::login`.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::TokenError;
use super::private::check_private;
use crate::base::files::{self, FileError};
use crate::base::secret::Secret;
use crate::host::Env;
use crate::model::access_token::AccessToken;
use crate::model::server::ServerAddress;
use crate::systems::keyring::{Keyring, KeyringError};

/// Name of the file in the user's directory for state.
const FILE: &str = "logins.json";
/// Name of the lock beside it.
const LOCK: &str = "logins.lock";
/// Maximum bytes of the file.
const LIMIT: u64 = 1 << 20;

/// Place of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenPlace {
    /// The desktop keyring.
    Keyring,
    /// The file of logins.
    File,
}

/// Record of a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLogin {
    /// Address of the server.
    pub server: String,
    /// User name there.
    pub user: String,
    /// Scopes of the token; `None` if the server did not say.
    pub scopes: Option<Vec<String>>,
    /// Day on which the token stops working (ISO 8601).
    pub expires_at: Option<String>,
    /// Place of the token.
    pub place: TokenPlace,
}

/// Record as it is written.
#[derive(Serialize, Deserialize)]
struct LoginRecord {
    #[serde(flatten)]
    login: StoredLogin,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct LoginRecords {
    logins: Vec<LoginRecord>,
}

/// Logins of this user.
#[derive(Debug)]
pub struct LoginStore<'a> {
    env: &'a Env,
    file: PathBuf,
}

impl<'a> LoginStore<'a> {
    /// Returns the logins of a user; reads nothing yet.
    ///
    /// # Errors
    /// Fails if there is no directory for them.
    pub fn of(env: &'a Env) -> Result<Self, TokenError> {
        let file = env.state_directory().ok_or(TokenError::NoState)?.join(FILE);
        Ok(Self { env, file })
    }

    /// Returns the file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the records, sorted by server.
    ///
    /// # Errors
    /// Fails if the file is not the user's alone, or cannot be read.
    pub fn all(&self) -> Result<Vec<StoredLogin>, TokenError> {
        Ok(self.read()?.logins.into_iter().map(|record| record.login).collect())
    }

    /// Returns the record of a server with its token; `None` if there is none.
    ///
    /// # Errors
    /// Fails if the file is not the user's alone, or the keyring does not answer.
    pub(super) fn find(&self, server: &ServerAddress) -> Result<Option<(StoredLogin, Secret)>, TokenError> {
        let Some(record) = self.read()?.logins.into_iter().find(|record| record.login.server == server.url())
        else {
            return Ok(None);
        };
        let token = match (record.login.place, record.token) {
            (TokenPlace::File, token) => token.map(Secret::new),
            (TokenPlace::Keyring, _) => self.keyring(server)?.read(&attributes(server))?,
        };
        let token = token.ok_or_else(|| TokenError::Lost { server: server.url().to_owned() })?;
        Ok(Some((record.login, token)))
    }

    /// Keeps a login: in the desktop keyring, or else in the file. Returns the reason for the latter, if there is a keyring.
    ///
    /// # Errors
    /// Fails if it cannot be kept.
    pub fn keep(
        &self,
        mut login: StoredLogin,
        server: &ServerAddress,
        token: &AccessToken,
    ) -> Result<(StoredLogin, Option<KeyringError>), TokenError> {
        let label = format!("Token of cki for {server}");
        let in_keyring = Keyring::open(self.env).and_then(|keyring| {
            keyring.map(|keyring| keyring.write(&label, &attributes(server), &token.secret)).transpose()
        });
        let (place, refused) = match in_keyring {
            Ok(Some(())) => (TokenPlace::Keyring, None),
            Ok(None) => (TokenPlace::File, None),
            Err(error) => (TokenPlace::File, Some(error)),
        };
        login.place = place;
        let text = (place == TokenPlace::File).then(|| token.secret.expose().to_owned());
        let record = LoginRecord { login: login.clone(), token: text };
        self.change(|records| {
            records.logins.retain(|one| one.login.server != server.url());
            records.logins.push(record);
            records.logins.sort_by(|one, other| one.login.server.cmp(&other.login.server));
        })?;
        Ok((login, refused))
    }

    /// Removes the login at a server. Returns its place; `None` if there was none.
    ///
    /// # Errors
    /// Fails if the keyring does not answer, or the file cannot be written.
    pub fn forget(&self, server: &ServerAddress) -> Result<Option<TokenPlace>, TokenError> {
        let found = self.all()?.into_iter().find(|login| login.server == server.url());
        let Some(login) = found else { return Ok(None) };
        if login.place == TokenPlace::Keyring {
            self.keyring(server)?.remove(&attributes(server))?;
        }
        self.change(|records| records.logins.retain(|one| one.login.server != server.url()))?;
        Ok(Some(login.place))
    }

    fn keyring(&self, server: &ServerAddress) -> Result<Keyring, TokenError> {
        Keyring::open(self.env)?.ok_or_else(|| TokenError::NoKeyring { server: server.url().to_owned() })
    }

    fn read(&self) -> Result<LoginRecords, TokenError> {
        match check_private(&self.file) {
            Err(TokenError::File(error)) if error.is_missing() => return Ok(LoginRecords::default()),
            checked => checked?,
        }
        let text = files::read_text(&self.file, LIMIT)?;
        let broken = |error: serde_json::Error| TokenError::Broken {
            file: self.file.clone(),
            line: error.line(),
            column: error.column(),
        };
        serde_json::from_str(&text).map_err(broken)
    }

    /// Changes the records, while no other process does.
    fn change(&self, change: impl FnOnce(&mut LoginRecords)) -> Result<(), TokenError> {
        let directory = self.file.parent().unwrap_or(Path::new("/"));
        files::make_directory(directory)?;
        let lock = directory.join(LOCK);
        let fail = |source| FileError::new("lock", &lock, source);
        let locked = File::options().create(true).append(true).open(&lock).map_err(fail)?;
        locked.lock().map_err(fail)?;
        let mut records = self.read()?;
        change(&mut records);
        if records.logins.is_empty() {
            return match std::fs::remove_file(&self.file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(FileError::new("remove", &self.file, error).into())
                }
                _ => Ok(()),
            };
        }
        let mut text = serde_json::to_string_pretty(&records).unwrap_or_default();
        text.push('\n');
        files::write_atomic(&self.file, text.as_bytes(), 0o600)?;
        Ok(())
    }
}

fn attributes(server: &ServerAddress) -> [(&str, &str); 2] {
    [("application", "cki"), ("server", server.url())]
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn login(server: &ServerAddress) -> StoredLogin {
        let (server, user) = (server.url().to_owned(), "alice".to_owned());
        StoredLogin { server, user, scopes: None, expires_at: None, place: TokenPlace::Keyring }
    }

    #[test]
    fn login_without_a_keyring_is_in_a_private_file() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let env = Env::new([("HOME", home.path().as_os_str().to_owned())]);
        let store = LoginStore::of(&env).expect("has a place");
        let servers = ["gitlab.com", "git.example"].map(|text| ServerAddress::parse(text).expect("is one"));
        let [com, example] = &servers;
        for (server, token) in [(com, "first"), (example, "second"), (com, "third")] {
            let token = Secret::new(token).into();
            let (kept, refused) = store.keep(login(server), server, &token).expect("is kept");
            assert!(kept.place == TokenPlace::File && refused.is_none());
        }
        let mode = store.file().metadata().expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(store.all().expect("is read").len(), 2);
        let token = |server| store.find(server).expect("is read").map(|(_, token)| token.expose().to_owned());
        assert_eq!((token(com).as_deref(), token(example).as_deref()), (Some("third"), Some("second")));
        for mode in [0o640, 0o604, 0o622] {
            std::fs::set_permissions(store.file(), std::fs::Permissions::from_mode(mode)).expect("changes");
            let error = store.find(com).expect_err("is open");
            assert!(matches!(error, TokenError::Readable(_) | TokenError::Distrusted { .. }), "{error}");
        }
        std::fs::set_permissions(store.file(), std::fs::Permissions::from_mode(0o600)).expect("changes");
        assert_eq!(store.forget(com).expect("is removed"), Some(TokenPlace::File));
        assert_eq!(store.forget(com).expect("is gone"), None);
        assert_eq!(store.forget(example).expect("is removed"), Some(TokenPlace::File));
        assert!(!store.file().exists());
        std::fs::write(store.file(), "{\"logins\": [glpat-secret]}").expect("writes");
        std::fs::set_permissions(store.file(), std::fs::Permissions::from_mode(0o600)).expect("changes");
        let error = store.all().expect_err("is no JSON").to_string();
        assert!(error.contains("logins.json:1:") && !error.contains("secret"), "{error}");
    }
}
