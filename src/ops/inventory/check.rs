//! `cki inventory check`: the findings of the inventory, or of some of its entries. The rules are in `model`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::drift::{DriftCoverage, DriftRequest, read_clones};
use crate::base::assets::Assets;
use crate::host::Env;
use crate::model::event::Events;
use crate::model::inventory::check::drift::DriftFacts;
use crate::model::inventory::check::{self, CheckedInventory, FurtherFacts};
use crate::model::inventory::{ChoiceError, Inventory};
use crate::model::reference::Reference;
use crate::ops::inventory::links::LinkReport;
use crate::ops::shared::workspace::Workspace;

/// Result of a check.
#[derive(Debug)]
pub struct CheckOutcome {
    /// Findings and silenced findings.
    pub checked: CheckedInventory,
    /// Number of checked entries.
    pub entries: usize,
    /// Coverage of the comparison with clones, if one was asked for.
    pub drift: Option<DriftCoverage>,
    /// The working tree of git that holds the inventory.
    pub repository: Option<PathBuf>,
    /// State of the targets of links, if they were checked.
    pub links: Option<LinkReport>,
}

/// Checks the whole inventory, or the entries that words choose, with facts from outside of the inventory.
///
/// # Errors
/// Fails when a name is unknown or ambiguous, or the selectors match nothing.
pub fn check(
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
    Ok(CheckOutcome { checked, entries, drift: None, repository: repository(inventory), links: None })
}

/// Compares the entries that words choose with the local clones of their repositories, for [`check`].
///
/// # Errors
/// Fails as [`check`] does, and if rules or templates cannot be read.
pub fn read_drift(
    inventory: &Inventory,
    words: &[String],
    place: &ClonePlace<'_>,
    events: &Events,
) -> anyhow::Result<(DriftFacts, DriftCoverage)> {
    // No words choose nothing, and check everything.
    let chosen = match words.is_empty() {
        true => inventory.components.iter().collect(),
        false => inventory.choose(words)?,
    };
    inventory.read_details();
    let ClonePlace { workspace, assets, env } = *place;
    let request = DriftRequest { inventory, chosen: &chosen, workspace, assets, env };
    let task = events.start("drift", "comparing entries with clones");
    let read = read_clones(&request, &task);
    task.dismiss();
    read
}

/// The clones of this machine, and what it takes to read them.
#[derive(Debug, Clone, Copy)]
pub struct ClonePlace<'a> {
    /// The directory of clones, and the user's working trees.
    pub workspace: &'a Workspace,
    /// The templates.
    pub assets: &'a Assets,
    /// The environment of `cki`.
    pub env: &'a Env,
}

/// Returns the working tree of git that holds an inventory; of several layers, the uppermost one is the user's own.
pub(super) fn repository(inventory: &Inventory) -> Option<PathBuf> {
    let paths = inventory.layers.iter().rev().filter_map(|layer| layer.path.as_deref());
    let repository = paths.flat_map(Path::ancestors).find(|above| above.join(".git").exists());
    repository.map(Path::to_path_buf)
}
