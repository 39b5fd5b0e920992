//! What to scan.

use crate::base::assets::Assets;
use crate::model::environment::Environment;
use crate::model::inventory::{Component, Inventory};
use crate::ops::workspace::Workspace;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct ScanRequest<'a> {
    /// Whose sources.
    pub component: &'a Component,
    /// Where it is from.
    pub inventory: &'a Inventory,
    /// Where clones are.
    pub workspace: &'a Workspace,
    /// The rules.
    pub assets: &'a Assets,
    /// What it is given.
    pub environment: &'a Environment,
    /// The revision to look at, as git writes revisions; otherwise what is checked out.
    pub revision: Option<&'a str>,
}

/// Code in another repository that is made use of, and is not here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Library {
    /// As it is imported.
    pub package: String,
    /// The repository.
    pub repo: String,
    /// A component that has it among its repositories.
    pub component: Option<String>,
}
