//! Components as completion offers them: the name, and the few facts that decide where it fits. The cache holds these
//! apart from the rest of an inventory, so that a TAB reads little. What is offered where is decided in `cli`.

use super::details::EntryDetails;
use super::index::is_same_name;
use super::{Component, Inventory};
use crate::base::packed::{PackedReader, PackedWriter};

/// Fewest bytes of a stored name: the lengths of three texts, and the facts.
const LEAST: usize = 3 * 4 + 1;

/// A component of which only the name and a few facts are known. Its texts last as long as the program, as those of
/// an inventory do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComponentName {
    /// Category of the component.
    pub category: &'static str,
    /// Name without the category.
    pub name: &'static str,
    /// Description, or else the kind.
    pub help: Option<&'static str>,
    facts: u8,
}

impl ComponentName {
    const RUNNABLE: u8 = 1;
    const STAGED: u8 = 1 << 1;
    const CLONEABLE: u8 = 1 << 2;
    const BUILDABLE: u8 = 1 << 3;

    /// Returns the name of a component that was read.
    #[must_use]
    pub fn of(component: &'static Component) -> Self {
        Self {
            category: &component.reference.category,
            name: component.name(),
            help: help(component),
            facts: facts(component),
        }
    }

    /// Returns whether `cki run-local` can run it.
    #[must_use]
    pub fn is_runnable(&self) -> bool {
        self.facts & Self::RUNNABLE != 0
    }

    /// Returns whether the entry has settings of staging.
    #[must_use]
    pub fn is_staged(&self) -> bool {
        self.facts & Self::STAGED != 0
    }

    /// Returns whether the entry names a repository.
    #[must_use]
    pub fn is_cloneable(&self) -> bool {
        self.facts & Self::CLONEABLE != 0
    }

    /// Returns whether the entry has settings of a build.
    #[must_use]
    pub fn is_buildable(&self) -> bool {
        self.facts & Self::BUILDABLE != 0
    }

    /// Returns whether a user who types a text means this component before anything else of that name.
    #[must_use]
    pub fn is_named(&self, typed: &str) -> bool {
        is_same_name(self.name, typed)
    }
}

fn help(component: &Component) -> Option<&str> {
    component.description.as_deref().or(component.kind.as_deref())
}

fn facts(component: &Component) -> u8 {
    let details: &EntryDetails = component;
    let facts = [
        (ComponentName::RUNNABLE, component.is_runnable()),
        (ComponentName::STAGED, details.stage.is_some()),
        (ComponentName::CLONEABLE, !component.repos().is_empty()),
        (ComponentName::BUILDABLE, details.build.is_some()),
    ];
    facts.iter().filter(|(_, holds)| *holds).fold(0, |all, (fact, _)| all | fact)
}

impl Inventory {
    /// Writes the names of the components, in their order, for [`stored_names`].
    pub fn store_names(&self, writer: &mut PackedWriter) {
        writer.short(self.components.len());
        for component in &self.components {
            writer.text(&component.reference.category);
            writer.text(component.name());
            writer.optional(help(component));
            writer.byte(facts(component));
        }
    }
}

/// Reads the names that [`Inventory::store_names`] wrote, and hands each with its number to a function; `None` for
/// anything else.
pub fn stored_names(
    reader: &mut PackedReader<'static>,
    mut each: impl FnMut(usize, ComponentName),
) -> Option<()> {
    for number in 0..reader.count(LEAST)? {
        let (category, name, help) = (reader.text()?, reader.text()?, reader.optional()?);
        each(number, ComponentName { category, name, help, facts: reader.byte()? });
    }
    Some(())
}
