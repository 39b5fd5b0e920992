//! Request that builds an image, and its answer. It does not go through bollard, whose request cannot take
//! several hosts, nor the network of a build on Podman: there, each build uses this machine's own network
//! unless the request says otherwise.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use bollard::errors::Error;
use bollard::models::BuildInfo;
use bytes::BytesMut;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::address::Address;
use super::{AddressKind, ContainerEngine};

/// Maximum bytes of a line of the answer.
const LONGEST: usize = 1 << 20;

/// Returns the parameters of the request.
pub(super) fn parameters(
    kind: AddressKind,
    request: &BuildRequest,
    dockerfile: &str,
) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut put = |key: &str, value: String| all.push((key.to_owned(), value));
    put("dockerfile", dockerfile.to_owned());
    put("t", request.tag.clone());
    put("labels", json!(request.labels).to_string());
    put("buildargs", json!(request.args).to_string());
    put("nocache", request.no_cache.to_string());
    put("rm", "true".to_owned());
    put("forcerm", "true".to_owned());
    if let Some(target) = &request.target {
        put("target", target.clone());
    }
    let hosts = request.hosts.iter().map(|(name, address): &(String, IpAddr)| format!("{name}:{address}"));
    match (kind, request.closed) {
        (AddressKind::Docker, true) => put("networkmode", "none".to_owned()),
        (AddressKind::Docker, false) => hosts.for_each(|host| put("extrahosts", host)),
        (AddressKind::Podman, true) => put("networkmode", "NetworkDisabled".to_owned()),
        (AddressKind::Podman, false) => {
            put("networkmode", "NetworkEnabled".to_owned());
            put("nsoptions", json!([{"Name": "network", "Host": false}]).to_string());
            put("extrahosts", json!(hosts.collect::<Vec<_>>()).to_string());
        }
    }
    all
}

impl ContainerEngine {
    /// Sends a context, and streams the engine's messages about the build.
    pub(super) fn send_build(
        &self,
        parameters: Vec<(String, String)>,
        context: reqwest::Body,
    ) -> impl Stream<Item = Result<BuildInfo, Error>> + Send + use<> {
        let address = self.shared.address.clone();
        stream::once(async move { send(&address, &parameters, context).await.map(items) }).try_flatten()
    }
}

async fn send(
    address: &Address,
    parameters: &[(String, String)],
    context: reqwest::Body,
) -> Result<reqwest::Response, Error> {
    // A second installation fails, harmlessly.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let (client, host) = match address {
        Address::Unix(socket) => (client.unix_socket(socket.as_path()), "engine"),
        Address::Tcp(host) => (client, host.as_str()),
    };
    let client = client.build().map_err(io::Error::other)?;
    let sent = client
        .post(format!("http://{host}/build"))
        .query(parameters)
        .header(reqwest::header::CONTENT_TYPE, "application/x-tar")
        .body(context)
        .send()
        .await
        .map_err(broken)?;
    let status_code = sent.status().as_u16();
    if sent.status().is_success() {
        return Ok(sent);
    }
    let body = sent.bytes().await.map_err(broken)?;
    let message = serde_json::from_slice::<serde_json::Value>(&body).ok();
    let message = message.as_ref().and_then(|body| body["message"].as_str()).unwrap_or_default().to_owned();
    Err(Error::DockerResponseServerError { status_code, message })
}

/// Splits an answer into its items, one per line.
fn items(answer: reqwest::Response) -> impl Stream<Item = Result<BuildInfo, Error>> + Send {
    let state = (answer.bytes_stream().boxed(), BytesMut::new(), false);
    let lines = stream::try_unfold(state, |(mut pieces, mut buffer, mut ended)| async move {
        loop {
            let end = buffer.iter().position(|byte| *byte == b'\n');
            match (end, ended) {
                (Some(end), _) => return Ok(Some((buffer.split_to(end + 1), (pieces, buffer, ended)))),
                (None, true) if buffer.is_empty() => return Ok(None),
                (None, true) => return Ok(Some((buffer.split(), (pieces, buffer, ended)))),
                (None, false) if buffer.len() > LONGEST => {
                    return Err(Error::from(io::Error::other("a line of its answer does not end")));
                }
                (None, false) => match pieces.next().await {
                    Some(piece) => buffer.extend_from_slice(&piece.map_err(broken)?),
                    None => ended = true,
                },
            }
        }
    });
    lines.try_filter_map(|line| async move {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(None);
        }
        let info: BuildInfo = serde_json::from_slice(line)?;
        match info.error_detail.and_then(|detail| detail.message) {
            Some(error) => Err(Error::DockerStreamError { error }),
            None => Ok(Some(BuildInfo { error_detail: None, ..serde_json::from_slice(line)? })),
        }
    })
}

/// Converts a failed connection, with the kernel's error if there is one.
fn broken(error: reqwest::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(one) = cause {
        if let Some(found) = one.downcast_ref::<io::Error>() {
            return Error::from(io::Error::new(found.kind(), found.to_string()));
        }
        cause = one.source();
    }
    let kind = if error.is_body() || error.is_decode() || error.is_request() {
        io::ErrorKind::UnexpectedEof
    } else {
        io::ErrorKind::Other
    };
    Error::from(io::Error::new(kind, error))
}

/// Specification of a build.
#[derive(Debug, Default)]
pub struct BuildRequest {
    /// Name of the image, with a tag.
    pub tag: String,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// Values for the Dockerfile's `ARG`s.
    pub args: BTreeMap<String, String>,
    /// Stage to build; `None` builds the last one.
    pub target: Option<String>,
    /// Run every step, without the cache.
    pub no_cache: bool,
    /// Names that resolve to these addresses in every step, regardless of DNS.
    pub hosts: Vec<(String, IpAddr)>,
    /// Run all steps without a network.
    pub closed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: AddressKind, closed: bool) -> Vec<(String, String)> {
        let hosts =
            vec![("a.prod".to_owned(), IpAddr::from([255; 4])), ("b.prod".to_owned(), [255; 4].into())];
        let all = parameters(kind, &BuildRequest { closed, hosts, ..BuildRequest::default() }, "Dockerfile");
        let of_network = |key: &str| ["networkmode", "nsoptions", "extrahosts"].contains(&key);
        all.into_iter().filter(|(key, _)| of_network(key)).collect()
    }

    #[test]
    fn build_query_uses_options_of_each_engine() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(of(AddressKind::Docker, true), [pair("networkmode", "none")]);
        assert_eq!(of(AddressKind::Podman, true), [pair("networkmode", "NetworkDisabled")]);
        assert_eq!(
            of(AddressKind::Docker, false),
            [pair("extrahosts", "a.prod:255.255.255.255"), pair("extrahosts", "b.prod:255.255.255.255")]
        );
        assert_eq!(
            of(AddressKind::Podman, false),
            [
                pair("networkmode", "NetworkEnabled"),
                pair("nsoptions", r#"[{"Name":"network","Host":false}]"#),
                pair("extrahosts", r#"["a.prod:255.255.255.255","b.prod:255.255.255.255"]"#),
            ]
        );
    }
}
