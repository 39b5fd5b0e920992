//! The search for the token of a server, source by source.

use std::path::Path;
use std::time::Duration;

use super::command::run;
use super::environment;
use super::error::TokenError;
use super::private::check_private;
use super::standing::{FoundToken, TokenStanding};
use super::store::{LoginStore, TokenPlace};
use crate::base::files;
use crate::base::secret::Secret;
use crate::config::{SettingOrigin, Settings};
use crate::host::Env;
use crate::model::access_token::{AccessToken, TokenKind};
use crate::model::server::ServerAddress;
use crate::systems::glab;
use crate::systems::keyring::Keyring;

/// Maximum bytes of a token's file.
const LIMIT: u64 = 64 << 10;

/// Result of the search.
#[derive(Debug, Default)]
struct SearchResult {
    /// The first token.
    token: Option<FoundToken>,
    /// The file that keeps a token from its server.
    withheld: Option<String>,
    /// Sources that cannot be used, with their reasons.
    ignored: Vec<String>,
}

/// Inputs of the search.
#[derive(Debug, Clone, Copy)]
pub struct TokenSearch<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The environment.
    pub env: &'a Env,
    /// The working directory, for a command that prints the token.
    pub cwd: &'a Path,
    /// Timeout of that command, which must then not ask the user; without it, the command may ask.
    pub patience: Option<Duration>,
}

impl TokenSearch<'_> {
    /// Finds the token for the server of the setting `gitlab.url`.
    ///
    /// # Errors
    /// Fails when a token is set and cannot be read.
    pub fn for_setting(&self) -> Result<TokenStanding, TokenError> {
        self.look(&ServerAddress::parse(&self.settings.gitlab_url.0)?)
    }

    /// Finds the token for a server.
    ///
    /// # Errors
    /// Fails when a token is set and cannot be read.
    pub fn look(&self, server: &ServerAddress) -> Result<TokenStanding, TokenError> {
        let SearchResult { token, withheld, ignored } = self.find(server)?;
        Ok(match (token, withheld) {
            (Some(_), _) if !server.is_private() => TokenStanding::Unencrypted,
            (Some(found), _) => TokenStanding::Usable(found),
            (None, Some(by)) => TokenStanding::Withheld { by },
            (None, None) => TokenStanding::Missing { ignored },
        })
    }

    /// Returns the servers for which there may be a token, each once: that of the setting first.
    ///
    /// # Errors
    /// Fails if `GITLAB_TOKENS`, the file of logins or the configuration of `glab` cannot be read.
    pub fn servers(&self) -> Result<Vec<ServerAddress>, TokenError> {
        let mut named = vec![self.settings.gitlab_url.0.clone()];
        named.extend(environment::servers(self.env)?);
        if let Ok(store) = LoginStore::of(self.env) {
            named.extend(store.all()?.into_iter().map(|login| login.server));
        }
        named.extend(
            self.glab_hosts().unwrap_or_default().into_iter().filter_map(|one| one.names.first().cloned()),
        );
        let mut servers: Vec<ServerAddress> = Vec::new();
        for server in named.iter().filter_map(|text| ServerAddress::parse(text).ok()) {
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        Ok(servers)
    }

    /// Returns the first token, the file that keeps one from its server, and the sources that cannot be used.
    fn find(&self, server: &ServerAddress) -> Result<SearchResult, TokenError> {
        let (url, url_origin) = &self.settings.gitlab_url;
        let is_setting = ServerAddress::parse(url).is_ok_and(|setting| setting == *server);
        let is_of_project = matches!(url_origin, SettingOrigin::Project { .. });
        let plain = |token: AccessToken, from: String| {
            Ok(SearchResult {
                token: Some(FoundToken { token, from, login: None }),
                ..SearchResult::default()
            })
        };
        let mut withheld = None;
        if is_setting && let Some((token, origin, from)) = self.in_settings()? {
            // Loopback is no exception: any program may listen there, also a component that `cki` runs.
            if !is_of_project || matches!(origin, SettingOrigin::Project { .. }) {
                return plain(token.into(), from);
            }
            withheld = Some(url_origin.to_string());
        }
        let is_own = is_setting && !is_of_project;
        if let Some((token, from)) = environment::find(self.env, server, is_own)? {
            return plain(token, from);
        }
        if is_setting && is_of_project && environment::find(self.env, server, true)?.is_some() {
            withheld.get_or_insert_with(|| url_origin.to_string());
        }
        if is_setting && let Some(line) = &self.settings.gitlab_token_command {
            if !is_of_project {
                let from = "the command of `gitlab.token_command`".to_owned();
                return plain(run(line, (self.env, self.cwd), self.patience)?.into(), from);
            }
            withheld.get_or_insert_with(|| url_origin.to_string());
        }
        let mut ignored = Vec::new();
        for look in [Self::stored, Self::of_glab] {
            match look(self, server) {
                Ok(None) => {}
                Ok(token) => return Ok(SearchResult { token, withheld: None, ignored }),
                Err(error) if error.is_elsewhere() => ignored.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(SearchResult { token: None, withheld, ignored })
    }

    /// Returns the token in the settings, or in the file that they name. Only the user's own settings may name a file.
    fn in_settings(&self) -> Result<Option<(Secret, SettingOrigin, String)>, TokenError> {
        if let Some((token, origin)) = &self.settings.gitlab_token {
            if let SettingOrigin::User { file, .. } = origin {
                check_private(file)?;
            }
            return Ok(Some((token.clone(), origin.clone(), origin.to_string())));
        }
        let Some(file) = &self.settings.gitlab_token_file else { return Ok(None) };
        check_private(file)?;
        let token = files::read_text(file, LIMIT)?;
        Ok(Some((Secret::new(token.trim()), SettingOrigin::Default, file.display().to_string())))
    }

    /// Returns the token that `cki login` keeps.
    fn stored(&self, server: &ServerAddress) -> Result<Option<FoundToken>, TokenError> {
        let Ok(store) = LoginStore::of(self.env) else { return Ok(None) };
        let found = store.find(server)?;
        Ok(found.map(|(login, token)| {
            let from = match login.place {
                TokenPlace::Keyring => "`cki login`, in the desktop keyring".to_owned(),
                TokenPlace::File => format!("`cki login`, in {}", store.file().display()),
            };
            FoundToken { token: token.into(), from, login: Some(login) }
        }))
    }

    fn glab_hosts(&self) -> Option<Vec<glab::GlabHost>> {
        glab::hosts(&glab::file(self.env)?).ok()
    }

    /// Returns the token with which the user has logged in by `glab`.
    fn of_glab(&self, server: &ServerAddress) -> Result<Option<FoundToken>, TokenError> {
        let Some(file) = glab::file(self.env) else { return Ok(None) };
        let hosts = self.glab_hosts().unwrap_or_default();
        let Some(host) = hosts.into_iter().find(|one| one.names.iter().any(|name| server.is_named(name)))
        else {
            return Ok(None);
        };
        let found = |token, from| Some(FoundToken { token, from, login: None });
        if let Some(token) = host.token {
            check_private(&file)?;
            return Ok(found(token, format!("`glab`, in {}", file.display())));
        }
        let Some(keyring) = Keyring::open(self.env)? else { return Ok(None) };
        let service = format!("glab:{}", host.host);
        let token = keyring.read(&[("service", &service), ("username", "")])?;
        let from = "`glab`, in the desktop keyring".to_owned();
        Ok(token.and_then(|token| found(AccessToken { secret: token, kind: TokenKind::Access }, from)))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
