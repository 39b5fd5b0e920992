//! Logins of all servers. A login belongs to one origin (scheme, host and port), so that a token never
//! reaches another server, nor travels unencrypted because an address says `http`.

use std::collections::BTreeMap;

use reqwest::Url;

use super::GitError;
use super::login::Login;
use super::server_message::sanitize_message;
use super::url::without_login;

/// Logins by origin.
#[derive(Debug, Clone, Default)]
pub struct Logins(BTreeMap<String, Login>);

impl Logins {
    /// Adds a login for a server, given by its address such as `https://gitlab.com`, or only by its host (and
    /// port), which implies `https`.
    ///
    /// # Errors
    /// Fails if the text is not the address of a web server.
    pub fn add(&mut self, server: &str, login: Login) -> Result<(), GitError> {
        let refuse = || GitError::Url {
            url: sanitize_message(&without_login(server)),
            why: "a login needs the address of a web server, as in https://…",
        };
        let full = if server.contains("://") { server.to_owned() } else { format!("https://{server}") };
        let url = Url::parse(&full).map_err(|_| refuse())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse());
        }
        self.0.insert(origin(&url), login);
        Ok(())
    }

    /// Returns the login for the server of an address.
    pub(super) fn of(&self, url: &Url) -> Option<&Login> {
        self.0.get(&origin(url))
    }
}

/// Returns scheme, host and port as text.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;

    #[test]
    fn login_applies_to_its_origin_only() {
        let mut logins = Logins::default();
        logins.add("gitlab.com", Login { user: "oauth2".into(), secret: Secret::new("t") }).expect("adds");
        let has = |url: &str| logins.of(&Url::parse(url).expect("an address")).is_some();
        assert!(has("https://gitlab.com/a/b") && has("https://GITLAB.com:443/"));
        assert!(
            !has("http://gitlab.com/a/b") && !has("https://gitlab.com:444/") && !has("https://x.gitlab.com/")
        );
        let mut logins = logins.clone();
        let login = Login { user: "u".into(), secret: Secret::new("t") };
        assert!(logins.add("http://127.0.0.1:80", login.clone()).is_ok());
        assert!(logins.add("ssh://h", login.clone()).is_err() && logins.add("", login).is_err());
    }
}
