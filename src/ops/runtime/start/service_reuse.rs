//! Backing services that outlive the run: the origin of each, and the ones that are not ready yet.
//! Finding and starting them is in `retained_services`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::unit::Unit;
use crate::base::process_ref::ProcessRef;
use crate::model::identity::{ResourceLabels, RunId};

/// The origin of a retained service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum ServiceReuse {
    /// It was started for this run.
    Made,
    /// It was running already.
    Reused,
    /// It replaces one with another configuration, or one that had ended.
    Replaced,
}

impl ServiceReuse {
    /// Returns the word to show when it is ready.
    pub(in crate::ops) fn word(self) -> &'static str {
        match self {
            Self::Made => "ready, retained from now on",
            Self::Reused => "ready, retained from before",
            Self::Replaced => "ready, replaces the retained one",
        }
    }
}

/// Services that this process is starting and will keep. Until such a service is ready, it is removed
/// with the run like everything else; services of other processes and stored data are not.
#[derive(Debug)]
pub(in crate::ops) struct PendingServices {
    owner: ProcessRef,
    /// The identity of the workspace that owns the services.
    workspace: Arc<str>,
    runs: Mutex<BTreeSet<RunId>>,
    ready: Mutex<Vec<String>>,
}

impl PendingServices {
    /// Returns an empty list.
    pub(in crate::ops) fn new(owner: ProcessRef, workspace: Arc<str>) -> Self {
        Self { owner, workspace, runs: Mutex::default(), ready: Mutex::default() }
    }

    /// Returns the identity of the workspace.
    pub(in crate::ops) fn workspace(&self) -> &str {
        &self.workspace
    }

    pub(in crate::ops) fn begin(&self, run: &RunId) {
        self.runs().insert(run.clone());
    }

    pub(in crate::ops) fn end(&self, run: &RunId) {
        self.runs().remove(run);
    }

    /// Records that a unit is ready.
    pub(in crate::ops) fn done(&self, unit: &Unit) {
        if unit.retained {
            self.end(&RunId::of_workspace(&self.workspace, &unit.name));
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(unit.name.clone());
        }
    }

    /// Returns the names of the services that are ready and will be retained.
    pub(in crate::ops) fn retained_services(&self) -> Vec<String> {
        let mut kept = self.ready.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.sort();
        kept
    }

    /// Returns whether a resource is removed with the run.
    pub(in crate::ops) fn holds(&self, who: &ResourceLabels) -> bool {
        who.owner == self.owner && self.runs().contains(&who.run)
    }

    fn runs(&self) -> MutexGuard<'_, BTreeSet<RunId>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::identity::{Retention, Role};

    #[test]
    fn service_reuse_removes_own_unready_services_only() {
        let run = RunId::of_workspace("w", "db");
        let (own, other) = (
            ProcessRef { pid: 1, started: 2, boot: "b".into(), place: String::new() },
            ProcessRef { pid: 1, started: 3, boot: "b".into(), place: String::new() },
        );
        let who = |owner: &ProcessRef, role| ResourceLabels {
            run: run.clone(),
            component: "services/db".into(),
            role,
            name: "db".into(),
            owner: owner.clone(),
            lifetime: Retention::Workspace,
            inventory: String::new(),
        };
        let pending = PendingServices::new(own.clone(), "w".into());
        assert!(!pending.holds(&who(&own, Role::Service)));
        pending.begin(&run);
        assert!(pending.holds(&who(&own, Role::Service)) && pending.holds(&who(&own, Role::Data)));
        assert!(!pending.holds(&who(&other, Role::Data)));
        pending.end(&run);
        assert!(!pending.holds(&who(&own, Role::Service)));
    }
}
