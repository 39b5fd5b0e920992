//! Dependencies as a picture: a self-contained SVG that follows the colour scheme of its viewer.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::base::layered_layout::{BoxSize, Point, layered_layout};
use crate::base::text::{safe_line, truncate, width};
use crate::model::graph::{DependencyGraph, Subgraph};
use crate::model::inventory::Inventory;

/// Maximum number of nodes of a picture: nobody can read a larger one.
pub const MOST_NODES: usize = 1_000;
/// From this number of edges on, verbs are tooltips only.
const MANY_EDGES: usize = 80;
/// Maximum length of a name in a box, in characters.
const LONGEST: usize = 36;
/// Width of a character and height of a box, in pixels.
const CHARACTER: f64 = 7.6;
const HEIGHT: f64 = 30.0;
/// Colours of categories: hues in degrees that differ for most people with defective colour vision too.
const HUES: [u16; 8] = [210, 30, 140, 280, 0, 180, 55, 325];

const STYLE: &str = "
svg{font:13px system-ui,sans-serif;background:#fff;color:#1b1f24}
text{fill:currentColor}.line{fill:none;stroke:#8b949e;stroke-width:1.2}.tip{fill:#8b949e}
.verb{font-size:10.5px;fill:#57606a;paint-order:stroke;stroke:#fff;stroke-width:3px}
.guess{stroke-dasharray:5 4}.node rect{stroke-width:1.3}.missing rect{stroke-dasharray:5 4;fill:none;stroke:#8b949e}
.start rect{stroke-width:3}
@media(prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.verb{fill:#9ea7b3;stroke:#0d1117}
.line{stroke:#6e7681}.tip{fill:#6e7681}}
";

/// Draws a part of the graph of an inventory.
#[must_use]
pub fn svg(inventory: &Inventory, graph: &DependencyGraph<'_>, part: &Subgraph<'_>) -> String {
    let places: HashMap<usize, usize> =
        part.nodes.iter().enumerate().map(|(place, node)| (*node, place)).collect();
    let labels: Vec<String> = part.nodes.iter().map(|at| label(graph, *at)).collect();
    let longest = labels.iter().map(|label| width(label)).max().unwrap_or(1);
    let size =
        BoxSize { width: short(longest) * CHARACTER + 20.0, height: HEIGHT, gap: 16.0, layer_gap: 90.0 };
    let pairs: Vec<(usize, usize)> =
        part.edges.iter().map(|(from, to, _)| (places[from], places[to])).collect();
    let layout = layered_layout(part.nodes.len(), &pairs, size);
    let categories = Categories::new(inventory, graph, part);
    let (legend, legend_width) = categories.legend(layout.height + 12.0);
    let (width, height) = (layout.width.max(legend_width), layout.height + 34.0);
    let title = escaped(&format!("Dependencies: {}", inventory.title));
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title><style>{STYLE}{}</style>\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
        categories.style(),
    );
    let shows_verbs = part.edges.len() <= MANY_EDGES;
    for ((from, to, edge), line) in part.edges.iter().zip(&layout.lines) {
        let name = |at: &usize| graph.node(*at).reference.to_string();
        let title = escaped(&format!("{} {} {}", name(from), edge.verb, name(to)));
        let class = if edge.inferred { "line guess" } else { "line" };
        if line.is_empty() {
            continue;
        }
        let path = path(line);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#tip)\"><title>{title}</title></path>"
        );
        if shows_verbs {
            let (x, y) = ((line[0].0 + line[1].0) / 2.0, (line[0].1 + line[1].1) / 2.0 - 3.0);
            let verb = escaped(edge.verb);
            let _ = writeln!(
                text,
                "<text class=\"verb\" x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"middle\">{verb}</text>"
            );
        }
    }
    for (place, at) in part.nodes.iter().enumerate() {
        let node = graph.node(*at);
        let (x, y) = layout.boxes[place];
        let mut class = format!("node {}", categories.class(&node.reference.category));
        class += if node.component.is_none() { " missing" } else { "" };
        class += if place < part.starts { " start" } else { "" };
        let description = node.component.map_or("missing in the inventory", |one| {
            one.description.as_deref().unwrap_or_default().lines().next().unwrap_or_default()
        });
        let title = escaped(format!("{}\n{description}", node.reference).trim());
        let _ = writeln!(
            text,
            "<g class=\"{class}\"><title>{title}</title><rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{:.0}\" \
             height=\"{HEIGHT:.0}\" rx=\"5\"/><text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text></g>",
            size.width,
            x + size.width / 2.0,
            y + HEIGHT / 2.0 + 4.5,
            escaped(&labels[place]),
        );
    }
    text + &legend + "</svg>\n"
}

/// Returns the name in a box.
fn label(graph: &DependencyGraph<'_>, at: usize) -> String {
    truncate(&graph.node(at).reference.name, LONGEST)
}

fn short(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

/// Returns a smooth path through points: level where it passes a layer, curved between layers.
fn path(points: &[Point]) -> String {
    let mut path = format!("M{:.0} {:.0}", points[0].0, points[0].1);
    for pair in points.windows(2) {
        let ((x, y), (next_x, next_y)) = (pair[0], pair[1]);
        let middle = f64::midpoint(x, next_x);
        // Writing to a String cannot fail.
        let _ = write!(path, "C{middle:.0} {y:.0} {middle:.0} {next_y:.0} {next_x:.0} {next_y:.0}");
    }
    path
}

/// Categories in a picture, each with a colour.
struct Categories<'a> {
    /// Name and title.
    all: Vec<(&'a str, &'a str)>,
}

impl<'a> Categories<'a> {
    fn new(inventory: &'a Inventory, graph: &'a DependencyGraph<'_>, part: &Subgraph<'_>) -> Self {
        let mut used: Vec<&str> =
            part.nodes.iter().map(|at| graph.node(*at).reference.category.as_str()).collect();
        used.sort_unstable();
        used.dedup();
        let place = |id: &str| inventory.categories.iter().position(|one| one.id == id).unwrap_or(usize::MAX);
        used.sort_by_key(|id| place(id));
        let title = |id: &'a str| inventory.category(id).and_then(|one| one.title.as_deref()).unwrap_or(id);
        Self { all: used.into_iter().map(|id| (id, title(id))).collect() }
    }

    fn class(&self, id: &str) -> String {
        format!("c{}", self.all.iter().position(|(one, _)| *one == id).unwrap_or_default())
    }

    fn style(&self) -> String {
        let mut style = String::new();
        // Writing to a String cannot fail.
        for at in 0..self.all.len() {
            let hue = HUES[at % HUES.len()];
            let _ = write!(
                style,
                ".c{at} rect{{fill:hsl({hue} 70% 93%);stroke:hsl({hue} 55% 45%)}}\
                 @media(prefers-color-scheme:dark){{.c{at} rect{{fill:hsl({hue} 40% 18%);stroke:hsl({hue} 55% 60%)}}}}"
            );
        }
        style
    }

    /// Returns the legend at a height, and its width.
    fn legend(&self, y: f64) -> (String, f64) {
        let mut text = String::new();
        let mut x = 16.0;
        for (at, (_, title)) in self.all.iter().enumerate() {
            let title = truncate(&safe_line(title), LONGEST);
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "<g class=\"c{at}\"><rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"12\" height=\"12\" rx=\"2\"/>\
                 <text x=\"{:.0}\" y=\"{:.0}\">{}</text></g>",
                x + 18.0,
                y + 10.5,
                escaped(&title)
            );
            x += short(width(&title)) * CHARACTER + 36.0;
        }
        (text, x)
    }
}

/// Returns a text as the content of an element or an attribute of XML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for line in text.split('\n') {
        for character in safe_line(line).chars() {
            match character {
                '<' => escaped += "&lt;",
                '>' => escaped += "&gt;",
                '&' => escaped += "&amp;",
                '"' => escaped += "&quot;",
                _ => escaped.push(character),
            }
        }
        escaped.push('\n');
    }
    escaped.pop();
    escaped
}
