//! The address of a GitLab server, which is what a token belongs to. Requests to a server are in `systems::gitlab`.

use std::fmt;

use reqwest::Url;

use crate::base::http::is_loopback;
use crate::base::text::safe_line;

/// Address of a server: scheme, host, port, and the path below which GitLab is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerAddress {
    url: String,
    /// Host, and the port unless the scheme implies it.
    host: String,
    path: String,
    is_private: bool,
}

/// A text that is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the address of a server: {why}")]
pub struct ServerAddressError {
    /// The text, without a login.
    pub text: String,
    /// The fault.
    pub why: &'static str,
}

impl ServerAddress {
    /// Parses an address such as `gitlab.com`, `gitlab.example.com:8443`, `https://example.com/gitlab`. Without a
    /// scheme, it is `https`.
    ///
    /// # Errors
    /// Fails if the text is something else, or holds a login.
    pub fn parse(text: &str) -> Result<Self, ServerAddressError> {
        let text = text.trim();
        let shown = safe_line(text.rsplit_once('@').map_or(text, |(_, rest)| rest)).into_owned();
        let fail = |why| ServerAddressError { text: shown.clone(), why };
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url =
            Url::parse(&whole).map_err(|_| fail("use a host, or an address that begins with `https://`"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(fail("it begins with neither `https://` nor `http://`"));
        }
        let name = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| fail("it names no host"))?;
        if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
            return Err(fail("it holds a login; a token is given apart from it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(fail("it holds more than a server and a path"));
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/api/v4").unwrap_or(path).to_owned();
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let is_private = url.scheme() == "https" || is_loopback(name);
        Ok(Self { url: format!("{}://{host}{path}", url.scheme()), host, path, is_private })
    }

    /// Returns the address, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns whether nobody reads what travels to the server: by TLS, or because it never leaves this machine.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.is_private
    }

    /// Returns whether a text from a user names this server: its address; or only its host, and the port unless the
    /// scheme implies it, with or without the path. A host alone never names an unencrypted server.
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        let Ok(named) = Self::parse(text) else { return false };
        let same_path = named.path.is_empty() || named.path == self.path;
        if text.contains("://") {
            let origin = |one: &Self| one.url[..one.url.len() - one.path.len()].to_owned();
            return origin(&named) == origin(self) && same_path;
        }
        named.host == self.host && same_path && self.is_private
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ServerAddress {
        ServerAddress::parse(text).expect(text)
    }

    #[test]
    fn server_address_has_one_form() {
        for (text, url) in [
            ("gitlab.com", "https://gitlab.com"),
            (" HTTPS://GitLab.COM:443/ ", "https://gitlab.com"),
            ("gitlab.example.com:8443", "https://gitlab.example.com:8443"),
            ("example.com/gitlab/", "https://example.com/gitlab"),
            ("https://example.com/gitlab/api/v4", "https://example.com/gitlab"),
            ("http://[::1]:80/x", "http://[::1]/x"),
        ] {
            assert_eq!(parse(text).url(), url, "{text}");
        }
        for text in ["", "ftp://x", "https://user:secret@x", "me@x", "https://x/?a=b", "https://x/#f", "a b"]
        {
            let error = ServerAddress::parse(text).expect_err(text).to_string();
            assert!(!error.contains("secret") && !error.contains("me@"), "{error}");
        }
    }

    #[test]
    fn name_of_a_server_fits_one_origin() {
        let below = parse("https://example.com/gitlab");
        for text in
            ["example.com", "example.com/gitlab", "https://example.com", "https://example.com:443/gitlab/"]
        {
            assert!(below.is_named(text), "{text}");
        }
        for text in [
            "example.com/other",
            "example.com:8443",
            "http://example.com",
            "example.com.evil",
            "x.example.com",
            "",
        ] {
            assert!(!below.is_named(text), "{text}");
        }
        let here = parse("http://127.0.0.1:8080");
        assert!(here.is_named("127.0.0.1:8080") && !here.is_named("127.0.0.1"));
        let open = parse("http://example.com");
        assert!(!open.is_private() && !open.is_named("example.com") && open.is_named("http://example.com"));
    }
}
