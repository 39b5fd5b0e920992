//! The edges at one entry, the source of all that shows dependencies: those that the entry lists, the infrastructure on
//! which it runs, and the components that must run first. The graph of all of them is in `mod`.

use crate::model::inventory::{Component, Inventory};
use crate::model::reference::Reference;

/// Verb of the dependency on the infrastructure.
pub const RUNS_ON: &str = "runs on";
/// Verb of the dependency on a component that must run first.
pub const NEEDS: &str = "needs";

/// A dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphEdge<'a> {
    /// Use of the dependency: `writes`, `listens`, …
    pub verb: &'a str,
    /// The dependency was concluded from a description.
    pub inferred: bool,
}

/// Calls `take` with each dependency of an entry: the target, which may be missing, and the edge.
pub(super) fn each<'a>(
    inventory: &'a Inventory,
    component: &'a Component,
    mut take: impl FnMut(&Reference, GraphEdge<'a>),
) {
    for one in &component.dependencies {
        take(&one.target, GraphEdge { verb: &one.verb, inferred: one.inferred });
    }
    if let Some(place) = component.infrastructure_reference() {
        take(&place, GraphEdge { verb: RUNS_ON, inferred: false });
    }
    let needs = component.run.iter().flat_map(|run| &run.needs);
    for needed in needs.filter_map(|need| inventory.get_by_name(&need.name)) {
        take(&needed.reference, GraphEdge { verb: NEEDS, inferred: false });
    }
}

/// Returns the dependencies of an entry, each with its target.
#[must_use]
pub fn dependencies_of<'a>(
    inventory: &'a Inventory,
    component: &'a Component,
) -> Vec<(Reference, GraphEdge<'a>)> {
    let mut found = Vec::new();
    each(inventory, component, |target, edge| found.push((target.clone(), edge)));
    found
}

/// Returns the dependents of an entry, each with the edge that leads from it.
#[must_use]
pub fn dependents_of<'a>(
    inventory: &'a Inventory,
    target: &Reference,
) -> Vec<(&'a Component, GraphEdge<'a>)> {
    let mut found = Vec::new();
    // Most entries do not name the target at all, and need no look-up.
    let names_it = |one: &&'a Component| {
        one.dependencies.iter().any(|dependency| dependency.target == *target)
            || one.infrastructure.as_deref() == Some(target.name.as_str())
            || one.run.iter().flat_map(|run| &run.needs).any(|need| need.name == target.name)
    };
    for component in inventory.components.iter().filter(names_it) {
        each(inventory, component, |to, edge| {
            if to == target {
                found.push((component, edge));
            }
        });
    }
    found
}
