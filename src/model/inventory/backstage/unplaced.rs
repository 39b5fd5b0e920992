//! Parts of a source that do not become part of an entry, and that only the check reports.

use crate::base::yaml::tree::Location;

/// Part of a source that does not become part of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnplacedPart {
    /// Position.
    pub spot: Location,
    /// Description of the part, as a sentence without its period.
    pub message: String,
    /// Reason.
    pub kind: UnplacedKind,
}

/// Reason why a part of a source does not become part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnplacedKind {
    /// The inventory has no place for it.
    NoPlace,
    /// Backstage would refuse it.
    Fault,
    /// It removes something that lower layers do not have.
    VoidRemoval,
}

impl UnplacedKind {
    /// All kinds; the cache stores their places.
    pub const ALL: [Self; 3] = [Self::NoPlace, Self::Fault, Self::VoidRemoval];
}

impl UnplacedPart {
    /// Creates a part that the inventory has no place for.
    #[must_use]
    pub fn new(spot: Location, message: String) -> Self {
        Self { spot, message, kind: UnplacedKind::NoPlace }
    }

    /// Creates a part that Backstage would refuse.
    #[must_use]
    pub fn fault(spot: Location, message: String) -> Self {
        Self { spot, message, kind: UnplacedKind::Fault }
    }
}
