//! Report of `cki graph`: as a tree for a terminal, as text for other programs, and as a picture.

mod categories;
mod dot;
mod measure;
mod mermaid;
mod part;
mod statements;
mod svg;
mod tree;
mod view;

use crate::base::text::{plural, safe_line};
use crate::model::graph::{DependencyGraph, Subgraph};
use crate::model::inventory::Inventory;
use crate::ops::graph::GraphOutcome;
use crate::ui::{Ui, style};
pub use categories::category_class;
pub use part::drawn;
pub use svg::{EmbeddedForm, MOST_NODES, embedded_svg, svg};

/// Form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphFormat {
    /// Tree for a terminal, names alone, or JSON or YAML.
    Tree,
    /// Language of Graphviz.
    Dot,
    /// Language of Mermaid, as in GitLab's Markdown.
    Mermaid,
}

/// Prints dependencies.
pub fn print(
    ui: &Ui,
    inventory: &Inventory,
    graph: &DependencyGraph<'_>,
    outcome: &GraphOutcome<'_>,
    format: GraphFormat,
) {
    if ui.is_structured() {
        return view::print(ui, graph, outcome);
    }
    match (format, outcome) {
        (GraphFormat::Dot, _) => ui.exact(&dot::text(graph, &drawn(outcome))),
        (GraphFormat::Mermaid, _) => ui.exact(&mermaid::text(graph, &drawn(outcome))),
        (GraphFormat::Tree, _) if ui.is_names() => {
            ui.names(drawn(outcome).nodes.iter().map(|at| graph.node(*at).name()));
        }
        (GraphFormat::Tree, GraphOutcome::Part(part)) => {
            ui.pages(tree::lines(graph, part, ui.columns()));
            summary(ui, inventory, graph, part);
        }
        (GraphFormat::Tree, GraphOutcome::Connection(path)) => ui.lines(tree::path(graph, path)),
    }
}

fn summary(ui: &Ui, inventory: &Inventory, graph: &DependencyGraph<'_>, part: &Subgraph<'_>) {
    let missing = part.nodes.iter().filter(|at| graph.node(**at).is_missing()).count();
    let services = part.nodes.iter().filter(|at| graph.node(**at).is_service).count();
    let mut facts = vec![plural(part.nodes.len() - missing - services, "component")];
    if services > 0 {
        facts.push(plural(services, "backing service"));
    }
    facts.push(plural_of_dependencies(part.edges.len()));
    if missing > 0 {
        facts.push(format!("{missing} missing in the inventory"));
    }
    if !part.cycles.is_empty() {
        facts.push(plural(part.cycles.len(), "cycle"));
    }
    let alone = if part.starts == 0 { tree::without_edges(part).len() } else { 0 };
    if alone > 0 {
        facts.push(format!("{alone} without dependencies not shown"));
    }
    let facts = facts.join(" · ");
    ui.status(&style::dim(&format!("{facts} · inventory: {}", safe_line(&inventory.label()))));
}

fn plural_of_dependencies(count: usize) -> String {
    crate::base::text::plural_of(count, "dependency", "dependencies")
}
