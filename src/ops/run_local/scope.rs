//! What the units of one run have in common: whose they are, how long they are wanted, what they may reach,
//! and the gate that each start passes.

use super::request::Network;
use super::service_reuse::Making;
use crate::model::guard::Gate;
use crate::model::identity::{Identity, Lifetime, Role, RunId};
use crate::ops::tools::Tools;

/// Whose a unit is, and how long it is wanted.
pub(super) struct Belonging<'a> {
    pub(super) run: &'a RunId,
    pub(super) lifetime: Lifetime,
    /// What it may reach.
    pub(super) network: Network,
    pub(super) publish: bool,
    /// What is being made that outlives the run, and is no use before it is ready.
    pub(super) making: &'a Making,
    /// The gate that each start passes.
    pub(super) gate: &'a Gate<'a>,
}

impl Belonging<'_> {
    /// Of something in the run; `of` is the reference of the component that it belongs to.
    pub(super) fn identity(&self, tools: &Tools<'_>, of: &str, name: &str, role: Role) -> Identity {
        Identity {
            run: self.run.clone(),
            component: of.to_owned(),
            role,
            name: name.to_owned(),
            owner: tools.owner.clone(),
            lifetime: self.lifetime,
        }
    }
}
