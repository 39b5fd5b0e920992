//! The context in which the objects of a release are changed, and the changes that several of their parts need.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::borrowed::BorrowedObject;
use super::error::ReleaseError;
use super::labels::RELEASE;
use super::names::{LABEL, suffixed};
use super::request::ReleaseRequest;
use super::rules::StagingRules;
use crate::model::deployment::ClusterObject;

/// Context of the changes to the objects of a release.
pub(super) struct Releasing<'a> {
    pub(super) rules: &'a StagingRules,
    pub(super) request: &'a ReleaseRequest,
    /// Suffix of all names.
    pub(super) suffix: String,
    /// The workload, for messages.
    pub(super) workload: &'a ClusterObject,
    /// Name of the component's container.
    pub(super) container: &'a str,
    /// ConfigMaps of the files.
    pub(super) config_maps: Vec<&'a ClusterObject>,
    /// Names of the ConfigMaps that the release needs.
    pub(super) used: BTreeSet<String>,
    /// Names of the annotations that are left out.
    pub(super) annotations: BTreeSet<String>,
    /// Objects of the namespace that the release uses.
    pub(super) borrowed: Vec<BorrowedObject>,
    pub(super) notes: Vec<String>,
}

/// Prefixes of annotations that tools write about an object in a cluster.
const BOOKKEEPING: [&str; 2] = ["kubectl.kubernetes.io/", "deployment.kubernetes.io/"];

impl Releasing<'_> {
    pub(super) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Removes the annotations of an object. Other controllers read them: to name the Service in a DNS zone, to give the
    /// pods a role.
    pub(super) fn drop_annotations(&mut self, metadata: &mut Value) {
        let Some(annotations) = metadata.as_object_mut().and_then(|one| one.shift_remove("annotations"))
        else {
            return;
        };
        let names = annotations.as_object().into_iter().flat_map(Map::keys);
        let is_other = |name: &&String| !BOOKKEEPING.iter().any(|prefix| name.starts_with(prefix));
        self.annotations.extend(names.filter(is_other).cloned());
    }

    /// Returns the error of a field of the workload that reaches beyond the namespace.
    pub(super) fn host_error(&self, field: &str) -> ReleaseError {
        ReleaseError::Host {
            place: self.workload.place.clone(),
            workload: self.workload.name().to_owned(),
            field: field.to_owned(),
        }
    }

    pub(super) fn label(&self, value: &str) -> String {
        suffixed(value, &self.suffix, LABEL)
    }
}

/// Returns the selector of a workload's pods, as `kubectl` takes it. An object without one selects nothing.
#[must_use]
pub fn pod_selector(workload: &Value) -> String {
    let selector = &workload["spec"]["selector"];
    // That of a ReplicationController or a DeploymentConfig is the map of labels itself.
    let labels = selector.get("matchLabels").unwrap_or(selector).as_object();
    let words =
        labels.into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let words: Vec<String> = words.collect();
    if words.is_empty() { format!("{RELEASE}=") } else { words.join(",") }
}

/// Returns the template of a workload's pods.
#[must_use]
pub fn template(workload: &Value) -> &Value {
    match workload["kind"].as_str() {
        Some("CronJob") => &workload["spec"]["jobTemplate"]["spec"]["template"],
        _ => &workload["spec"]["template"],
    }
}

/// Returns the template of a workload's pods, to be changed.
pub(super) fn template_mut(workload: &mut Value) -> &mut Value {
    match workload["kind"].as_str() {
        Some("CronJob") => &mut workload["spec"]["jobTemplate"]["spec"]["template"],
        _ => &mut workload["spec"]["template"],
    }
}

/// Returns the items of a list, to be changed.
pub(super) fn list_mut(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

/// Gives each label a value of the release's own, so that no Service or controller of production selects the pods.
pub(super) fn relabel(labels: &mut Value, releasing: &Releasing<'_>) {
    for value in labels.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(text) = value.as_str() {
            *value = releasing.label(text).into();
        }
    }
}

/// Names the protocol of a port, without which older clusters cannot tell ports apart in server-side apply.
pub(super) fn name_protocol(port: &mut Map<String, Value>) {
    port.entry("protocol").or_insert_with(|| "TCP".into());
}
