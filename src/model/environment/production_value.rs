//! The value of a variable in production. Its masking belongs in `secret_detection`.

use crate::base::secret::Secret;
use crate::model::deployment::expansion::{Segment, render};

/// A variable in production, as far as the deployment tells.
#[derive(Debug, Clone)]
pub struct ProductionInfo {
    /// Value, or the known facts about it.
    pub value: ProductionValue,
    /// Position: `file:line`.
    pub place: String,
    /// Marks a value that must be masked, independent of the local value.
    pub secret: bool,
}

/// A value in production.
#[derive(Debug, Clone)]
pub enum ProductionValue {
    /// Value in the deployment.
    Written(Secret),
    /// Reason for which the value is not readable, in a few words: `Secret login, key token`.
    Elsewhere(String),
}

/// Maximum length of a variable on Linux in bytes.
pub(crate) const LONGEST: usize = 128 << 10;

/// Joins pieces, unless the result is longer than a value can be.
pub(super) fn expanded<'a>(pieces: &[Segment], value: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    let length = |piece: &Segment| match piece {
        Segment::Text(text) => text.len(),
        Segment::Variable(name) => value(name).map_or(name.len() + 3, str::len),
    };
    let total = pieces.iter().map(length).fold(0_usize, usize::saturating_add);
    (total <= LONGEST).then(|| render(pieces, value))
}
