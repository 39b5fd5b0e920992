//! Findings of a check. Their display belongs in `report`.

use super::repair::Repair;
use super::rule::Rule;
use crate::base::yaml::Position;
use crate::model::reference::Reference;

/// A place outside of the inventory that a finding is about, too: a line of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedPlace {
    /// File.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

/// A breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFinding {
    /// File.
    pub file: String,
    /// Position in the file; the beginning, if the finding is about a whole file.
    pub position: Position,
    /// Rule.
    pub rule: Rule,
    /// Entry; `None` for the head and for files that are not read.
    pub component: Option<Reference>,
    /// Description of the fault, without a final period.
    pub message: String,
    /// Repair, as an imperative without a final period.
    pub fix: String,
    /// The same repair for a program, if no other one can be meant.
    pub repair: Option<Repair>,
    /// Place in a clone that contradicts the inventory.
    pub related: Option<RelatedPlace>,
}

/// A finding that an `ignore` silences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilencedFinding {
    /// The finding.
    pub finding: CheckFinding,
    /// Reason in the `ignore`.
    pub reason: String,
}

/// Result of a check, sorted by place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedInventory {
    /// Findings.
    pub findings: Vec<CheckFinding>,
    /// Silenced findings.
    pub silenced: Vec<SilencedFinding>,
}

impl CheckedInventory {
    /// Keeps the findings of some entries.
    pub fn retain(&mut self, is_wanted: impl Fn(&Reference) -> bool) {
        let is_wanted = |finding: &CheckFinding| finding.component.as_ref().is_some_and(&is_wanted);
        self.findings.retain(is_wanted);
        self.silenced.retain(|one| is_wanted(&one.finding));
    }
}
