//! Statements about the nodes and edges of a part of the graph, in the order in which every language of graphs has
//! them. Their syntax is in the files of the languages.

use crate::model::graph::{DependencyGraph, Subgraph};

/// A node, to be written.
pub(super) struct NodeStatement {
    /// Its name in the text.
    pub id: String,
    /// Its label.
    pub label: String,
    /// The inventory has no entry for it.
    pub is_missing: bool,
}

/// An edge, to be written.
pub(super) struct EdgeStatement<'a> {
    /// Name of the node that depends on the other.
    pub from: String,
    /// Name of the other node.
    pub to: String,
    /// Its label.
    pub verb: &'a str,
    /// It is inferred.
    pub is_inferred: bool,
}

/// Returns the statements between `head` and `tail`, each on a line of its own: all nodes, then all edges.
pub(super) fn text(
    (graph, part): (&DependencyGraph<'_>, &Subgraph<'_>),
    (head, tail): (&str, &str),
    node: impl Fn(&NodeStatement) -> String,
    edge: impl Fn(&EdgeStatement<'_>) -> String,
) -> String {
    let nodes = part.nodes.iter().map(|at| {
        let found = graph.node(*at);
        let (id, label) = (format!("n{at}"), found.name());
        node(&NodeStatement { id, label, is_missing: found.is_missing() })
    });
    let edges = part.edges.iter().map(|(from, to, one)| {
        let (from, to) = (format!("n{from}"), format!("n{to}"));
        edge(&EdgeStatement { from, to, verb: one.verb, is_inferred: one.inferred })
    });
    let statements = nodes.chain(edges).map(|statement| format!("  {statement}\n"));
    format!("{head}{}{tail}", statements.collect::<String>())
}
