//! Servers for which additional certificates of authorities count. Their use in connections is in
//! `base::http`.

use super::keys::KEYS;
use super::layers::Config;
use super::value::{SettingOrigin, SettingValue};
use crate::base::http::CaFile;

impl Config {
    /// Returns the additional certificates. Those of a project's file count for the server that the same
    /// file names, and never for the user's own server.
    #[must_use]
    pub fn ca_file(&self) -> Option<CaFile> {
        let SettingValue { path: Some(path), origin, .. } = self.get("ca_file")? else { return None };
        if !matches!(origin, SettingOrigin::Project { .. }) {
            return Some(CaFile { path, server: None });
        }
        let server = self.project_server.clone()?;
        let origin = |url: &str| reqwest::Url::parse(url).map(|url| url.origin()).ok();
        let usual = KEYS.iter().filter(|key| key.name == "gitlab.url").map(|key| key.default);
        let mut own = self.own_servers.iter().map(String::as_str).chain(usual);
        let is_own = own.any(|own| origin(own) == origin(&server));
        (!is_own).then_some(CaFile { path, server: Some(server) })
    }

    /// Warns of settings in a project's file that have no effect.
    pub(super) fn warn_of_certificates(&mut self) {
        if let Some(value @ SettingValue { origin: SettingOrigin::Project { .. }, .. }) =
            self.values.get("ca_file")
            && self.ca_file().is_none()
        {
            let server = self.project_server.as_deref().unwrap_or_default();
            let place = &value.origin;
            self.warnings.push(format!(
                "{place}: `ca_file` is ignored: `{server}` is your own server, and a project's file does \
                 not decide whom you trust there."
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Env;

    /// Returns the effective certificates, given the user's own file and the project's.
    fn certificates(own: &str, project: &str, variable: Option<&str>) -> (Option<Option<String>>, usize) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (home, cwd) = (directory.path().join("config/cki"), directory.path().join("project"));
        for (directory, text) in [(&home, own), (&cwd, project)] {
            std::fs::create_dir_all(directory).expect("makes");
            std::fs::write(directory.join("cki.toml"), text).expect("writes");
        }
        let config_home = directory.path().join("config").display().to_string();
        let mut env = vec![("XDG_CONFIG_HOME", config_home.as_str())];
        env.extend(variable.map(|url| ("CKI_GITLAB_URL", url)));
        let config = Config::load(&Env::new(env), &cwd, []).expect("is read");
        (config.ca_file().map(|file| file.server), config.warnings.len())
    }

    #[test]
    fn project_ca_file_applies_to_project_server() {
        let project = "ca_file = 'ca.pem'\n[gitlab]\nurl = 'https://theirs.example'\n";
        let theirs = Some("https://theirs.example".to_owned());
        assert_eq!(certificates("", project, None), (Some(theirs.clone()), 0));
        assert_eq!(
            certificates("[gitlab]\nurl = 'https://mine.example'\n", project, None),
            (Some(theirs.clone()), 0)
        );
        // An override of the server does not extend the project's certificates to another server.
        assert_eq!(certificates("", project, Some("https://mine.example")), (Some(theirs), 0));
    }

    #[test]
    fn project_ca_file_never_applies_to_user_server() {
        let project = "ca_file = 'ca.pem'\n[gitlab]\nurl = 'https://Mine.example:443/x'\n";
        assert_eq!(certificates("[gitlab]\nurl = 'https://mine.example'\n", project, None), (None, 1));
        assert_eq!(certificates("", project, Some("https://mine.example")), (None, 1));
        let usual = "ca_file = 'ca.pem'\n[gitlab]\nurl = 'https://gitlab.com'\n";
        assert_eq!(certificates("", usual, None), (None, 1));
        // The user's own certificates count everywhere.
        assert_eq!(certificates("ca_file = 'own.pem'\n", "", None), (Some(None), 0));
    }
}
