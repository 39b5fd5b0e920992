//! `cki show`: gathers all facts about one component, including its place in the inventory and on this
//! machine.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::model::inventory::{Component, Dependency, Inventory};
use crate::model::reference::Reference;
use crate::ops::shared::workspace::{CloneLocation, Workspace};
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
    inventory.read_details();
    details(component, inventory, workspace, inventory.dependents(&component.reference).collect())
}

/// Gathers the facts about several components, in time proportional to the inventory.
#[must_use]
pub fn show_all<'a>(
    components: &[&'a Component],
    inventory: &'a Inventory,
    workspace: &Workspace,
) -> Vec<ComponentDetails<'a>> {
    inventory.read_details();
    let mut dependents: HashMap<&Reference, Vec<(&Component, &Dependency)>> =
        components.iter().map(|one| (&one.reference, Vec::new())).collect();
    for component in &inventory.components {
        for dependency in &component.dependencies {
            if let Some(list) = dependents.get_mut(&dependency.target) {
                list.push((component, dependency));
            }
        }
    }
    let mut of = |one: &Component| dependents.remove(&one.reference).unwrap_or_default();
    components.iter().map(|one| details(one, inventory, workspace, of(one))).collect()
}

fn details<'a>(
    component: &'a Component,
    inventory: &'a Inventory,
    workspace: &Workspace,
    dependents: Vec<(&'a Component, &'a Dependency)>,
) -> ComponentDetails<'a> {
    let location = |place: CloneLocation| RepositorySummary {
        repo: place.repo.clone(),
        has_address: place.url.is_some(),
        path: place.found().map(|path| path.filter(|path| path.join(".git").exists())),
    };
    let has_entry = |dependency: &'a Dependency| (dependency, inventory.get(&dependency.target).is_some());
    ComponentDetails {
        component,
        inventory,
        dependencies: component.dependencies.iter().map(has_entry).collect(),
        dependents,
        places: workspace.locations(inventory, component).into_iter().map(location).collect(),
    }
}
