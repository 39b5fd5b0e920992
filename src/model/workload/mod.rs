//! Workloads as a cluster reports them: their images, since when they run, and their health. Pure rules over JSON; reading
//! it from a cluster is up to `systems::kubectl`, and making objects of a release to `model::staging::kubernetes`.

mod pods;
mod read;

pub use read::{RunningContainer, Workload, belongs_to, workloads};
