//! The value that a variable has in production.

use crate::base::secret::Secret;
use crate::model::deployment::expansion::{Piece, joined};

/// What a variable is in production, as far as the deployment says.
#[derive(Debug, Clone)]
pub struct InProduction {
    /// The value, or what is known of it.
    pub value: ProductionValue,
    /// Where it is written: `file:line`.
    pub place: String,
    /// Whether it must not be shown, whatever the local value is.
    pub secret: bool,
}

/// A value in production.
#[derive(Debug, Clone)]
pub enum ProductionValue {
    /// Written in the deployment.
    Written(Secret),
    /// Not there to be read, in a few words: `Secret login, key token`.
    Elsewhere(String),
}

/// The system takes no longer values.
pub(super) const LONGEST: usize = 128 << 10;

/// The pieces put together, unless that is longer than a value can be.
pub(super) fn expanded<'a>(pieces: &[Piece], value: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    let length = |piece: &Piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Variable(name) => value(name).map_or(name.len() + 3, str::len),
    };
    let total = pieces.iter().map(length).fold(0_usize, usize::saturating_add);
    (total <= LONGEST).then(|| joined(pieces, value))
}
