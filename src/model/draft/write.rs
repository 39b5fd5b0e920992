//! The text of a drafted inventory. Whatever is put in is quoted where YAML could take it for something else.

use std::fmt::Write as _;

/// A component of a draft.
#[derive(Debug, Clone, Default)]
pub struct DraftedComponent {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Directory of its sources in the repository; empty for all of it.
    pub directory: String,
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
    /// Ports, and whether each speaks HTTP.
    pub ports: Vec<(u16, bool)>,
    /// Dependencies.
    pub needs: Vec<String>,
    /// Path and port of a readiness probe.
    pub health: Option<(String, u16)>,
    /// Capabilities.
    pub capabilities: Vec<String>,
}

/// A variable of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftedVariable {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
}

/// Returns the text of an inventory of one file.
#[must_use]
pub fn inventory_text(repo: &str, address: &str, components: &[DraftedComponent]) -> String {
    let mut text = "# Written by `cki init`; `cki help inventory` describes each key.\n".to_owned();
    let _ = writeln!(text, "version: 1\ntitle: {}", scalar(repo));
    let _ = writeln!(text, "repos:\n  {}: {}\ncomponents:", scalar(repo), scalar(address));
    for one in components {
        component(&mut text, repo, one);
    }
    text
}

fn component(text: &mut String, repo: &str, one: &DraftedComponent) {
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    let repo = scalar(repo);
    line(format!("  - name: {}", scalar(&one.name)));
    line("    category: service".to_owned());
    line("    kind: service".to_owned());
    if let Some(description) = &one.description {
        line(format!("    description: {}", scalar(description)));
    }
    let path =
        if one.directory.is_empty() { String::new() } else { format!(", path: {}", scalar(&one.directory)) };
    line(format!("    sources: [{{repo: {repo}{path}}}]"));
    if one.is_built {
        let part = |key: &str, value: Option<&String>| {
            value.map_or_else(String::new, |value| format!(", {key}: {}", scalar(value)))
        };
        let context = Some(&one.directory).filter(|directory| !directory.is_empty());
        line(format!(
            "    build: {{repo: {repo}{}{}{}}}",
            part("context", context),
            part("file", one.build_file.as_ref()),
            part("target", one.target.as_ref())
        ));
    }
    if !one.deployment.is_empty() {
        line("    deployment:".to_owned());
        for (path, container) in &one.deployment {
            let container =
                container.as_ref().map_or_else(String::new, |name| format!(", container: {}", scalar(name)));
            line(format!("      - {{repo: {repo}, path: {}{container}}}", scalar(path)));
        }
    }
    if !one.environment.is_empty() {
        line("    environment:".to_owned());
        for DraftedVariable { name, description } in &one.environment {
            let description = description
                .as_ref()
                .map_or_else(String::new, |text| format!(", description: {}", scalar(text)));
            line(format!("      - {{name: {}{description}}}", scalar(name)));
        }
    }
    let list = |items: &[String]| items.iter().map(|item| scalar(item)).collect::<Vec<_>>().join(", ");
    line("    run:".to_owned());
    if !one.command.is_empty() {
        line(format!("      command: [{}]", list(&one.command)));
    }
    let ports: Vec<String> = one
        .ports
        .iter()
        .map(|(port, http)| if *http { format!("{port}/http") } else { port.to_string() })
        .collect();
    if !ports.is_empty() {
        line(format!("      ports: [{}]", ports.join(", ")));
    }
    line(format!("      needs: [{}]", list(&one.needs)));
    match (&one.health, one.ports.first()) {
        (Some((path, port)), _) => line(format!("      ready: {{http: {}, port: {port}}}", scalar(path))),
        (None, Some((port, _))) => line(format!("      ready: {{tcp: {port}}}")),
        (None, None) => {}
    }
    if !one.capabilities.is_empty() {
        line(format!("      capabilities: [{}]", list(&one.capabilities)));
    }
}

/// Returns a text as a scalar that is the same text in any place of a flow or block of YAML.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.-".contains(c));
    let is_word = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if is_plain && !is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
