//! Dependencies in the language of Mermaid flowcharts, which GitLab and GitHub draw in Markdown:
//! <https://mermaid.js.org/syntax/flowchart.html>.

use std::fmt::Write as _;

use crate::base::text::safe_line;
use crate::model::graph::{DependencyGraph, Subgraph};

/// Returns the text of a flowchart.
pub(super) fn text(graph: &DependencyGraph<'_>, part: &Subgraph<'_>) -> String {
    let mut text = String::from("flowchart LR\n");
    // Writing to a String cannot fail.
    for at in &part.nodes {
        let node = graph.node(*at);
        let class = if node.component.is_none() { ":::missing" } else { "" };
        let _ = writeln!(text, "  n{at}[\"{}\"]{class}", escaped(&node.reference.to_string()));
    }
    for (from, to, edge) in &part.edges {
        let arrow = if edge.inferred { "-.->" } else { "-->" };
        let _ = writeln!(text, "  n{from} {arrow}|\"{}\"| n{to}", escaped(edge.verb));
    }
    if part.nodes.iter().any(|at| graph.node(*at).component.is_none()) {
        text += "  classDef missing stroke-dasharray: 4\n";
    }
    text
}

/// Writes every character that Mermaid or HTML could read as markup by its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in safe_line(text).chars() {
        match character {
            ' ' | '/' | '-' | '_' | '.' => escaped.push(character),
            _ if character.is_alphanumeric() => escaped.push(character),
            _ => {
                let _ = write!(escaped, "#{};", u32::from(character));
            }
        }
    }
    escaped
}
