//! Bounds on what a deployment gives.

use super::error::finding;
use super::given::Given;
use crate::base::yaml::tree::Spot;
use crate::model::inventory::Finding;

/// No container has more variables.
const VARIABLES: usize = 5000;

/// Whether there are too many; the first that is left out is named.
pub(super) fn is_full(variables: &[Given], spot: &Spot, findings: &mut Vec<Finding>) -> bool {
    is_full_at(variables.len(), spot, findings)
}

/// Whether so many variables are too many; the first that is left out is named.
pub(super) fn is_full_at(count: usize, spot: &Spot, findings: &mut Vec<Finding>) -> bool {
    let full = count >= VARIABLES;
    let message = format!("there are more than {VARIABLES} variables, and the rest is left out");
    if full && findings.last().is_none_or(|last| last.message != message) {
        findings.push(finding(spot, message));
    }
    full
}
