//! The request of a scan.

use crate::base::assets::Assets;
use crate::model::deployment::DeployedContainer;
use crate::model::environment::Environment;
use crate::model::inventory::{Component, Inventory};
use crate::ops::shared::workspace::Workspace;

/// The request of a scan.
#[derive(Debug, Clone, Copy)]
pub struct ScanRequest<'a> {
    /// The component.
    pub component: &'a Component,
    /// Its inventory.
    pub inventory: &'a Inventory,
    /// The directory of clones.
    pub workspace: &'a Workspace,
    /// The templates, with the rules.
    pub assets: &'a Assets,
    /// The environment of the component.
    pub environment: &'a Environment,
    /// The container of its deployment, whose command reads variables, too.
    pub deployed: Option<&'a DeployedContainer>,
    /// The revision to scan, in git's syntax; `None` for the checked out files.
    pub revision: Option<&'a str>,
}

/// A package that the sources import from a repository that is not cloned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Library {
    /// Its name in imports.
    pub package: String,
    /// The repository.
    pub repo: String,
    /// A component with this repository.
    pub component: Option<String>,
}
