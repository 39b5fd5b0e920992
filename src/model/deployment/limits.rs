//! Limits on the variables of a container. Limits on files belong in `files`.

use super::error::finding;
use super::given::EnvEntry;
use crate::base::yaml::tree::Location;
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
