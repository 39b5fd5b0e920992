//! The rule about names that are hard to tell apart.

use std::collections::HashMap;

use super::findings::Findings;
use super::rule::Rule;
use crate::model::inventory::Component;
use crate::model::inventory::index::plain;

pub(super) fn check(findings: &mut Findings<'_>) {
    let inventory = findings.inventory;
    let mut first: HashMap<String, &Component> = HashMap::with_capacity(inventory.components.len());
    for component in &inventory.components {
        let before = *first.entry(plain(component.name())).or_insert(component);
        if std::ptr::eq(before, component) {
            continue;
        }
        let (name, other) = (component.name(), &before.reference);
        let message = match before.name() == name {
            true => format!("the name `{name}` is also that of `{other}`"),
            false => format!("the name `{name}` is hard to tell from that of `{other}`"),
        };
        let fix = "rename one of them, so that the name alone says which is meant".to_owned();
        // The name is in the entry, or in the path of its file.
        findings.of_entry(Rule::DuplicateName, component, "name", (message, fix));
    }
}
