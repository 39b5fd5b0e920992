//! Dependencies in the language of Mermaid flowcharts, which GitLab and GitHub draw in Markdown:
//! <https://mermaid.js.org/syntax/flowchart.html>.

use std::fmt::Write as _;

use super::statements::{self, EdgeStatement, NodeStatement};
use crate::base::text::safe_line;
use crate::model::graph::{DependencyGraph, Subgraph};

/// Returns the text of a flowchart.
pub(super) fn text(graph: &DependencyGraph<'_>, part: &Subgraph<'_>) -> String {
    let node = |NodeStatement { id, label, is_missing }: &NodeStatement| {
        let class = if *is_missing { ":::missing" } else { "" };
        format!("{id}[\"{}\"]{class}", escaped(label))
    };
    let edge = |EdgeStatement { from, to, verb, is_inferred }: &EdgeStatement<'_>| {
        let arrow = if *is_inferred { "-.->" } else { "-->" };
        format!("{from} {arrow}|\"{}\"| {to}", escaped(verb))
    };
    let has_missing = part.nodes.iter().any(|at| graph.node(*at).is_missing());
    let tail = if has_missing { "  classDef missing stroke-dasharray: 4\n" } else { "" };
    statements::text((graph, part), ("flowchart LR\n", tail), node, edge)
}

/// Writes every character that Mermaid or HTML could read as markup by its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in safe_line(text).chars() {
        match character {
            ' ' | '/' | '-' | '_' | '.' => escaped.push(character),
            _ if character.is_alphanumeric() => escaped.push(character),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "#{};", u32::from(character));
            }
        }
    }
    escaped
}
