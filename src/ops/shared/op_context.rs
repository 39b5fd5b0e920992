//! The inputs of operations that touch several systems: the systems, their settings, the receiver of
//! events, and the stop signal.

use std::time::Duration;

use crate::base::assets::Assets;
use crate::base::process_ref::ProcessRef;
use crate::host::Env;
use crate::host::signals::Shutdown;
use crate::model::event::Events;
use crate::model::inventory::{Inventory, Memory};
use crate::ops::shared::workspace::Workspace;
use crate::systems::git::Git;

/// The inputs of an operation.
#[derive(Debug, Clone)]
pub struct OpContext<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The identity of the inventory, for labels.
    pub inventory_id: String,
    /// Templates.
    pub assets: &'a Assets,
    /// The directory of clones.
    pub workspace: &'a Workspace,
    /// Access to repositories.
    pub git: &'a Git,
    /// The environment of this process.
    pub env: &'a Env,
    /// This process, as the owner of new resources.
    pub owner: ProcessRef,
    /// Path of this program.
    pub program: String,
    /// The template of a merge request's ref on a server.
    pub merge_request_ref: &'a str,
    /// The tag of published images.
    pub image_tag: &'a str,
    /// Connect to nothing but this machine.
    pub offline: bool,
    /// Timeout of readiness.
    pub ready_timeout: Duration,
    /// Grace period between stopping a component and killing it.
    pub stop_grace: Duration,
    /// Default memory limit of a component.
    pub memory: Memory,
    /// The receiver of progress events.
    pub events: Events,
    /// The stop signal.
    pub stop: Shutdown,
}
