//! The guard's look at a release: no value may name a host of production or look like a credential, as in a local run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::release::Release;
use super::rules::StagingRules;
use crate::model::deployment::ClusterObject;
use crate::model::guard::{COMMAND, Guard, GuardFinding};

/// A value in a release.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReleaseValue {
    /// Name of the variable, or of a ConfigMap's entry; `None` for any other text, such as a word of a
    /// command.
    name: Option<String>,
    /// Value.
    value: String,
    /// Source in words.
    source: String,
}

/// Returns the findings of the guard in a release.
#[must_use]
pub fn release_findings(
    release: &Release,
    component: &str,
    rules: &StagingRules,
    guard: &Guard,
) -> Vec<GuardFinding> {
    let mut findings: Vec<GuardFinding> = Vec::new();
    for ReleaseValue { name, value, source } in values(release) {
        let value = rules.without_shared_hosts(&value);
        let reasons = guard.reasons(name.as_deref(), &value);
        let name = name.as_deref().unwrap_or(COMMAND);
        findings.extend(
            GuardFinding::new(component, name, &source, reasons).filter(|one| !findings.contains(one)),
        );
    }
    findings
}

fn values(release: &Release) -> Vec<ReleaseValue> {
    let mut values = Vec::new();
    for object in &release.objects {
        match object.kind() {
            "ConfigMap" => of_config_map(object, &mut values),
            "Service" => {}
            kind => {
                let source = format!("{kind} {}, {}", object.name(), object.place);
                of_spec(&object.json["spec"], &source, &object.place, &mut values);
            }
        }
    }
    values
}

fn of_config_map(object: &ClusterObject, values: &mut Vec<ReleaseValue>) {
    let source = format!("ConfigMap {}, {}", object.name(), object.place);
    let mut add = |key: &str, value: String| {
        values.push(ReleaseValue { name: Some(key.to_owned()), value, source: source.clone() });
    };
    let entries = |part: &str| object.json[part].as_object().into_iter().flatten();
    for (key, value) in entries("data") {
        add(key, value.as_str().unwrap_or_default().to_owned());
    }
    for (key, value) in entries("binaryData") {
        let text = value.as_str().unwrap_or_default();
        // A cluster refuses what is not base64. Names of hosts are readable in binary files, too.
        let bytes = STANDARD.decode(text).unwrap_or_else(|_| text.into());
        add(key, String::from_utf8_lossy(&bytes).into_owned());
    }
}

/// Collects the texts of a workload below a node: variables by their names, all others without one.
fn of_spec(value: &Value, source: &str, place: &str, values: &mut Vec<ReleaseValue>) {
    match value {
        Value::String(text) => {
            values.push(ReleaseValue { name: None, value: text.clone(), source: source.to_owned() });
        }
        Value::Array(items) => items.iter().for_each(|item| of_spec(item, source, place, values)),
        Value::Object(fields) => {
            for (key, child) in fields {
                match key.as_str() {
                    // Labels are the release's own, and annotations are left out. An image is no value.
                    "metadata" | "selector" | "image" => {}
                    "containers" | "initContainers" => {
                        let all = child.as_array().into_iter().flatten();
                        all.for_each(|one| of_container(one, place, values));
                    }
                    _ => of_spec(child, source, place, values),
                }
            }
        }
        _ => {}
    }
}

fn of_container(container: &Value, place: &str, values: &mut Vec<ReleaseValue>) {
    let source = format!("container {}, {place}", container["name"].as_str().unwrap_or_default());
    for (key, child) in container.as_object().into_iter().flatten() {
        match key.as_str() {
            "image" => {}
            "env" => child.as_array().into_iter().flatten().for_each(|one| of_variable(one, &source, values)),
            _ => of_spec(child, &source, place, values),
        }
    }
}

fn of_variable(variable: &Value, source: &str, values: &mut Vec<ReleaseValue>) {
    if let (Some(name), Some(value)) = (variable["name"].as_str(), variable["value"].as_str()) {
        let (name, value) = (Some(name.to_owned()), value.to_owned());
        values.push(ReleaseValue { name, value, source: source.to_owned() });
    }
}
