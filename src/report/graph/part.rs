//! The part of the graph that a picture or data shows.

use crate::model::graph::{Direction, GraphEdge, Path, Subgraph};
use crate::ops::graph::GraphOutcome;

/// Returns the part of the graph that a picture shows.
#[must_use]
pub fn drawn<'a>(outcome: &GraphOutcome<'a>) -> Subgraph<'a> {
    match outcome {
        GraphOutcome::Part(part) => part.clone(),
        GraphOutcome::Connection(path) => part_of_path(path),
    }
}

fn part_of_path<'a>(path: &Path<'a>) -> Subgraph<'a> {
    let mut nodes = vec![path.start];
    let mut edges: Vec<(usize, usize, GraphEdge<'a>)> = Vec::new();
    let mut at = path.start;
    for step in &path.steps {
        edges.push(if step.is_reverse { (step.node, at, step.edge) } else { (at, step.node, step.edge) });
        at = step.node;
        nodes.push(at);
    }
    Subgraph { nodes, edges, starts: 1, direction: Direction::default(), cycles: Vec::new() }
}
