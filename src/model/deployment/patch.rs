//! Patches of a kustomization: their targets and their application. A patch that cannot be applied is an
//! error here, which the caller converts to a finding. The operations belong in `json_patch` and
//! `merge`.

use super::document::from_document;
use super::files::{FileReader, note_outside, path_at};
use super::merge::{StrategicMerge, is_keyed};
use super::object::{Object, check_size};
use super::scalar::through_json;
use super::selector::Selector;
use super::{DeploymentError, finding, json_patch, wrong};
use crate::base::yaml::tree::{Location, Node, NodeValue, documents};
use crate::model::inventory::InventoryFinding;

/// Identity fields that a patch may change.
#[derive(Clone, Copy, Default)]
struct AllowedChanges {
    name: bool,
    kind: bool,
}

/// Applies an item of `patches`: with or without a target, inline or in a file.
pub(super) fn item(
    reader: &FileReader<'_>,
    directory: &str,
    item: &Node,
    objects: &mut Vec<Object>,
    findings: &mut Vec<InventoryFinding>,
) -> Result<(), DeploymentError> {
    if item.text().is_some() {
        return strategic_item(reader, directory, item, objects, findings);
    }
    for entry in item.entries() {
        if !["patch", "path", "target", "options"].contains(&entry.key.as_str()) {
            findings.push(unknown(&format!("{}` in `patches", entry.key), &entry.spot));
        }
    }
    let bodies = bodies(reader, directory, item, findings)?;
    let target = item.get("target").map(Selector::read).transpose()?;
    let is_allowed = |key: &str| item.at(&["options", key]).is_some_and(Node::is_true);
    let allowed = AllowedChanges { name: is_allowed("allowNameChange"), kind: is_allowed("allowKindChange") };
    if bodies.iter().any(json_patch::is_one) {
        let Some(target) = target else {
            return Err(wrong(&item.spot, "a JSON patch needs a `target`"));
        };
        return json(&target, &bodies, objects, true);
    }
    let Some(target) = target else {
        return bodies.into_iter().try_for_each(|body| strategic(body, allowed, objects, findings));
    };
    let [body] = bodies.as_slice() else {
        return Err(wrong(&item.spot, "with a `target`, a patch is one document"));
    };
    let chosen: Vec<usize> = (0..objects.len()).filter(|index| target.fits(&objects[*index])).collect();
    for object in chosen.iter().map(|index| &objects[*index]) {
        if object.node.get("apiVersion").is_none() {
            let message = "this object has no `apiVersion`: with this patch, kustomize writes `null` there, which it refuses later, and Kubernetes does too";
            findings.push(finding(&object.node.spot, message));
        }
    }
    merge(body, allowed, chosen, objects, findings)
}

/// Applies an item of `patchesJson6902`.
pub(super) fn json_item(
    reader: &FileReader<'_>,
    directory: &str,
    item: &Node,
    objects: &mut [Object],
    findings: &mut Vec<InventoryFinding>,
) -> Result<(), DeploymentError> {
    let target = item.get("target").filter(|target| target.text_of("name").is_some());
    let Some(target) = target else {
        return Err(wrong(&item.spot, "an item of `patchesJson6902` needs a `target` with a `name`"));
    };
    let bodies = bodies(reader, directory, item, findings)?;
    if !bodies.iter().any(json_patch::is_one) {
        return Err(wrong(&item.spot, "this is no list of operations"));
    }
    json(&Selector::read(target)?, &bodies, objects, false)
}

/// Applies an item of `patchesStrategicMerge`: a path, or the patch itself.
pub(super) fn strategic_item(
    reader: &FileReader<'_>,
    directory: &str,
    item: &Node,
    objects: &mut Vec<Object>,
    findings: &mut Vec<InventoryFinding>,
) -> Result<(), DeploymentError> {
    let text = item.text().ok_or_else(|| wrong(&item.spot, "this is neither a path nor a patch"))?;
    let bodies = match text.contains('\n') || text.contains(": ") {
        true => inline(text, &item.spot)?,
        false => reader.documents(&file_at(reader, directory, text, &item.spot, findings)?)?,
    };
    bodies.into_iter().try_for_each(|body| strategic(body, AllowedChanges::default(), objects, findings))
}

/// Returns the documents of a patch.
fn bodies(
    reader: &FileReader<'_>,
    directory: &str,
    item: &Node,
    findings: &mut Vec<InventoryFinding>,
) -> Result<Vec<Node>, DeploymentError> {
    let bodies = match (item.get("patch"), item.get("path")) {
        (Some(_), Some(path)) => return Err(wrong(&path.spot, "a patch has both `patch` and `path`")),
        (Some(patch), None) => {
            let text = patch.text().ok_or_else(|| wrong(&patch.spot, "`patch` is no text"))?;
            check_json(text, &patch.spot)?;
            inline(text, &patch.spot)?
        }
        (None, Some(path)) => {
            let text = path.text().ok_or_else(|| wrong(&path.spot, "`path` is no text"))?;
            let file = file_at(reader, directory, text, &path.spot, findings)?;
            check_json(&reader.text(&file)?, &path.spot)?;
            reader.documents(&file)?
        }
        (None, None) => return Err(wrong(&item.spot, "a patch has neither `patch` nor `path`")),
    };
    if bodies.is_empty() {
        return Err(wrong(&item.spot, "the patch is empty"));
    }
    Ok(bodies)
}

