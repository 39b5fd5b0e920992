//! Rights of the pods of a release: they have only fields that this file knows, and no right beyond those of an ordinary
//! program. Volumes are in `volumes`, and references to objects of the namespace in `pod`.

use serde_json::{Map, Value, json};

use super::error::ReleaseError;
use super::releasing::{Releasing, list_mut};
use crate::base::variable::differ_by_case_only;
use crate::model::guard::replaced_variable;

/// Fields of a pod that would give it the namespaces of its node.
const HOST_FIELDS: [&str; 3] = ["hostNetwork", "hostPID", "hostIPC"];
/// Fields of a pod that are kept: <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>.
const POD: [&str; 15] = [
    "activeDeadlineSeconds",
    "automountServiceAccountToken",
    "containers",
    "enableServiceLinks",
    "hostAliases",
    "hostname",
    "imagePullSecrets",
    "initContainers",
    "readinessGates",
    "restartPolicy",
    "securityContext",
    "setHostnameAsFQDN",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
];
/// Fields of a container that are kept.
const CONTAINER: [&str; 20] = [
    "args",
    "command",
    "env",
    "envFrom",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resizePolicy",
    "resources",
    "restartPolicy",
    "securityContext",
    "startupProbe",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "volumeMounts",
    "workingDir",
];
/// Fields of security contexts that are kept: they choose a user or take rights away.
const CONTEXT: [&str; 7] = [
    "fsGroup",
    "fsGroupChangePolicy",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "supplementalGroups",
];

/// Leaves out what pods must not ask for, with a note.
///
/// # Errors
/// Fails if the files ask for a right that the component cannot do without: its node, or root of it; or if a command
/// changes a variable with a fixed value.
pub(super) fn restrict(spec: &mut Value, releasing: &mut Releasing<'_>) -> Result<(), ReleaseError> {
    if let Some(field) = HOST_FIELDS.into_iter().find(|field| spec[field] == true) {
        return Err(releasing.host_error(field));
    }
    keep(spec, &POD, "", releasing);
    let mut context = kept_context(spec, releasing);
    context.insert("seccompProfile".into(), json!({"type": "RuntimeDefault"}));
    spec["securityContext"] = context.into();
    for key in ["containers", "initContainers"] {
        for container in list_mut(spec.get_mut(key)) {
            restrict_container(container, releasing)?;
        }
    }
    Ok(())
}

fn restrict_container(container: &mut Value, releasing: &mut Releasing<'_>) -> Result<(), ReleaseError> {
    if container["securityContext"]["privileged"] == true {
        return Err(releasing.host_error("securityContext.privileged"));
    }
    let mut ports = container["ports"].as_array().into_iter().flatten();
    if ports.any(|port| port.get("hostPort").is_some_and(|port| !port.is_null())) {
        return Err(releasing.host_error("ports.hostPort"));
    }
    keep(container, &CONTAINER, "containers.", releasing);
    let dropped = container["securityContext"]["capabilities"]["drop"].clone();
    if container["securityContext"]["capabilities"]["add"].as_array().is_some_and(|add| !add.is_empty()) {
        releasing.note("The containers get no further capabilities: `capabilities.add` is left out.");
    }
    let mut context = kept_context(container, releasing);
    context.insert("allowPrivilegeEscalation".into(), false.into());
    if !dropped.is_null() {
        context.insert("capabilities".into(), json!({"drop": dropped}));
    }
    container["securityContext"] = context.into();
    check_fixed(container, releasing)
}

/// Leaves out variables that programs might take for one with a fixed value, and refuses commands that change one.
fn check_fixed(container: &mut Value, releasing: &mut Releasing<'_>) -> Result<(), ReleaseError> {
    let fixed = &releasing.rules.fixed;
    let mut left_out = Vec::new();
    if let Some(variables) = container.get_mut("env").and_then(Value::as_array_mut) {
        variables.retain(|variable| {
            let name = variable["name"].as_str().unwrap_or_default();
            let is_like = fixed.keys().any(|own| differ_by_case_only(own, name));
            left_out.extend(is_like.then(|| name.to_owned()));
            !is_like
        });
    }
    let words: Vec<&str> = ["command", "args"]
        .into_iter()
        .filter_map(|key| container[key].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let changed = replaced_variable(&words, fixed).map(str::to_owned);
    for name in left_out {
        releasing.note(format!(
            "`{name}` differs from a variable with a fixed value by case only, and is left out."
        ));
    }
    match changed {
        Some(variable) => Err(ReleaseError::Fixed {
            place: releasing.workload.place.clone(),
            workload: releasing.workload.name().to_owned(),
            variable,
        }),
        None => Ok(()),
    }
}

/// Takes a security context, and returns what is kept of it.
fn kept_context(owner: &mut Value, releasing: &mut Releasing<'_>) -> Map<String, Value> {
    let context = owner.as_object_mut().and_then(|fields| fields.shift_remove("securityContext"));
    let mut context = context.unwrap_or_default();
    // Both are set or reported by the caller.
    const KNOWN: [&str; 3] = ["allowPrivilegeEscalation", "capabilities", "privileged"];
    if let Some(fields) = context.as_object_mut() {
        KNOWN.iter().for_each(|key| drop(fields.shift_remove(*key)));
    }
    keep(&mut context, &CONTEXT, "securityContext.", releasing);
    context.as_object().cloned().unwrap_or_default()
}

/// Keeps known fields, and notes those that are left out.
fn keep(value: &mut Value, known: &[&str], prefix: &str, releasing: &mut Releasing<'_>) {
    let Some(fields) = value.as_object_mut() else { return };
    let mut left_out = Vec::new();
    fields.retain(|key, value| {
        let is_kept = known.contains(&key.as_str());
        let says = !is_kept
            && !value.is_null()
            && *value != false
            && value.as_array().is_none_or(|all| !all.is_empty());
        left_out.extend(says.then(|| key.clone()));
        is_kept
    });
    for key in left_out {
        releasing.note(format!("`{prefix}{key}` of the pods is left out."));
    }
}
