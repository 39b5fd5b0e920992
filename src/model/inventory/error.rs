//! Errors that make an inventory unusable. The other faults are findings (`problem`).

use crate::base::text;
use crate::base::yaml::YamlError;
use crate::base::yaml::merge::MergeConflict;
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
    #[error("{first} (and {})", text::plural(*others, "more error"))]
    Several {
        /// First error.
        first: Box<InventoryError>,
        /// Number of further errors.
        others: usize,
    },
    /// The inventory is empty.
    #[error("`{0}` holds no inventory: neither `inventory.yaml` nor any entry at `category/name.yaml`")]
    Empty(String),
}

impl InventoryError {
    /// Adds the number of further errors to this error.
    pub(super) fn with_others(self, others: usize) -> Self {
        if others == 0 { self } else { Self::Several { first: Box::new(self), others } }
    }
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

/// Errors of all files, reported as the first one and the number of the others.
#[derive(Default)]
pub(super) struct Errors {
    first: Option<InventoryError>,
    others: usize,
}

impl Errors {
    pub(super) fn note(&mut self, error: InventoryError) {
        match &self.first {
            None => self.first = Some(error),
            Some(_) => self.others += 1,
        }
    }

    /// Fails if there is an error.
    pub(super) fn none(self) -> Result<(), InventoryError> {
        self.first.map_or(Ok(()), |first| Err(first.with_others(self.others)))
    }
}
