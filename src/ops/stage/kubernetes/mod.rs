//! Stages a merge request by a release: applies the component's deployment with the merge request's image to a staging
//! namespace, and follows its rollout. The objects are made in `model::staging::kubernetes`; the way back is
//! `ops::unstage`.

mod apply;
mod cluster;
mod error;
mod files;
mod follow;
mod outcome;
mod plan;
mod run;
mod together;

pub use apply::apply;
pub use cluster::{ClusterSettings, cluster};
pub use error::ReleaseStageError;
pub use outcome::{FailedContainer, ReleaseEnd, ReleaseOutcome};
pub use plan::{ObjectChange, PlannedObject, ReleasePlan, ReleaseSources, ServerCheck};
pub use run::ReleaseRun;
pub use together::plan_releases;