/// Checks that a text that begins with `[` is JSON, since kustomize does not read it as YAML.
fn check_json(text: &str, spot: &Location) -> Result<(), DeploymentError> {
    let text = text.trim();
    let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if text.starts_with('[') && !is_json() {
        return Err(wrong(spot, "a patch that begins with `[` must be JSON, and this is none"));
    }
    Ok(())
}

/// Returns the path of an existing file.
fn file_at(
    reader: &FileReader<'_>,
    directory: &str,
    path: &str,
    spot: &Location,
    findings: &mut Vec<InventoryFinding>,
) -> Result<String, DeploymentError> {
    let file = path_at(directory, path, spot)?;
    match reader.is_file(&file)? {
        true => {
            note_outside(directory, &file, spot, findings);
            Ok(file)
        }
        false => Err(wrong(spot, format!("there is no file `{path}`"))),
    }
}

/// Parses a patch that is a text within the kustomization, with positions in the kustomization.
fn inline(text: &str, spot: &Location) -> Result<Vec<Node>, DeploymentError> {
    let text = format!("{}{text}", "\n".repeat(spot.position.line.saturating_sub(1)));
    Ok(documents(&spot.file, &text)?)
}

/// Applies operations to all target objects, or to none if one of them fails.
fn json(
    target: &Selector,
    bodies: &[Node],
    objects: &mut [Object],
    stores: bool,
) -> Result<(), DeploymentError> {
    // Of several documents, kustomize reads only the first.
    let Some(operations) = bodies.first() else { return Ok(()) };
    let mut changed = Vec::new();
    for (index, object) in objects.iter().enumerate().filter(|(_, object)| target.fits(object)) {
        let mut object = object.clone();
        if stores {
            object.store_id();
        }
        through_json(&mut object.node);
        object.untyped.clear();
        give_annotations(&mut object.node, stores);
        json_patch::apply(&mut object.node, operations)?;
        changed.push((index, object));
    }
    for (index, object) in changed {
        objects[index] = object;
    }
    Ok(())
}

/// Adds empty annotations, which an object has in kustomize while a patch works on it.
fn give_annotations(node: &mut Node, always: bool) {
    let spot = node.spot.clone();
    if let Some(metadata) = super::object::at_mut(node, &["metadata"])
        && always
        && metadata.get("annotations").is_none()
    {
        let empty = Node { spot: spot.clone(), value: NodeValue::Map(Vec::new()) };
        super::object::put(metadata, "annotations", &spot, empty);
    }
}

/// Applies a patch to the object that it names.
fn strategic(
    body: Node,
    allowed: AllowedChanges,
    objects: &mut Vec<Object>,
    findings: &mut Vec<InventoryFinding>,
) -> Result<(), DeploymentError> {
    if body.get("kind").is_none() {
        return Err(wrong(&body.spot, "this patch has no `kind`, and no `target` says what it changes"));
    }
    for patch in from_document(body, findings)? {
        let chosen: Vec<usize> =
            (0..objects.len()).filter(|index| objects[*index].has_id_of(&patch)).collect();
        if chosen.len() != 1 {
            let count = if chosen.is_empty() { "no" } else { "more than one" };
            let kind =
                patch.node.text_of("apiVersion").map(|version| format!("{version} ")).unwrap_or_default();
            let message = format!(
                "there is {count} {kind}{} `{}` that this patch could change",
                patch.kind(),
                patch.name()
            );
            return Err(wrong(&patch.node.spot, message));
        }
        merge(&patch.node, allowed, chosen, objects, findings)?;
    }
    Ok(())
}

/// Maximum total nodes that one patch may put into objects.
const LARGEST: usize = 500_000;

fn merge(
    body: &Node,
    allowed: AllowedChanges,
    chosen: Vec<usize>,
    objects: &mut Vec<Object>,
    findings: &mut Vec<InventoryFinding>,
) -> Result<(), DeploymentError> {
    if chosen.len().saturating_mul(body.size().0) > LARGEST {
        return Err(wrong(&body.spot, "this patch changes too much"));
    }
    let mut gone = Vec::new();
    for index in chosen {
        let object = &mut objects[index];
        if allowed.name || allowed.kind {
            object.store_id();
        }
        let keyed = is_keyed(object.group_version(), object.kind());
        let body = without_identity(body.clone(), allowed);
        match (StrategicMerge { keyed, findings }).node(object.node.clone(), body, "") {
            Some(node) => {
                check_size(&node, &object.node.spot)?;
                object.node = node;
            }
            None => gone.push(index),
        }
    }
    for index in gone.into_iter().rev() {
        objects.remove(index);
    }
    Ok(())
}

/// Removes the fields that only identify the target: the object has a name of its own, which may have
/// changed.
fn without_identity(mut patch: Node, allowed: AllowedChanges) -> Node {
    if let NodeValue::Map(entries) = &mut patch.value {
        entries.retain(|entry| entry.key != "apiVersion" && (allowed.kind || entry.key != "kind"));
        for entry in entries.iter_mut().filter(|entry| entry.key == "metadata") {
            if let NodeValue::Map(inner) = &mut entry.node.value {
                inner.retain(|entry| entry.key != "namespace" && (allowed.name || entry.key != "name"));
            }
        }
    }
    patch
}

/// Returns a finding about an unknown key of a kustomization.
pub(super) fn unknown(key: &str, spot: &Location) -> InventoryFinding {
    finding(spot, format!("`{key}` of a kustomization is not known, so its effect is missing"))
}
