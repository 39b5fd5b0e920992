//! `cki show`: gathers all facts about one component, including its place in the inventory and on this
//! machine.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::model::graph::{GraphEdge, dependencies_of, dependents_of};
use crate::model::inventory::{Component, Inventory};
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
    /// Its dependencies, as in the graph.
    pub dependencies: Vec<ShownDependency<'a>>,
    /// The components that depend on it, as in the graph.
    pub dependents: Vec<ShownDependency<'a>>,
    /// Its repositories, with the result of looking for their clones.
    pub places: Vec<RepositorySummary>,
}

/// A dependency, seen from one of its ends.
#[derive(Debug)]
pub struct ShownDependency<'a> {
    /// Use of the dependency.
    pub verb: &'a str,
    /// The other end.
    pub other: Reference,
    /// The other end has no entry.
    pub is_missing: bool,
    /// The dependency was concluded from a description.
    pub is_inferred: bool,
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
    details(component, inventory, workspace, dependents_of(inventory, &component.reference))
}

/// Gathers the facts about several components, in time proportional to the inventory.
#[must_use]
pub fn show_all<'a>(
    components: &[&'a Component],
    inventory: &'a Inventory,
    workspace: &Workspace,
) -> Vec<ComponentDetails<'a>> {
    inventory.read_details();
    let mut dependents: HashMap<&Reference, Vec<(&Component, GraphEdge<'_>)>> =
        components.iter().map(|one| (&one.reference, Vec::new())).collect();
    for component in &inventory.components {
        for (target, edge) in dependencies_of(inventory, component) {
            if let Some(list) = dependents.get_mut(&target) {
                list.push((component, edge));
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
    dependents: Vec<(&'a Component, GraphEdge<'a>)>,
) -> ComponentDetails<'a> {
    let location = |place: CloneLocation| RepositorySummary {
        repo: place.repo.clone(),
        has_address: place.url.is_some(),
        path: place.found().map(|path| path.filter(|path| path.join(".git").exists())),
    };
    let shown = |other: Reference, edge: GraphEdge<'a>| ShownDependency {
        verb: edge.verb,
        is_missing: inventory.get(&other).is_none(),
        other,
        is_inferred: edge.inferred,
    };
    let dependencies = dependencies_of(inventory, component);
    ComponentDetails {
        component,
        inventory,
        dependencies: dependencies.into_iter().map(|(target, edge)| shown(target, edge)).collect(),
        dependents: dependents.into_iter().map(|(one, edge)| shown(one.reference.clone(), edge)).collect(),
        places: workspace.locations(inventory, component).into_iter().map(location).collect(),
    }
}
