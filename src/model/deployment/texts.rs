//! Lists of texts in a kustomization. Their meaning belongs in the callers.

use super::error::finding;
use crate::base::yaml::tree::{Location, Node};
use crate::model::inventory::InventoryFinding;

/// Returns the texts of a list, and adds findings about other items.
pub(super) fn texts(
    node: Option<&Node>,
    what: &str,
    findings: &mut Vec<InventoryFinding>,
) -> Vec<(String, Location)> {
    let Some(node) = node else { return Vec::new() };
    if node.items().is_empty() && !matches!(node.value, crate::base::yaml::tree::NodeValue::List(_)) {
        findings.push(finding(&node.spot, format!("`{what}` is no list, and is not read")));
    }
    let mut found = Vec::new();
    for item in node.items() {
        match item.text() {
            Some(text) => found.push((text.to_owned(), item.spot.clone())),
            None => findings.push(finding(&item.spot, format!("this item of `{what}` is no text"))),
        }
    }
    found
}
