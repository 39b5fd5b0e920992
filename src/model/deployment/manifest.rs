//! Files of objects that are partly unreadable: the readable documents in them, and a finding for files
//! that are templates of another program. The content of an object belongs in `object`.

use super::files::{FileKind, FileReader, directory_of, name_of};
use super::{DeploymentError, finding};
use crate::base::yaml::tree::{Location, Node, NodeValue, YamlDocuments, documents};
use crate::base::yaml::{Position, YamlError};
use crate::model::inventory::InventoryFinding;

impl FileReader<'_> {
    /// Returns the readable documents of a file of objects, with the tags of their nodes. Unreadable ones
    /// become findings.
    pub(super) fn tagged_manifests(
        &self,
        path: &str,
        findings: &mut Vec<InventoryFinding>,
    ) -> Result<YamlDocuments, DeploymentError> {
        if note_chart(self, directory_of(path), findings)? {
            return Ok(YamlDocuments::default());
        }
        match self.tagged(path) {
            Ok(documents) => Ok(documents),
            Err(error) => {
                let nodes = salvage(self, path, error, findings)?;
                Ok(YamlDocuments { nodes, ..YamlDocuments::default() })
            }
        }
    }
}

/// Adds a finding if a directory belongs to a Helm chart, whose files are templates; returns whether it
/// does.
pub(super) fn note_chart(
    reader: &FileReader<'_>,
    directory: &str,
    findings: &mut Vec<InventoryFinding>,
) -> Result<bool, DeploymentError> {
    let mut chart = directory;
    // Templates may be in subdirectories.
    let mut above = Some(directory);
    while let Some(here) = above {
        if name_of(here) == "templates" {
            chart = directory_of(here);
        }
        above = (!here.is_empty()).then(|| directory_of(here));
    }
    let file = if chart.is_empty() { "Chart.yaml".to_owned() } else { format!("{chart}/Chart.yaml") };
    if !reader.is_file(&file)? {
        return Ok(false);
    }
    reader.lose();
    let spot = start_of(&reader.label(&file));
    let message = format!(
        "this is a Helm chart: render it with `helm template {}`, and let `path:` name the result",
        reader.label(chart)
    );
    if findings.iter().all(|known| known.message != message) {
        findings.push(finding(&spot, message));
    }
    Ok(true)
}

/// Adds findings about files of a directory that another program would render to objects.
pub(super) fn note_templates(
    reader: &FileReader<'_>,
    directory: &str,
    names: &[String],
    findings: &mut Vec<InventoryFinding>,
) -> Result<(), DeploymentError> {
    for name in names {
        let Some(what) = template_by_name(name) else { continue };
        let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        if reader.kind(&path)? == Some(FileKind::File) {
            reader.lose();
            let message =
                format!("this is {what}, and is not read: render it, and let `path:` name the result");
            findings.push(finding(&start_of(&reader.label(&path)), message));
        }
    }
    Ok(())
}

/// Returns the kind of template that a file name implies.
fn template_by_name(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let (stem, end) = name.rsplit_once('.')?;
    let made_of = |ends: &[&str]| ends.iter().any(|end| stem.ends_with(end));
    match end {
        "j2" | "jinja" | "jinja2" => Some("a Jinja template"),
        "jsonnet" | "libsonnet" => Some("a Jsonnet program"),
        "cue" => Some("a CUE program"),
        "dhall" => Some("a Dhall program"),
        "erb" => Some("an ERB template"),
        "gotmpl" => Some("a Go template"),
        "tpl" | "tmpl" | "template" | "mustache" | "hbs" | "in" | "envsubst"
            if made_of(&[".yaml", ".yml", ".json"]) =>
        {
            Some("a template")
        }
        _ => None,
    }
}

/// Returns the kind of template that a text implies, if it is not YAML until another program has
/// rendered it.
fn template_by_text(text: &str) -> Option<&'static str> {
    let has = |part: &str| text.contains(part);
    if has("{{")
        && [".Values", ".Release", ".Chart", "include ", ".Capabilities"].iter().any(|part| has(part))
    {
        return Some("a Helm template");
    }
    match () {
        () if has("{%") => Some("a Jinja template"),
        () if has("{{") => Some("a template (of Helm, Jinja or Go)"),
        () if has("<%") => Some("an ERB template"),
        () if has("#@") => Some("a ytt template"),
        () => None,
    }
}

