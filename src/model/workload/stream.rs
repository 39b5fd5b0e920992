//! ImageStreams of OpenShift: from which tag a container gets its image, and which images a tag had.

use serde_json::Value;

/// Kind of ImageStreams for `kubectl`.
pub const IMAGE_STREAMS: &str = "imagestreams.image.openshift.io";
/// Annotation with the triggers of a workload.
const TRIGGERS: &str = "image.openshift.io/triggers";

/// A tag of an ImageStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTag {
    /// Name of the ImageStream.
    pub stream: String,
    /// Tag.
    pub tag: String,
    /// Namespace, if the trigger names one.
    pub namespace: Option<String>,
}

/// Returns the tag from which OpenShift sets the image of a container.
#[must_use]
pub fn stream_tag(workload: &Value, container: &str) -> Option<StreamTag> {
    if workload["kind"] == "DeploymentConfig" {
        return tag_of_config(workload, container);
    }
    let text = workload["metadata"]["annotations"][TRIGGERS].as_str()?;
    let triggers: Value = serde_json::from_str(text).ok()?;
    let containers = super::read::pod_spec(workload)["containers"].as_array();
    let index = containers.and_then(|all| all.iter().position(|one| one["name"] == container));
    let is_meant = |one: &&Value| {
        let path = one["fieldPath"].as_str().unwrap_or_default();
        let is_paused = one["paused"] == true || one["paused"] == "true";
        let by_index = index.is_some_and(|index| path.ends_with(&format!("containers[{index}].image")));
        let by_name = [format!("@.name==\"{container}\""), format!("@.name=='{container}'")];
        !is_paused
            && one["from"]["kind"] == "ImageStreamTag"
            && !path.contains("initContainers")
            && (by_index || by_name.iter().any(|name| path.contains(name.as_str())))
    };
    tag_of(&triggers.as_array()?.iter().find(is_meant)?["from"])
}

/// Returns the tag that the triggers of a DeploymentConfig name.
fn tag_of_config(config: &Value, container: &str) -> Option<StreamTag> {
    let mut changes = config["spec"]["triggers"].as_array()?.iter().map(|one| &one["imageChangeParams"]);
    let found = changes.find(|one| {
        let mut names = one["containerNames"].as_array().into_iter().flatten();
        // Without `automatic`, a new image waits for a person.
        one["automatic"] == true
            && one["from"]["kind"] == "ImageStreamTag"
            && names.any(|name| name == container)
    })?;
    tag_of(&found["from"])
}

/// Returns the tag that a trigger refers to.
fn tag_of(from: &Value) -> Option<StreamTag> {
    let (stream, tag) = from["name"].as_str()?.split_once(':')?;
    if !is_name(stream) || !is_name(tag) {
        return None;
    }
    let namespace = from["namespace"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    Some(StreamTag { stream: stream.to_owned(), tag: tag.to_owned(), namespace })
}

/// Returns whether a text can be a name, and so never an option of a program that gets it.
fn is_name(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Returns the digests that a tag of an ImageStream had, the newest first.
#[must_use]
pub fn digests_of_tag(stream: &Value, tag: &str) -> Vec<String> {
    let mut tags = stream["status"]["tags"].as_array().into_iter().flatten();
    let items = tags.find(|one| one["tag"] == tag).and_then(|one| one["items"].as_array());
    let image =
        |one: &Value| one["image"].as_str().filter(|image| super::pods::is_digest(image)).map(str::to_owned);
    items.into_iter().flatten().filter_map(image).collect()
}

/// Returns whether an ImageStream has an image, in any tag.
#[must_use]
pub fn has_digest(stream: &Value, digest: &str) -> bool {
    let tags = stream["status"]["tags"].as_array().into_iter().flatten();
    let mut items = tags.flat_map(|one| one["items"].as_array().into_iter().flatten());
    items.any(|one| one["image"] == digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tag(trigger: &Value) -> Option<StreamTag> {
        let containers = json!([{"name": "side"}, {"name": "web"}]);
        let workload = json!({
            "kind": "Deployment", "metadata": {"annotations": {TRIGGERS: json!([trigger]).to_string()}},
            "spec": {"template": {"spec": {"containers": containers}}},
        });
        stream_tag(&workload, "web")
    }

    #[test]
    fn stream_tag_is_that_of_the_container() {
        let from = json!({"kind": "ImageStreamTag", "name": "web:production"});
        let found = StreamTag { stream: "web".into(), tag: "production".into(), namespace: None };
        for path in [
            "spec.template.spec.containers[?(@.name==\"web\")].image",
            "spec.template.spec.containers[1].image",
        ] {
            assert_eq!(tag(&json!({"from": from, "fieldPath": path})), Some(found.clone()), "{path}");
            assert_eq!(tag(&json!({"from": from, "fieldPath": path, "paused": "true"})), None, "{path}");
        }
        for path in [
            "spec.template.spec.containers[0].image",
            "spec.template.spec.initContainers[?(@.name==\"web\")].image",
            "",
        ] {
            assert_eq!(tag(&json!({"from": from, "fieldPath": path})), None, "{path}");
        }
        assert_eq!(tag(&json!("odd")), None);
        for name in ["--server=h:x", "web:-x", ":x", "web", "a/b:x"] {
            let from = json!({"kind": "ImageStreamTag", "name": name});
            let path = "spec.template.spec.containers[1].image";
            assert_eq!(tag(&json!({"from": from, "fieldPath": path})), None, "{name}");
        }
    }

    #[test]
    fn stream_tag_of_a_deployment_config_is_in_its_triggers() {
        let from = json!({"kind": "ImageStreamTag", "name": "web:production", "namespace": "team"});
        let tag = |params: Value| {
            let triggers =
                json!([{"type": "ConfigChange"}, {"type": "ImageChange", "imageChangeParams": params}]);
            stream_tag(&json!({"kind": "DeploymentConfig", "spec": {"triggers": triggers}}), "web")
        };
        let found =
            StreamTag { stream: "web".into(), tag: "production".into(), namespace: Some("team".into()) };
        let names = json!(["web"]);
        assert_eq!(tag(json!({"automatic": true, "containerNames": names, "from": from})), Some(found));
        assert_eq!(tag(json!({"containerNames": names, "from": from})), None);
        assert_eq!(tag(json!({"automatic": true, "containerNames": ["side"], "from": from})), None);
    }

    #[test]
    fn digests_of_tag_keep_their_order() {
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        let item = |letter: &str| json!({"image": digest(letter)});
        let stream = json!({"status": {"tags": [
            {"tag": "production", "items": [item("b"), item("a"), {"image": "odd"}]}, {"tag": "latest", "items": [item("c")]},
        ]}});
        assert_eq!(digests_of_tag(&stream, "production"), [digest("b"), digest("a")]);
        assert!(has_digest(&stream, &digest("c")) && !has_digest(&stream, &digest("d")));
        assert!(digests_of_tag(&json!({}), "production").is_empty());
    }
}
