//! Variables that the inventory locks, so that a run stays away from production: nothing overrides them.

use std::collections::BTreeMap;

use super::draft::Draft;
use crate::base::secret::Secret;
use crate::base::variable::differ_by_case_only;
use crate::model::environment::error::EnvironmentError;
use crate::model::environment::inputs::{EnvOverrides, Inputs};
use crate::model::environment::variable::ValueOrigin;
use crate::model::inventory::Inventory;

/// Adds the locked variables.
#[expect(clippy::unnecessary_wraps, reason = "has the signature of a layer")]
pub(super) fn add(mut draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    let locks = Locks::of(inputs.inventory);
    for (name, value) in locks.values {
        draft.set(name, Secret::new(value), ValueOrigin::Locked { place: locks.place(name) }, false);
    }
    Ok(draft)
}

/// Refuses the user's changes of variables that an inventory locks.
///
/// # Errors
/// Fails when a change unsets a locked variable, sets it to another value, or sets one whose name differs from it by
/// case only.
pub fn check_locks(overrides: &EnvOverrides, inventory: &Inventory) -> Result<(), EnvironmentError> {
    let locks = Locks::of(inventory);
    overrides.unset.iter().try_for_each(|name| locks.check_unset(name))?;
    locks.check_case(overrides.set.iter().map(|(name, ..)| name))?;
    overrides.set.iter().try_for_each(|(name, value, origin)| locks.check_set(name, value.expose(), origin))
}

/// Locked variables of an inventory, and the checks for the user's changes.
pub(super) struct Locks<'a> {
    values: &'a BTreeMap<String, String>,
    inventory: &'a Inventory,
}

impl<'a> Locks<'a> {
    pub(super) fn of(inventory: &'a Inventory) -> Self {
        Self { values: &inventory.production.environment, inventory }
    }

    /// Refuses to unset a locked variable.
    fn check_unset(&self, name: &str) -> Result<(), EnvironmentError> {
        if self.values.contains_key(name) {
            return Err(self.refusal(name, None, "`--unset`".to_owned()));
        }
        Ok(())
    }

    /// Refuses to set a locked variable to another value.
    fn check_set(&self, name: &str, value: &str, origin: &ValueOrigin) -> Result<(), EnvironmentError> {
        if self.values.get(name).is_some_and(|locked| locked != value) {
            let by = origin.place().map_or_else(|| "`--env`".to_owned(), |place| format!("`{place}`"));
            return Err(self.refusal(name, Some(value), by));
        }
        Ok(())
    }

    /// Refuses names that differ from a locked one by case only: some programs ignore case.
    pub(super) fn check_case<'n>(
        &self,
        mut names: impl Iterator<Item = &'n String>,
    ) -> Result<(), EnvironmentError> {
        let found = names.find_map(|name| {
            let like = self.values.keys().find(|locked| differ_by_case_only(locked, name))?;
            Some((name, like))
        });
        found.map_or(Ok(()), |(name, locked)| {
            let place = self.place(locked);
            Err(EnvironmentError::LikeLocked { name: name.clone(), locked: locked.clone(), place })
        })
    }

    fn place(&self, name: &str) -> String {
        self.inventory.source_map.place(&format!("production.environment.{name}"))
    }

    fn refusal(&self, name: &str, wanted: Option<&str>, origin: String) -> EnvironmentError {
        EnvironmentError::Locked {
            locked: self.values[name].clone(),
            wanted: wanted.map(str::to_owned),
            origin,
            place: self.place(name),
            name: name.to_owned(),
        }
    }
}
