//! Errors of `cki inventory new`.

use std::path::PathBuf;

use crate::base::files::FileError;
use crate::base::template::TemplateError;
use crate::base::text::{join_some, shown_name, truncate_middle};
use crate::model::draft::InsertError;
use crate::model::reference::{Reference, name_fault};
use crate::ops::draft::DraftError;
use crate::ops::shared::inventory::LoadError;

/// Maximum columns of a wrong name in a message.
const SHOWN: usize = 60;

/// An error of `cki inventory new`.
#[derive(Debug, thiserror::Error)]
pub enum NewEntryError {
    /// The name cannot be that of a component.
    #[error("no component can be called `{}`: {}", truncate_middle(&shown_name(.0), SHOWN), name_fault(.0))]
    Name(String),
    /// The name and the option contradict each other.
    #[error("`{component}` and `--category {category}` name two categories")]
    TwoCategories {
        /// The name.
        component: String,
        /// Category of the option.
        category: String,
    },
    /// The inventory does not have the value.
    #[error("the inventory has no {what} `{}`; it has {}", value.escape_debug(), join_some(known.iter().map(|one| format!("`{one}`"))))]
    Unknown {
        /// Name of the option.
        what: &'static str,
        /// Value.
        value: String,
        /// Known values.
        known: Vec<String>,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// Several categories are there, and none is named.
    #[error("the entry needs a category; the inventory has {}", join_some(.0.iter().map(|one| format!("`{one}`"))))]
    NoCategory(Vec<String>),
    /// The inventory is not on this machine, or part of the program.
    #[error("cannot write an entry to {layer}: it is no directory or file of yours")]
    Source {
        /// The source.
        layer: String,
        /// It is the built-in inventory.
        is_built_in: bool,
    },
    /// The inventory is a catalog of Backstage.
    #[error("cannot write an entry to `{}`: it is a catalog of Backstage", .0.display())]
    Catalog(PathBuf),
    /// The entry is there already.
    #[error("`{reference}` is in the inventory already: {place}")]
    Exists {
        /// Name.
        reference: Reference,
        /// File and position.
        place: String,
    },
    /// The path of the entry is no regular file.
    #[error("cannot write `{}`: it is there, and no regular file", .0.display())]
    Special(PathBuf),
    /// The template is invalid.
    #[error("{file}: {source}")]
    Template {
        /// File.
        file: String,
        /// Reason.
        source: TemplateError,
    },
    /// The list of entries cannot be extended.
    #[error(transparent)]
    Insert(#[from] InsertError),
    /// The inventory would be invalid.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The repository cannot be drafted.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}
