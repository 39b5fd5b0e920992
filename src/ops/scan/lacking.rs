//! The variables that a component reads and does not get, for the end of a run that failed. The comparison is in
//! `model::scan`.

use crate::base::assets::Assets;
use crate::model::environment::EnvOverrides;
use crate::model::inventory::{Component, Inventory};
use crate::model::scan::VarUsage;
use crate::model::service::TemplateContext;
use crate::ops::env::resolve;
use crate::ops::shared::deployment;
use crate::ops::shared::workspace::Workspace;

use super::{ScanRequest, scan};

/// A component, and the sources of its environment.
#[derive(Debug, Clone, Copy)]
pub struct LackingRequest<'a> {
    /// The component.
    pub component: &'a Component,
    /// Its inventory.
    pub inventory: &'a Inventory,
    /// The directory of clones.
    pub workspace: &'a Workspace,
    /// The templates.
    pub assets: &'a Assets,
    /// The context of placeholder secrets and services.
    pub ctx: TemplateContext<'a>,
}

/// Returns the required variables that the sources read and nothing gives. Whatever keeps the sources or the
/// environment from being read gives none: this only adds to the report of another failure.
#[must_use]
pub fn lacking(request: LackingRequest<'_>, overrides: EnvOverrides) -> Vec<VarUsage> {
    let LackingRequest { component, inventory, workspace, assets, ctx } = request;
    let deployed =
        deployment::load_if_there(component, inventory, workspace, assets).ok().and_then(|found| found.0);
    let Ok(resolved) = resolve(component, inventory, assets, ctx, deployed.as_ref(), overrides) else {
        return Vec::new();
    };
    let environment = &resolved.environment;
    let deployed = deployed.as_ref().map(|deployed| &deployed.container);
    let request =
        ScanRequest { component, inventory, workspace, assets, environment, deployed, revision: None };
    scan(request).map(|outcome| outcome.comparison.lacking().cloned().collect()).unwrap_or_default()
}
