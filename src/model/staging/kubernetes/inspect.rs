//! The guard's look at a release: no value may name a host of production or look like a credential, as in a local run.

use serde_json::Value;

use super::release::Release;
use super::rules::StagingRules;
use crate::model::deployment::ClusterObject;
use crate::model::guard::{COMMAND, Guard, GuardFinding};

/// A value in a release.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReleaseValue {
    /// Name of the variable, or of a ConfigMap's entry; `None` for a word of a command or a probe.
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
            _ => of_containers(&object.json, &object.place, &mut values),
        }
    }
    values
}

fn of_config_map(object: &ClusterObject, values: &mut Vec<ReleaseValue>) {
    let source = format!("ConfigMap {}, {}", object.name(), object.place);
    for part in ["data", "binaryData"] {
        for (key, value) in object.json[part].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            values.push(ReleaseValue { name: Some(key.clone()), value, source: source.clone() });
        }
    }
}

/// Collects the values of all containers below a node.
fn of_containers(value: &Value, place: &str, values: &mut Vec<ReleaseValue>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| of_containers(item, place, values)),
        Value::Object(fields) => {
            for (key, child) in fields {
                match key.as_str() {
                    "containers" | "initContainers" => {
                        child
                            .as_array()
                            .into_iter()
                            .flatten()
                            .for_each(|one| of_container(one, place, values));
                    }
                    _ => of_containers(child, place, values),
                }
            }
        }
        _ => {}
    }
}

fn of_container(container: &Value, place: &str, values: &mut Vec<ReleaseValue>) {
    let source = format!("container {}, {place}", container["name"].as_str().unwrap_or_default());
    for variable in container["env"].as_array().into_iter().flatten() {
        let (name, value) = (variable["name"].as_str(), variable["value"].as_str());
        if let (Some(name), Some(value)) = (name, value) {
            let (name, value) = (Some(name.to_owned()), value.to_owned());
            values.push(ReleaseValue { name, value, source: source.clone() });
        }
    }
    for key in
        ["command", "args", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "workingDir"]
    {
        texts(&container[key], &mut |text| {
            values.push(ReleaseValue { name: None, value: text.to_owned(), source: source.clone() });
        });
    }
}

fn texts(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, visit)),
        Value::Object(fields) => fields.values().for_each(|child| texts(child, visit)),
        _ => {}
    }
}
