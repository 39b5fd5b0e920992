//! The one policy for HTTP: certificates, proxies, time limits, user agent. Clients are built on
//! first use, since loading certificates costs time that most commands need not spend.
//! What is asked of a server belongs to the folder of that system.

use std::sync::OnceLock;
use std::time::Duration;

/// How to connect.
#[derive(Debug, Clone, Default)]
pub struct HttpPolicy {
    /// A file with additional certificates of authorities, in PEM.
    pub ca_file: Option<std::path::PathBuf>,
    /// No connection to anything but this machine.
    pub offline: bool,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The file with certificates cannot be read.
    #[error(transparent)]
    CaFile(#[from] super::files::FileError),
    /// The file with certificates holds something else.
    #[error("`{path}` does not hold certificates in PEM form")]
    CaContent {
        /// The file.
        path: String,
    },
    /// The TLS library refused.
    #[error("cannot prepare TLS connections")]
    Client(#[source] reqwest::Error),
}

/// A client of the policy, made on first use and then shared.
#[derive(Debug, Default)]
pub struct Http {
    policy: HttpPolicy,
    client: OnceLock<reqwest::Client>,
    local: OnceLock<reqwest::Client>,
}

impl Http {
    /// Remembers the policy; nothing is built or opened.
    #[must_use]
    pub fn new(policy: HttpPolicy) -> Self {
        Self { policy, client: OnceLock::new(), local: OnceLock::new() }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &HttpPolicy {
        &self.policy
    }

    /// The client. Redirects are followed within the same origin only (scheme, host and port), so
    /// that a token reaches nobody else.
    ///
    /// # Errors
    /// When the certificates cannot be loaded.
    pub fn client(&self) -> Result<&reqwest::Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.build()?.build().map_err(HttpError::Client)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The client for a host: what is on this machine is not asked through a proxy.
    ///
    /// # Errors
    /// When the certificates cannot be loaded.
    pub fn client_for(&self, host: &str) -> Result<&reqwest::Client, HttpError> {
        if !is_loopback(host) {
            return self.client();
        }
        if let Some(client) = self.local.get() {
            return Ok(client);
        }
        let client = self.build()?.no_proxy().build().map_err(HttpError::Client)?;
        Ok(self.local.get_or_init(|| client))
    }

    fn build(&self) -> Result<reqwest::ClientBuilder, HttpError> {
        // A second installation is refused and harmless.
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
        if let Some(path) = &self.policy.ca_file {
            let pem = super::files::read_text(path, 4 << 20)?;
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| HttpError::CaContent { path: path.display().to_string() })?;
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(builder)
    }
}

/// Whether a host name or address means this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
