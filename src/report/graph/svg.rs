//! Dependencies as a picture: a self-contained SVG that follows the colour scheme of its viewer, or a part of a page.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::categories::{Categories, category_class};
use super::measure::{CHARACTER, LONGEST, short};
use crate::base::layered_layout::{BoxSize, LayeredLayout, Point, layered_layout};
use crate::base::template::html::{TextCleaner, escape_markup};
use crate::base::text::{safe_line, truncate, width};
use crate::model::graph::{DependencyGraph, Subgraph};
use crate::model::inventory::Inventory;

/// Maximum number of nodes of a picture: nobody can read a larger one.
pub const MOST_NODES: usize = 1_000;
/// From this number of edges on, verbs are tooltips only.
const MANY_EDGES: usize = 80;
/// Height of a box, in pixels.
const HEIGHT: f64 = 30.0;
const STYLE: &str = "
svg{font:13px system-ui,sans-serif;background:#fff;color:#1b1f24}
text{fill:currentColor}.line{fill:none;stroke:#8b949e;stroke-width:1.2}.tip{fill:#8b949e}
.verb{font-size:10.5px;fill:#57606a;paint-order:stroke;stroke:#fff;stroke-width:3px}
.guess{stroke-dasharray:5 4}.node rect{stroke-width:1.3}.missing rect{stroke-dasharray:5 4;fill:none;stroke:#8b949e}
.start rect{stroke-width:3}
@media(prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.verb{fill:#9ea7b3;stroke:#0d1117}
.line{stroke:#6e7681}.tip{fill:#6e7681}}
";

/// Form of a picture within a page, whose style sheet has its style.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedForm<'f> {
    /// ID of the picture in the page.
    pub id: &'f str,
    /// Title.
    pub title: &'f str,
    /// Way from the page to the top of the site: `../`.
    pub root: &'f str,
    /// Link of each node from the top of the site; `None` for a node without a page.
    pub links: &'f [Option<String>],
    /// Writes the facts by which a script filters the nodes.
    pub has_facts: bool,
    /// Makes texts safe to show.
    pub cleaner: &'f TextCleaner,
}

/// Draws a part of the graph of an inventory, as a file of its own.
#[must_use]
pub fn svg(inventory: &Inventory, graph: &DependencyGraph<'_>, part: &Subgraph<'_>) -> String {
    let picture = Picture::new(graph, part, None);
    let categories = Categories::new(inventory, graph, part);
    let (legend, legend_width) = categories.legend(picture.layout.height + 12.0);
    let (width, height) = (picture.layout.width.max(legend_width), picture.layout.height + 34.0);
    let title = picture.escaped(&format!("Dependencies: {}", inventory.title));
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title><style>{STYLE}{}</style>",
        categories.style(),
    );
    head + &picture.body(&|category| categories.class(category)) + &legend + "</svg>\n"
}

/// Draws a part of the graph of an inventory for a page: its nodes are links, and its colours are those of
/// [`category_class`].
#[must_use]
pub fn embedded_svg(
    inventory: &Inventory,
    graph: &DependencyGraph<'_>,
    part: &Subgraph<'_>,
    form: &EmbeddedForm<'_>,
) -> String {
    let picture = Picture::new(graph, part, Some(form));
    let LayeredLayout { width, height, .. } = picture.layout;
    let title = picture.escaped(form.title);
    let head = format!(
        "<svg id=\"{}\" class=\"graph\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         role=\"group\" aria-label=\"{title}\">",
        form.id
    );
    head + &picture.body(&|category| category_class(inventory, category)) + "</svg>\n"
}

/// A picture that is being drawn.
struct Picture<'a> {
    graph: &'a DependencyGraph<'a>,
    part: &'a Subgraph<'a>,
    form: Option<&'a EmbeddedForm<'a>>,
    size: BoxSize,
    layout: LayeredLayout,
}

impl<'a> Picture<'a> {
    fn new(
        graph: &'a DependencyGraph<'a>,
        part: &'a Subgraph<'a>,
        form: Option<&'a EmbeddedForm<'a>>,
    ) -> Self {
        let places: HashMap<usize, usize> =
            part.nodes.iter().enumerate().map(|(place, node)| (*node, place)).collect();
        let longest = part.nodes.iter().map(|at| width(&label(graph, *at))).max().unwrap_or(1);
        let size =
            BoxSize { width: short(longest) * CHARACTER + 20.0, height: HEIGHT, gap: 16.0, layer_gap: 90.0 };
        let pairs: Vec<(usize, usize)> =
            part.edges.iter().map(|(from, to, _)| (places[from], places[to])).collect();
        let layout = layered_layout(part.nodes.len(), &pairs, size);
        Self { graph, part, form, size, layout }
    }

    fn escaped(&self, text: &str) -> String {
        match self.form {
            Some(form) => form.cleaner.escaped(text),
            None => escape_markup(&text.split('\n').map(safe_line).collect::<Vec<_>>().join("\n")),
        }
    }

    /// Returns the tip of lines, the lines and the boxes. `class` is the class of a category.
    fn body(&self, class: &dyn Fn(&str) -> String) -> String {
        let id = self.form.map_or_else(|| "tip".to_owned(), |form| format!("{}-tip", form.id));
        let mut text = format!(
            "<defs><marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n"
        );
        // Inherited by all lines.
        let _ = writeln!(text, "<g marker-end=\"url(#{id})\">");
        for (at, line) in self.layout.lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
            self.line(&mut text, at, line);
        }
        text += "</g>\n";
        for place in 0..self.part.nodes.len() {
            self.node(&mut text, place, class);
        }
        text
    }

    fn line(&self, text: &mut String, at: usize, line: &[Point]) {
        let (from, to, edge) = &self.part.edges[at];
        let name = |at: &usize| self.graph.node(*at).name();
        let title = self.escaped(&format!("{} {} {}", name(from), edge.verb, name(to)));
        let class = if edge.inferred { "line guess" } else { "line" };
        let has_facts = self.form.is_some_and(|form| form.has_facts);
        let facts = if has_facts { format!(" data-ends=\"{from} {to}\"") } else { String::new() };
        let path = path(line);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "<path class=\"{class}\"{facts} d=\"{path}\"><title>{title}</title></path>");
        if self.part.edges.len() <= MANY_EDGES {
            let (x, y) = ((line[0].0 + line[1].0) / 2.0, (line[0].1 + line[1].1) / 2.0 - 3.0);
            let verb = self.escaped(edge.verb);
            let _ = writeln!(
                text,
                "<text class=\"verb\"{facts} x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"middle\">{verb}</text>"
            );
        }
    }

    fn node(&self, text: &mut String, place: usize, class: &dyn Fn(&str) -> String) {
        let at = self.part.nodes[place];
        let node = self.graph.node(at);
        let (x, y) = self.layout.boxes[place];
        let mut class = format!("node {}", class(&node.reference.category));
        class += if node.is_missing() { " missing" } else { "" };
        class += if place < self.part.starts { " start" } else { "" };
        let description = match node.component {
            Some(one) => one.description.as_deref().unwrap_or_default().lines().next().unwrap_or_default(),
            None if node.is_service => "backing service",
            None => "missing in the inventory",
        };
        let title = self.escaped(format!("{}\n{description}", node.name()).trim());
        let (element, link) = self.element(at);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<{element}{link} class=\"{class}\"><title>{title}</title><rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{:.0}\" \
             height=\"{HEIGHT:.0}\" rx=\"5\"/><text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text></{element}>",
            self.size.width,
            x + self.size.width / 2.0,
            y + HEIGHT / 2.0 + 4.5,
            self.escaped(&label(self.graph, at)),
        );
    }

    /// Returns the element of a node, and its attributes.
    fn element(&self, at: usize) -> (&'static str, String) {
        let Some(form) = self.form else { return ("g", String::new()) };
        let node = self.graph.node(at);
        let facts = match node.component.filter(|_| form.has_facts) {
            Some(component) => format!(
                " data-node=\"{at}\" data-kind=\"{}\" data-category=\"{}\" data-owner=\"{}\"",
                self.escaped(component.kind.as_deref().unwrap_or_default()),
                self.escaped(&node.reference.category),
                self.escaped(&component.people.join("\n")),
            ),
            None if form.has_facts => {
                format!(" data-node=\"{at}\" data-category=\"{}\"", self.escaped(&node.reference.category))
            }
            None => String::new(),
        };
        match form.links.get(at).and_then(Option::as_ref) {
            // The name alone, so that the link is called as it looks; the title tells the rest.
            Some(link) => {
                let name = self.escaped(&node.name());
                ("a", format!(" href=\"{}{}\" aria-label=\"{name}\"{facts}", form.root, self.escaped(link)))
            }
            None => ("g", facts),
        }
    }
}

/// Returns the name in a box.
fn label(graph: &DependencyGraph<'_>, at: usize) -> String {
    truncate(&graph.node(at).reference.name, LONGEST)
}

/// Returns a smooth path through points: level where it passes a layer, curved between layers.
fn path(points: &[Point]) -> String {
    // Steps are relative to rounded places, so that rounding does not add up, and numbers are short.
    let places: Vec<(i64, i64)> = points.iter().map(|(x, y)| (rounded(*x), rounded(*y))).collect();
    let mut path = format!("M{} {}", places[0].0, places[0].1);
    let mut flat = 0;
    // Writing to a String cannot fail.
    for pair in places.windows(2) {
        let (step, rise) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        if rise == 0 {
            flat += step;
            continue;
        }
        if flat != 0 {
            let _ = write!(path, "h{}", std::mem::take(&mut flat));
        }
        let middle = step / 2;
        let _ = write!(path, "c{middle} 0 {middle} {rise} {step} {rise}");
    }
    if flat != 0 {
        let _ = write!(path, "h{flat}");
    }
    path
}

#[expect(clippy::cast_possible_truncation, reason = "a picture has no coordinates of that size")]
fn rounded(number: f64) -> i64 {
    number.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_level_in_one_step_and_curved_between_layers() {
        let line = [(0.0, 0.4), (90.0, 50.0), (180.0, 50.2), (270.0, 49.8), (360.0, 0.0)];
        assert_eq!(path(&line), "M0 0c45 0 45 50 90 50h180c45 0 45 -50 90 -50");
        assert_eq!(path(&line[1..3]), "M90 50h90");
    }
}
