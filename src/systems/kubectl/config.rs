//! The contexts of the program's configuration and their servers, as `kubectl config view` prints them, logins masked.
//! Which of them is right is up to `ops`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::Value;

use super::error::KubectlError;

/// The address of a cluster's API server, as a URL parser reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterServer {
    /// Name or address, in lower case, without the final dot.
    pub host: String,
    /// Name that the server's certificate is checked for, if it is another one.
    pub tls_name: Option<String>,
    /// `None`: the program chooses.
    port: Option<u16>,
    path: Vec<String>,
}

impl ClusterServer {
    /// Reads an address. Without a scheme, the program chooses one.
    fn read(server: &str, tls_name: Option<&str>) -> Option<Self> {
        let (whole, has_scheme) = match server.contains("://") {
            true => (Cow::Borrowed(server), true),
            false => (Cow::Owned(format!("https://{server}")), false),
        };
        let url = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let port = if has_scheme { url.port_or_known_default() } else { url.port() };
        let path = url.path().split('/').filter(|part| !part.is_empty());
        Some(Self {
            host: plain_host(url.host_str()?),
            tls_name: tls_name.filter(|name| !name.is_empty()).map(plain_host),
            port,
            path: path.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect(),
        })
    }

    /// Returns whether two addresses lead to the same server. All names of this machine count as one.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let has_same_port = self.port.is_none() || other.port.is_none() || self.port == other.port;
        let is_own = |one: &Self| match one.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address.is_unspecified(),
            Err(_) => one.host == "localhost" || one.host.ends_with(".localhost"),
        };
        let has_same_host = self.host == other.host || (is_own(self) && is_own(other));
        has_same_host && has_same_port && self.path == other.path
    }
}

/// Returns one form of a host that has several.
fn plain_host(host: &str) -> String {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_lowercase();
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) => address.to_string(),
        Err(_) => host,
    }
}

/// The contexts of a configuration with their servers.
#[derive(Debug, Clone, Default)]
pub struct ClientConfig {
    servers: BTreeMap<String, Option<ClusterServer>>,
}

impl ClientConfig {
    /// Reads what `kubectl config view --output=json` prints.
    pub(super) fn read(text: &str) -> Result<Self, KubectlError> {
        let view: Value =
            serde_json::from_str(text).map_err(|error| KubectlError::Output(error.to_string()))?;
        let items = |key: &str| view[key].as_array().into_iter().flatten();
        let server = |context: &Value| {
            let wanted = context["context"]["cluster"].as_str()?;
            let cluster = &items("clusters").find(|one| one["name"] == wanted)?["cluster"];
            ClusterServer::read(cluster["server"].as_str()?, cluster["tls-server-name"].as_str())
        };
        let servers = items("contexts")
            .filter_map(|context| Some((context["name"].as_str()?.to_owned(), server(context))))
            .collect();
        Ok(Self { servers })
    }

    /// Returns whether there is a context of this name.
    #[must_use]
    pub fn has(&self, context: &str) -> bool {
        self.servers.contains_key(context)
    }

    /// Returns the server of a context, if it names one.
    #[must_use]
    pub fn server(&self, context: &str) -> Option<&ClusterServer> {
        self.servers.get(context)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_server_have_several_spellings() {
        let read = |text: &str| ClusterServer::read(text, None).expect(text);
        for (one, other) in [
            ("https://api.example:443", "HTTPS://API.Example./"),
            ("https://api.example/k8s/a", "https://u:p@api.example:0443//k8s/./%61/?x#y"),
            ("https://api.example", "api.example"),
            ("api.example:6443", "https://api.example:6443/"),
            ("https://10.0.0.1:6443", "https://0x0a.1:6443"),
            ("https://10.0.0.1", "https://[::ffff:10.0.0.1]:443"),
            ("https://127.0.0.1:6443", "https://localhost:6443"),
            ("https://[::1]:6443", "https://127.1.2.3:6443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert!(read(one).is_same(&read(other)), "{one} {other}");
        }
        for (one, other) in [
            ("https://api.example", "https://api.example:6443"),
            ("https://api.example", "https://api2.example"),
            ("https://api.example/k8s/a", "https://api.example/k8s/b"),
            ("http://api.example", "https://api.example"),
        ] {
            assert!(!read(one).is_same(&read(other)), "{one} {other}");
        }
        assert!(ClusterServer::read("ftp://api.example", None).is_none());
        assert!(ClusterServer::read("", None).is_none());
    }

    #[test]
    fn contexts_have_the_servers_of_their_clusters() {
        let view = r#"{"clusters": [{"name": "c", "cluster": {"server": "https://a", "tls-server-name": "API.b"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c"}}, {"name": "y", "context": {"cluster": "d"}}]}"#;
        let config = ClientConfig::read(view).expect("reads");
        let server = config.server("x").expect("is there");
        assert_eq!((server.host.as_str(), server.tls_name.as_deref()), ("a", Some("api.b")));
        assert!(config.has("y") && config.server("y").is_none() && !config.has("z"));
        assert!(!ClientConfig::read(r#"{"clusters": null, "contexts": null}"#).expect("reads").has("x"));
        assert!(ClientConfig::read("x").is_err());
    }
}
