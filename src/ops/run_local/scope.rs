//! The context that the units of one run share: their owner, their lifetime, their reach, and the gate
//! that each start passes.

use super::request::Network;
use super::service_reuse::PendingServices;
use crate::model::guard::Gate;
use crate::model::identity::{ResourceLabels, Retention, Role, RunId};
use crate::ops::shared::op_context::OpContext;

/// The owner and lifetime of units.
pub(super) struct RunScope<'a> {
    pub(super) run: &'a RunId,
    pub(super) lifetime: Retention,
    /// The reach of the units.
    pub(super) network: Network,
    pub(super) publish: bool,
    /// Kept services of this process that are not ready yet.
    pub(super) pending: &'a PendingServices,
    /// The gate that each start passes.
    pub(super) gate: &'a Gate<'a>,
}

impl RunScope<'_> {
    /// Returns the labels of a resource of the run; `of` is the reference of its component.
    pub(super) fn identity(&self, tools: &OpContext<'_>, of: &str, name: &str, role: Role) -> ResourceLabels {
        ResourceLabels {
            run: self.run.clone(),
            component: of.to_owned(),
            role,
            name: name.to_owned(),
            owner: tools.owner.clone(),
            lifetime: self.lifetime,
        }
    }
}
