//! `cki inventory check`: the findings of the inventory, or of some of its entries. The rules are in `model`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::model::inventory::check::{self, CheckedInventory, FurtherFacts};
use crate::model::inventory::{ChoiceError, Inventory};
use crate::model::reference::Reference;
use crate::ops::inventory::drift::DriftCoverage;
use crate::ops::inventory::links::LinkReport;

/// Result of a check.
#[derive(Debug)]
pub struct CheckOutcome {
    /// Findings and silenced findings.
    pub checked: CheckedInventory,
    /// Number of checked entries.
    pub entries: usize,
    /// The working tree of git that holds the inventory.
    pub repository: Option<PathBuf>,
    /// State of the targets of links, if they were checked.
    pub links: Option<LinkReport>,
    /// Coverage of the comparison with clones, if one was asked for.
    pub drift: Option<DriftCoverage>,
}

/// Checks the whole inventory, or the entries that words choose.
///
/// # Errors
/// Fails when a name is unknown or ambiguous, or the selectors match nothing.
pub fn check(inventory: &Inventory, words: &[String]) -> Result<CheckOutcome, ChoiceError> {
    check_with(inventory, words, FurtherFacts::default())
}

/// Checks as [`check()`] does, with facts from outside of the inventory.
///
/// # Errors
/// As [`check()`].
pub fn check_with(
    inventory: &Inventory,
    words: &[String],
    further: FurtherFacts<'_>,
) -> Result<CheckOutcome, ChoiceError> {
    let chosen = inventory.choose(words)?;
    let mut checked = check::check_with(inventory, further);
    let mut entries = inventory.components.len();
    if !words.is_empty() {
        let chosen: HashSet<&Reference> = chosen.iter().map(|one| &one.reference).collect();
        entries = chosen.len();
        checked.retain(|reference| chosen.contains(reference));
    }
    Ok(CheckOutcome { checked, entries, repository: repository(inventory), links: None, drift: None })
}

/// Returns the working tree of git that holds an inventory; of several layers, the uppermost one is the user's own.
pub(super) fn repository(inventory: &Inventory) -> Option<PathBuf> {
    let paths = inventory.layers.iter().rev().filter_map(|layer| layer.path.as_deref());
    let repository = paths.flat_map(Path::ancestors).find(|above| above.join(".git").exists());
    repository.map(Path::to_path_buf)
}
