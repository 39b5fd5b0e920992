//! The colours of categories in a picture of dependencies.

use std::fmt::Write as _;

use super::measure::{CHARACTER, LONGEST, short};
use crate::base::template::html::escape_markup;
use crate::base::text::{safe_line, truncate, width};
use crate::model::graph::{DependencyGraph, Subgraph};
use crate::model::inventory::Inventory;

/// Colours of categories: hues in degrees that differ for most people with defective colour vision too.
const HUES: [u16; 8] = [210, 30, 140, 280, 0, 180, 55, 325];

/// Returns the class of a category, which has the same colour in all pictures of an inventory: `c0` to `c7`.
#[must_use]
pub fn category_class(inventory: &Inventory, id: &str) -> String {
    let place = inventory.category_place(id).unwrap_or(inventory.categories.len());
    format!("c{}", place % HUES.len())
}

/// Categories in a picture, each with a colour.
pub(super) struct Categories<'a> {
    /// Name and title.
    all: Vec<(&'a str, &'a str)>,
}

impl<'a> Categories<'a> {
    pub(super) fn new(inventory: &'a Inventory, graph: &'a DependencyGraph<'_>, part: &Subgraph<'_>) -> Self {
        let mut used: Vec<&str> =
            part.nodes.iter().map(|at| graph.node(*at).reference.category.as_str()).collect();
        used.sort_unstable();
        used.dedup();
        let place = |id: &str| inventory.categories.iter().position(|one| one.id == id).unwrap_or(usize::MAX);
        used.sort_by_key(|id| place(id));
        let title = |id: &'a str| inventory.category(id).and_then(|one| one.title.as_deref()).unwrap_or(id);
        Self { all: used.into_iter().map(|id| (id, title(id))).collect() }
    }

    pub(super) fn class(&self, id: &str) -> String {
        format!("c{}", self.all.iter().position(|(one, _)| *one == id).unwrap_or_default())
    }

    pub(super) fn style(&self) -> String {
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
    pub(super) fn legend(&self, y: f64) -> (String, f64) {
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
                escape_markup(&title)
            );
            x += short(width(&title)) * CHARACTER + 36.0;
        }
        (text, x)
    }
}
