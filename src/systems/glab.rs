//! The configuration of `glab`, the command line of GitLab: tokens of the servers at which the user has logged in
//! there. Read, never written.

use std::path::{Path, PathBuf};

use crate::base::files::{self, FileError};
use crate::base::yaml::YamlError;
use crate::base::yaml::tree::{self, Node};
use crate::host::Env;
use crate::model::access_token::{AccessToken, TokenKind};

/// Maximum bytes of the file.
const LIMIT: u64 = 1 << 20;

/// A server in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlabHost {
    /// Its host, as `glab` writes it.
    pub host: String,
    /// The host with its scheme if that is not `https`, and the address of its API if that differs.
    pub names: Vec<String>,
    /// The token; `None` if the desktop keyring holds it, or nobody is logged in.
    pub token: Option<AccessToken>,
}

/// An unusable configuration.
#[derive(Debug, thiserror::Error)]
pub enum GlabError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

/// Returns the file: in `GLAB_CONFIG_DIR`, else in `glab-cli` of the directory for configuration.
#[must_use]
pub fn file(env: &Env) -> Option<PathBuf> {
    let named = env.get_os("GLAB_CONFIG_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || Some(env.config_directory()?.parent()?.join("glab-cli"));
    Some(named.or_else(usual)?.join("config.yml"))
}

/// Reads the servers of a configuration; none if there is no file.
///
/// # Errors
/// Fails if the file cannot be read, or is not YAML.
pub fn hosts(file: &Path) -> Result<Vec<GlabHost>, GlabError> {
    match files::read_text(file, LIMIT) {
        Ok(text) => Ok(parse(&file.display().to_string(), &text)?),
        Err(error) if error.is_missing() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn parse(file: &str, text: &str) -> Result<Vec<GlabHost>, YamlError> {
    let documents = tree::documents(file, text)?;
    let hosts = documents.first().and_then(|root| root.get("hosts"));
    Ok(hosts
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .map(|entry| host(&entry.key, &entry.node))
        .collect())
}

fn host(name: &str, node: &Node) -> GlabHost {
    let text = |key: &str| node.text_of(key).filter(|text| !text.is_empty());
    let protocol = text("api_protocol").filter(|one| *one == "http");
    let full =
        |host: &str| protocol.map_or_else(|| host.to_owned(), |protocol| format!("{protocol}://{host}"));
    let mut names = vec![full(name)];
    names.extend(text("api_host").filter(|host| *host != name).map(full));
    // `glab` itself prefers OAuth, then the token of a job.
    let is_oauth = node.get("is_oauth2").is_some_and(Node::is_true);
    let kind = if is_oauth { TokenKind::OAuth } else { TokenKind::Access };
    let token = text("token").map(|token| AccessToken::new(token, kind));
    let job = || text("job_token").map(|token| AccessToken::new(token, TokenKind::Job));
    GlabHost { host: name.to_owned(), names, token: token.or_else(job) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glab_hosts_have_tokens_of_their_kind() {
        let text = "git_protocol: ssh\nhosts:\n  gitlab.com:\n    token: !!null glpat-old\n    api_host: gitlab.com\n  \
                    git.example.com:\n    api_host: api.example.com\n    is_oauth2: \"true\"\n    token: oauth\n  \
                    ci.example.com:\n    job_token: job\n  keyring.example.com:\n    user: me\n    token: \"\"\n  \
                    plain.example.com: {api_protocol: http, token: x}\n  empty.example.com:\n";
        let found = parse("config.yml", text).expect("is read");
        let shown: Vec<String> = found
            .iter()
            .map(|one| {
                let token = one.token.as_ref();
                let token = token.map(|token| format!("{:?} {}", token.kind, token.secret.expose()));
                format!("{}: {}", one.names.join(" "), token.unwrap_or_default())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "gitlab.com: Access glpat-old",
                "git.example.com api.example.com: OAuth oauth",
                "ci.example.com: Job job",
                "keyring.example.com: ",
                "http://plain.example.com: Access x",
                "empty.example.com: ",
            ]
        );
        for nothing in ["", "hosts:\n", "hosts: [a]\n", "# only a comment\n"] {
            assert!(parse("config.yml", nothing).expect("is read").is_empty(), "{nothing}");
        }
        assert!(parse("config.yml", "hosts: {").is_err());
    }

    #[test]
    fn glab_file_is_where_glab_looks() {
        let of = |pairs: &[(&str, &str)]| {
            file(&Env::new(pairs.iter().copied())).map(|file| file.display().to_string())
        };
        assert_eq!(of(&[("HOME", "/h")]), Some("/h/.config/glab-cli/config.yml".to_owned()));
        assert_eq!(
            of(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c")]),
            Some("/c/glab-cli/config.yml".to_owned())
        );
        assert_eq!(of(&[("HOME", "/h"), ("GLAB_CONFIG_DIR", "/g")]), Some("/g/config.yml".to_owned()));
        assert_eq!(of(&[]), None);
    }
}
