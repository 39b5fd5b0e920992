//! The labels of containers, by one request to an engine that listens: for callers with a moment only, who take no
//! answer for none. Everything else asks a [`super::ContainerEngine`].

use std::collections::BTreeMap;

use serde::Deserialize;

use super::address::{Address, AddressKind, PingAnswer};
use super::discover::{EngineChoice, EngineSource, locations};
use crate::host::Env;
use crate::model::identity::is_named_for_run;

/// A container with its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledContainer {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// It runs.
    pub is_running: bool,
}

/// One container in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listed {
    names: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
    state: String,
}

/// Returns the containers with a label, `KEY` or `KEY=VALUE`, of the first engine that answers. Starts none, and repeats nothing; the
/// caller sets the time limit. With `offline`, asks engines of this machine only.
pub async fn labelled_containers(
    env: &Env,
    wanted: EngineChoice,
    label: &str,
    offline: bool,
) -> Vec<LabelledContainer> {
    let filters = serde_json::json!({ "label": [label] }).to_string();
    let filters = percent_encoding::utf8_percent_encode(&filters, percent_encoding::NON_ALPHANUMERIC);
    let path = format!("/containers/json?all=1&filters={filters}");
    for location in locations(env, wanted) {
        let EngineSource::Text(text) = &location.at else { continue };
        let is_encrypted = text.starts_with("tcp:") && env.get("DOCKER_TLS_VERIFY").is_some();
        let address = Address::parse(text).ok().filter(|_| !is_encrypted);
        let Some(address) = address.filter(|address| !offline || address.is_local()) else {
            if location.origin.binds(wanted) {
                return Vec::new();
            }
            continue;
        };
        match address.get(&path).await {
            Ok(answer) if wanted.takes(kind(&answer)) => return read(&answer).unwrap_or_default(),
            Ok(_) => {}
            Err(_) if location.origin.binds(wanted) => return Vec::new(),
            Err(_) => {}
        }
    }
    Vec::new()
}

fn kind(answer: &PingAnswer) -> AddressKind {
    let is_podman = answer.header("Server").is_some_and(|server| server.starts_with("Libpod"));
    if is_podman { AddressKind::Podman } else { AddressKind::Docker }
}

fn read(answer: &PingAnswer) -> Option<Vec<LabelledContainer>> {
    let listed: Vec<Listed> = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status() == 200)?;
    let labelled = |one: Listed| {
        let (labels, names) = (one.labels.unwrap_or_default(), one.names.unwrap_or_default());
        let is_own = names.iter().any(|name| is_named_for_run(name.trim_start_matches('/'), &labels));
        let is_running = one.state.eq_ignore_ascii_case("running");
        is_own.then_some(LabelledContainer { labels, is_running })
    };
    Some(listed.into_iter().filter_map(labelled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Returns the containers that an engine with this answer has.
    async fn answered(wanted: EngineChoice, answer: &str) -> (Vec<LabelledContainer>, String) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("s");
        let listener = tokio::net::UnixListener::bind(&path).expect("binds");
        let env = Env::new([("DOCKER_HOST", format!("unix://{}", path.display()))]);
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.expect("reads");
            stream.write_all(answer.as_bytes()).await.expect("writes");
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        tokio::join!(labelled_containers(&env, wanted, "cki.inventory=/a b", true), serve)
    }

    #[tokio::test]
    async fn labelled_containers_reads_what_an_engine_answers() {
        let body = r#"[{"Names": ["/cki-0-a"], "Labels": {"cki.run": "0"}, "State": "running"},
            {"Names": ["/cki-1-a"], "Labels": {"cki.run": "1"}, "State": "exited"},
            {"Names": ["/web"], "Labels": {"cki.run": "0"}, "State": "running"}, {"Labels": null, "State": "running"}]"#;
        let (found, request) =
            answered(EngineChoice::Docker, &format!("HTTP/1.0 200 OK\r\n\r\n{body}")).await;
        assert_eq!(
            found.iter().map(|one| (one.labels.len(), one.is_running)).collect::<Vec<_>>(),
            [(1, true), (1, false)]
        );
        assert!(
            request.contains("filters=%7B%22label%22%3A%5B%22cki%2Einventory%3D%2Fa%20b%22%5D%7D"),
            "{request}"
        );
        for answer in ["HTTP/1.0 500 Oops\r\n\r\n[]", "HTTP/1.0 200 OK\r\n\r\n{", "220 mail", ""] {
            assert_eq!(answered(EngineChoice::Docker, answer).await.0, [], "{answer}");
        }
        let podman = format!("HTTP/1.0 200 OK\r\nServer: Libpod/4.3.1 (linux)\r\n\r\n{body}");
        assert_eq!(answered(EngineChoice::Auto, &podman).await.0.len(), 2);
    }

    #[tokio::test]
    async fn labelled_containers_leaves_the_time_limit_to_the_caller() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("s");
        let _silent = tokio::net::UnixListener::bind(&path).expect("binds");
        let env = Env::new([("DOCKER_HOST", format!("unix://{}", path.display()))]);
        let asked = labelled_containers(&env, EngineChoice::Auto, "a=b", false);
        assert!(tokio::time::timeout(Duration::from_millis(20), asked).await.is_err());
    }
}
