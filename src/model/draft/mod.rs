//! A draft of an inventory, made from the files of a repository: facts from build files, Compose files and
//! documents, and the text of an entry. Pure; reading the files belongs in `ops::draft`.

mod address_owner;
mod build_file;
mod compose;
mod deployed_values;
mod entry_template;
mod insert;
mod interpolation;
mod mounts;
mod readme;
mod rules;
mod write;

pub use address_owner::{AddressOwner, is_port_alone};
pub use build_file::BuildFileFacts;
pub use compose::{ComposeFacts, ComposeServiceFacts};
pub use deployed_values::{ServiceVariables, names_host, settings_name_host};
pub use entry_template::{EntryHead, Gap, gaps, render_entry};
pub use insert::{InsertError, with_entry};
pub use mounts::{MountFacts, forwarded_port};
pub use readme::{DocumentedVariable, documented_variables, first_sentence, title};
pub use rules::{DraftRules, image_name};
pub use write::{
    DraftedComponent, DraftedPort, DraftedVariable, SCHEMA_LINE, entry_text, inventory_text, scalar,
};

/// Something that the files do not tell, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftFinding {
    /// File, with a line where there is one.
    pub place: String,
    /// The finding, as a sentence without its end.
    pub message: String,
}

impl DraftFinding {
    /// Creates a finding.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests;
