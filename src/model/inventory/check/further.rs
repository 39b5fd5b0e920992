//! Facts that some rules compare the inventory with. Gathering them belongs in `ops`.

use super::drift::DriftFacts;
use super::links::LinkFault;
use crate::model::guard::Credentials;

/// Facts from outside of the inventory. Without them, the rules about them are not applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct FurtherFacts<'a> {
    /// Faults of its links.
    pub links: Option<&'a [LinkFault<'a>]>,
    /// Forms of real credentials.
    pub credentials: Option<&'a Credentials>,
    /// Facts of local clones.
    pub drift: Option<&'a DriftFacts>,
}
