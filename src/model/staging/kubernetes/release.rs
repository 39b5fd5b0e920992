//! A release: the objects for a merge request, with names, labels and an owner of their own. The parts of an object
//! are in `pod`, `service` and `config_map`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::borrowed::BorrowedObject;
use super::error::ReleaseError;
use super::labels::{
    COMPONENT, EXPIRES_AT, IMAGE, IMAGE_COMMIT, PROJECT_PATH, REQUESTED_AT, REQUESTED_BY, TEMPLATE, URL,
    own_labels,
};
use super::names::{object_name, release_name, suffix};
use super::releasing::{Releasing, template_mut};
use super::request::ReleaseRequest;
use super::rules::StagingRules;
use super::{config_map, pod, service};
use crate::base::digest::sha256_hex;
use crate::base::text::join_and;
use crate::model::deployment::{ClusterDeployment, ClusterObject};

/// A release.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Digest of what its pods are made of, for the annotation [`TEMPLATE`].
    pub template: String,
    /// The owner of its objects: removing it removes all.
    pub owner: ClusterObject,
    /// Its other objects in the order in which they are applied; the workload is the last.
    pub objects: Vec<ClusterObject>,
    /// Objects of the namespace that it uses and does not make.
    pub borrowed: Vec<BorrowedObject>,
    /// Differences from the files that a reader would not expect, one sentence each.
    pub notes: Vec<String>,
}

impl Release {
    /// Returns all objects with the owner, whose ID the cluster has given, as one list.
    #[must_use]
    pub fn owned(&self, uid: &str) -> Vec<Value> {
        let reference = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": self.owner.name(),
            "uid": uid,
        });
        let owned = self.objects.iter().map(|object| {
            let mut json = object.json.clone();
            json["metadata"]["ownerReferences"] = json!([reference]);
            json
        });
        owned.collect()
    }
}

/// Kinds of workloads that are staged.
const WORKLOADS: [&str; 4] = ["Deployment", "StatefulSet", "CronJob", "Job"];

/// Returns the release of a deployment for a merge request.
///
/// # Errors
/// Fails when the workload cannot be staged, or uses something that may belong to production.
pub fn release(
    deployment: &ClusterDeployment,
    rules: &StagingRules,
    request: &ReleaseRequest,
) -> Result<Release, ReleaseError> {
    let workload = &deployment.workload;
    if !WORKLOADS.contains(&workload.kind()) {
        return Err(ReleaseError::Kind { place: workload.place.clone(), kind: workload.kind().to_owned() });
    }
    let of_kind = |kind: &'static str| deployment.others.iter().filter(move |other| other.kind() == kind);
    let mut releasing = Releasing {
        rules,
        request,
        suffix: suffix(request.merge_request),
        workload,
        container: &deployment.container,
        config_maps: of_kind("ConfigMap").collect(),
        used: BTreeSet::new(),
        annotations: BTreeSet::new(),
        borrowed: Vec::new(),
        notes: Vec::new(),
    };
    let name = release_name(&request.component, request.merge_request);
    let labels = service::pod_labels(workload);
    let services: Vec<&ClusterObject> =
        of_kind("Service").filter(|one| service::selects(one, &labels)).collect();
    let mut made = named(&mut releasing, workload, &name)?;
    pod::release(&mut made.json, &mut releasing, &name)?;
    service::rename_governing(&mut made.json, &services, &releasing);
    let used = std::mem::take(&mut releasing.used);
    let mut objects = Vec::new();
    for map in deployment.others.iter().filter(|one| one.kind() == "ConfigMap" && used.contains(one.name())) {
        let mut object = named(&mut releasing, map, &name)?;
        config_map::release(&mut object.json, &releasing);
        objects.push(object);
    }
    for one in &services {
        let mut object = named(&mut releasing, one, &name)?;
        service::release(&mut object.json, &mut releasing, &name);
        objects.push(object);
    }
    let template = template_digest(&mut made.json, &objects);
    template_mut(&mut made.json)["metadata"]["annotations"] = json!({TEMPLATE: template});
    if workload.kind() == "Job" {
        // The template of a Job cannot be changed.
        let suffix = format!("{}-{}", releasing.suffix, &template[..6]);
        made.json["metadata"]["name"] = object_name("Job", workload.name(), &suffix).into();
    }
    objects.push(made);
    note_others(deployment, &used, &services, &mut releasing);
    let Releasing { borrowed, notes, .. } = releasing;
    Ok(Release { owner: owner(request, &name), name, template, objects, borrowed, notes })
}

