//! The pictures of a component's page: its dependencies and its dependents, as far as they are readable.

use super::pages::Site;
use crate::base::template::html::Markup;
use crate::model::graph::{Direction, NeighbourhoodLimit};
use crate::report::graph::{EmbeddedForm, embedded_svg};

/// Size of a picture that is readable at once, and quick to draw.
const LIMIT: NeighbourhoodLimit = NeighbourhoodLimit { nodes: 24, edges: 60 };

/// A picture, with what it leaves out.
#[derive(serde::Serialize)]
pub(super) struct PictureView {
    svg: Markup,
    /// There are more levels of dependencies.
    is_cut: bool,
}

impl Site<'_> {
    /// Draws the surroundings of a component; `None` without any, or with too many direct neighbours.
    pub(super) fn picture(&self, at: usize, direction: Direction, root: &str) -> Option<PictureView> {
        let found = self.content.graph.neighbourhood(at, direction, LIMIT);
        if found.part.nodes.len() < 2 {
            return None;
        }
        let name = &self.content.components()[at].reference;
        let (id, title) = match direction {
            Direction::Dependencies => ("needs", format!("Dependencies of {name}")),
            Direction::Dependents => ("users", format!("Dependents of {name}")),
        };
        let form = EmbeddedForm {
            id,
            title: &title,
            root,
            links: &self.frame.links,
            has_facts: false,
            cleaner: self.cleaner,
        };
        let svg = embedded_svg(self.content.inventory, &self.content.graph, &found.part, &form);
        Some(PictureView { svg: Markup(svg), is_cut: found.is_cut })
    }
}
