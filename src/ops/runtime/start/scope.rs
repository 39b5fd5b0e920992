//! The context that the units of one run share: their owner, their lifetime, their reach, and the gate
//! that each start passes.

use super::service_reuse::PendingServices;
use crate::model::guard::Gate;
use crate::model::identity::{ResourceLabels, Retention, Role, RunId};
use crate::ops::runtime::ports::reserved::RunPorts;
use crate::ops::shared::op_context::OpContext;

/// The reach of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Its dependencies only.
    #[default]
    Isolated,
    /// Every host that this machine reaches.
    Internet,
}

/// The owner and lifetime of units.
pub(in crate::ops) struct RunScope<'a> {
    pub(in crate::ops) run: &'a RunId,
    pub(in crate::ops) lifetime: Retention,
    /// The reference of the component that owns the shared resources of the units.
    pub(in crate::ops) first: &'a str,
    /// The reach of the units.
    pub(in crate::ops) network: Network,
    /// The published ports.
    pub(in crate::ops) ports: &'a RunPorts,
    /// Kept services of this process that are not ready yet.
    pub(in crate::ops) pending: &'a PendingServices,
    /// The gate that each start passes.
    pub(in crate::ops) gate: &'a Gate<'a>,
}

impl RunScope<'_> {
    /// Returns the labels of a resource of the run; `component` is the reference.
    pub(in crate::ops) fn identity(
        &self,
        ctx: &OpContext<'_>,
        component: &str,
        name: &str,
        role: Role,
    ) -> ResourceLabels {
        ResourceLabels {
            run: self.run.clone(),
            component: component.to_owned(),
            role,
            name: name.to_owned(),
            owner: ctx.owner.clone(),
            lifetime: self.lifetime,
            inventory: ctx.inventory_id.clone(),
        }
    }
}
