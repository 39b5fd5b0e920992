//! OpenShift templates: `${NAME}` and `${{NAME}}` stand for parameters. A parameter without a value, or
//! with a value that the cluster generates, stays unchanged, and its name is recorded.

use std::collections::BTreeMap;

use super::error::{DeploymentError, finding, wrong};
use super::object::{Object, list};
use crate::base::yaml::tree::{Node, NodeValue};
use crate::model::inventory::InventoryFinding;

/// Returns the objects of a template, each read by `read`.
pub(super) fn objects(
    document: Node,
    findings: &mut Vec<InventoryFinding>,
    read: fn(Node, &mut Vec<InventoryFinding>) -> Result<Vec<Object>, DeploymentError>,
) -> Result<Vec<Object>, DeploymentError> {
    let mut values = BTreeMap::new();
    let mut unresolved = Vec::new();
    for parameter in document.get("parameters").map_or(&[][..], Node::items) {
        let Some(name) = parameter.text_of("name") else { continue };
        match parameter.text_of("value") {
            Some(value) => {
                values.insert(name.to_owned(), value.to_owned());
            }
            None if parameter.get("generate").is_some() => unresolved.push(name.to_owned()),
            None if parameter.get("required").is_some_and(Node::is_true) => {
                let message = format!("the parameter `{name}` of the template has no value here");
                findings.push(finding(&parameter.spot, message));
                unresolved.push(name.to_owned());
            }
            None => {
                values.insert(name.to_owned(), String::new());
            }
        }
    }
    let NodeValue::Map(entries) = document.value else { return Ok(Vec::new()) };
    let nodes = entries.into_iter().find(|entry| entry.key == "objects").map(|entry| list(entry.node));
    let mut objects = Vec::new();
    let mut bytes = 0;
    for mut node in nodes.unwrap_or_default() {
        node.for_each_text(&mut |text| {
            if text.contains("${") && bytes < LIMIT {
                *text = filled(text, &values);
                bytes += text.len();
            }
        });
        if bytes >= LIMIT {
            return Err(wrong(&node.spot, "its parameters make the template too large"));
        }
        if node.get("kind").is_none() {
            findings.push(finding(&node.spot, "this object of a template has no `kind`, and is not read"));
            continue;
        }
        for mut object in read(node, findings)? {
            object.unresolved.clone_from(&unresolved);
            objects.push(object);
        }
    }
    Ok(objects)
}

/// Maximum bytes of a template with its parameters filled in.
const LIMIT: usize = 16 << 20;

/// Replaces parameters by their values; a parameter without a value stays.
fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        made.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let (name, after) = match inner.strip_prefix('{').and_then(|inner| inner.split_once("}}")) {
            Some(found) => found,
            None => match inner.split_once('}') {
                Some(found) => found,
                None => break,
            },
        };
        match values.get(name) {
            Some(value) => {
                made.push_str(value);
                rest = after;
            }
            None => {
                made.push_str("${");
                rest = inner;
            }
        }
        if made.len() > LIMIT {
            return made;
        }
    }
    made.push_str(rest);
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;
    use crate::model::deployment::document::from_document;
    use proptest::prelude::*;

    #[test]
    fn template_substitutes_parameters() {
        let text = "\
kind: Template
parameters: [{name: A, value: a}, {name: B, required: true}, {name: C, generate: expression}, {name: D}]
objects:
- {kind: ConfigMap, metadata: {name: 'x-${A}'}, data: {a: '${{A}}', b: '${B}-${A}', c: '${C}', d: '${D}', e: '${NONE}$'}}
- {metadata: {}}
";
        let mut findings = Vec::new();
        let document = documents("t.yaml", text).expect("parses").remove(0);
        let objects = objects(document, &mut findings, from_document).expect("reads");
        let data = objects[0].node.get("data").expect("is there");
        let values: Vec<&str> = data.entries().iter().filter_map(|e| e.node.text()).collect();
        assert_eq!(values, ["a", "${B}-a", "${C}", "", "${NONE}$"]);
        assert_eq!(
            (objects[0].name(), objects[0].unresolved.as_slice()),
            ("x-a", &["B".into(), "C".into()][..])
        );
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("t.yaml:2:"), "{findings:?}");
    }

    proptest! {
        #[test]
        fn template_substitution_never_panics(text in "[${}Aé]{0,30}") {
            let _ = filled(&text, &BTreeMap::from([("A".to_owned(), "${A}".to_owned())]));
        }
    }
}
