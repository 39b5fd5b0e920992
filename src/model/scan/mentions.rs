//! Mentions of the environment that no rule explains, such as a function that gets `os.environ` in a list: each is
//! reported, so that no read is missed in silence. Reads that rules explain belong in `analysis`.

use std::collections::HashMap;
use std::ops::Range;

use tree_sitter::Node;

use super::analysis::SourceReader;
use super::capture_sites::{CaptureSite, PlaceKind};
use super::rules::by_end;
use super::syntax;

impl<'t> SourceReader<'_, 't> {
    /// Returns whether an expression is the environment, or a function that reads it.
    pub(super) fn is_watched(&self, node: Node<'_>) -> bool {
        syntax::path(node, self.text).is_some_and(|path| self.is_watched_path(&path))
    }

    fn is_watched_path(&self, path: &str) -> bool {
        self.meanings(path).iter().any(|path| by_end(&self.language.watched, path).is_some())
    }

    /// Returns the part of a place that the rules explain.
    fn explained(&self, place: &CaptureSite<'t>) -> Option<Range<usize>> {
        match &place.kind {
            PlaceKind::Call { function, .. } => {
                let path = syntax::path(*function, self.text)?;
                self.getter(&path).is_some().then(|| function.byte_range())
            }
            PlaceKind::Entry { object, .. } => self.is_table(*object).then(|| object.byte_range()),
            PlaceKind::Whole(node) => Some(node.byte_range()),
            PlaceKind::Tag => None,
        }
    }

    /// Reports the mentions outside of the places that the rules explain.
    pub(super) fn take_mentions(&mut self, places: &[CaptureSite<'t>]) {
        let mentions = std::mem::take(&mut self.notes.mentions);
        let mut known: HashMap<&str, bool> = HashMap::new();
        let text = self.text;
        let watched: Vec<Node<'t>> = mentions
            .into_iter()
            .filter(|node| {
                let written = &text[node.byte_range()];
                *known.entry(written).or_insert_with(|| self.is_watched(*node))
            })
            .collect();
        if watched.is_empty() {
            return;
        }
        let mut explained = std::mem::take(&mut self.notes.passed);
        explained.extend(places.iter().filter_map(|place| self.explained(place)));
        let explained = joined(explained);
        let mut unexplained: Vec<Node<'t>> = watched
            .into_iter()
            .filter(|node| !self.notes.tested.contains(&node.id()) && !covers(&explained, &node.byte_range()))
            .collect();
        // The longest of nested mentions comes first.
        unexplained.sort_by_key(|node| (node.start_byte(), std::cmp::Reverse(node.end_byte())));
        let mut end = 0;
        for node in unexplained {
            if node.start_byte() >= end {
                end = node.end_byte();
                self.add_unknown(node);
            }
        }
    }
}

/// Sorts ranges and joins those that overlap.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Returns whether one of the sorted ranges contains another.
fn covers(ranges: &[Range<usize>], inner: &Range<usize>) -> bool {
    let after = ranges.partition_point(|range| range.start <= inner.start);
    after.checked_sub(1).is_some_and(|at| ranges[at].end >= inner.end)
}
