//! The one policy for HTTP: certificates, proxies, timeouts, user agent. Clients are built on first use,
//! since most commands do not need the slow loading of certificates. Requests to a server are in the
//! directory of that system.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Url;

use super::file_snapshot::FileSnapshot;

/// Options for connections.
#[derive(Debug, Clone, Default)]
pub struct HttpPolicy {
    /// Additional certificates of authorities.
    pub ca_file: Option<CaFile>,
    /// Connect to this machine only.
    pub offline: bool,
    /// Report requests and answers of GitLab's API.
    pub debug: bool,
    /// Reader of the file with the certificates.
    pub files: FileSnapshot,
}

/// Additional certificates of authorities, and the server for which they count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaFile {
    /// Path of the file, in PEM.
    pub path: PathBuf,
    /// Only server for which the certificates count; `None` is every server.
    pub server: Option<String>,
}

impl CaFile {
    /// Returns whether the certificates count for an address, by scheme, host and port.
    fn is_for(&self, url: &Url) -> bool {
        let server = self.server.as_deref();
        server.is_none_or(|server| Url::parse(server).is_ok_and(|server| server.origin() == url.origin()))
    }
}

/// Reason why a client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The file with certificates cannot be read.
    #[error(transparent)]
    CaFile(#[from] super::files::FileError),
    /// The file contains no valid certificates.
    #[error("`{path}` does not hold certificates in PEM form")]
    CaContent {
        /// Path of the file.
        path: String,
    },
    /// The TLS library failed.
    #[error("cannot prepare TLS connections")]
    Client(#[source] reqwest::Error),
}

/// Clients of the policy, each built on first use and then shared.
#[derive(Debug, Default)]
pub struct HttpClient {
    policy: HttpPolicy,
    /// Clients with and without the additional certificates.
    clients: [OnceLock<reqwest::Client>; 2],
    /// The same clients without a proxy.
    direct: [OnceLock<reqwest::Client>; 2],
    /// Clients that follow no redirect: with and without the certificates, then the same without a proxy.
    single: [OnceLock<reqwest::Client>; 4],
}

impl HttpClient {
    /// Stores the policy; builds and opens nothing.
    #[must_use]
    pub fn new(policy: HttpPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Returns the policy.
    #[must_use]
    pub fn policy(&self) -> &HttpPolicy {
        &self.policy
    }

    /// Returns the additional certificates that count for an address.
    #[must_use]
    pub fn ca_file(&self, url: &Url) -> Option<&std::path::Path> {
        self.policy.ca_file.as_ref().filter(|file| file.is_for(url)).map(|file| file.path.as_path())
    }

    /// Returns the client for an address. It follows redirects within the same origin only (scheme, host
    /// and port), so that neither a token nor the trust in additional certificates extends to another
    /// server.
    ///
    /// # Errors
    /// Fails if the certificates cannot be loaded.
    pub fn client(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        let ca_file = self.policy.ca_file.as_ref().filter(|file| file.is_for(url));
        made(&self.clients[usize::from(ca_file.is_some())], || self.build(ca_file))
    }

    /// Returns the client for an address, without a proxy for addresses of this machine.
    ///
    /// # Errors
    /// Fails if the certificates cannot be loaded.
    pub fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        if !url.host_str().is_some_and(is_loopback) {
            return self.client(url);
        }
        let ca_file = self.policy.ca_file.as_ref().filter(|file| file.is_for(url));
        made(&self.direct[usize::from(ca_file.is_some())], || Ok(self.build(ca_file)?.no_proxy()))
    }

    /// Returns the client of [`Self::client_for`] that returns a redirect as the answer, for callers that decide about
    /// each step.
    ///
    /// # Errors
    /// Fails if the certificates cannot be loaded.
    pub fn single_client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        let ca_file = self.policy.ca_file.as_ref().filter(|file| file.is_for(url));
        let is_direct = url.host_str().is_some_and(is_loopback);
        let cell = &self.single[usize::from(ca_file.is_some()) + 2 * usize::from(is_direct)];
        made(cell, || {
            let builder = self.build(ca_file)?.redirect(reqwest::redirect::Policy::none());
            Ok(if is_direct { builder.no_proxy() } else { builder })
        })
    }

    /// Checks that all certificates can be loaded.
    ///
    /// # Errors
    /// Fails if they cannot.
    pub fn check(&self) -> Result<(), HttpError> {
        self.build(self.policy.ca_file.as_ref())?.build().map(drop).map_err(HttpError::Client)
    }

    fn build(&self, ca_file: Option<&CaFile>) -> Result<reqwest::ClientBuilder, HttpError> {
        // A second installation fails and is harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("cki/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::custom(|attempt| {
                let to = attempt.url().origin();
                let safe = attempt.previous().last().is_some_and(|from| from.origin() == to);
                if attempt.previous().len() > 5 || !safe { attempt.stop() } else { attempt.follow() }
            }));
        if let Some(CaFile { path, .. }) = ca_file {
            let pem = self.policy.files.read_text(path, 4 << 20)?;
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| HttpError::CaContent { path: path.display().to_string() })?;
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(builder)
    }
}

/// Returns the content of a cell, and fills it first if it is empty.
fn made(
    cell: &OnceLock<reqwest::Client>,
    build: impl FnOnce() -> Result<reqwest::ClientBuilder, HttpError>,
) -> Result<&reqwest::Client, HttpError> {
    if let Some(client) = cell.get() {
        return Ok(client);
    }
    let client = build()?.build().map_err(HttpError::Client)?;
    Ok(cell.get_or_init(|| client))
}

/// Returns whether a host name or address is a loopback one.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns the innermost cause of a failed request, which is the informative one; without the address.
#[must_use]
pub fn innermost_cause(error: &reqwest::Error) -> Option<String> {
    let mut innermost = std::error::Error::source(error)?;
    while let Some(next) = innermost.source() {
        innermost = next;
    }
    Some(innermost.to_string())
}

/// Returns whether a request failed because of TLS: an unknown authority, a wrong name, or no TLS at all.
#[must_use]
pub fn is_about_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        // The source of an error of the standard library is not the wrapped error, but that one's source.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ca_file_applies_only_to_its_server() {
        let file = |server: Option<&str>| CaFile { path: "ca.pem".into(), server: server.map(str::to_owned) };
        let url = |text: &str| Url::parse(text).expect("is one");
        let one = file(Some("https://git.example/root"));
        for same in ["https://git.example/", "https://GIT.example:443/a/b.git", "https://me:x@git.example/"] {
            assert!(one.is_for(&url(same)), "{same}");
        }
        for other in [
            "http://git.example/",
            "https://git.example:8443/",
            "https://git.example.evil/",
            "https://gitlab.com",
        ] {
            assert!(!one.is_for(&url(other)), "{other}");
            assert!(file(None).is_for(&url(other)), "{other}");
        }
        assert!(!file(Some("nonsense")).is_for(&url("https://git.example")));
    }
}
