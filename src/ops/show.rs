//! `cki show`: all that is known of one component, its place in the inventory and on this machine
//! included.

use std::path::PathBuf;

use crate::model::inventory::{Component, Dependency, Inventory};
use crate::ops::workspace::Workspace;
use crate::systems::git::GitError;

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
    /// Its repositories, and what came of looking for their clones.
    pub places: Vec<Cloned>,
}

/// A repository, and its clone.
#[derive(Debug)]
pub struct Cloned {
    /// Its name in the inventory.
    pub repo: String,
    /// Whether the inventory has an address.
    pub has_address: bool,
    /// The clone's directory, if it is there; an error if something else is.
    pub path: Result<Option<PathBuf>, GitError>,
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
            .map(|place| Cloned {
                repo: place.repo.clone(),
                has_address: place.url.is_some(),
                path: place.found().map(|path| path.filter(|path| path.join(".git").exists())),
            })
            .collect(),
    }
}
