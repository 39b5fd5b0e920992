//! Components that the variables of a draft name by their addresses, as needs of the drafted ones.

use std::collections::BTreeSet;

use super::drafting::Drafting;
use crate::model::draft::{AddressOwner, DraftedComponent, DraftedVariable, is_port_alone};
use crate::model::inventory::Secrecy;

impl Drafting<'_> {
    /// Adds the components of the repository and backing services whose addresses the variables of another one hold to its needs, and these
    /// addresses as defaults. Two that name each other need none: neither could start first.
    pub(super) fn addresses(&mut self) {
        let drafted = self.components.iter().chain(&self.others).map(AddressOwner::of);
        let services =
            self.provided.keys().map(|name| AddressOwner { name: name.clone(), port: None, is_http: false });
        let owners: Vec<AddressOwner> = drafted.chain(services).collect();
        for at in 0..self.components.len() {
            let mut variables = std::mem::take(&mut self.components[at].environment);
            let own = self.components[at].name.clone();
            let names: Vec<String> = variables.iter().map(|one| one.name.clone()).collect();
            for variable in &mut variables {
                let Some((found, value)) = AddressOwner::named_by(&variable.name, &owners) else { continue };
                if is_port_alone(&variable.name, names.iter().map(String::as_str)) {
                    continue;
                }
                if found.name == own || self.is_settled(at, variable, &found.name) {
                    continue;
                }
                fill(variable, value);
                if !needs(&self.components, &found.name, &own) {
                    self.components[at].needs.push(found.name.clone());
                }
            }
            self.components[at].environment = variables;
            self.components[at].needs.sort();
            self.components[at].needs.dedup();
        }
    }
}

/// Sets the value of a variable that has none.
fn fill(variable: &mut DraftedVariable, value: Option<String>) {
    if variable.default.is_none() && !variable.secret.is_some_and(Secrecy::is_hidden) {
        variable.required &= value.is_none();
        variable.default = value;
    }
}

/// Returns whether a component needs another one, directly or through others.
pub(super) fn needs(components: &[DraftedComponent], from: &str, to: &str) -> bool {
    let mut open = vec![from];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            let found = components.iter().filter(|one| one.name == name);
            open.extend(found.flat_map(|one| one.needs.iter().map(String::as_str)));
        }
    }
    false
}
