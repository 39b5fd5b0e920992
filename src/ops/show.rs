//! `cki show`: gathers all facts about one component, including its place in the inventory and on this
//! machine.

use std::path::PathBuf;

use crate::model::inventory::{Component, Dependency, Inventory};
use crate::ops::shared::workspace::Workspace;
use crate::systems::git::GitError;

/// The facts about a component.
#[derive(Debug)]
pub struct ComponentDetails<'a> {
    /// The entry.
    pub component: &'a Component,
    /// Its inventory.
    pub inventory: &'a Inventory,
    /// Its dependencies, and whether each has an entry.
    pub dependencies: Vec<(&'a Dependency, bool)>,
    /// The components that depend on it.
    pub dependents: Vec<(&'a Component, &'a Dependency)>,
    /// Its repositories, with the result of looking for their clones.
    pub places: Vec<RepositorySummary>,
}

/// A repository, with its clone.
#[derive(Debug)]
pub struct RepositorySummary {
    /// Its name in the inventory.
    pub repo: String,
    /// The inventory has an address.
    pub has_address: bool,
    /// The clone's directory, if it exists; an error if the directory is something else.
    pub path: Result<Option<PathBuf>, GitError>,
}

/// Gathers the facts about a component.
#[must_use]
pub fn show<'a>(
    component: &'a Component,
    inventory: &'a Inventory,
    workspace: &Workspace,
) -> ComponentDetails<'a> {
    ComponentDetails {
        component,
        inventory,
        dependencies: component
            .dependencies
            .iter()
            .map(|dependency| (dependency, inventory.get(&dependency.target).is_some()))
            .collect(),
        dependents: inventory.dependents(&component.reference).collect(),
        places: workspace
            .locations(inventory, component)
            .into_iter()
            .map(|place| RepositorySummary {
                repo: place.repo.clone(),
                has_address: place.url.is_some(),
                path: place.found().map(|path| path.filter(|path| path.join(".git").exists())),
            })
            .collect(),
    }
}
