//! User's own git configuration, as the `git` program would read it: the files that the environment names,
//! and the entries in the environment itself. A clone's own configuration is excluded, since the author of
//! the clone controls it. libgit2 ignores `GIT_CONFIG_GLOBAL` and similar variables, so the text is composed
//! in `config_text`; `transport_choice` decides the means of a transfer.

use std::ffi::OsStr;

use git2::Config;
use reqwest::Url;

use super::config_text::{ConfigText, is_true, raw};
use super::{GitError, GitUrl, Scheme};
use crate::host::Env;

/// Settings of `http` that do not require the `git` program: they change neither the client's identity, nor
/// its secrets, nor the route of a request.
const HARMLESS: [&str; 15] = [
    "postbuffer",
    "lowspeedlimit",
    "lowspeedtime",
    "maxrequests",
    "minsessions",
    "ssltry",
    "savecookies",
    "emptyauth",
    "noepsv",
    "useragent",
    "version",
    "sslbackend",
    "delegation",
    "keepaliveidle",
    "keepaliveinterval",
];
/// Variables for HTTP that only the `git` program can follow.
const HTTP_VARIABLES: [&str; 8] = [
    "GIT_SSL_NO_VERIFY",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_VERSION",
    "GIT_SSL_CIPHER_LIST",
    "GIT_HTTP_PROXY_AUTHMETHOD",
];

/// The user's rules that rewrite addresses.
pub(super) struct AddressRules(Vec<(String, String)>);

impl AddressRules {
    /// Returns the address as rewritten; as it is if the result is no address.
    pub(super) fn rewritten(&self, url: &GitUrl) -> GitUrl {
        let found = rewrite(&self.0, url.as_str());
        found.and_then(|found| GitUrl::parse(&found).ok()).unwrap_or_else(|| url.clone())
    }
}

/// The user's configuration, parsed.
pub(super) struct UserConfig {
    config: Config,
    /// Setting of the environment that only the git program can follow.
    beyond: Option<String>,
    /// Variable of the environment, for HTTP, that only the `git` program can follow.
    beyond_http: Option<&'static str>,
    allowed: Option<Vec<String>>,
    from_user: bool,
}

impl UserConfig {
    /// Creates it from the configuration that libgit2 has read from [`ConfigText`].
    pub(super) fn new(env: &Env, config: Config) -> Result<Self, git2::Error> {
        let variable = is_set(env, "GIT_CONFIG_PARAMETERS").then(|| "GIT_CONFIG_PARAMETERS".to_owned());
        let beyond = match variable {
            Some(name) => Some(name),
            None => conditional(&config)?,
        };
        Ok(Self {
            beyond,
            beyond_http: HTTP_VARIABLES.into_iter().find(|name| env.get_os(name).is_some()),
            allowed: raw(env, "GIT_ALLOW_PROTOCOL")
                .map(|list| list.to_string_lossy().split(':').map(str::to_owned).collect()),
            from_user: raw(env, "GIT_PROTOCOL_FROM_USER").is_none_or(is_true),
            config,
        })
    }

    /// Reads the user's configuration outside of a transfer.
    pub(super) fn read(env: &Env) -> Result<Self, GitError> {
        let text = ConfigText::of(env)?;
        let read = || Self::new(env, Config::open(&text.path())?.snapshot()?);
        read().map_err(|error| GitError::Config { why: error.message().to_owned() })
    }

    /// Returns a boolean setting, unless it is not set.
    pub(super) fn truth(&self, key: &str) -> Option<bool> {
        self.config.get_bool(key).ok()
    }

