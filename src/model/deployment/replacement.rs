//! `replacements` of a kustomization, which copy a value of one object into fields of others. The paths
//! to fields belong in `field_path`.

use super::field_path::{self, NewNodeKind, change, find};
use super::files::{FileReader, note_outside, path_at};
use super::object::{Object, check_size};
use super::scalar::kustomize_kind;
use super::selector::Selector;
use super::texts::texts;
use super::{DeploymentError, finding, wrong};
use crate::base::yaml::tree::{Node, NodeValue};
use crate::model::inventory::InventoryFinding;

/// Returns the items of a `replacements` entry: the inline one, or those of a file.
pub(super) fn items(
    reader: &FileReader<'_>,
    directory: &str,
    item: &Node,
    findings: &mut Vec<InventoryFinding>,
) -> Result<Vec<Node>, DeploymentError> {
    let Some(path) = item.get("path") else { return Ok(vec![item.clone()]) };
    let written = path.text().ok_or_else(|| wrong(&path.spot, "`path` is no text"))?;
    let file = path_at(directory, written, &path.spot)?;
    if !reader.is_file(&file)? {
        return Err(wrong(&path.spot, format!("there is no file `{written}`")));
    }
    note_outside(directory, &file, &path.spot, findings);
    let documents = reader.documents(&file)?;
    Ok(documents.into_iter().flat_map(super::object::list_or_one).collect())
}

/// Applies one replacement.
pub(super) fn apply(
    item: &Node,
    objects: &mut [Object],
    findings: &mut Vec<InventoryFinding>,
) -> Result<(), DeploymentError> {
    for entry in item.entries() {
        if !["source", "sourceValue", "targets"].contains(&entry.key.as_str()) {
            findings.push(finding(&entry.spot, format!("`{}` of a replacement is not known", entry.key)));
        }
    }
    let value = match (item.get("source"), item.get("sourceValue")) {
        (Some(source), None) => source_value(source, objects)?,
        (None, Some(value)) => value.clone(),
        _ => return Err(wrong(&item.spot, "a replacement needs either a `source` or a `sourceValue`")),
    };
    let Some(targets) = item.get("targets") else {
        return Err(wrong(&item.spot, "a replacement needs `targets`"));
    };
    targets.items().iter().try_for_each(|target| apply_target(target, &value, objects, findings))
}

/// Returns the value to copy: a field of the one selected object, or a part of it.
fn source_value(source: &Node, objects: &[Object]) -> Result<Node, DeploymentError> {
    let is =
        |key: &str, text: &str| source.text_of(key).is_none_or(|wanted| wanted.is_empty() || wanted == text);
    let is_meant = |object: &&Object| {
        let (group, version) = object.group_version();
        is("group", group)
            && is("version", version)
            && object
                .ids()
                .iter()
                .any(|id| is("kind", &id.kind) && is("name", &id.name) && is("namespace", &id.namespace))
    };
    let found: Vec<&Object> = objects.iter().filter(is_meant).collect();
    let [object] = found.as_slice() else {
        let count = if found.is_empty() { "no object is" } else { "more than one object is" };
        return Err(wrong(&source.spot, format!("{count} meant by the source of this replacement")));
    };
    let path = source.text_of("fieldPath").unwrap_or("metadata.name");
    let node = find(&object.node, &field_path::parts(path)).filter(|node| !is_empty(node));
    let node =
        node.ok_or_else(|| wrong(&source.spot, format!("the source of this replacement has no `{path}`")))?;
    let Some(delimiter) = source.at(&["options", "delimiter"]).and_then(Node::text).filter(|d| !d.is_empty())
    else {
        return Ok(node.clone());
    };
    let text = node.text().ok_or_else(|| wrong(&source.spot, "only a text has parts"))?;
    let index = index(source)?;
    let part = usize::try_from(index).ok().and_then(|index| text.split(delimiter).nth(index));
    let part = part
        .ok_or_else(|| wrong(&source.spot, format!("the source of this replacement has no part {index}")))?;
    let plain = matches!(node.value, NodeValue::Scalar { plain: true, .. });
    Ok(Node { spot: node.spot.clone(), value: NodeValue::Scalar { text: part.to_owned(), plain } })
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        NodeValue::Map(entries) => entries.is_empty(),
        NodeValue::List(items) => items.is_empty(),
        NodeValue::Scalar { .. } => node.is_null(),
    }
}

