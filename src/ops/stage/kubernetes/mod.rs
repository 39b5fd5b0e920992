//! Stages a merge request by a release: applies the component's deployment with the merge request's image to a staging
//! namespace, and follows its rollout. The objects are made in `model::staging::kubernetes`; the way back is
//! `ops::unstage`.

mod apply;
mod cluster;
mod error;
mod follow;
mod outcome;
mod plan;
mod run;

pub use apply::apply;
pub use cluster::{ClusterSettings, cluster};
pub use error::ReleaseStageError;
pub use outcome::{FailedContainer, ReleaseEnd, ReleaseOutcome};
pub use plan::{PlannedObject, ReleasePlan, ReleaseSources, ServerCheck, plan_release};
pub use run::ReleaseRun;
