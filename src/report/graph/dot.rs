//! Dependencies in the language of Graphviz: <https://graphviz.org/doc/info/lang.html>.

use std::fmt::Write as _;

use crate::base::text::safe_line;
use crate::model::graph::{DependencyGraph, Subgraph};

/// Returns the text of a digraph.
pub(super) fn text(graph: &DependencyGraph<'_>, part: &Subgraph<'_>) -> String {
    let mut text = String::from("digraph dependencies {\n  rankdir=LR;\n  node [shape=box];\n");
    // Writing to a String cannot fail.
    for at in &part.nodes {
        let node = graph.node(*at);
        let style = if node.component.is_none() { ", style=dashed, tooltip=\"missing\"" } else { "" };
        let _ = writeln!(text, "  n{at} [label={}{style}];", quoted(&node.reference.to_string()));
    }
    for (from, to, edge) in &part.edges {
        let style = if edge.inferred { ", style=dashed" } else { "" };
        let _ = writeln!(text, "  n{from} -> n{to} [label={}{style}];", quoted(edge.verb));
    }
    text + "}\n"
}

/// Quotes a text. A backslash begins an escape sequence of labels, and so is doubled.
fn quoted(text: &str) -> String {
    format!("\"{}\"", safe_line(text).replace('\\', "\\\\").replace('"', "\\\""))
}
