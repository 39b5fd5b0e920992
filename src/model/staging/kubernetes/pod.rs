//! The workload of a release: its selector, its pod's labels and references, its volumes and its containers.

use serde_json::Value;

use super::borrowed::BorrowedObject;
use super::error::ReleaseError;
use super::labels::{PROJECT_PATH, RELEASE, claim_labels};
use super::names::object_name;
use super::releasing::{Releasing, list_mut, relabel, template_mut};
use super::{container, security, volumes};

/// Changes a workload for the release.
pub(super) fn release(
    workload: &mut Value,
    releasing: &mut Releasing<'_>,
    release: &str,
) -> Result<(), ReleaseError> {
    if let Some(selector) = workload["spec"].get_mut("selector") {
        if let Some(labels) = selector.get_mut("matchLabels") {
            relabel(labels, releasing);
        }
        selector["matchLabels"][RELEASE] = release.into();
    }
    for claim in list_mut(workload["spec"].get_mut("volumeClaimTemplates")) {
        volumes::check_claim(claim, "volumeClaimTemplates", releasing)?;
        // A claim survives its owner, so that it says itself to what it belongs.
        for (key, value) in claim_labels(releasing.request, release) {
            claim["metadata"]["labels"][key] = value;
        }
        claim["metadata"]["annotations"][PROJECT_PATH] = releasing.request.project.clone().into();
    }
    if let Some(metadata) = workload["spec"].get_mut("jobTemplate").and_then(|job| job.get_mut("metadata")) {
        releasing.drop_annotations(metadata);
    }
    let template = template_mut(workload);
    releasing.drop_annotations(&mut template["metadata"]);
    if let Some(labels) = template["metadata"].get_mut("labels") {
        relabel(labels, releasing);
    }
    template["metadata"]["labels"][RELEASE] = release.into();
    let spec = &mut template["spec"];
    drop_account(spec, releasing);
    container::inline_config_maps(spec, releasing);
    security::restrict(spec, releasing)?;
    volumes::release(spec, releasing)?;
    references(spec, releasing)?;
    container::release(spec, releasing)
}

/// Removes the account of production, which the staging namespace need not have, a fixed node, and a priority, by which
/// the pods could displace others.
fn drop_account(spec: &mut Value, releasing: &mut Releasing<'_>) {
    let Some(fields) = spec.as_object_mut() else { return };
    for field in ["nodeName", "priorityClassName", "priority"] {
        fields.shift_remove(field);
    }
    let accounts = ["serviceAccountName", "serviceAccount"].map(|key| fields.shift_remove(key));
    let account = accounts.into_iter().flatten().find_map(|one| one.as_str().map(str::to_owned));
    if let Some(account) = account.filter(|name| name != "default") {
        releasing.note(format!("The pods run as the default service account in place of `{account}`."));
    }
}

/// Changes the references to ConfigMaps and Secrets below a node. The depth of objects is bounded.
fn references(value: &mut Value, releasing: &mut Releasing<'_>) -> Result<(), ReleaseError> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| references(item, releasing)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(key, child)| match key.as_str() {
            "configMapRef" | "configMapKeyRef" | "configMap" => {
                config_map(child, releasing);
                Ok(())
            }
            "secretRef" => secret(child, "name", releasing),
            "secretKeyRef" => {
                secret(child, "name", releasing)?;
                if let Some(key) = child["key"].as_str() {
                    child["key"] = releasing.rules.secret_key(key).into();
                }
                Ok(())
            }
            // Of a volume, and of a projected one.
            "secret" if child.get("secretName").is_some() => secret(child, "secretName", releasing),
            "secret" if child.get("name").is_some() => secret(child, "name", releasing),
            "imagePullSecrets" => list_mut(Some(child)).try_for_each(|one| secret(one, "name", releasing)),
            _ => references(child, releasing),
        }),
        _ => Ok(()),
    }
}

fn config_map(reference: &mut Value, releasing: &mut Releasing<'_>) {
    let Some(name) = reference["name"].as_str().map(str::to_owned) else { return };
    if releasing.config_maps.iter().any(|map| map.name() == name) {
        reference["name"] = object_name("ConfigMap", &name, &releasing.suffix).into();
        releasing.used.insert(name);
    } else {
        borrow(reference, "ConfigMap", name, releasing);
    }
}

/// Remembers an object that the pods use as the namespace has it.
fn borrow(reference: &Value, kind: &'static str, name: String, releasing: &mut Releasing<'_>) {
    let is_optional = reference["optional"] == true;
    BorrowedObject::add(&mut releasing.borrowed, BorrowedObject { kind, name, is_optional });
}

fn secret(reference: &mut Value, key: &str, releasing: &mut Releasing<'_>) -> Result<(), ReleaseError> {
    let Some(name) = reference[key].as_str() else { return Ok(()) };
    let made = releasing.rules.secret(name).ok_or_else(|| ReleaseError::Secret {
        place: releasing.workload.place.clone(),
        workload: releasing.workload.name().to_owned(),
        secret: name.to_owned(),
    })?;
    borrow(reference, "Secret", made.clone(), releasing);
    reference[key] = made.into();
    Ok(())
}
