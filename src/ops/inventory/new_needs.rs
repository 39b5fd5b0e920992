//! Components of the inventory that the variables of a new entry name by their addresses. Those of the repository are in
//! `ops::draft`.

use std::collections::HashSet;

use crate::model::draft::{AddressOwner, DraftedComponent};
use crate::model::inventory::{Component, Inventory, Secrecy};

/// Adds the components of the inventory whose addresses the variables of new ones hold to the needs of these, unless
/// they need the new one themselves.
pub(super) fn add_addressed(components: &mut [DraftedComponent], inventory: &Inventory) {
    let runnable = inventory.components.iter().filter(|one| one.is_runnable());
    let owners: Vec<AddressOwner> = runnable.map(owner).collect();
    for one in components {
        let mut variables = std::mem::take(&mut one.environment);
        for variable in variables.iter_mut().filter(|variable| variable.default.is_none()) {
            let Some((found, value)) = AddressOwner::named_by(&variable.name, &owners) else { continue };
            if found.name == one.name || needs(inventory, &found.name, &one.name) {
                continue;
            }
            if !variable.secret.is_some_and(Secrecy::is_hidden) {
                variable.required &= value.is_none();
                variable.default = value;
            }
            if !one.needs.contains(&found.name) {
                one.needs.push(found.name.clone());
            }
        }
        one.environment = variables;
    }
}

fn owner(component: &Component) -> AddressOwner {
    let ports = component.run.as_ref().map_or(&[][..], |run| run.ports.as_slice());
    let port = match ports {
        [only] => Some(only),
        _ => None,
    };
    let (number, is_http) = (port.map(|port| port.number), port.is_some_and(|port| port.is_http));
    AddressOwner { name: component.name().to_owned(), port: number, is_http }
}

/// Returns whether a component of the inventory needs another one, directly or through others.
fn needs(inventory: &Inventory, from: &str, to: &str) -> bool {
    let mut open = vec![from];
    let mut seen = HashSet::new();
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name)
            && let Some(run) = inventory.get_by_name(name).and_then(|one| one.run.as_ref())
        {
            open.extend(run.needs.iter().map(|need| need.name.as_str()));
        }
    }
    false
}
