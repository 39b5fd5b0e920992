//! Dependencies in the language of Graphviz: <https://graphviz.org/doc/info/lang.html>.

use super::statements::{self, EdgeStatement, NodeStatement};
use crate::base::text::safe_line;
use crate::model::graph::{DependencyGraph, Subgraph};

const HEAD: &str = "digraph dependencies {\n  rankdir=LR;\n  node [shape=box];\n";

/// Returns the text of a digraph.
pub(super) fn text(graph: &DependencyGraph<'_>, part: &Subgraph<'_>) -> String {
    let node = |NodeStatement { id, label, is_missing }: &NodeStatement| {
        let style = if *is_missing { ", style=dashed, tooltip=\"missing\"" } else { "" };
        format!("{id} [label={}{style}];", quoted(label))
    };
    let edge = |EdgeStatement { from, to, verb, is_inferred }: &EdgeStatement<'_>| {
        let style = if *is_inferred { ", style=dashed" } else { "" };
        format!("{from} -> {to} [label={}{style}];", quoted(verb))
    };
    statements::text((graph, part), (HEAD, "}\n"), node, edge)
}

/// Quotes a text. A backslash begins an escape sequence of labels, and so is doubled.
fn quoted(text: &str) -> String {
    format!("\"{}\"", safe_line(text).replace('\\', "\\\\").replace('"', "\\\""))
}
