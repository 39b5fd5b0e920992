//! Parts of the graph: what is reachable from some nodes, the shortest path between two, and cycles. Nothing here
//! recurses, and each search visits a node and an edge once.

use std::collections::{HashSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::{DependencyGraph, GraphEdge, index};

/// Direction in which a search follows dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// From a component to its dependencies.
    #[default]
    Dependencies,
    /// From a component to its dependents.
    Dependents,
}

impl Direction {
    pub(super) fn petgraph(self) -> petgraph::Direction {
        match self {
            Self::Dependencies => petgraph::Direction::Outgoing,
            Self::Dependents => petgraph::Direction::Incoming,
        }
    }
}

/// Part of the graph that is wanted.
#[derive(Debug, Clone, Default)]
pub struct GraphQuery {
    /// Nodes to start from; without any, the whole graph.
    pub starts: Vec<usize>,
    /// Direction of the search.
    pub direction: Direction,
    /// Maximum number of dependencies between a start and a node.
    pub depth: Option<usize>,
    /// Verbs of the dependencies to follow; without any, all.
    pub verbs: Vec<String>,
}

/// A part of the graph. Nodes and edges keep the numbers of the whole.
#[derive(Debug, Clone)]
pub struct Subgraph<'a> {
    /// Nodes: the starts first, then by distance; in a whole graph, in its order.
    pub nodes: Vec<usize>,
    /// Dependencies between these nodes: dependent, dependency, use.
    pub edges: Vec<(usize, usize, GraphEdge<'a>)>,
    /// Number of nodes at the beginning of `nodes` that the search started from; 0 for the whole graph.
    pub starts: usize,
    /// Direction of the search.
    pub direction: Direction,
    /// Groups of nodes that depend on each other, each in the order of the graph; a node alone if it depends on
    /// itself.
    pub cycles: Vec<Vec<usize>>,
}

/// A step of a path, between two neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathStep<'a> {
    /// Node at the end of the step.
    pub node: usize,
    /// The dependency.
    pub edge: GraphEdge<'a>,
    /// The step leads from a dependency to its dependent.
    pub is_reverse: bool,
}

/// The shortest connection of two nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'a> {
    /// Node at which the path begins.
    pub start: usize,
    /// Steps; none if both nodes are the same.
    pub steps: Vec<PathStep<'a>>,
}

impl<'a> DependencyGraph<'a> {
    /// Returns a part of the graph.
    #[must_use]
    pub fn select(&self, query: &GraphQuery) -> Subgraph<'a> {
        let fits = |verb: &str| query.verbs.is_empty() || query.verbs.iter().any(|one| one == verb);
        let mut part = Subgraph {
            nodes: Vec::new(),
            edges: Vec::new(),
            starts: 0,
            direction: query.direction,
            cycles: Vec::new(),
        };
        if query.starts.is_empty() {
            part.nodes = (0..self.node_count()).collect();
            let edges = self.graph.edge_references().filter(|edge| fits(edge.weight().verb));
            let mut edges: Vec<_> = edges.map(triple).collect();
            edges.sort_by_key(|(from, ..)| *from);
            part.edges = edges;
        } else {
            self.search(query, &fits, &mut part);
        }
        part.cycles = self.cycles(&part);
        part
    }

    fn search(&self, query: &GraphQuery, fits: &dyn Fn(&str) -> bool, part: &mut Subgraph<'a>) {
        let mut seen = HashSet::new();
        let mut waiting = VecDeque::new();
        for start in &query.starts {
            if seen.insert(*start) {
                waiting.push_back((*start, 0));
                part.starts += 1;
            }
        }
        while let Some((at, distance)) = waiting.pop_front() {
            part.nodes.push(at);
            if query.depth.is_some_and(|depth| distance >= depth) {
                continue;
            }
            // The library keeps the newest edge first.
            let mut edges: Vec<_> =
                self.graph.edges_directed(index(at), query.direction.petgraph()).collect();
            edges.reverse();
            for edge in edges.into_iter().filter(|edge| fits(edge.weight().verb)) {
                let edge = triple(edge);
                let next = if query.direction == Direction::Dependencies { edge.1 } else { edge.0 };
                part.edges.push(edge);
                if seen.insert(next) {
                    waiting.push_back((next, distance + 1));
                }
            }
        }
    }

    /// Returns the groups of nodes in a part that depend on each other.
    fn cycles(&self, part: &Subgraph<'a>) -> Vec<Vec<usize>> {
        let mut graph = petgraph::graph::DiGraph::<(), (), u32>::default();
        let mut inside = vec![NodeIndex::end(); self.node_count()];
        for node in &part.nodes {
            inside[*node] = graph.add_node(());
        }
        let mut to_itself = HashSet::new();
        for (from, to, _) in &part.edges {
            graph.add_edge(inside[*from], inside[*to], ());
            if from == to {
                to_itself.insert(*from);
            }
        }
        let groups = kosaraju_scc(&graph).into_iter();
        let groups = groups.map(|group| group.into_iter().map(|at| part.nodes[at.index()]).collect());
        let mut cycles: Vec<Vec<usize>> =
            groups.filter(|group: &Vec<usize>| group.len() > 1 || to_itself.contains(&group[0])).collect();
        cycles.iter_mut().for_each(|group| group.sort_unstable());
        cycles.sort_unstable();
        cycles
    }

    /// Returns the shortest connection of two nodes: by dependencies of the first, else by those of the second,
    /// else by dependencies in any direction; `None` if there is none.
    #[must_use]
    pub fn path(&self, from: usize, to: usize, verbs: &[String]) -> Option<Path<'a>> {
        use petgraph::Direction::{Incoming, Outgoing};
        [&[Outgoing][..], &[Incoming], &[Outgoing, Incoming]]
            .into_iter()
            .find_map(|ways| self.shortest(from, to, ways, verbs))
    }

    fn shortest(
        &self,
        from: usize,
        to: usize,
        ways: &[petgraph::Direction],
        verbs: &[String],
    ) -> Option<Path<'a>> {
        let mut steps: Vec<Option<PathStep<'a>>> = vec![None; self.node_count()];
        let mut before = vec![usize::MAX; self.node_count()];
        before[from] = from;
        let mut waiting = VecDeque::from([from]);
        while let Some(at) = waiting.pop_front() {
            if at == to {
                break;
            }
            for way in ways {
                for edge in self.graph.edges_directed(index(at), *way) {
                    if !verbs.is_empty() && !verbs.iter().any(|verb| verb == edge.weight().verb) {
                        continue;
                    }
                    let is_reverse = *way == petgraph::Direction::Incoming;
                    let next = if is_reverse { edge.source() } else { edge.target() }.index();
                    if before[next] == usize::MAX {
                        before[next] = at;
                        steps[next] = Some(PathStep { node: next, edge: *edge.weight(), is_reverse });
                        waiting.push_back(next);
                    }
                }
            }
        }
        if before[to] == usize::MAX {
            return None;
        }
        let mut path = Vec::new();
        let mut at = to;
        while at != from {
            path.extend(steps[at]);
            at = before[at];
        }
        path.reverse();
        Some(Path { start: from, steps: path })
    }
}

pub(super) fn triple<'a>(
    edge: petgraph::graph::EdgeReference<'_, GraphEdge<'a>, u32>,
) -> (usize, usize, GraphEdge<'a>) {
    (edge.source().index(), edge.target().index(), *edge.weight())
}
