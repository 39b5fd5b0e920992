//! The entries of an inventory as a graph: who depends on whom, and by which verb. The selection of a part of it
//! is in `select`, its display in `report`.

mod edges;
mod neighbourhood;
mod select;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use petgraph::graph::{DiGraph, NodeIndex};

use super::inventory::{Component, Inventory, SERVICE};
use super::reference::Reference;
pub use edges::{GraphEdge, NEEDS, RUNS_ON, dependencies_of, dependents_of};
pub use neighbourhood::{Neighbourhood, NeighbourhoodLimit};
pub use select::{Direction, GraphQuery, Path, PathStep, Subgraph};

/// Category of the nodes of backing services.
const SERVICES: &str = "backing service";

/// A node: an entry, a backing service, or the target of a dependency that has no entry.
#[derive(Debug, Clone)]
pub struct GraphNode<'a> {
    /// Full name.
    pub reference: Reference,
    /// The entry; `None` for a backing service, and if the target is missing.
    pub component: Option<&'a Component>,
    /// It is a backing service.
    pub is_service: bool,
}

impl GraphNode<'_> {
    /// Returns whether the inventory has nothing for it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.component.is_none() && !self.is_service
    }

    /// Returns the name by which users know it: `category/name`, or `service:name`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.is_service {
            true => format!("{SERVICE}{}", self.reference.name),
            false => self.reference.to_string(),
        }
    }
}

/// All dependencies of an inventory: those that the entries list, the infrastructure on which they run, and the
/// components that must run first. Nodes are numbered in the order of the inventory, missing targets last.
#[derive(Debug)]
pub struct DependencyGraph<'a> {
    graph: DiGraph<GraphNode<'a>, GraphEdge<'a>, u32>,
    by_reference: HashMap<Reference, NodeIndex<u32>>,
}

impl<'a> DependencyGraph<'a> {
    /// Builds the graph with the backing services that components need, which have no entries.
    #[must_use]
    pub fn with_services(inventory: &'a Inventory) -> Self {
        let mut built = Self::new(inventory);
        let known: HashSet<&str> = inventory.backing_services.iter().map(String::as_str).collect();
        for (component, from) in inventory.components.iter().zip(0u32..) {
            let needs = component.run.iter().flat_map(|run| &run.needs).map(|need| need.name.as_str());
            let services = needs.filter(|name| inventory.get_by_name(name).is_none());
            for name in services.filter_map(|name| known.get(name.strip_prefix(SERVICE).unwrap_or(name))) {
                let to = built.service(name);
                built.graph.add_edge(from.into(), to, GraphEdge { verb: NEEDS, inferred: false });
            }
        }
        built
    }

    /// Builds the graph, in time proportional to the number of entries and dependencies.
    #[must_use]
    pub fn new(inventory: &'a Inventory) -> Self {
        inventory.read_details();
        let components = &inventory.components;
        let edges = components.iter().map(|one| one.dependencies.len() + 1).sum();
        let mut built = Self {
            graph: DiGraph::with_capacity(components.len(), edges),
            by_reference: HashMap::with_capacity(components.len()),
        };
        for component in components {
            let node = GraphNode {
                reference: component.reference.clone(),
                component: Some(component),
                is_service: false,
            };
            let at = built.graph.add_node(node);
            built.by_reference.insert(component.reference.clone(), at);
        }
        for (component, from) in components.iter().zip(0u32..) {
            built.add_dependencies(inventory, component, from.into());
        }
        built
    }

    fn add_dependencies(&mut self, inventory: &'a Inventory, component: &'a Component, from: NodeIndex<u32>) {
        edges::each(inventory, component, |target, edge| {
            let to = self.node_or_missing(target);
            self.graph.add_edge(from, to, edge);
        });
    }

    fn node_or_missing(&mut self, reference: &Reference) -> NodeIndex<u32> {
        if let Some(at) = self.by_reference.get(reference) {
            return *at;
        }
        let node = GraphNode { reference: reference.clone(), component: None, is_service: false };
        let at = self.graph.add_node(node);
        self.by_reference.insert(reference.clone(), at);
        at
    }

    /// Returns the node of a backing service. No category can be called as theirs is.
    fn service(&mut self, name: &str) -> NodeIndex<u32> {
        let reference = Reference::new(SERVICES, name);
        *self.by_reference.entry(reference.clone()).or_insert_with(|| {
            self.graph.add_node(GraphNode { reference, component: None, is_service: true })
        })
    }

    /// Returns the number of the node of a backing service that a component needs.
    #[must_use]
    pub fn find_service(&self, name: &str) -> Option<usize> {
        self.find(&Reference::new(SERVICES, name))
    }

    /// Returns the number of a node, given its full name.
    #[must_use]
    pub fn find(&self, reference: &Reference) -> Option<usize> {
        self.by_reference.get(reference).map(|at| at.index())
    }

    /// Returns a node.
    ///
    /// # Panics
    /// Panics if the number is not one of this graph.
    #[must_use]
    pub fn node(&self, at: usize) -> &GraphNode<'a> {
        &self.graph[index(at)]
    }

    /// Returns the number of nodes.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.graph.node_count()
    }

    /// Returns all verbs, sorted, each once.
    #[must_use]
    pub fn verbs(&self) -> Vec<&'a str> {
        let mut verbs: Vec<&str> = self.graph.edge_weights().map(|edge| edge.verb).collect();
        verbs.sort_unstable();
        verbs.dedup();
        verbs
    }
}

fn index(at: usize) -> NodeIndex<u32> {
    NodeIndex::new(at)
}
