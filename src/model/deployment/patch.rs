//! The patches of a kustomization: what each is applied to, and how.

use regex::Regex;

use super::files::{Reader, path_at};
use super::merge::Merge;
use super::object::{Object, from_document};
use super::{DeploymentError, finding, json_patch, wrong};
use crate::base::yaml::tree::{Node, Spot, documents};
use crate::model::inventory::Finding;

/// Which objects a patch is meant for.
struct Target {
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
}

impl Target {
    fn read(node: &Node) -> Result<Self, DeploymentError> {
        let pattern = |key: &str| {
            let Some(text) = node.text_of(key) else { return Ok(None) };
            let pattern = Regex::new(&format!("^(?:{text})$"));
            pattern.map(Some).map_err(|_| wrong(&node.spot, format!("`{text}` is no regular expression")))
        };
        Ok(Self { kind: pattern("kind")?, name: pattern("name")?, namespace: pattern("namespace")? })
    }

    fn fits(&self, object: &Object) -> bool {
        let is = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let named = std::iter::once(object.name()).chain(object.former.iter().map(String::as_str));
        is(&self.kind, object.kind())
            && is(&self.namespace, object.namespace().unwrap_or_default())
            && named.into_iter().any(|name| is(&self.name, name))
    }
}

/// Applies an item of `patches` or `patchesJson6902`: with a target, written here or in a file.
pub(super) fn item(
    reader: &Reader<'_>,
    folder: &str,
    item: &Node,
    objects: &mut Vec<Object>,
    findings: &mut Vec<Finding>,
) -> Result<(), DeploymentError> {
    let target = item.get("target");
    if let Some(target) = target {
        for selector in ["labelSelector", "annotationSelector"] {
            if let Some(node) = target.get(selector) {
                let message = format!("`{selector}` of a patch is not known, and the patch is left out");
                findings.push(finding(&node.spot, message));
                return Ok(());
            }
        }
    }
    let target = target.map(Target::read).transpose()?;
    let bodies = match (item.get("patch"), item.text_of("path")) {
        (Some(patch), _) => inline(patch)?,
        (None, Some(path)) => reader.documents(&path_at(folder, path, &item.spot)?)?,
        (None, None) => return Err(wrong(&item.spot, "a patch has neither `patch` nor `path`")),
    };
    for body in bodies {
        if !json_patch::is_one(&body) {
            strategic(&body, target.as_ref(), objects, findings)?;
            continue;
        }
        let Some(target) = &target else {
            return Err(wrong(&body.spot, "a JSON patch needs a `target`"));
        };
        for object in objects.iter_mut().filter(|object| target.fits(object)) {
            json_patch::apply(&mut object.node, &body)?;
        }
    }
    Ok(())
}

/// Applies an item of `patchesStrategicMerge`: a path, or the patch itself.
pub(super) fn strategic_item(
    reader: &Reader<'_>,
    folder: &str,
    item: &Node,
    objects: &mut Vec<Object>,
    findings: &mut Vec<Finding>,
) -> Result<(), DeploymentError> {
    let text = item.text().unwrap_or_default();
    let bodies = match text.contains('\n') {
        true => inline(item)?,
        false => reader.documents(&path_at(folder, text, &item.spot)?)?,
    };
    bodies.iter().try_for_each(|body| strategic(body, None, objects, findings))
}

/// A patch that is written as a text within the kustomization: its places are counted from there.
fn inline(node: &Node) -> Result<Vec<Node>, DeploymentError> {
    let Some(text) = node.text() else { return Ok(vec![node.clone()]) };
    let text = format!("{}{text}", "\n".repeat(node.spot.position.line.saturating_sub(1)));
    Ok(documents(&node.spot.file, &text)?)
}

fn strategic(
    patch: &Node,
    target: Option<&Target>,
    objects: &mut Vec<Object>,
    findings: &mut Vec<Finding>,
) -> Result<(), DeploymentError> {
    for patch in from_document(patch.clone(), findings)? {
        let fits = |object: &Object| match target {
            Some(target) => target.fits(object),
            None => {
                let near =
                    patch.namespace().is_none_or(|wanted| object.namespace().is_none_or(|n| n == wanted));
                object.kind() == patch.kind() && object.is_called(patch.name()) && near
            }
        };
        let count = objects.iter().filter(|object| fits(object)).count();
        if count.saturating_mul(patch.node.size().0) > LARGEST {
            return Err(wrong(&patch.node.spot, "this patch changes too much"));
        }
        let before = std::mem::take(objects);
        let mut used = false;
        for mut object in before {
            if !fits(&object) {
                objects.push(object);
                continue;
            }
            used = true;
            // Kinds that kustomize does not know by heart have no keys for their lists.
            let keyed = object.kind() != "DeploymentConfig";
            let body = nameless(patch.node.clone());
            if let Some(node) = (Merge { keyed, findings }).node(object.node, body, "") {
                object.node = node;
                objects.push(object);
            }
        }
        if !used && target.is_none() {
            let message =
                format!("there is no {} `{}` that this patch could change", patch.kind(), patch.name());
            findings.push(finding(&patch.node.spot, message));
        }
    }
    Ok(())
}

/// So many nodes may be put into all objects by one patch.
const LARGEST: usize = 500_000;

/// Without what only says which object is meant: that has a name of its own, maybe another by now.
fn nameless(mut patch: Node) -> Node {
    use crate::base::yaml::tree::Value;
    if let Value::Map(entries) = &mut patch.value {
        entries.retain(|entry| !["kind", "apiVersion"].contains(&entry.key.as_str()));
        for entry in entries.iter_mut().filter(|entry| entry.key == "metadata") {
            if let Value::Map(inner) = &mut entry.node.value {
                inner.retain(|entry| !["name", "namespace"].contains(&entry.key.as_str()));
            }
        }
    }
    patch
}

/// What is at a place of a kustomization and is not known.
pub(super) fn unknown(key: &str, spot: &Spot) -> Finding {
    finding(spot, format!("`{key}` of a kustomization is not known, and what it does is missing"))
}
