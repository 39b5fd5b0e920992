//! Volumes of a release: only such as hold objects of the namespace, or begin empty, since any other may hold data of
//! production.

use serde_json::{Value, json};

use super::error::ReleaseError;
use super::releasing::{Releasing, list_mut};

/// Sources of volumes that are kept as they are.
const SOURCES: [&str; 6] = ["configMap", "secret", "emptyDir", "projected", "downwardAPI", "ephemeral"];
/// Fields of a volume claim that bind it to storage that exists.
const BINDINGS: [&str; 4] = ["volumeName", "selector", "dataSource", "dataSourceRef"];

/// Changes the volumes of a pod.
pub(super) fn release(spec: &mut Value, releasing: &mut Releasing<'_>) -> Result<(), ReleaseError> {
    for volume in list_mut(spec.get_mut("volumes")) {
        let Some(fields) = volume.as_object_mut() else { continue };
        fields.retain(|_, source| !source.is_null());
        if let Some(claim) = fields.shift_remove("persistentVolumeClaim") {
            fields.insert("emptyDir".into(), json!({}));
            let claim = claim["claimName"].as_str().unwrap_or_default();
            releasing.note(format!("An empty volume stands for the claim `{claim}`."));
        }
        let is_foreign = |source: &&String| *source != "name" && !SOURCES.contains(&source.as_str());
        if let Some(source) = fields.keys().find(is_foreign) {
            return Err(releasing.host_error(&format!("volumes.{source}")));
        }
        let tokens = ["serviceAccountToken", "clusterTrustBundle", "podCertificate"];
        let projected = volume.get_mut("projected").and_then(|projected| projected.get_mut("sources"));
        if let Some(sources) = projected.and_then(Value::as_array_mut) {
            let count = sources.len();
            sources.retain(|source| tokens.iter().all(|token| source[token].is_null()));
            if sources.len() < count {
                releasing.note("Projected volumes hold no tokens of accounts.");
            }
        }
        check_claim(&volume["ephemeral"]["volumeClaimTemplate"], "volumes.ephemeral", releasing)?;
    }
    Ok(())
}

/// Fails if a template of a volume claim asks for storage that exists.
pub(super) fn check_claim(claim: &Value, field: &str, releasing: &Releasing<'_>) -> Result<(), ReleaseError> {
    match BINDINGS.into_iter().find(|binding| !claim["spec"][binding].is_null()) {
        Some(binding) => Err(releasing.host_error(&format!("{field}.{binding}"))),
        None => Ok(()),
    }
}
