//! Objects of a document: the document itself, the items of a list, or the objects of a template. The
//! content of an object belongs in `object`.

use super::error::{DeploymentError, finding};
use super::object::{Object, list};
use super::template;
use crate::base::yaml::tree::{Node, NodeValue};
use crate::model::inventory::InventoryFinding;

/// Returns the objects of a document: itself, or those of a `List` or a `Template`.
pub(super) fn from_document(
    document: Node,
    findings: &mut Vec<InventoryFinding>,
) -> Result<Vec<Object>, DeploymentError> {
    let kind = document.text_of("kind").unwrap_or_default();
    if kind == "Template" && document.get("objects").is_some() {
        return template::objects(document, findings, from_document);
    }
    if kind == "List" || (kind.ends_with("List") && document.get("items").is_some()) {
        let items = match document.value {
            NodeValue::Map(entries) => entries.into_iter().find(|entry| entry.key == "items"),
            _ => None,
        };
        let mut objects = Vec::new();
        for item in items.map(|entry| list(entry.node)).unwrap_or_default() {
            if item.get("kind").is_some() {
                objects.extend(from_document(item, findings)?);
            } else {
                findings.push(finding(&item.spot, "this item of a list has no `kind`, and is not read"));
            }
        }
        return Ok(objects);
    }
    Ok(vec![Object::new(document)])
}
