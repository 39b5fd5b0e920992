//! Services of a release: those that select the component's pods, inside of the cluster only.

use serde_json::{Map, Value};

use super::labels::RELEASE;
use super::names::object_name;
use super::releasing::{Releasing, name_protocol, relabel, template_mut};
use crate::model::deployment::ClusterObject;

/// Fields that belong to one Service of a cluster, or lead into it from outside.
const OWN_FIELDS: [&str; 9] = [
    "clusterIP",
    "clusterIPs",
    "externalIPs",
    "loadBalancerIP",
    "loadBalancerClass",
    "loadBalancerSourceRanges",
    "healthCheckNodePort",
    "externalTrafficPolicy",
    "externalName",
];

/// Returns the labels of a workload's pods.
pub(super) fn pod_labels(workload: &ClusterObject) -> Map<String, Value> {
    let mut json = workload.json.clone();
    template_mut(&mut json)["metadata"]["labels"].as_object().cloned().unwrap_or_default()
}

/// Returns whether a Service selects pods with these labels.
pub(super) fn selects(service: &ClusterObject, labels: &Map<String, Value>) -> bool {
    let selector = service.json["spec"]["selector"].as_object();
    selector.is_some_and(|selector| {
        !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    })
}

/// Changes a Service for the release.
pub(super) fn release(service: &mut Value, releasing: &mut Releasing<'_>, release: &str) {
    let is_headless = service["spec"]["clusterIP"] == "None";
    let spec = &mut service["spec"];
    if let Some(selector) = spec.get_mut("selector") {
        relabel(selector, releasing);
    }
    spec["selector"][RELEASE] = release.into();
    let before = spec["type"].as_str().unwrap_or("ClusterIP").to_owned();
    let Some(fields) = spec.as_object_mut() else { return };
    for field in OWN_FIELDS {
        fields.shift_remove(field);
    }
    if is_headless {
        fields.insert("clusterIP".into(), "None".into());
    }
    if before != "ClusterIP" {
        fields.insert("type".into(), "ClusterIP".into());
        releasing.note(format!("A Service of type {before} becomes one that only the cluster reaches."));
    }
    for port in fields.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            port.shift_remove("nodePort");
            name_protocol(port);
        }
    }
}

/// Renames the Service that governs a StatefulSet, if the release has it.
pub(super) fn rename_governing(workload: &mut Value, services: &[&ClusterObject], releasing: &Releasing<'_>) {
    let Some(name) = workload["spec"].get("serviceName").and_then(Value::as_str) else { return };
    if services.iter().any(|service| service.name() == name) {
        workload["spec"]["serviceName"] = object_name("Service", name, &releasing.suffix).into();
    }
}
