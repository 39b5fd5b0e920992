//! Contexts of Docker's client, as in `~/.docker/config.json` and the files next to it. Trying their
//! addresses is `discover`.

use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::base::files;
use crate::base::text::safe_line;
use crate::host::Env;

const LONGEST: u64 = 1 << 20;

/// The user's chosen context.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DockerContext {
    pub(super) name: String,
    /// Its address, or the reason for its absence.
    pub(super) host: Result<String, String>,
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(rename = "currentContext", default)]
    current: String,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: Endpoints,
}

#[derive(Deserialize, Default)]
struct Endpoints {
    docker: Option<ContextEndpoint>,
}

#[derive(Deserialize)]
struct ContextEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
}

/// Returns the context chosen by `DOCKER_CONTEXT` or by the configuration file; `None` for `default`, which
/// is no context but the default socket.
pub(super) fn chosen(env: &Env) -> Option<DockerContext> {
    let directory = env
        .get_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| env.home().map(|home| home.join(".docker")))?;
    let name = match env.get("DOCKER_CONTEXT") {
        Some(name) => name.to_owned(),
        None => {
            let text = files::read_text(&directory.join("config.json"), LONGEST).ok()?;
            serde_json::from_str::<DockerConfig>(&text).ok()?.current
        }
    };
    if name.is_empty() || name == "default" {
        return None;
    }
    let id = crate::base::digest::hex(&Sha256::digest(name.as_bytes()));
    let host = host(&directory.join("contexts/meta").join(id).join("meta.json"));
    Some(DockerContext { name: safe_line(&name).into_owned(), host })
}

fn host(path: &std::path::Path) -> Result<String, String> {
    let text = files::read_text(path, LONGEST).map_err(|error| {
        if error.is_missing() { "there is no such context".to_owned() } else { error.to_string() }
    })?;
    let meta: Meta = serde_json::from_str(&text)
        .map_err(|error| format!("`{}` is not understood: {error}", path.display()))?;
    match meta.endpoints.docker {
        Some(endpoint) if !endpoint.host.is_empty() => Ok(endpoint.host),
        _ => Err("it has no address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_context_is_chosen_by_variable_or_file() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let docker = home.path().join(".docker");
        let id = crate::base::digest::hex(&Sha256::digest(b"far"));
        let meta = docker.join("contexts/meta").join(id);
        std::fs::create_dir_all(&meta).expect("makes directories");
        let content = r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///x","SkipTLSVerify":false}}}"#;
        std::fs::write(meta.join("meta.json"), content).expect("writes");
        let env = |context: Option<&str>| {
            let home = ("HOME".to_owned(), home.path().display().to_string());
            Env::new(
                [home].into_iter().chain(context.map(|name| ("DOCKER_CONTEXT".to_owned(), name.to_owned()))),
            )
        };
        assert_eq!(chosen(&env(None)), None);
        std::fs::write(docker.join("config.json"), r#"{"currentContext":"far"}"#).expect("writes");
        let far = DockerContext { name: "far".into(), host: Ok("unix:///x".into()) };
        assert_eq!(chosen(&env(None)).as_ref(), Some(&far));
        assert_eq!(chosen(&env(Some("default"))), None);
        let missing = chosen(&env(Some("near"))).expect("is chosen");
        assert_eq!(missing.host, Err("there is no such context".to_owned()));
    }
}
