//! The text of a drafted inventory. Whatever is put in is quoted where YAML could take it for something else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::model::inventory::Secrecy;

/// Beginning of the line that tells editors the JSON Schema of a file.
pub const SCHEMA_LINE: &str = "# yaml-language-server: $schema=";

/// A component of a draft.
#[derive(Debug, Clone, Default)]
pub struct DraftedComponent {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Directory of its sources in the repository; empty for all of it.
    pub directory: String,
    /// Path of its sources in the repository, if it is not that directory.
    pub source: Option<String>,
    /// README of its directory, or of the repository.
    pub readme: Option<String>,
    /// Build file, relative to the repository, where it has not the usual name in the context.
    pub build_file: Option<String>,
    /// It has a build file.
    pub is_built: bool,
    /// Stage to build.
    pub target: Option<String>,
    /// Files of a deployment: each with the name of its container.
    pub deployment: Vec<(String, Option<String>)>,
    /// Variables.
    pub environment: Vec<DraftedVariable>,
    /// Command.
    pub command: Vec<String>,
    /// Image, if it is not built.
    pub image: Option<String>,
    /// Directory of the image that has its sources.
    pub workdir: Option<String>,
    /// Ports.
    pub ports: Vec<DraftedPort>,
    /// Dependencies.
    pub needs: Vec<String>,
    /// Path and port of a readiness probe.
    pub health: Option<(String, u16)>,
    /// Directories of the repository that it mounts: each with its path in the container.
    pub mounts: Vec<(String, String)>,
    /// Its deployment has a readiness probe.
    pub has_probe: bool,
    /// Base image of its build file.
    pub base: Option<String>,
    /// Capabilities.
    pub capabilities: Vec<String>,
    /// Files of the repository that it mounts: each with its path in the container.
    pub files: Vec<(String, String)>,
}

/// A port of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftedPort {
    /// Number.
    pub number: u16,
    /// It speaks HTTP, as far as is known.
    pub is_http: bool,
    /// The port of this machine that the Compose file publishes it on.
    pub host: Option<u16>,
}

/// A variable of a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftedVariable {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// It is required.
    pub required: bool,
    /// Default value.
    pub default: Option<String>,
    /// States that its value is secret or not; of a name that suggests a secret, never that it is none.
    pub secret: Option<Secrecy>,
}

impl DraftedVariable {
    fn line(&self) -> String {
        let Self { name, description, required, default, secret } = self;
        let mut line = format!("  - {{name: {}", scalar(name));
        if *required {
            line.push_str(", required: true");
        }
        if let Some(secret) = secret {
            let _ = write!(line, ", secret: {secret}");
        }
        for (key, text) in [("default", default), ("description", description)] {
            if let Some(text) = text {
                let _ = write!(line, ", {key}: {}", scalar(text));
            }
        }
        line + "}"
    }
}

/// Returns the text of an inventory of one file. `schema` is the path of its JSON Schema,
/// relative to the file, and `images` are those of backing services that are not their own.
#[must_use]
pub fn inventory_text(
    repo: &str,
    address: &str,
    schema: &str,
    images: &BTreeMap<String, String>,
    components: &[DraftedComponent],
) -> String {
    let mut text =
        format!("{SCHEMA_LINE}{schema}\n# Written by `cki init`; `cki help inventory` describes each key.\n");
    let _ = writeln!(text, "version: 1\ntitle: {}", scalar(repo));
    let _ = writeln!(text, "repos:\n  {}: {}", scalar(repo), scalar(address));
    if !images.is_empty() {
        text.push_str("services:\n");
        for (service, image) in images {
            let _ = writeln!(text, "  {}: {{image: {}}}", scalar(service), scalar(image));
        }
    }
    text.push_str("components:\n");
    for one in components {
        item(&mut text, repo, one);
    }
    text
}

/// Adds an entry with its name, category and kind to a list.
fn item(text: &mut String, repo: &str, one: &DraftedComponent) {
    let _ = writeln!(text, "  - name: {}\n    category: service\n    kind: service", scalar(&one.name));
    if let Some(description) = &one.description {
        let _ = writeln!(text, "    description: {}", scalar(description));
    }
    if let Some(readme) = &one.readme {
        let (repo, path) = (scalar(repo), scalar(readme));
        let _ = writeln!(text, "    documentation: [{{label: README, repo: {repo}, path: {path}}}]");
    }
    for line in entry_text(repo, one).lines() {
        let _ = writeln!(text, "    {line}");
    }
}

