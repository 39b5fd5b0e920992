//! The facts that a site shows.

use std::path::PathBuf;
use std::sync::Arc;

use super::readme::{Readme, Readmes};
use super::rfcs::{SiteRfc, rfcs};
use crate::base::assets::Assets;
use crate::model::graph::DependencyGraph;
use crate::model::guard::Guard;
use crate::model::inventory::check::{self, CheckedInventory, FurtherFacts};
use crate::model::inventory::{Component, Inventory};
use crate::ops::inventory::check::repository;
use crate::ops::shared::need_error::NeedError;
use crate::ops::shared::services::{ServiceDetails, Users, details};
use crate::ops::shared::workspace::Workspace;

/// The facts that a site shows. Nothing in it depends on the time or on the place of a clone.
#[derive(Debug)]
pub struct SiteContent<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// Rules for masking.
    pub guard: &'a Guard,
    /// Its dependencies; the first nodes are its components, in their order.
    pub graph: DependencyGraph<'a>,
    /// Findings and silenced findings.
    pub checked: CheckedInventory,
    /// The working tree of git that holds the inventory.
    pub repository: Option<PathBuf>,
    /// Backing services.
    pub services: Vec<ServiceDetails<'a>>,
    /// README of each component, in their order.
    pub readmes: Vec<Option<Arc<Readme>>>,
    /// Requests for comments, sorted by number.
    pub rfcs: Vec<SiteRfc>,
    /// READMEs and requests for comments that could not be read, as sentences without a period.
    pub unread: Vec<String>,
}

impl<'a> SiteContent<'a> {
    /// Returns the components.
    #[must_use]
    pub fn components(&self) -> &'a [Component] {
        &self.inventory.components
    }
}

/// Gathers the facts, in time proportional to the inventory.
///
/// # Errors
/// Fails when the template of a backing service cannot be read or rendered.
pub fn content<'a>(
    inventory: &'a Inventory,
    workspace: &Workspace,
    assets: &Assets,
    guard: &'a Guard,
) -> Result<SiteContent<'a>, NeedError> {
    let users = Users::find(inventory);
    let services = inventory.backing_services.iter();
    let services = services.map(|name| details(name, inventory, assets, guard, &users));
    let services = services.collect::<Result<_, _>>()?;
    let mut readmes = Readmes::new(inventory, workspace);
    let found = inventory.components.iter().map(|component| readmes.of(component)).collect();
    let (rfcs, unread_rfcs) = rfcs(inventory, workspace);
    let mut unread = readmes.into_unread();
    unread.extend(unread_rfcs);
    let further = FurtherFacts { credentials: Some(&guard.credentials), ..FurtherFacts::default() };
    Ok(SiteContent {
        inventory,
        guard,
        graph: DependencyGraph::new(inventory),
        checked: check::check_with(inventory, further),
        repository: repository(inventory),
        services,
        readmes: found,
        rfcs,
        unread,
    })
}
