//! Kustomizations: bases, components and overlays, put together as `kustomize build` does it, but for
//! the hashes at the ends of generated names.

use super::files::{FileKind, Reader, path_at};
use super::object::{Object, at_mut, from_document};
use super::{DeploymentError, finding, generator, patch, texts, wrong};
use crate::base::yaml::tree::{Node, Spot, Value};
use crate::model::inventory::Finding;

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Keys that change nothing in what a container gets.
const SILENT: &[&str] = &[
    "apiVersion",
    "buildMetadata",
    "commonAnnotations",
    "commonLabels",
    "generatorOptions",
    "kind",
    "labels",
    "metadata",
    "openapi",
    "replicas",
    "sortOptions",
];

/// Keys that are read.
const READ: &[&str] = &[
    "bases",
    "components",
    "configMapGenerator",
    "images",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "resources",
    "secretGenerator",
];

/// Whether a file of this name is a kustomization.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The kustomization of a folder, if there is one.
pub(super) fn file_in(reader: &Reader<'_>, folder: &str) -> Result<Option<String>, DeploymentError> {
    for name in NAMES {
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if reader.is_file(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// What the kustomization of a folder makes.
pub(super) fn build(
    reader: &Reader<'_>,
    folder: &str,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Object>, DeploymentError> {
    let spot = Spot {
        file: reader.label(folder).into(),
        position: crate::base::yaml::Position { line: 1, column: 1 },
    };
    Builder { reader, findings, above: Vec::new() }.folder(folder, &spot, Vec::new())
}

struct Builder<'a> {
    reader: &'a Reader<'a>,
    findings: &'a mut Vec<Finding>,
    /// The folders that are being built.
    above: Vec<String>,
}

impl Builder<'_> {
    /// Builds a folder on top of objects: none, but for a component.
    fn folder(
        &mut self,
        folder: &str,
        from: &Spot,
        objects: Vec<Object>,
    ) -> Result<Vec<Object>, DeploymentError> {
        if self.above.iter().any(|above| above == folder) {
            return Err(DeploymentError::Cycle { place: from.line(), path: self.reader.label(folder) });
        }
        let Some(path) = file_in(self.reader, folder)? else {
            return Err(wrong(from, format!("there is no kustomization in `{}`", self.reader.label(folder))));
        };
        let documents = self.reader.documents(&path)?;
        let Some(node) = documents.first() else { return Ok(objects) };
        self.above.push(folder.to_owned());
        let built = self.build(folder, node, objects);
        self.above.pop();
        built
    }

    fn build(
        &mut self,
        folder: &str,
        node: &Node,
        mut objects: Vec<Object>,
    ) -> Result<Vec<Object>, DeploymentError> {
        for entry in node.entries() {
            let key = entry.key.as_str();
            if !READ.contains(&key) && !SILENT.contains(&key) {
                self.findings.push(patch::unknown(key, &entry.spot));
            }
        }
        let mut named = texts(node.get("resources"), "resources", self.findings);
        named.extend(texts(node.get("bases"), "bases", self.findings));
        for (path, spot) in named {
            let more = self.resource(folder, &path, &spot)?;
            objects.extend(more);
        }
        for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            for item in items(node, key) {
                generator::item(self.reader, folder, kind, item, &mut objects, self.findings)?;
            }
        }
        // After what is generated, which they may change.
        for (path, spot) in texts(node.get("components"), "components", self.findings) {
            if is_remote(&path) {
                self.note_remote(&path, &spot);
                continue;
            }
            let below = path_at(folder, &path, &spot)?;
            objects = self.folder(&below, &spot, objects)?;
        }
        for item in items(node, "patchesStrategicMerge") {
            patch::strategic_item(self.reader, folder, item, &mut objects, self.findings)?;
        }
        for item in items(node, "patches") {
            patch::item(self.reader, folder, item, &mut objects, self.findings)?;
        }
        if let Some(namespace) = node.get("namespace") {
            set_namespace(&mut objects, namespace);
        }
        let prefix = node.text_of("namePrefix").unwrap_or_default();
        let suffix = node.text_of("nameSuffix").unwrap_or_default();
        if !(prefix.is_empty() && suffix.is_empty()) {
            rename(&mut objects, prefix, suffix);
        }
        for item in items(node, "patchesJson6902") {
            patch::item(self.reader, folder, item, &mut objects, self.findings)?;
        }
        for item in items(node, "images") {
            set_image(&mut objects, item);
        }
        Ok(objects)
    }

    fn resource(&mut self, folder: &str, path: &str, spot: &Spot) -> Result<Vec<Object>, DeploymentError> {
        if is_remote(path) {
            self.note_remote(path, spot);
            return Ok(Vec::new());
        }
        let below = path_at(folder, path, spot)?;
        match self.reader.kind(&below)? {
            Some(FileKind::Folder) => self.folder(&below, spot, Vec::new()),
            Some(FileKind::File) => {
                let mut objects = Vec::new();
                for document in self.reader.documents(&below)? {
                    if document.get("kind").is_none() {
                        self.findings.push(finding(&document.spot, "this has no `kind`, and is not read"));
                        continue;
                    }
                    objects.extend(from_document(document, self.findings)?);
                }
                Ok(objects)
            }
            None => Err(wrong(spot, format!("there is no file or folder `{path}`"))),
        }
    }

    fn note_remote(&mut self, path: &str, spot: &Spot) {
        let message = format!("`{path}` is in another repository, and is not read");
        self.findings.push(finding(spot, message));
    }
}

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).map_or(&[][..], Node::items)
}