    /// Returns a setting, unless it is not set.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.config.get_string(key).ok()
    }

    /// Returns the address as rewritten by `insteadOf`.
    pub(super) fn rewritten(&self, url: &GitUrl) -> Result<GitUrl, GitError> {
        match rewrite(&self.rules(), url.as_str()) {
            Some(found) => GitUrl::parse(&found),
            None => Ok(url.clone()),
        }
    }

    /// Returns the rules of `insteadOf`, for use without the configuration.
    pub(super) fn address_rules(&self) -> AddressRules {
        AddressRules(self.rules())
    }

    /// Returns the rules of `insteadOf`: the prefix of an address, and its replacement.
    fn rules(&self) -> Vec<(String, String)> {
        let mut rules = Vec::new();
        let Ok(mut entries) = self.config.entries(Some("^url\\.")) else { return rules };
        while let Some(Ok(entry)) = entries.next() {
            let (Ok(name), Ok(value)) = (entry.name(), entry.value()) else { continue };
            if let Some(base) = name.strip_prefix("url.").and_then(|name| name.strip_suffix(".insteadof")) {
                rules.push((value.to_owned(), base.to_owned()));
            }
        }
        rules
    }

    /// Returns the setting that requires the program for the transfer, if there is one.
    pub(super) fn needs_program(&self, url: &GitUrl) -> Option<String> {
        if self.beyond.is_some() {
            return self.beyond.clone();
        }
        let at = Url::parse(url.as_str()).ok().filter(|_| url.scheme() == Scheme::Http)?;
        if let Some(name) = self.beyond_http {
            return Some(name.to_owned());
        }
        let mut entries = self.config.entries(Some("^http\\.")).ok()?;
        while let Some(Ok(entry)) = entries.next() {
            let Some(rest) = entry.name().ok().and_then(|name| name.strip_prefix("http.")) else { continue };
            let (section, key) = rest.rsplit_once('.').map_or((None, rest), |(url, key)| (Some(url), key));
            let says_nothing = match key {
                "sslverify" => entry.value().is_ok_and(|value| is_true(OsStr::new(value))),
                "followredirects" => entry.value().is_ok_and(|value| value == "initial"),
                key => HARMLESS.contains(&key) || key.starts_with("schannel"),
            };
            if !says_nothing && section.is_none_or(|section| is_within(section, &at)) {
                return Some(format!("http.{key}"));
            }
        }
        None
    }

    /// Refuses a protocol that the user has forbidden (`protocol.*.allow`, `GIT_ALLOW_PROTOCOL`).
    pub(super) fn permit(&self, url: &GitUrl) -> Result<(), GitError> {
        let name = match url.scheme() {
            Scheme::Http if url.as_str().starts_with("https:") => "https",
            Scheme::Http => "http",
            Scheme::Git => "git",
            Scheme::Ssh => "ssh",
            Scheme::Local => "file",
        };
        let is_allowed = match &self.allowed {
            Some(names) => names.iter().any(|allowed| allowed == name),
            None => {
                let own = self.config.get_string(&format!("protocol.{name}.allow"));
                match own.or_else(|_| self.config.get_string("protocol.allow")).as_deref() {
                    Ok("never") => false,
                    Ok("user") => self.from_user,
                    Ok(_) => true,
                    Err(_) => name != "file" || self.from_user,
                }
            }
        };
        if is_allowed { Ok(()) } else { Err(GitError::Forbidding { url: url.to_string(), protocol: name }) }
    }
}

