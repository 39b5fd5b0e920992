//! Limits on the variables of a container. Limits on files belong in `files`.

use std::collections::HashMap;

use super::error::finding;
use super::expansion::Segment;
use super::given::EnvEntry;
use crate::base::yaml::tree::Location;
use crate::model::environment::LONGEST_VALUE;
use crate::model::inventory::InventoryFinding;

/// Maximum number of variables of a container.
const VARIABLES: usize = 5000;

/// Returns whether the limit is reached, and adds a finding about the first omitted variable.
pub(super) fn is_full(variables: &[EnvEntry], spot: &Location, findings: &mut Vec<InventoryFinding>) -> bool {
    is_full_at(variables.len(), spot, findings)
}

/// Returns whether a count of variables is at the limit, and adds a finding about the first omitted
/// variable.
pub(super) fn is_full_at(count: usize, spot: &Location, findings: &mut Vec<InventoryFinding>) -> bool {
    let full = count >= VARIABLES;
    let message = format!("there are more than {VARIABLES} variables, and the rest is left out");
    if full && findings.last().is_none_or(|last| last.message != message) {
        findings.push(finding(spot, message));
    }
    full
}

/// Maximum bytes of all values and words of a container that are made of variables. Linux starts no program with longer
/// variables and arguments.
const EXPANDED: usize = 2 << 20;

/// Lengths of a container's variables, and the bytes that are left for those made of others: each may double the one before.
#[derive(Debug)]
pub(super) struct ExpansionLimit {
    lengths: HashMap<String, usize>,
    left: usize,
}

impl Default for ExpansionLimit {
    fn default() -> Self {
        Self { lengths: HashMap::new(), left: EXPANDED }
    }
}

impl ExpansionLimit {
    /// Records a variable.
    pub(super) fn define(&mut self, name: &str, pieces: &[Segment]) {
        self.lengths.insert(name.to_owned(), self.length(pieces));
    }

    /// Returns whether there is room for the text of these pieces. Adds a finding if there is none.
    pub(super) fn admits(
        &mut self,
        pieces: &[Segment],
        (what, spot): (&str, &Location),
        findings: &mut Vec<InventoryFinding>,
    ) -> bool {
        // A longer value is never put together.
        let length = Some(self.length(pieces)).filter(|length| *length <= LONGEST_VALUE).unwrap_or(0);
        if !pieces.iter().any(|piece| matches!(piece, Segment::Variable(_))) {
            return true;
        }
        let is_admitted = length <= self.left;
        if is_admitted {
            self.left -= length;
        } else {
            let message = format!(
                "{what} is not expanded: all texts that are made of variables are longer than {} MiB together",
                EXPANDED >> 20
            );
            findings.push(finding(spot, message));
        }
        is_admitted
    }

    fn length(&self, pieces: &[Segment]) -> usize {
        let length = |piece: &Segment| match piece {
            Segment::Text(text) => text.len(),
            Segment::Variable(name) => match self.lengths.get(name) {
                Some(length) if *length <= LONGEST_VALUE => *length,
                _ => name.len() + 3,
            },
        };
        pieces.iter().map(length).fold(0, usize::saturating_add)
    }
}
