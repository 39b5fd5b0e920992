//! Address of a repository: its scheme, and its text without a login. All code that shows, stores or compares
//! an address uses this module. The means of a transfer are `transport_choice`.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use reqwest::Url;

use super::GitError;
use super::login::Login;
use super::server_message::sanitize_message;
use crate::base::digest;
use crate::base::secret::Secret;

/// Scheme of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http://` or `https://`.
    Http,
    /// `git://`.
    Git,
    /// `ssh://…`, or `user@host:path`.
    Ssh,
    /// `file://…`, or an absolute path.
    Local,
}

/// Address of a repository. Its text form has no login.
#[derive(Clone, PartialEq, Eq)]
pub struct GitUrl {
    text: String,
    scheme: Scheme,
    host: String,
    /// Port, unless it is the scheme's default.
    port: Option<u16>,
    path: String,
    login: Option<Login>,
}

impl GitUrl {
    /// Parses an address. A login in it is removed and stored separately.
    ///
    /// # Errors
    /// Fails if the text is not the address of a repository, or could be taken for an option by a program.
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let refuse = |why| Err(GitError::Url { url: sanitize_message(&without_login(text)), why });
        if text.is_empty() {
            return refuse("it is empty");
        }
        if text.starts_with('-') {
            return refuse("it begins with `-`");
        }
        if text.chars().any(char::is_control) {
            return refuse("it holds control characters");
        }
        if text.starts_with('/') {
            return Ok(Self::local(text.to_owned(), text));
        }
        let parsed = if text.contains("://") { Self::with_scheme(text) } else { Self::like_scp(text) };
        parsed.or_else(refuse)
    }

    fn local(text: String, path: &str) -> Self {
        let path = path.to_owned();
        Self { text, scheme: Scheme::Local, host: String::new(), port: None, path, login: None }
    }

    fn with_scheme(text: &str) -> Result<Self, &'static str> {
        let mut url = Url::parse(text).map_err(|_| "it cannot be read")?;
        let scheme = match url.scheme() {
            "http" | "https" => Scheme::Http,
            "git" => Scheme::Git,
            "ssh" | "git+ssh" | "ssh+git" => Scheme::Ssh,
            "file" => Scheme::Local,
            _ => return Err("its scheme must be https, http, ssh, git or file"),
        };
        let host = url.host_str().unwrap_or("").trim_end_matches('.').to_ascii_lowercase();
        if scheme == Scheme::Local {
            let path = url.to_file_path().map_err(|()| "it names a file on another machine")?;
            let path = path.to_str().ok_or("its path is not text")?;
            return Ok(Self::local(url.to_string(), path));
        }
        if host.is_empty() || host.starts_with('-') {
            return Err("it names no host");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("an address of a repository has neither `?` nor `#`");
        }
        let login = match (scheme, url.username(), url.password()) {
            (Scheme::Http, "", None) | (Scheme::Git | Scheme::Ssh, ..) => None,
            (_, user, password) => {
                let secret = Secret::new(percent_decode(password.unwrap_or("")));
                Some(Login { user: percent_decode(user), secret })
            }
        };
        // The user of an ssh address is not a secret, and the connection needs it. An address with a host can
        // have a login, so removing it cannot fail.
        let _ = url.set_password(None);
        if scheme != Scheme::Ssh {
            let _ = url.set_username("");
        }
        let usual = match scheme {
            Scheme::Ssh => 22,
            Scheme::Git => 9418,
            // `Url` omits the default port of http and https.
            Scheme::Http | Scheme::Local => 0,
        };
        let port = url.port().filter(|port| *port != usual);
        let path = percent_decode(url.path());
        Ok(Self { text: url.to_string(), scheme, host, port, path, login })
    }

    /// Parses `[user@]host:path`, the form of ssh and scp.
    fn like_scp(text: &str) -> Result<Self, &'static str> {
        const NEITHER: &str = "it has no scheme (as in https://…) and is no absolute path";
        let (before, path) = text.split_once(':').ok_or(NEITHER)?;
        if before.is_empty() || before.contains('/') || path.is_empty() {
            return Err(NEITHER);
        }
        if path.starts_with(':') {
            return Err("its scheme must be https, http, ssh, git or file");
        }
        let host = before.rsplit_once('@').map_or(before, |(_, host)| host);
        if host.is_empty() || host.starts_with('-') {
            return Err("it names no host");
        }
        if path.split('/').next().is_some_and(|first| first.contains('@')) {
            return Err("it looks like a login without a scheme");
        }
        Ok(Self {
            text: text.to_owned(),
            scheme: Scheme::Ssh,
            host: host.to_ascii_lowercase(),
            port: None,
            path: path.to_owned(),
            login: None,
        })
    }

    /// Returns the scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host's name; empty for a local path.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the path within the host; for a local repository, the path of its directory.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the address without a login.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the login that stood in the address.
    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns whether both name the same repository, by any scheme: a clone made over ssh is a clone of the
    /// same repository over https. The case of the host, the scheme's default port, a user, trailing slashes
    /// and a final `.git` make no difference; the case of the path does.
    #[must_use]
    pub fn is_same_repository(&self, other: &Self) -> bool {
        // Ports are comparable only within one scheme.
        let ports_differ = self.scheme == other.scheme && self.port != other.port;
        self.host() == other.host() && self.plain_path() == other.plain_path() && !ports_differ
    }

    /// Returns a short text that is equal for all spellings of the address of one repository.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let port = self.port.filter(|_| self.scheme != Scheme::Ssh).map(|port| port.to_string());
        let mut whole = digest::sha256_hex([self.host(), &port.unwrap_or_default(), &self.plain_path()]);
        whole.truncate(8);
        whole
    }

    /// Returns the path without the parts that make no difference.
    fn plain_path(&self) -> String {
        if self.scheme == Scheme::Local
            && let Some(path) = local_repository(&self.path)
        {
            return path;
        }
        let parts: Vec<&str> = self.path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let path = parts.join("/");
        path.strip_suffix(".git").unwrap_or(&path).trim_end_matches('/').to_owned()
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns a text that may be an address, without any part that may be a login. For display only.
#[must_use]
pub fn without_login(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let after = &rest[authority.len()..];
    let host = match authority.rsplit_once('@') {
        // `git@host:path` names a user, not a login.
        Some((user, _)) if scheme.is_empty() && !user.contains(':') => authority,
        Some((_, host)) => host,
        None => authority,
    };
    let after = after.split(['?', '#']).next().unwrap_or(after);
    if scheme.is_empty() { format!("{host}{after}") } else { format!("{scheme}://{host}{after}") }
}

/// Returns the directory of a repository on this machine, as git finds it from a path: the path itself, or
/// with `.git` added. `None` if there is none.
fn local_repository(path: &str) -> Option<String> {
    let found = [path.to_owned(), format!("{}.git", path.trim_end_matches('/'))]
        .into_iter()
        .find_map(|path| Path::new(&path).canonicalize().ok())?;
    let whole = if found.file_name() == Some(OsStr::new(".git")) { found.parent()? } else { &found };
    Some(whole.display().to_string())
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> GitUrl {
        GitUrl::parse(text).expect(text)
    }

    #[test]
    fn git_url_parses_every_scheme() {
        for (text, scheme, host, path) in [
            ("https://GitLab.com/a/b", Scheme::Http, "gitlab.com", "/a/b"),
            ("http://127.0.0.1:8080/a.git", Scheme::Http, "127.0.0.1", "/a.git"),
            ("git://h/a%20b", Scheme::Git, "h", "/a b"),
            ("ssh://git@h:22/a", Scheme::Ssh, "h", "/a"),
            ("git@gitlab.com:a/b.git", Scheme::Ssh, "gitlab.com", "a/b.git"),
            ("host:~x/b", Scheme::Ssh, "host", "~x/b"),
            ("file:///a/b", Scheme::Local, "", "/a/b"),
            ("/a/b", Scheme::Local, "", "/a/b"),
        ] {
            let url = url(text);
            assert_eq!((url.scheme(), url.host(), url.path()), (scheme, host, path), "{text}");
        }
    }

    #[test]
    fn git_url_rejects_invalid_text_without_leaking_login() {
        for text in [
            "",
            "-oProxyCommand=x",
            "a/b",
            "gitlab.com/a/b",
            "ext::sh -c x",
            "ftp://h/x",
            "https://",
            "ssh://-oProxyCommand=x/y",
            "-x@h:y",
            "u@-h:y",
            "https://h/x?private_token=glpat-0",
            "https://h/x#y",
            "oauth2:glpat-0@h/x",
            "file://other/x",
            "https://h/a\nb",
            ":x",
        ] {
            let error = GitUrl::parse(text).expect_err(text);
            assert!(!error.to_string().contains("glpat") && !error.to_string().contains('\n'), "{error}");
        }
    }

    #[test]
    fn git_url_separates_login() {
        let with = url("https://oauth2:glpat%2D1@h:8443/a");
        assert_eq!(with.as_str(), "https://h:8443/a");
        let login = with.login().expect("is kept apart");
        assert_eq!((login.user.as_str(), login.secret.expose()), ("oauth2", "glpat-1"));
        assert!(!format!("{with} {with:?}").contains("glpat"));
        assert_eq!(url("ssh://git:pw@h/a").as_str(), "ssh://git@h/a");
        assert_eq!(url("https://h/a").login(), None);
        assert_eq!(without_login("https://u:p@h/a?token=x"), "https://h/a");
        assert_eq!(without_login("git@h:a/b@c"), "git@h:a/b@c");
    }

    #[test]
    fn is_same_repository_compares_across_schemes() {
        let https = url("https://gitlab.com/a/b");
        for same in [
            "https://x:y@gitlab.com/a/b.git/",
            "git@gitlab.com:a/b.git",
            "ssh://git@gitlab.com:22/a/b",
            "https://GitLab.com:443/a//b",
            "http://gitlab.com/a/b",
            "git://gitlab.com:9418/a/b.git",
        ] {
            assert!(https.is_same_repository(&url(same)), "{same}");
            assert_eq!(https.fingerprint(), url(same).fingerprint(), "{same}");
        }
        for other in [
            "https://gitlab.com/a/c",
            "https://gitlab.com/a/B",
            "https://gitlab.org/a/b",
            "https://gitlab.com:444/a/b",
            "/a/b",
        ] {
            assert!(!https.is_same_repository(&url(other)), "{other}");
            assert_ne!(https.fingerprint(), url(other).fingerprint(), "{other}");
        }
        assert!(url("git@h:a/b").is_same_repository(&url("ssh://h/a/b.git")));
        assert!(url("file:///a/b").is_same_repository(&url("/a/b")));
    }

    #[test]
    fn is_same_repository_resolves_local_paths() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().canonicalize().expect("is there").display().to_string();
        let at = |path: &str| url(&format!("{root}/{path}"));
        for path in ["x.git", "x/.git", "y.git"] {
            std::fs::create_dir_all(directory.path().join(path)).expect("makes");
        }
        std::os::unix::fs::symlink("y.git", directory.path().join("z")).expect("links");
        assert!(!at("x").is_same_repository(&at("x.git")), "both are there");
        assert!(at("x").is_same_repository(&at("x/.git/")));
        assert!(at("y").is_same_repository(&at("y.git")) && at("z").is_same_repository(&at("y")));
    }
}