/// Returns a condition of an `includeIf` that libgit2 does not know.
fn conditional(config: &Config) -> Result<Option<String>, git2::Error> {
    let mut entries = config.entries(Some("^includeif\\."))?;
    while let Some(entry) = entries.next() {
        let name = entry?.name().unwrap_or_default().to_owned();
        let condition = name.trim_start_matches("includeif.");
        if !["gitdir:", "gitdir/i:", "onbranch:"].iter().any(|known| condition.starts_with(known)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Applies the longest matching rule, as git does.
fn rewrite(rules: &[(String, String)], url: &str) -> Option<String> {
    let fitting = rules.iter().filter(|(begin, _)| !begin.is_empty() && url.starts_with(begin.as_str()));
    let mut best: Option<&(String, String)> = None;
    for rule in fitting {
        if best.is_none_or(|best| rule.0.len() > best.0.len()) {
            best = Some(rule);
        }
    }
    best.map(|(begin, base)| format!("{base}{}", &url[begin.len()..]))
}

/// Returns whether a section `http.<address>` applies to an address.
fn is_within(section: &str, url: &Url) -> bool {
    let Ok(section) = Url::parse(section) else { return false };
    let labels = |url: &Url| -> Vec<String> {
        url.host_str().unwrap_or_default().split('.').map(str::to_ascii_lowercase).collect()
    };
    let (theirs, ours) = (labels(&section), labels(url));
    let same_host = theirs.len() == ours.len() && theirs.iter().zip(&ours).all(|(a, b)| a == "*" || a == b);
    let path = section.path().trim_end_matches('/');
    let below = url.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let user = section.username();
    section.scheme() == url.scheme()
        && section.port_or_known_default() == url.port_or_known_default()
        && same_host
        && below
        && (user.is_empty() || user == url.username())
}

fn is_set(env: &Env, name: &str) -> bool {
    env.get_os(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> UserConfig {
        let count = pairs.len().to_string();
        let numbered = pairs.iter().enumerate().flat_map(|(number, (key, value))| {
            [
                (format!("GIT_CONFIG_KEY_{number}"), (*key).to_owned()),
                (format!("GIT_CONFIG_VALUE_{number}"), (*value).to_owned()),
            ]
        });
        let fixed =
            [("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned()), ("GIT_CONFIG_COUNT".to_owned(), count)];
        UserConfig::read(&Env::new(numbered.chain(fixed))).expect("reads")
    }

    fn url(text: &str) -> GitUrl {
        GitUrl::parse(text).expect(text)
    }

    #[test]
    fn user_config_reads_environment_entries() {
        let user = read(&[("a.b\"\\ c.d-e", "x\"\\\n#;y "), ("core.x", "")]);
        assert_eq!(user.config.get_string("a.b\"\\ c.d-e").as_deref(), Ok("x\"\\\n#;y "));
        assert_eq!(user.config.get_string("core.x").as_deref(), Ok(""));
        for wrong in [[("GIT_CONFIG_COUNT", "x")], [("GIT_CONFIG_COUNT", "-1")], [("GIT_CONFIG_COUNT", "1")]]
        {
            assert!(matches!(UserConfig::read(&Env::new(wrong)), Err(GitError::Config { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn rewritten_applies_longest_rule_once() {
        let user = read(&[
            ("url.https://a/.insteadOf", "https://h/"),
            ("url.https://b/.insteadOf", "https://h/x/"),
            ("url.https://c/.insteadOf", "https://a/"),
            ("url.ssh://p/.pushInsteadOf", "https://z/"),
        ]);
        let to = |from: &str| user.rewritten(&url(from)).expect("rewrites").to_string();
        assert_eq!(to("https://h/y"), "https://a/y");
        assert_eq!(to("https://h/x/y"), "https://b/y");
        assert_eq!(to("https://z/y"), "https://z/y");
    }

    #[test]
    fn needs_program_matches_url_specific_settings() {
        let user = read(&[
            ("http.postBuffer", "1"),
            ("http.sslVerify", "true"),
            ("http.https://h:8443/a.extraHeader", "X: y"),
            ("http.https://*.example.com.proxy", "http://p"),
        ]);
        let found = |text: &str| user.needs_program(&url(text));
        assert_eq!(found("https://h:8443/a/b").as_deref(), Some("http.extraheader"));
        assert_eq!(found("https://x.example.com/b").as_deref(), Some("http.proxy"));
        for other in
            ["https://h:8443/ab", "https://h/a", "http://h:8443/a", "https://x.y.example.com/b", "/a"]
        {
            assert_eq!(found(other), None, "{other}");
        }
        let user = read(&[("http.sslVerify", "false")]);
        assert_eq!(user.needs_program(&url("https://h/a")).as_deref(), Some("http.sslverify"));
        let user = read(&[("includeIf.hasconfig:remote.*.url:https://h/**.path", "/x")]);
        assert!(user.needs_program(&url("/a")).is_some());
    }

    #[test]
    fn permit_refuses_forbidden_protocols() {
        let user = read(&[("protocol.allow", "never"), ("protocol.https.allow", "always")]);
        assert!(user.permit(&url("https://h/x")).is_ok());
        for other in ["http://h/x", "git://h/x", "/x", "git@h:x"] {
            assert!(matches!(user.permit(&url(other)), Err(GitError::Forbidding { .. })), "{other}");
        }
        let user = UserConfig::read(&Env::new([("GIT_ALLOW_PROTOCOL", "https:ssh")])).expect("reads");
        assert!(user.permit(&url("git@h:x")).is_ok() && user.permit(&url("/x")).is_err());
    }
}
