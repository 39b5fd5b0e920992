//! Hints and exit codes of errors of loading an inventory and of fetching its sources.

use super::diagnosis::{Diagnosis, hint, plain};
use super::draft::of_draft;
use super::systems::{of_file, of_git};
use crate::base::exit::Exit;
use crate::base::text;
use crate::model::draft::InsertError;
use crate::model::inventory::InventoryError;
use crate::ops::inventory::check::UnreadableInventory;
use crate::ops::inventory::new::NewEntryError;
use crate::ops::inventory::sync::SyncError;
use crate::ops::shared::inventory::LoadError;

pub(super) fn of_load(error: &LoadError) -> Diagnosis {
    match error {
        LoadError::Missing(_) => hint(
            Exit::NotFound,
            "name a file or a directory that exists, or none, for the built-in inventory; `cki config` shows a setting that names it.",
        ),
        LoadError::File(_) => plain(Exit::Invalid),
        LoadError::Several { .. } | LoadError::Inventory(InventoryError::Several { .. }) => {
            hint(Exit::Invalid, "`cki inventory check` shows all of them.")
        }
        LoadError::TooMuch(_) => plain(Exit::Invalid),
        LoadError::NoPath { from, .. } => hint(
            Exit::NotFound,
            format!(
                "name another path after `:`, or `cki inventory sync --source {from}` if it is there now."
            ),
        ),
        LoadError::Git(error) => of_git(error),
        LoadError::Damaged { .. } => hint(Exit::Invalid, "`cki inventory sync` makes it again."),
        LoadError::NoLayer { .. } => hint(
            Exit::Invalid,
            "`cki inventory sync` fetches repositories and says what fails; `--inventory default` uses the built-in inventory for this call.",
        ),
        LoadError::LeftOut { .. } => hint(
            Exit::Refused,
            "nothing was started, since this layer may say what production is: `cki inventory sync`, or name the layers to use with `--inventory`.",
        ),
        LoadError::TooLong(_) => hint(
            Exit::Invalid,
            "make a directory of it: `inventory.yaml` without the entries, and each entry in a file `CATEGORY/NAME.yaml`.",
        ),
        LoadError::Inventory(_) => hint(Exit::Invalid, "`cki help inventory` describes the format."),
    }
}

pub(super) fn of_unreadable(_: &UnreadableInventory) -> Diagnosis {
    hint(Exit::Invalid, "`cki help inventory` describes the format.")
}

pub(super) fn of_new(error: &NewEntryError) -> Diagnosis {
    match error {
        NewEntryError::Name(_) | NewEntryError::TwoCategories { .. } => plain(Exit::Usage),
        NewEntryError::Unknown { nearest: Some(near), .. } => {
            hint(Exit::NotFound, format!("did you mean `{near}`?"))
        }
        NewEntryError::Unknown { what: "category", .. } => {
            hint(Exit::NotFound, "add it to `categories` in the head of the inventory first.")
        }
        NewEntryError::Unknown { .. } => plain(Exit::NotFound),
        NewEntryError::NoCategory(_) => {
            hint(Exit::Usage, "name one with `--category`, or as `CATEGORY/NAME`.")
        }
        NewEntryError::Source { is_built_in: true, .. } => hint(
            Exit::Refused,
            "`--inventory DIRECTORY` names one of your own; `--inventory default --inventory DIRECTORY` adds it to the built-in one.",
        ),
        NewEntryError::Source { .. } => hint(
            Exit::Refused,
            "clone the repository with `git clone`, and name the directory in it with `--inventory`.",
        ),
        NewEntryError::Catalog(_) => hint(
            Exit::Refused,
            "`--inventory CATALOG --inventory DIRECTORY` adds a directory for entries of `cki` on top.",
        ),
        NewEntryError::Exists { .. } => hint(Exit::Refused, "`--force` replaces it."),
        NewEntryError::Special(_) => plain(Exit::Refused),
        NewEntryError::Template { .. } | NewEntryError::Insert(InsertError::Yaml(_)) => plain(Exit::Invalid),
        NewEntryError::Insert(_) => hint(
            Exit::Invalid,
            "write each entry on lines of its own, or name a directory with `--inventory`.",
        ),
        NewEntryError::Load(error) => of_load(error),
        NewEntryError::Draft(error) => of_draft(error),
        NewEntryError::File(error) => of_file(error),
    }
}

pub(super) fn of_sync(error: &SyncError) -> Diagnosis {
    match error {
        SyncError::NoCache => {
            hint(Exit::Invalid, "set `XDG_CACHE_HOME` to a directory that you can write to.")
        }
        SyncError::Unknown { known, .. } if known.is_empty() => {
            hint(Exit::NotFound, "none of them is a repository; `cki config` shows the setting `inventory`.")
        }
        SyncError::Unknown { known, .. } => {
            let known: Vec<String> = known.iter().map(|one| format!("`{one}`")).collect();
            hint(Exit::NotFound, format!("there is {}.", text::join_and(&known)))
        }
        SyncError::Git(error) => of_git(error),
        SyncError::Unreadable { error, kept, .. } => hint(
            of_load(error).exit,
            match kept {
                Some(kept) => format!(
                    "all commands use commit {} as before; mend the repository, then `cki inventory sync`.",
                    kept.short()
                ),
                None => "mend the inventory, then `cki inventory sync`.".to_owned(),
            },
        ),
        SyncError::File(error) => of_file(error),
    }
}
