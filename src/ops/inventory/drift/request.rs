//! The request of a comparison with clones, and how far it got.

use crate::base::assets::Assets;
use crate::host::Env;
use crate::model::inventory::Inventory;
use crate::model::reference::Reference;
use crate::ops::shared::workspace::Workspace;

/// A comparison of entries with clones.
#[derive(Debug, Clone, Copy)]
pub struct DriftRequest<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// Words that choose the entries to compare; none for all.
    pub words: &'a [String],
    /// The directory of clones, and the user's working trees.
    pub workspace: &'a Workspace,
    /// The templates.
    pub assets: &'a Assets,
    /// The environment of `cki`.
    pub env: &'a Env,
}

/// Coverage of a comparison.
#[derive(Debug, Default)]
pub struct DriftCoverage {
    /// Compared entries.
    pub compared: Vec<Reference>,
    /// Entries without any clone of their repositories.
    pub not_cloned: Vec<Reference>,
    /// Some of them that have all these repositories.
    pub to_clone: Vec<Reference>,
    /// Entries with clones that cannot be used, each with the reason.
    pub unusable: Vec<(Reference, String)>,
}
