//! Patches that give a workload another image, or a tag of an ImageStream another target. Each holds the version of the
//! object that it is made for, so that the cluster refuses it once somebody else has changed the object.

use serde_json::{Value, json};

use super::stream::{IMAGE_STREAMS, StreamTag};

/// Annotation that records the change on the object.
pub const ROLLBACK: &str = "cki.rollback";

/// Kind of DeploymentConfigs for `kubectl`. Only OpenShift has them.
pub const DEPLOYMENT_CONFIGS: &str = "deploymentconfigs.apps.openshift.io";

/// A patch of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageChange {
    /// Kind for `kubectl`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// `strategic` or `merge`.
    pub patch_type: &'static str,
    /// Patch.
    pub patch: Value,
}

fn metadata(object: &Value, note: &str) -> Value {
    json!({"resourceVersion": object["metadata"]["resourceVersion"], "annotations": {ROLLBACK: note}})
}

/// Returns the patch that sets the image of a container.
#[must_use]
pub fn set_image(workload: &Value, container: &str, image: &str, note: &str) -> ImageChange {
    let kind = workload["kind"].as_str().unwrap_or_default();
    let name = workload["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if kind == "DeploymentConfig" {
        // A list is replaced as a whole, so the other containers are in it as they are.
        let mut containers =
            super::read::pod_spec(workload)["containers"].as_array().cloned().unwrap_or_default();
        let own = containers.iter_mut().filter(|one| one["name"] == container);
        own.for_each(|one| one["image"] = image.into());
        let spec = json!({"template": {"spec": {"containers": containers}}});
        return ImageChange {
            kind: DEPLOYMENT_CONFIGS.to_owned(),
            name,
            patch_type: "merge",
            patch: json!({"metadata": metadata(workload, note), "spec": spec}),
        };
    }
    let template = json!({"template": {"spec": {"containers": [{"name": container, "image": image}]}}});
    let spec = if kind == "CronJob" { json!({"jobTemplate": {"spec": template}}) } else { template };
    let group = if kind == "CronJob" { "batch" } else { "apps" };
    ImageChange {
        kind: format!("{}s.{group}", kind.to_lowercase()),
        name,
        patch_type: "strategic",
        patch: json!({"metadata": metadata(workload, note), "spec": spec}),
    }
}

/// Returns the patch that points a tag of an ImageStream at one of its images, as `oc tag` does. A list is replaced as a
/// whole, so the other tags are in it as they are.
#[must_use]
pub fn retag(stream: &Value, tag: &StreamTag, digest: &str, namespace: &str, note: &str) -> ImageChange {
    let from = json!({"kind": "ImageStreamImage", "name": format!("{}@{digest}", tag.stream), "namespace": namespace});
    let mut tags = stream["spec"]["tags"].as_array().cloned().unwrap_or_default();
    match tags.iter_mut().find(|one| one["name"] == tag.tag.as_str()) {
        Some(one) => one["from"] = from,
        None => tags.push(json!({"name": tag.tag, "from": from})),
    }
    ImageChange {
        kind: IMAGE_STREAMS.to_owned(),
        name: tag.stream.clone(),
        patch_type: "merge",
        patch: json!({"metadata": metadata(stream, note), "spec": {"tags": tags}}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_change_one_image_of_one_version() {
        let workload = json!({"kind": "CronJob", "metadata": {"name": "web", "resourceVersion": "7"}});
        let change = set_image(&workload, "web", "q/web@sha256:1", "why");
        assert_eq!(
            (change.kind.as_str(), change.patch["metadata"]["resourceVersion"].as_str()),
            ("cronjobs.batch", Some("7"))
        );
        let containers = &change.patch["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"];
        assert_eq!(*containers, json!([{"name": "web", "image": "q/web@sha256:1"}]));
        let side = json!({"name": "side", "image": "q/side:1"});
        let containers = json!([side, {"name": "web", "image": "q/web:1", "ports": []}]);
        let config = json!({
            "kind": "DeploymentConfig", "metadata": {"name": "web", "resourceVersion": "9"},
            "spec": {"template": {"spec": {"containers": containers}}},
        });
        let change = set_image(&config, "web", "q/web@sha256:1", "why");
        assert_eq!((change.kind.as_str(), change.patch_type), (DEPLOYMENT_CONFIGS, "merge"));
        let containers = &change.patch["spec"]["template"]["spec"]["containers"];
        assert_eq!(*containers, json!([side, {"name": "web", "image": "q/web@sha256:1", "ports": []}]));
        let tag = StreamTag { stream: "web".into(), tag: "production".into(), namespace: None };
        let other = json!({"name": "latest", "from": {"kind": "DockerImage", "name": "q/web:latest"}});
        let own = json!({"name": "production", "from": {"kind": "DockerImage", "name": "q/web:1"}, "referencePolicy": {"type": "Local"}});
        let stream = json!({"metadata": {"resourceVersion": "8"}, "spec": {"tags": [other, own]}});
        let change = retag(&stream, &tag, "sha256:1", "team", "why");
        assert_eq!(change.patch["spec"]["tags"][0], other, "stays");
        let expected = json!({"kind": "ImageStreamImage", "name": "web@sha256:1", "namespace": "team"});
        assert_eq!(change.patch["spec"]["tags"][1]["from"], expected);
        assert_eq!(change.patch["spec"]["tags"][1]["referencePolicy"]["type"], "Local");
        let change = retag(&json!({}), &tag, "sha256:1", "team", "why");
        assert_eq!(
            change.patch["spec"]["tags"][0]["name"], "production",
            "a tag that was pushed has no entry yet"
        );
    }
}