/// Returns `options.index` of a source or a target.
fn index(node: &Node) -> Result<i64, DeploymentError> {
    let Some(index) = node.at(&["options", "index"]) else { return Ok(0) };
    let number = index.text().and_then(|text| text.parse().ok());
    number.ok_or_else(|| wrong(&index.spot, "`index` is no number"))
}

fn apply_target(
    target: &Node,
    value: &Node,
    objects: &mut [Object],
    findings: &mut Vec<InventoryFinding>,
) -> Result<(), DeploymentError> {
    let Some(select) = target.get("select") else {
        return Err(wrong(&target.spot, "a target of a replacement needs a `select`"));
    };
    let select = Selector::read(select)?;
    let rejects = target.get("reject").map_or(&[][..], Node::items);
    let rejects = rejects.iter().map(Selector::read).collect::<Result<Vec<_>, _>>()?;
    let mut paths = texts(target.get("fieldPaths"), "fieldPaths", findings);
    if paths.is_empty() {
        paths.push(("metadata.name".to_owned(), target.spot.clone()));
    }
    let creates = target.at(&["options", "create"]).is_some_and(Node::is_true);
    let make = creates.then(|| NewNodeKind::of(value));
    let delimiter = target.at(&["options", "delimiter"]).and_then(Node::text).filter(|d| !d.is_empty());
    let index = index(target)?;
    for object in objects.iter_mut().filter(|object| is_selected(object, &select, &rejects)) {
        for (path, spot) in &paths {
            let untyped = &mut object.untyped;
            let mut set = |field: &mut Node, is_new: bool| {
                if is_new && !untyped.contains(&value.spot) {
                    untyped.push(value.spot.clone());
                }
                set(field, value, delimiter, index, is_new)
            };
            let count = change(&mut object.node, &field_path::parts(path), make, &value.spot, &mut set);
            let count = count
                .map_err(|why| wrong(spot, format!("the replacement cannot be done at `{path}`: {why}")))?;
            if count == 0 {
                let message = format!(
                    "the {} `{}` has no field `{path}` for this replacement",
                    object.kind(),
                    object.name()
                );
                return Err(wrong(spot, message));
            }
            check_size(&object.node, spot)?;
        }
    }
    Ok(())
}

fn is_selected(object: &Object, select: &Selector, rejects: &[Selector]) -> bool {
    let mut ids = object.former.clone();
    let mut now = object.id();
    now.namespace = object.namespace().unwrap_or_default().to_owned();
    ids.push(now);
    let is_rejected = |reject: &Selector| {
        (reject.has_metadata() && reject.fits_metadata(object))
            || (reject.has_id() && ids.iter().any(|id| reject.fits_id(object, id)))
    };
    select.fits_metadata(object)
        && !rejects.iter().any(is_rejected)
        && ids.iter().any(|id| select.fits_id(object, id))
}

/// Sets a field, or a part of it, to the value.
fn set(
    field: &mut Node,
    value: &Node,
    delimiter: Option<&str>,
    index: i64,
    is_new: bool,
) -> Result<(), String> {
    let whole = match &value.value {
        NodeValue::Scalar { text, .. } => text.clone(),
        _ => String::new(),
    };
    let NodeValue::Scalar { text, .. } = &field.value else {
        if delimiter.is_some() {
            return Err("only a text has parts".to_owned());
        }
        *field = value.clone();
        return Ok(());
    };
    let made = match delimiter {
        None => whole,
        Some(delimiter) => {
            let mut parts: Vec<&str> = text.split(delimiter).collect();
            match usize::try_from(index) {
                Err(_) => parts.insert(0, &whole),
                Ok(index) if index < parts.len() => parts[index] = &whole,
                Ok(_) => parts.push(&whole),
            }
            parts.join(delimiter)
        }
    };
    // A created scalar has no type yet: kustomize takes `010` for a number, whatever the source has.
    if is_new && matches!(value.value, NodeValue::Scalar { .. }) {
        *field = Node { spot: value.spot.clone(), value: NodeValue::Scalar { text: made, plain: true } };
        return Ok(());
    }
    // A text stays a text, and another scalar has to keep its type too.
    let (before, plain) = (kustomize_kind(field), kustomize_kind(field).is_some());
    let after = Node { spot: value.spot.clone(), value: NodeValue::Scalar { text: made, plain } };
    if let Some(kind) = before
        && kustomize_kind(&after) != before
    {
        return Err(format!(
            "`{}` is not {kind} like the value that it replaces",
            after.text().unwrap_or_default()
        ));
    }
    *field = after;
    Ok(())
}
