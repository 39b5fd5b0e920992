//! The check of an inventory: rules that its files should keep, each finding with its place and its repair. It reads
//! the loaded inventory, and what `ops` finds in clones and behind links; what makes an inventory unusable is an error
//! of `read`.

mod cycles;
pub mod drift;
mod duplicates;
mod facts;
mod finding;
mod findings;
mod further;
mod links;
mod loading;
mod names;
mod references;
mod repair;
mod repositories;
mod rule;
mod secrets;
mod silence;
mod suggestions;
#[cfg(test)]
mod tests;

use super::Inventory;
pub use finding::{CheckFinding, CheckedInventory, RelatedPlace, SilencedFinding};
use findings::Findings;
pub use findings::LONGEST_MESSAGE;
pub use further::FurtherFacts;
pub use links::{LinkFault, LinkFaultKind};
pub use repair::Repair;
pub use rule::Rule;

/// Checks all entries and the head, in time proportional to their number. Findings are sorted by place.
#[must_use]
pub fn check(inventory: &Inventory) -> CheckedInventory {
    check_with(inventory, FurtherFacts::default())
}

/// Checks all entries and the head, and compares them with further facts.
#[must_use]
pub fn check_with(inventory: &Inventory, further: FurtherFacts<'_>) -> CheckedInventory {
    inventory.read_details();
    let mut findings = Findings::new(inventory);
    loading::check(&mut findings);
    references::check(&mut findings);
    cycles::check(&mut findings);
    facts::check(&mut findings);
    names::check(&mut findings);
    duplicates::check(&mut findings);
    repositories::check(&mut findings);
    if let Some(credentials) = further.credentials {
        secrets::check(&mut findings, credentials);
    }
    if let Some(faults) = further.links {
        links::check(&mut findings, faults);
    }
    if let Some(facts) = further.drift {
        drift::check(&mut findings, facts);
    }
    silence::apply(findings, further)
}
