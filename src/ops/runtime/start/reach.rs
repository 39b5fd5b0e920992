//! The units that the requested components of a run reach.

use std::fmt;

use super::unit::Unit;

/// The reach of the requested components within their run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Several components were requested, and reach each other.
    is_group: bool,
    /// The names of the other units that go on.
    others: Vec<String>,
}

impl Reach {
    /// Returns the reach of the requested components among units.
    #[must_use]
    pub fn of(units: &[Unit]) -> Self {
        let others = units.iter().filter(|unit| !unit.requested && !unit.one_shot);
        Self {
            is_group: units.iter().filter(|unit| unit.requested).nth(1).is_some(),
            others: others.map(|unit| unit.name.clone()).collect(),
        }
    }

    /// Returns whether the components reach nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.is_group && self.others.is_empty()
    }
}

/// The end of a sentence.
impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, each) =
            if self.is_group { ("they reach", Some("each other")) } else { ("it reaches", None) };
        let names: Vec<&str> = each.into_iter().chain(self.others.iter().map(String::as_str)).collect();
        match names.as_slice() {
            [] => write!(f, "{who} nothing"),
            names => write!(f, "{who} {}", names.join(", ")),
        }
    }
}
