//! Captured nodes and settings of one match of a query. Their meaning belongs in `source_notes`.

use tree_sitter::Node;

use super::syntax;

/// One match.
pub(super) struct Captures<'q, 't> {
    pub(super) nodes: Vec<(&'q str, Node<'t>)>,
    pub(super) settings: Vec<(&'q str, &'q str)>,
    pub(super) text: &'q str,
}

impl<'q, 't> Captures<'q, 't> {
    pub(super) fn node(&self, name: &str) -> Option<Node<'t>> {
        self.nodes.iter().find(|(other, _)| *other == name).map(|(_, node)| *node)
    }

    pub(super) fn text(&self, name: &str) -> Option<&'q str> {
        self.text.get(self.node(name)?.byte_range())
    }

    pub(super) fn path(&self, name: &str) -> Option<String> {
        syntax::path(self.node(name)?, self.text)
    }

    pub(super) fn setting(&self, name: &str) -> Option<&'q str> {
        self.settings.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.setting(name).is_some()
    }
}