fn is_remote(path: &str) -> bool {
    path.contains("://")
        || path.contains("?ref=")
        || path.starts_with("git@")
        || path.starts_with("github.com/")
}

fn set_namespace(objects: &mut [Object], namespace: &Node) {
    for object in objects {
        if let Some(metadata) = at_mut(&mut object.node, &["metadata"]) {
            super::object::put(metadata, "namespace", &namespace.spot, namespace.clone());
        }
    }
}

/// Gives all objects other names, and follows that where containers name them.
fn rename(objects: &mut [Object], prefix: &str, suffix: &str) {
    let mut renamed: Vec<(String, String, String)> = Vec::new();
    for object in objects.iter_mut() {
        if ["Namespace", "CustomResourceDefinition"].contains(&object.kind()) {
            continue;
        }
        let (kind, before) = (object.kind().to_owned(), object.name().to_owned());
        let after = format!("{prefix}{before}{suffix}");
        object.rename(after.clone());
        renamed.push((kind, before, after));
    }
    for object in objects.iter_mut() {
        let Some(path) = object.pod_path() else { continue };
        let Some(pod) = at_mut(&mut object.node, path) else { continue };
        for key in ["containers", "initContainers"] {
            let Some(Node { value: Value::List(containers), .. }) = at_mut(pod, &[key]) else { continue };
            containers.iter_mut().for_each(|container| follow(container, &renamed));
        }
    }
}

/// Follows new names in a container: `configMapRef`, `secretKeyRef` and their like.
fn follow(node: &mut Node, renamed: &[(String, String, String)]) {
    match &mut node.value {
        Value::Map(entries) => {
            for entry in entries {
                let kind = match entry.key.as_str() {
                    "configMapRef" | "configMapKeyRef" => "ConfigMap",
                    "secretRef" | "secretKeyRef" => "Secret",
                    _ => {
                        follow(&mut entry.node, renamed);
                        continue;
                    }
                };
                let Some(Node { value: Value::Scalar { text, .. }, .. }) = at_mut(&mut entry.node, &["name"])
                else {
                    continue;
                };
                let new = renamed.iter().find(|(of, before, _)| of == kind && before == text);
                if let Some((_, _, after)) = new {
                    text.clone_from(after);
                }
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| follow(item, renamed)),
        Value::Scalar { .. } => {}
    }
}

/// An item of `images`: another name, tag or digest for an image.
fn set_image(objects: &mut [Object], item: &Node) {
    let Some(wanted) = item.text_of("name") else { return };
    for object in objects {
        let Some(path) = object.pod_path() else { continue };
        let Some(pod) = at_mut(&mut object.node, path) else { continue };
        for key in ["containers", "initContainers"] {
            let Some(Node { value: Value::List(containers), .. }) = at_mut(pod, &[key]) else { continue };
            for container in containers {
                let Some(Node { value: Value::Scalar { text, .. }, .. }) = at_mut(container, &["image"])
                else {
                    continue;
                };
                let (name, rest) = image_parts(text);
                if name != wanted {
                    continue;
                }
                let new = item.text_of("newName").unwrap_or(name);
                *text = match (item.text_of("digest"), item.text_of("newTag")) {
                    (Some(digest), _) => format!("{new}@{digest}"),
                    (None, Some(tag)) => format!("{new}:{tag}"),
                    (None, None) => format!("{new}{rest}"),
                };
            }
        }
    }
}

/// The name of an image, and its tag or digest.
fn image_parts(image: &str) -> (&str, &str) {
    let last = image.rfind('/').map_or(0, |at| at + 1);
    let end = image[last..].find(['@', ':']).map_or(image.len(), |at| last + at);
    image.split_at(end)
}
