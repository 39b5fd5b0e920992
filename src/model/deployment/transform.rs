//! Transformations of a kustomization that apply to all its objects: namespace, names, labels,
//! annotations, images and numbers of replicas. Changes to selected objects belong in `patch` and
//! `replacement`.

use regex::RegexBuilder;

use super::object::{Object, at_mut, put};
use super::{DeploymentError, wrong};
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};

/// Sets the namespace of all objects that belong to one.
pub(super) fn set_namespace(objects: &mut [Object], namespace: &Node) -> Result<(), DeploymentError> {
    for index in 0..objects.len() {
        let object = &mut objects[index];
        let before = object.id();
        object.store_id();
        if before.namespace.is_empty() {
            continue;
        }
        if let Some(metadata) = at_mut(&mut object.node, &["metadata"]) {
            put(metadata, "namespace", &namespace.spot, namespace.clone());
        }
        let object = &objects[index];
        if objects.iter().enumerate().any(|(other, known)| other != index && known.is_same(object)) {
            let message = format!(
                "in this namespace there are two objects of kind {} called `{}`",
                object.kind(),
                object.name()
            );
            return Err(wrong(&namespace.spot, message));
        }
    }
    Ok(())
}

/// End of a name to extend.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StrategyEnd {
    Prefix,
    Suffix,
}

/// Adds a prefix or suffix to the names of all objects.
pub(super) fn rename(objects: &mut [Object], end: StrategyEnd, text: &str) {
    for object in objects.iter_mut() {
        let ids = object.ids();
        let first = ids.first().map(|id| id.kind.as_str()).unwrap_or_default();
        if ["Namespace", "CustomResourceDefinition", "APIService"].contains(&first) {
            continue;
        }
        object.store_id();
        let name = object.name().to_owned();
        match end {
            StrategyEnd::Prefix => {
                object.prefixes.push(text.to_owned());
                object.rename(format!("{text}{name}"));
            }
            StrategyEnd::Suffix => {
                object.suffixes.push(text.to_owned());
                object.rename(format!("{name}{text}"));
            }
        }
    }
}

/// Adds entries to the labels or annotations of all objects, and of their pods.
pub(super) fn add_metadata(objects: &mut [Object], key: &str, given: &Node, in_templates: bool) {
    for object in objects {
        let mut heads = vec![vec!["metadata"]];
        if in_templates && let Some(path) = object.pod_path().filter(|path| path.len() > 1) {
            // The metadata of a pod is a sibling of its `spec`.
            heads.push(path[..path.len() - 1].iter().copied().chain(["metadata"]).collect());
        }
        for head in heads {
            add_at(&mut object.node, &head, key, given);
        }
    }
}

fn add_at(node: &mut Node, head: &[&str], key: &str, given: &Node) {
    let empty = || Node { spot: given.spot.clone(), value: NodeValue::Map(Vec::new()) };
    let Some((last, above)) = head.split_last() else { return };
    let Some(above) = at_mut(node, above) else { return };
    if above.get(last).is_none() {
        put(above, last, &given.spot, empty());
    }
    let Some(metadata) = at_mut(above, &[last]) else { return };
    if metadata.get(key).is_none() {
        put(metadata, key, &given.spot, empty());
    }
    let Some(target) = at_mut(metadata, &[key]) else { return };
    for entry in given.entries() {
        put(target, &entry.key, &entry.spot, entry.node.clone());
    }
}

/// Applies an item of `replicas`.
pub(super) fn set_replicas(objects: &mut [Object], item: &Node) -> Result<(), DeploymentError> {
    let (Some(name), Some(count)) = (item.text_of("name"), item.get("count")) else {
        return Err(wrong(&item.spot, "an item of `replicas` needs a `name` and a `count`"));
    };
    let kinds = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];
    let mut found = false;
    for object in objects.iter_mut() {
        if kinds.contains(&object.kind()) && object.is_called(name) {
            found = true;
            if let Some(spec) = at_mut(&mut object.node, &["spec"]) {
                put(spec, "replicas", &count.spot, count.clone());
            }
        }
    }
    match found {
        true => Ok(()),
        false => Err(wrong(&item.spot, format!("there is no `{name}` that could have replicas"))),
    }
}

/// Applies an item of `images`: another name, tag or digest for an image.
pub(super) fn set_image(objects: &mut [Object], item: &Node) -> Result<(), DeploymentError> {
    let Some(wanted) = item.text_of("name") else {
        return Err(wrong(&item.spot, "an item of `images` has no `name`"));
    };
    let pattern = format!("^{wanted}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
    let pattern = RegexBuilder::new(&pattern).size_limit(1 << 20).build();
    let pattern = pattern.map_err(|_| wrong(&item.spot, format!("`{wanted}` is no name of an image")))?;
    for object in objects {
        let Some(pod) = object.pod_path().and_then(|path| at_mut(&mut object.node, path)) else { continue };
        for key in ["containers", "initContainers"] {
            let Some(Node { value: NodeValue::List(containers), .. }) = at_mut(pod, &[key]) else { continue };
            for container in containers {
                if let Some(Node { value: NodeValue::Scalar { text, .. }, .. }) =
                    at_mut(container, &["image"])
                    && pattern.is_match(text)
                {
                    *text = image(text, item);
                }
            }
        }
    }
    Ok(())
}

fn image(before: &str, item: &Node) -> String {
    let (name, tag, digest) = image_parts(before);
    let given = |key: &str| item.text_of(key).filter(|text| !text.is_empty());
    let suffixed = given("tagSuffix").map(|suffix| format!("{}{suffix}", tag.unwrap_or_default()));
    let (tag, digest) = match (given("newTag"), given("digest")) {
        (None, None) if suffixed.is_some() => (suffixed.as_deref(), None),
        (None, None) => (tag, digest),
        (tag, digest) => (tag, digest),
    };
    let mut image = given("newName").unwrap_or(name).to_owned();
    for (mark, part) in [(':', tag), ('@', digest)] {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            image.extend([mark]);
            image.push_str(part);
        }
    }
    image
}

/// Splits an image into its name, its tag and its digest.
fn image_parts(image: &str) -> (&str, Option<&str>, Option<&str>) {
    let (image, digest) = match image.split_once('@') {
        Some((image, digest)) => (image, Some(digest)),
        None => (image, None),
    };
    let last = image.rfind('/').map_or(0, |at| at + 1);
    match image[last..].find(':') {
        Some(at) => (&image[..last + at], Some(&image[last + at + 1..]), digest),
        None => (image, None, digest),
    }
}

/// Returns a mapping with one entry.
pub(super) fn map_of(key: &str, spot: &Location, node: Node) -> Node {
    let entry = MapEntry { key: key.to_owned(), spot: spot.clone(), node };
    Node { spot: spot.clone(), value: NodeValue::Map(vec![entry]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;

    #[test]
    fn image_transform_sets_name_tag_and_digest() {
        let item = |text: &str| documents("k", text).expect("parses").remove(0);
        for (before, change, after) in [
            ("r/x:1", "{newTag: '2'}", "r/x:2"),
            ("r:5000/x", "{newTag: '2'}", "r:5000/x:2"),
            ("x:1@sha256:a", "{newTag: '2'}", "x:2"),
            ("x:1", "{digest: 'sha256:b'}", "x@sha256:b"),
            ("x:1", "{newTag: v, digest: 'sha256:b'}", "x:v@sha256:b"),
            ("x:1", "{newName: y}", "y:1"),
            ("x:1", "{tagSuffix: -dev}", "x:1-dev"),
        ] {
            assert_eq!(image(before, &item(change)), after, "{before} {change}");
        }
    }
}
