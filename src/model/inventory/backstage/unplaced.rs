//! Parts of a catalog that the inventory has no place for.

use crate::base::yaml::tree::Location;

/// Part of a catalog that the inventory has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnplacedPart {
    /// Position.
    pub spot: Location,
    /// Description of the part, as a sentence without its period.
    pub message: String,
}
