//! Errors that make an inventory unusable. The other faults are findings (`problem`).

use crate::base::text;
use crate::base::yaml::merge::MergeConflict;
use crate::base::yaml::{Position, YamlError};
use crate::model::reference::Reference;

/// An unusable inventory.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InventoryError {
    /// A file is not YAML of the expected form.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// Two layers contradict each other.
    #[error(transparent)]
    Layers(#[from] MergeConflict),
    /// The inventory has a newer format.
    #[error("{file}: the format has version {version}, and this `cki` knows version 1")]
    Version {
        /// File and position.
        file: String,
        /// Version in the file.
        version: u32,
    },
    /// Two entries have the same name.
    #[error("{file}: `{reference}` is defined twice; the other entry is in {other}")]
    Twice {
        /// File and position of the second entry.
        file: String,
        /// File and position of the first entry.
        other: String,
        /// Name.
        reference: Reference,
    },
    /// A key of the rules against production is misspelt: as a finding, it would leave a run without them.
    #[error(
        "{file}: the key `{key}` is unknown, and without it a rule against production is missing{instead}"
    )]
    Production {
        /// File and position.
        file: String,
        /// The key with its path.
        key: String,
        /// Similar keys, as a sentence.
        instead: String,
    },
    /// An entry has no name, or an invalid one.
    #[error("{file}: {message}")]
    Name {
        /// File and position.
        file: String,
        /// Description of the fault.
        message: String,
    },
    /// Components need each other before they can start.
    #[error("{file}: {}", cycle(members))]
    Cycle {
        /// File of the first component, and the position of its `needs`.
        file: String,
        /// References, in order.
        members: Vec<String>,
    },
    /// There is more than one error.
    #[error("{first} (and {})", text::plural(others.len(), "more error"))]
    Several {
        /// First error.
        first: Box<InventoryError>,
        /// Further errors.
        others: Vec<InventoryError>,
    },
    /// The inventory is empty.
    #[error("`{0}` holds no inventory: neither `inventory.yaml` nor any entry at `category/name.yaml`")]
    Empty(String),
}

/// An error as a finding about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryFault {
    /// File.
    pub file: String,
    /// Position in the file, if there is one.
    pub position: Option<Position>,
    /// Description of the fault, without the place.
    pub message: String,
}

impl InventoryFault {
    /// Creates the fault of a place, such as `service/a.yaml:3:5`, or of a file.
    fn at(place: &str, message: String) -> Self {
        let (file, position) = split_place(place);
        Self { file: file.to_owned(), position, message }
    }
}

impl InventoryError {
    /// Adds further errors to this error.
    pub(super) fn with_others(self, others: Vec<Self>) -> Self {
        if others.is_empty() { self } else { Self::Several { first: Box::new(self), others } }
    }

    /// Returns all faults, each with its place; none if the error is about no file.
    #[must_use]
    pub fn faults(&self) -> Vec<InventoryFault> {
        let place = match self {
            Self::Several { first, others } => {
                let others = others.iter().flat_map(Self::faults);
                return first.faults().into_iter().chain(others).collect();
            }
            Self::Empty(_) => return Vec::new(),
            Self::Yaml(error) => {
                let YamlError { file, position, message } = error.clone();
                return vec![InventoryFault { file, position, message }];
            }
            Self::Layers(conflict) => conflict.place(),
            Self::Version { file, .. }
            | Self::Twice { file, .. }
            | Self::Production { file, .. }
            | Self::Name { file, .. }
            | Self::Cycle { file, .. } => file.clone(),
        };
        let message = self.to_string();
        let message = message.strip_prefix(&format!("{place}: ")).unwrap_or(&message).to_owned();
        vec![InventoryFault::at(&place, message)]
    }
}

/// Splits `file:line:column`; a text without both numbers is a file as a whole.
fn split_place(place: &str) -> (&str, Option<Position>) {
    let numbers = || {
        let (rest, column) = place.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        Some((file, Position { line: line.parse().ok()?, column: column.parse().ok()? }))
    };
    numbers().map_or((place, None), |(file, position)| (file, Some(position)))
}

fn cycle(members: &[String]) -> String {
    match members {
        [one] => format!("`{one}` needs itself, so it can never start"),
        all => format!(
            "{} need each other, so none of them can start first",
            text::join_some(all.iter().map(|one| format!("`{one}`")))
        ),
    }
}

/// Errors of all files, reported as one.
#[derive(Default)]
pub(super) struct Errors(Vec<InventoryError>);

impl Errors {
    pub(super) fn note(&mut self, error: InventoryError) {
        self.0.push(error);
    }

    /// Fails if there is an error.
    pub(super) fn none(mut self) -> Result<(), InventoryError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let first = self.0.remove(0);
        Err(first.with_others(self.0))
    }
}
