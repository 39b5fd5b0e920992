//! Exit code and hints of an error. The mapping from errors to diagnoses is in the other files.

use std::path::Path;

use crate::base::assets::BUILT_IN;
use crate::base::exit::Exit;

/// Invalid combination of valid arguments.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::cli) struct UsageError(pub(in crate::cli) String);

/// Exit code and hints of an error.
pub(super) struct Diagnosis {
    pub(super) exit: Exit,
    pub(super) hints: Vec<String>,
}

pub(super) fn plain(exit: Exit) -> Diagnosis {
    Diagnosis { exit, hints: Vec::new() }
}

pub(super) fn hint(exit: Exit, hint: impl Into<String>) -> Diagnosis {
    Diagnosis { exit, hints: vec![hint.into()] }
}

pub(super) fn did_you_mean(nearest: &[String], otherwise: &str) -> String {
    match nearest {
        [] => otherwise.to_owned(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {}?", names.join(" or "))
        }
    }
}

/// Returns the file to edit for a place, which must be on this machine: for a built-in file, names a copy.
pub(super) fn at(place: &str) -> String {
    place.strip_prefix(BUILT_IN).map_or_else(
        || place.to_owned(),
        |file| format!("{file} of a copy of the built-in inventory, which `--inventory` names"),
    )
}

/// Returns the hint for a clone that `cki` did not touch.
pub(in crate::cli) fn commit_or_stash(path: &Path) -> String {
    format!("commit, stash or remove the changes in `{}`; `cki` never touches them.", path.display())
}
