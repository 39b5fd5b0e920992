//! What verbs that touch several systems are given: the systems, the settings they need, where to
//! report, and what stops them.

use std::time::Duration;

use crate::base::assets::Assets;
use crate::base::owner::Owner;
use crate::host::Env;
use crate::host::signals::Stop;
use crate::model::event::Events;
use crate::model::inventory::{Inventory, Memory};
use crate::ops::workspace::Workspace;
use crate::systems::git::Git;

/// What a verb is given.
#[derive(Debug, Clone)]
pub struct Tools<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// Templates.
    pub assets: &'a Assets,
    /// Where clones are.
    pub workspace: &'a Workspace,
    /// Repositories.
    pub git: &'a Git,
    /// The environment of this process.
    pub env: &'a Env,
    /// This process, as the owner of what it makes.
    pub owner: Owner,
    /// The file of this program.
    pub program: String,
    /// Where a server keeps the head of a merge request.
    pub merge_request_ref: &'a str,
    /// The tag of published images.
    pub image_tag: &'a str,
    /// Whether to connect to nothing but this machine.
    pub offline: bool,
    /// Until something that is not ready counts as failed.
    pub ready_timeout: Duration,
    /// Between asking a component to stop and killing it.
    pub stop_grace: Duration,
    /// Memory that a component may use unless its entry says otherwise.
    pub memory: Memory,
    /// Where to report.
    pub events: Events,
    /// What stops it.
    pub stop: Stop,
}