/// Returns the text of an entry without its name, category, kind and description. `repo` is the name of the repository
/// in the inventory, or its address.
#[must_use]
pub fn entry_text(repo: &str, one: &DraftedComponent) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    let repo = scalar(repo);
    let path = match one.source.as_deref().unwrap_or(&one.directory) {
        "" => String::new(),
        path => format!(", path: {}", scalar(path)),
    };
    match &one.image {
        Some(image) => {
            line(format!("image: {}", scalar(image)));
            // They are in the repository, and not in the image.
            if !one.mounts.is_empty() {
                line(format!("sources: [{{repo: {repo}}}]"));
            }
        }
        None => line(format!("sources: [{{repo: {repo}{path}}}]")),
    }
    if one.is_built {
        let part = |key: &str, value: Option<&String>| {
            value.map_or_else(String::new, |value| format!(", {key}: {}", scalar(value)))
        };
        let context = Some(&one.directory).filter(|directory| !directory.is_empty());
        line(format!(
            "build: {{repo: {repo}{}{}{}}}",
            part("context", context),
            part("file", one.build_file.as_ref()),
            part("target", one.target.as_ref())
        ));
    }
    if !one.deployment.is_empty() {
        line("deployment:".to_owned());
        for (path, container) in &one.deployment {
            let container =
                container.as_ref().map_or_else(String::new, |name| format!(", container: {}", scalar(name)));
            line(format!("  - {{repo: {repo}, path: {}{container}}}", scalar(path)));
        }
    }
    if !one.environment.is_empty() {
        line("environment:".to_owned());
        one.environment.iter().for_each(|variable| line(variable.line()));
    }
    let list = |items: &[String]| items.iter().map(|item| scalar(item)).collect::<Vec<_>>().join(", ");
    line("run:".to_owned());
    if !one.command.is_empty() {
        line(format!("  command: [{}]", list(&one.command)));
    }
    if let Some(workdir) = &one.workdir {
        line(format!("  workdir: {}", scalar(workdir)));
    }
    let port = |port: &DraftedPort| {
        let DraftedPort { number, is_http, host } = *port;
        let protocol = if is_http { "/http" } else { "" };
        match host.filter(|host| *host != number) {
            // YAML 1.1 has numbers of this form.
            Some(host) => format!("\"{host}:{number}{protocol}\""),
            None => format!("{number}{protocol}"),
        }
    };
    let ports: Vec<String> = one.ports.iter().map(port).collect();
    if !ports.is_empty() {
        line(format!("  ports: [{}]", ports.join(", ")));
    }
    line(format!("  needs: [{}]", list(&one.needs)));
    match (&one.health, one.ports.first()) {
        _ if one.has_probe => {}
        (Some((path, port)), _) => line(format!("  ready: {{http: {}, port: {port}}}", scalar(path))),
        (None, Some(port)) => line(format!("  ready: {{tcp: {}}}", port.number)),
        (None, None) => {}
    }
    if !one.mounts.is_empty() {
        line(format!("  mount: {{{}}}", mounts(one).join(", ")));
    }
    if !one.files.is_empty() {
        let files =
            one.files.iter().map(|(from, to)| format!("{{from: {}, to: {}}}", scalar(from), scalar(to)));
        line(format!("  watch: {{sync: [{}]}}", files.collect::<Vec<_>>().join(", ")));
    }
    if !one.capabilities.is_empty() {
        line(format!("  capabilities: [{}]", list(&one.capabilities)));
    }
    text
}

/// Returns the mounts of a component, each path of the repository once. With them, a run mounts files, too, and copies
/// none; the sources stay those at the working directory.
fn mounts(one: &DraftedComponent) -> Vec<String> {
    let sources = if one.directory.is_empty() { "." } else { &one.directory };
    let is_mounted = |path: &str| {
        one.mounts.iter().any(|(_, to)| Path::new(path).starts_with(to) || Path::new(to).starts_with(path))
    };
    let workdir = one.workdir.as_ref().filter(|path| one.is_built && !is_mounted(path));
    let own = workdir.map(|path| (sources, path.as_str()));
    let all = one.mounts.iter().chain(&one.files).map(|(from, to)| (from.as_str(), to.as_str()));
    let mut seen = BTreeSet::new();
    let all = own.into_iter().chain(all).filter(|(from, _)| seen.insert(*from));
    all.map(|(from, to)| format!("{}: {}", scalar(from), scalar(to))).collect()
}

/// Returns a text as a scalar that is the same text in any place of a flow or block of YAML.
#[must_use]
pub fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.-".contains(c));
    let is_word = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if is_plain && !is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
