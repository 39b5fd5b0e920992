//! `cki show`: all that is known of one component, its place in the inventory and on this machine
//! included.

use crate::model::inventory::{Component, Dependency, Inventory};
use crate::ops::workspace::{Place, Workspace};

/// What is known.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The entry.
    pub component: &'a Component,
    /// The inventory that it is in.
    pub inventory: &'a Inventory,
    /// What it depends on, and whether that has an entry.
    pub dependencies: Vec<(&'a Dependency, bool)>,
    /// Who depends on it.
    pub dependents: Vec<(&'a Component, &'a Dependency)>,
    /// Its repositories, and whether each has been cloned.
    pub places: Vec<(Place, bool)>,
}

/// Gathers what is known of a component.
#[must_use]
pub fn show<'a>(component: &'a Component, inventory: &'a Inventory, workspace: &Workspace) -> Shown<'a> {
    Shown {
        component,
        inventory,
        dependencies: component
            .dependencies
            .iter()
            .map(|dependency| (dependency, inventory.get(&dependency.target).is_some()))
            .collect(),
        dependents: inventory.dependents(&component.reference).collect(),
        places: workspace
            .places(inventory, component)
            .into_iter()
            .map(|place| {
                let cloned = place.path.join(".git").exists();
                (place, cloned)
            })
            .collect(),
    }
}
