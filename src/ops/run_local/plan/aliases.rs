//! The further names of units, from the deployments of their components: the service of a Compose file, its container
//! and its aliases. Reading deployments is up to `model::deployment`.

use std::collections::HashSet;

use super::input::PlanInput;
use crate::base::text::safe_line;
use crate::model::guard::DenyList;
use crate::ops::runtime::start::unit::Unit;

/// Maximum length of a name.
const LONGEST: usize = 253;

/// Keeps those aliases that can be names in the run: hosts that are no unit's name, and none of production.
pub(super) fn plan(input: &PlanInput<'_>, units: &mut [Unit], warnings: &mut Vec<String>) {
    if input.native {
        // Processes have no names on a network.
        units.iter_mut().for_each(|unit| unit.aliases.clear());
        return;
    }
    let names: HashSet<String> = units.iter().map(|unit| unit.name.clone()).collect();
    let denied = DenyList::from(input.inventory);
    for unit in units {
        let name = unit.name.clone();
        unit.aliases.retain(|alias| {
            if *alias == name {
                return false;
            }
            let refusal = refusal(alias, &names, &denied);
            warnings.extend(
                refusal.map(|why| format!("`{name}` is not reached as `{}`: {why}.", safe_line(alias))),
            );
            refusal.is_none()
        });
    }
}

/// Returns the reason for which a unit cannot have an alias.
fn refusal(alias: &str, names: &HashSet<String>, denied: &DenyList) -> Option<&'static str> {
    if names.contains(alias) {
        Some("another unit has this name")
    } else if !is_host(alias) {
        Some("it is no name of a host")
    } else if denied.names_production(alias).is_some() {
        Some("it is a host of production")
    } else {
        None
    }
}

/// Returns whether a text can be the name of a host on a network of an engine.
fn is_host(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::{Inventory, InventoryDocument};

    #[test]
    fn aliases_are_hosts_that_nothing_else_is() {
        let text = "production: {hosts: [prod.example.org]}\ncomponents: []\n".to_owned();
        let document = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        let inventory = Inventory::read("here", vec![document]).expect("reads");
        let names = HashSet::from(["db".to_owned()]);
        for (alias, expected) in [
            ("mysql", None),
            ("my_sql.1", None),
            ("db", Some("another unit has this name")),
            ("prod.example.org", Some("it is a host of production")),
            ("a b", Some("it is no name of a host")),
            ("-a", Some("it is no name of a host")),
            ("a:127.0.0.1", Some("it is no name of a host")),
        ] {
            assert_eq!(refusal(alias, &names, &DenyList::from(&inventory)), expected, "{alias}");
        }
    }
}
