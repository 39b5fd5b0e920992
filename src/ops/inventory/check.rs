//! `cki inventory check`: the findings of the inventory, or of some of its entries. The rules are in `model`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::base::text::{plural, truncate_middle};
use crate::base::yaml::Position;
use crate::model::inventory::check::{
    self, CheckFinding, CheckedInventory, FurtherFacts, LONGEST_MESSAGE, Rule,
};
use crate::model::inventory::{ChoiceError, Inventory, InventoryFault, InventorySources};
use crate::model::reference::Reference;
use crate::ops::inventory::drift::DriftCoverage;
use crate::ops::inventory::links::LinkReport;
use crate::ops::shared::inventory::LoadError;

/// An inventory that cannot be read, whose faults are reported as findings.
#[derive(Debug, thiserror::Error)]
#[error("the inventory cannot be read: {}", plural(*findings, "finding"))]
pub struct UnreadableInventory {
    /// Number of faults.
    pub findings: usize,
}

/// Returns the faults of an inventory that cannot be read as findings; none if the error is about no file.
#[must_use]
pub fn unreadable(error: &LoadError) -> Vec<CheckFinding> {
    let finding = |InventoryFault { file, position, message }: InventoryFault| CheckFinding {
        file,
        position: position.unwrap_or(Position { line: 1, column: 1 }),
        rule: Rule::InvalidFile,
        component: None,
        message: truncate_middle(&message, LONGEST_MESSAGE),
        fix: "mend the file; no other rule is checked before".to_owned(),
        repair: None,
        related: None,
    };
    let mut findings: Vec<CheckFinding> = error.faults().into_iter().map(finding).collect();
    findings.sort_by(|one, other| (&one.file, one.position).cmp(&(&other.file, other.position)));
    findings
}

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
    repository_of(inventory.layers.iter().rev().filter_map(|layer| layer.path.as_deref()))
}

/// Returns the working tree of git that holds the sources of an inventory, as [`CheckOutcome`] has it.
#[must_use]
pub fn repository_of_sources(sources: &InventorySources) -> Option<PathBuf> {
    let paths: Vec<&Path> = sources.paths().collect();
    repository_of(paths.into_iter().rev())
}

fn repository_of<'a>(paths: impl Iterator<Item = &'a Path>) -> Option<PathBuf> {
    let repository = paths.flat_map(Path::ancestors).find(|above| above.join(".git").exists());
    repository.map(Path::to_path_buf)
}