/// Returns the digest of the pods' template and of the ConfigMaps that they use: a change of either makes new pods.
fn template_digest(workload: &mut Value, objects: &[ClusterObject]) -> String {
    let mut parts = vec![template_mut(workload).to_string()];
    for map in objects.iter().filter(|object| object.kind() == "ConfigMap") {
        parts.extend(["data", "binaryData"].map(|part| map.json[part].to_string()));
    }
    sha256_hex(parts)[..16].to_owned()
}

/// Adds a note about the objects and annotations of the files that are left out.
fn note_others(
    deployment: &ClusterDeployment,
    used: &BTreeSet<String>,
    services: &[&ClusterObject],
    releasing: &mut Releasing<'_>,
) {
    let is_taken = |one: &ClusterObject| {
        (one.kind() == "ConfigMap" && used.contains(one.name()))
            || services.iter().any(|service| std::ptr::eq(*service, one))
    };
    let mut kinds: Vec<&str> =
        deployment.others.iter().filter(|one| !is_taken(one)).map(ClusterObject::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if !kinds.is_empty() {
        let kinds = join_and(&kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>());
        releasing.note(format!("Other objects of the files are left out, of the kinds {kinds}."));
    }
    let annotations: Vec<String> = releasing.annotations.iter().map(|name| format!("`{name}`")).collect();
    if !annotations.is_empty() {
        releasing.note(format!("Annotations of the files are left out: {}.", join_and(&annotations)));
    }
}

/// Returns an object with the name, the labels and the namespace of the release.
fn named(
    releasing: &mut Releasing<'_>,
    object: &ClusterObject,
    release: &str,
) -> Result<ClusterObject, ReleaseError> {
    if object.name().is_empty() {
        return Err(ReleaseError::NoName { place: object.place.clone(), kind: object.kind().to_owned() });
    }
    let mut json = object.json.clone();
    let mut before = json["metadata"].take();
    let mut metadata = Map::new();
    metadata.insert("name".into(), object_name(object.kind(), object.name(), &releasing.suffix).into());
    metadata.insert("namespace".into(), releasing.request.namespace.clone().into());
    let mut labels = before["labels"].as_object().cloned().unwrap_or_default();
    let selected: BTreeSet<String> = service::pod_labels(releasing.workload).keys().cloned().collect();
    for (key, value) in &mut labels {
        if let Some(text) = value.as_str().filter(|_| selected.contains(key)) {
            *value = releasing.label(text).into();
        }
    }
    labels.extend(own_labels(releasing.request, release));
    metadata.insert("labels".into(), labels.into());
    releasing.drop_annotations(&mut before);
    let mut annotations = Map::new();
    // On every object, so that one whose owner is gone still says whose it was.
    annotations.insert(PROJECT_PATH.into(), releasing.request.project.clone().into());
    annotations.insert(EXPIRES_AT.into(), releasing.request.expires_at.to_string().into());
    metadata.insert("annotations".into(), annotations.into());
    json["metadata"] = metadata.into();
    if let Some(object) = json.as_object_mut() {
        object.shift_remove("status");
    }
    Ok(ClusterObject { json, place: object.place.clone() })
}

/// Returns the owner: a ConfigMap, since everybody who may apply the rest may apply it, too.
fn owner(request: &ReleaseRequest, release: &str) -> ClusterObject {
    let mut annotations = json!({
        COMPONENT: request.component,
        PROJECT_PATH: request.project,
        URL: request.url,
        IMAGE: request.image,
        REQUESTED_AT: request.requested_at.to_string(),
        EXPIRES_AT: request.expires_at.to_string(),
    });
    let facts = [(IMAGE_COMMIT, &request.image_commit), (REQUESTED_BY, &request.requested_by)];
    for (key, fact) in facts.into_iter().filter_map(|(key, fact)| Some((key, fact.as_ref()?))) {
        annotations[key] = fact.clone().into();
    }
    let json = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": format!("cki-stage-{release}"),
            "namespace": request.namespace,
            "labels": own_labels(request, release),
            "annotations": annotations,
        },
    });
    ClusterObject { json, place: "cki".to_owned() }
}
