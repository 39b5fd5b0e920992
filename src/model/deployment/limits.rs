//! Limits on the variables of a container. Limits on files belong in `files`.

use super::error::finding;
use super::given::Given;
use crate::base::yaml::tree::Spot;
use crate::model::inventory::Finding;

/// Maximum number of variables of a container.
const VARIABLES: usize = 5000;

/// Returns whether the limit is reached, and adds a finding about the first omitted variable.
pub(super) fn is_full(variables: &[Given], spot: &Spot, findings: &mut Vec<Finding>) -> bool {
    is_full_at(variables.len(), spot, findings)
}

/// Returns whether a count of variables is at the limit, and adds a finding about the first omitted
/// variable.
pub(super) fn is_full_at(count: usize, spot: &Spot, findings: &mut Vec<Finding>) -> bool {
    let full = count >= VARIABLES;
    let message = format!("there are more than {VARIABLES} variables, and the rest is left out");
    if full && findings.last().is_none_or(|last| last.message != message) {
        findings.push(finding(spot, message));
    }
    full
}
