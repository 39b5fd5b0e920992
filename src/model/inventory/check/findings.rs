//! The findings of a check while its rules run.

use super::finding::{CheckFinding, RelatedPlace};
use super::repair::Repair;
use super::rule::Rule;
use super::suggestions::Suggestions;
use crate::base::text;
use crate::base::yaml::Position;
use crate::base::yaml::edit::EditedPart;
use crate::base::yaml::tree::Location;
use crate::model::inventory::{Component, Inventory, SourceMap};

/// Maximum columns of a message: names in files may be of any length.
pub const LONGEST_MESSAGE: usize = 1000;

/// Findings so far.
pub(super) struct Findings<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) found: Vec<CheckFinding>,
    pub(super) suggestions: Suggestions<'a>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(inventory: &'a Inventory) -> Self {
        Self { inventory, found: Vec::new(), suggestions: Suggestions::default() }
    }

    /// Adds a finding about a part of an entry, such as `dependencies.0.target`, or about the entry.
    pub(super) fn of_entry(
        &mut self,
        rule: Rule,
        component: &Component,
        part: &str,
        (message, fix): (String, String),
    ) {
        self.add(rule, Some(component), &component.source_map, part, (message, fix));
    }

    /// Adds a finding about a part of the head.
    pub(super) fn of_head(&mut self, rule: Rule, part: &str, (message, fix): (String, String)) {
        self.add(rule, None, &self.inventory.source_map, part, (message, fix));
    }

    fn add(
        &mut self,
        rule: Rule,
        component: Option<&Component>,
        written: &SourceMap,
        part: &str,
        told: (String, String),
    ) {
        self.add_at(rule, component, written, &written.path(part), told);
    }

    /// Adds a finding about a place in a file that is no entry's.
    pub(super) fn add_in(&mut self, spot: &Location, rule: Rule, (message, fix): (String, String)) {
        self.found.push(CheckFinding {
            file: spot.file.to_string(),
            position: spot.position,
            rule,
            component: None,
            message: text::truncate_middle(&message, LONGEST_MESSAGE),
            fix,
            repair: None,
            related: None,
        });
    }

    /// Adds a finding about a part of a file, by its path from the top.
    pub(super) fn add_at(
        &mut self,
        rule: Rule,
        component: Option<&Component>,
        written: &SourceMap,
        path: &str,
        (message, fix): (String, String),
    ) {
        let location = written.location_of(path).or_else(|| written.location(""));
        let (file, position) = location.unwrap_or((written.file(), Position { line: 1, column: 1 }));
        self.found.push(CheckFinding {
            file: file.to_owned(),
            position,
            rule,
            component: component.map(|one| one.reference.clone()),
            message: text::truncate_middle(&message, LONGEST_MESSAGE),
            fix: text::truncate_middle(&fix, LONGEST_MESSAGE),
            repair: None,
            related: None,
        });
    }

    /// Adds the place in a clone of the last finding.
    pub(super) fn add_related(&mut self, related: Option<&RelatedPlace>) {
        if let Some(last) = self.found.last_mut() {
            last.related = related.cloned();
        }
    }

    /// Adds the repair of the last finding.
    pub(super) fn add_repair(&mut self, from: &str, to: Option<String>) {
        if let (Some(last), Some(to)) = (self.found.last_mut(), to) {
            let part = if last.rule == Rule::UnknownKey { EditedPart::Key } else { EditedPart::Value };
            last.repair = Some(Repair { part, from: from.to_owned(), to });
        }
    }
}
