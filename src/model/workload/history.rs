//! The images that a workload ran before: from the objects that a cluster keeps of its earlier revisions.

use serde_json::Value;

use super::read::pod_spec;

/// Kinds of the objects that hold earlier revisions of a kind of workload.
#[must_use]
pub fn revision_kinds(kind: &str) -> &'static str {
    match kind {
        "Deployment" => "replicasets.apps",
        "CronJob" => "jobs.batch",
        "DeploymentConfig" => "replicationcontrollers",
        _ => "controllerrevisions.apps",
    }
}

/// Returns the images that a container ran before, the newest first, without the one that it runs.
#[must_use]
pub fn earlier_images(workload: &Value, container: &str, revisions: &[Value]) -> Vec<String> {
    let uid = workload["metadata"]["uid"].as_str();
    let is_own = |one: &&Value| {
        let mut owners = one["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        uid.is_some() && owners.any(|owner| owner["uid"].as_str() == uid)
    };
    let mut own: Vec<&Value> = revisions.iter().filter(is_own).collect();
    own.sort_by_key(|one| (number(one), one["metadata"]["creationTimestamp"].as_str()));
    let current = image_of(pod_spec(workload), container);
    let mut found: Vec<String> = Vec::new();
    for one in own.into_iter().rev() {
        let spec = if one["kind"] == "ControllerRevision" {
            &one["data"]["spec"]["template"]["spec"]
        } else {
            &one["spec"]["template"]["spec"]
        };
        let image = image_of(spec, container).map(str::to_owned);
        found.extend(image.filter(|image| Some(image.as_str()) != current && !found.contains(image)));
    }
    found
}

fn number(revision: &Value) -> u64 {
    let annotations = &revision["metadata"]["annotations"];
    let of_set = ["deployment.kubernetes.io/revision", "openshift.io/deployment-config.latest-version"];
    let of_set = of_set.iter().find_map(|key| annotations[*key].as_str()?.parse().ok());
    revision["revision"].as_u64().or(of_set).unwrap_or_default()
}

pub(super) fn image_of<'a>(spec: &'a Value, container: &str) -> Option<&'a str> {
    let mut all = spec["containers"].as_array().into_iter().flatten();
    all.find(|one| one["name"] == container)?["image"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(image: &str) -> Value {
        json!({"template": {"spec": {"containers": [{"name": "side", "image": "side"}, {"name": "web", "image": image}]}}})
    }

    fn revision(kind: &str, owner: &str, number: u64, image: &str) -> Value {
        let mut one = json!({
            "kind": kind, "metadata": {"ownerReferences": [{"uid": owner}], "annotations": {"deployment.kubernetes.io/revision": number.to_string()}},
            "spec": spec(image),
        });
        if kind == "ControllerRevision" {
            one["revision"] = number.into();
            one["data"] = json!({"spec": spec(image)});
            one["spec"] = Value::Null;
        }
        one
    }

    #[test]
    fn earlier_images_are_the_newest_first() {
        let workload = json!({"kind": "Deployment", "metadata": {"uid": "u"}, "spec": spec("web:10")});
        for kind in ["ReplicaSet", "ControllerRevision"] {
            let all = [
                revision(kind, "u", 9, "web:9"),
                revision(kind, "u", 10, "web:10"),
                revision(kind, "u", 8, "web:9"),
                revision(kind, "other", 11, "web:11"),
                revision(kind, "u", 7, "web:7"),
            ];
            assert_eq!(earlier_images(&workload, "web", &all), ["web:9", "web:7"], "{kind}");
            assert!(earlier_images(&workload, "none", &all).is_empty());
        }
        let nameless = json!({"kind": "Deployment", "spec": spec("web:10")});
        assert!(
            earlier_images(&nameless, "web", &[json!({"metadata": {"ownerReferences": [{}]}})]).is_empty()
        );
    }
}
