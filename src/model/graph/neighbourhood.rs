//! The surroundings of one node: its neighbours, and as many levels of dependencies as a limit allows, at a cost that
//! the limit bounds. Parts of the graph without such a limit are in `select`.

use std::collections::HashSet;

use super::select::triple;
use super::{DependencyGraph, Direction, GraphEdge, Subgraph, index};

/// Maximum size of a neighbourhood.
#[derive(Debug, Clone, Copy)]
pub struct NeighbourhoodLimit {
    /// Maximum number of nodes.
    pub nodes: usize,
    /// Maximum number of edges.
    pub edges: usize,
}

/// The levels of dependencies around a node that are within a limit.
#[derive(Debug, Clone)]
pub struct Neighbourhood<'a> {
    /// The node and the complete levels around it. Its cycles are not computed.
    pub part: Subgraph<'a>,
    /// There are more levels than the limit allows.
    pub is_cut: bool,
}

impl<'a> DependencyGraph<'a> {
    /// Returns the direct dependencies of a node, or its direct dependents, in the order of the inventory.
    #[must_use]
    pub fn neighbours(&self, at: usize, direction: Direction) -> Vec<(usize, GraphEdge<'a>)> {
        let mut edges: Vec<_> =
            self.graph.edges_directed(index(at), direction.petgraph()).map(triple).collect();
        // The library keeps the newest edge first.
        edges.reverse();
        let other = |(from, to, edge)| (if direction == Direction::Dependencies { to } else { from }, edge);
        edges.into_iter().map(other).collect()
    }

    /// Returns the levels around a node that are within a limit. The cost depends on the limit only.
    #[must_use]
    pub fn neighbourhood(
        &self,
        start: usize,
        direction: Direction,
        limit: NeighbourhoodLimit,
    ) -> Neighbourhood<'a> {
        let mut part =
            Subgraph { nodes: vec![start], edges: Vec::new(), starts: 1, direction, cycles: Vec::new() };
        let mut seen = HashSet::from([start]);
        let mut level = vec![start];
        loop {
            let (mut next, mut edges) = (Vec::new(), Vec::new());
            for at in level {
                let left = limit.edges.saturating_sub(part.edges.len() + edges.len());
                let found = self.graph.edges_directed(index(at), direction.petgraph());
                // The library keeps the newest edge first.
                let mut found: Vec<_> = found.take(left + 1).map(triple).collect();
                found.reverse();
                let other = |(from, to, _): &(usize, usize, GraphEdge<'_>)| {
                    if direction == Direction::Dependencies { *to } else { *from }
                };
                let is_over = found.len() > left;
                next.extend(found.iter().map(other).filter(|node| seen.insert(*node)));
                edges.extend(found);
                if is_over || part.nodes.len() + next.len() > limit.nodes {
                    return Neighbourhood { part, is_cut: true };
                }
            }
            part.edges.extend(edges);
            if next.is_empty() {
                return Neighbourhood { part, is_cut: false };
            }
            part.nodes.extend(&next);
            level = next;
        }
    }
}
