//! Dependencies as JSON and YAML.

use serde::Serialize;

use super::part::drawn;
use crate::model::graph::{DependencyGraph, Direction, Subgraph};
use crate::ops::graph::GraphOutcome;
use crate::report::view;
use crate::ui::Ui;

#[derive(Serialize)]
struct GraphView<'a> {
    direction: &'static str,
    /// Full names of the nodes that the search started from.
    starts: Vec<String>,
    nodes: Vec<NodeView<'a>>,
    edges: Vec<EdgeView<'a>>,
    cycles: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct NodeView<'a> {
    reference: String,
    description: Option<&'a str>,
    missing: bool,
    /// It is a backing service, which has no entry.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    service: bool,
}

#[derive(Serialize)]
struct EdgeView<'a> {
    from: String,
    to: String,
    verb: &'a str,
    inferred: bool,
}

/// Prints a part of the graph; a connection as the graph of its steps.
pub(super) fn print(ui: &Ui, graph: &DependencyGraph<'_>, outcome: &GraphOutcome<'_>) {
    let part: Subgraph<'_> = drawn(outcome);
    let name = |at: usize| graph.node(at).name();
    let node = |at: &usize| NodeView {
        reference: name(*at),
        description: graph.node(*at).component.and_then(|one| one.description.as_deref()),
        missing: graph.node(*at).is_missing(),
        service: graph.node(*at).is_service,
    };
    let edges = part.edges.iter();
    view::print(
        ui,
        &GraphView {
            direction: match part.direction {
                Direction::Dependencies => "dependencies",
                Direction::Dependents => "dependents",
            },
            starts: part.nodes[..part.starts].iter().map(|at| name(*at)).collect(),
            nodes: part.nodes.iter().map(node).collect(),
            edges: edges
                .map(|(from, to, edge)| EdgeView {
                    from: name(*from),
                    to: name(*to),
                    verb: edge.verb,
                    inferred: edge.inferred,
                })
                .collect(),
            cycles: part.cycles.iter().map(|group| group.iter().map(|at| name(*at)).collect()).collect(),
        },
    );
}
