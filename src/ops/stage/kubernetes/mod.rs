//! Stages a merge request by a release: applies the component's deployment with the merge request's image to a staging
//! namespace, and follows its rollout. The objects are made in `model::staging::kubernetes`; the way back is
//! `ops::unstage`.

mod apply;
mod cluster;
mod error;
mod failing;
mod files;
mod follow;
mod outcome;
mod plan;
mod read;
mod run;
mod together;
mod watch;

pub use apply::apply;
pub use cluster::{ClusterSettings, cluster, named_cluster};
pub use error::ReleaseStageError;
pub(in crate::ops::stage) use failing::{LINE, public_reason};
pub use follow::follow_image;
pub use outcome::{FailedContainer, ReleaseEnd, ReleaseOutcome};
pub use plan::{ObjectChange, PlannedObject, ReleasePlan, ReleaseSources, ServerCheck};
pub use read::ReleaseProgress;
pub(in crate::ops::stage) use read::{list_releases, pods_of, read_releases};
pub use run::ReleaseRun;
pub use together::plan_releases;
pub use watch::{WatchedRelease, watch_releases};