/// Returns the readable documents of a partly unreadable file.
pub(super) fn salvage(
    reader: &FileReader<'_>,
    path: &str,
    error: DeploymentError,
    findings: &mut Vec<InventoryFinding>,
) -> Result<Vec<Node>, DeploymentError> {
    let DeploymentError::Yaml(error) = error else {
        return match error {
            error @ DeploymentError::TooMuch { .. } => Err(error),
            error => {
                reader.lose();
                findings.push(error.into_finding());
                Ok(Vec::new())
            }
        };
    };
    let (text, label) = (reader.text(path)?, reader.label(path));
    if let Some(what) = template_by_text(&text) {
        reader.lose();
        let line = error.position.map_or(1, |position| position.line);
        let spot = Location { file: label.as_str().into(), position: Position { line, column: 1 } };
        let message = format!("this is {what}, and is not read: render it, and let `path:` name the result");
        findings.push(finding(&spot, message));
        return Ok(Vec::new());
    }
    let mut read = Vec::new();
    for (start, piece) in pieces(&text) {
        if is_definition(piece) {
            continue;
        }
        match documents(&label, piece) {
            Ok(mut documents) => {
                documents.iter_mut().for_each(|node| shift(node, start));
                read.append(&mut documents);
            }
            Err(error) => {
                reader.lose();
                findings.push(DeploymentError::Yaml(shifted(error, start)).into_finding());
            }
        }
    }
    Ok(read)
}

/// Splits a text into documents, each with the number of lines before it.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let (mut begin, mut first, mut at) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let is_mark = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim_start().len() < rest.len() || rest.is_empty());
        if is_mark && at > begin {
            pieces.push((first, &text[begin..at]));
            (begin, first) = (at, number);
        }
        at += line.len();
    }
    pieces.push((first, &text[begin..]));
    pieces
}

/// Returns whether a document only defines a kind, as most long ones do, and gives nothing to a
/// container.
fn is_definition(piece: &str) -> bool {
    piece.lines().any(|line| {
        line.strip_prefix("kind:")
            .is_some_and(|kind| kind.trim().trim_matches(['"', '\'']) == "CustomResourceDefinition")
    })
}

/// Moves all positions of a node down. The depth of nodes is bounded.
fn shift(node: &mut Node, lines: usize) {
    node.spot.position.line += lines;
    match &mut node.value {
        NodeValue::List(items) => items.iter_mut().for_each(|item| shift(item, lines)),
        NodeValue::Map(entries) => {
            for entry in entries {
                entry.spot.position.line += lines;
                shift(&mut entry.node, lines);
            }
        }
        NodeValue::Scalar { .. } => {}
    }
}

fn shifted(mut error: YamlError, lines: usize) -> YamlError {
    if let Some(position) = &mut error.position {
        position.line += lines;
    }
    error
}

fn start_of(label: &str) -> Location {
    Location { file: label.into(), position: Position { line: 1, column: 1 } }
}

#[cfg(test)]
mod tests {
    use super::super::files::tests::FileCache;
    use super::*;

    fn read(files: &[(&str, &str)], path: &str) -> (Vec<String>, Vec<String>) {
        let files = FileCache::of(files);
        let mut findings = Vec::new();
        let nodes = FileReader::new(&files).tagged_manifests(path, &mut findings).expect("reads").nodes;
        let seen =
            nodes.iter().map(|node| format!("{} {}", node.text_of("kind").unwrap_or("?"), node.spot.line()));
        (seen.collect(), findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn manifest_skips_only_the_invalid_document() {
        let text =
            "kind: A\n---\na: [1\n--- # next\nkind: B\n---\nkind: CustomResourceDefinition\na: {\n---\n";
        let (seen, findings) = read(&[("f.yaml", text)], "f.yaml");
        assert_eq!(seen, ["A f.yaml:1", "B f.yaml:5"]);
        assert!(findings.len() == 1 && findings[0].starts_with("f.yaml:3:"), "{findings:?}");
    }

    #[test]
    fn manifest_names_template_language() {
        let helm = "kind: A\n{{- if .Values.x }}\nb: c\n{{- end }}\n";
        let (seen, findings) = read(&[("f.yaml", helm)], "f.yaml");
        assert!(seen.is_empty() && findings[0].contains("a Helm template"), "{findings:?}");
        let chart = [("c/Chart.yaml", "name: c"), ("c/templates/sub/f.yaml", "kind: A")];
        let (seen, findings) = read(&chart, "c/templates/sub/f.yaml");
        assert!(seen.is_empty() && findings[0].contains("`helm template c`"), "{findings:?}");
        for (text, what) in
            [("a: {% if x %}\n", "a Jinja"), ("a: {{ x }}\n", "Helm, Jinja or Go"), ("a: [<% x %>\n", "ERB")]
        {
            let (_, findings) = read(&[("f.yaml", text)], "f.yaml");
            assert!(findings[0].contains(what), "{findings:?}");
        }
        assert_eq!(template_by_name("web.yml.j2"), Some("a Jinja template"));
        assert_eq!(template_by_name("web.yaml.tmpl"), Some("a template"));
        assert_eq!((template_by_name("web.yaml"), template_by_name("setup.tpl")), (None, None));
    }
}
