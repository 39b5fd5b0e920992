//! The state of all places: the environments and deployments that GitLab knows of the components' projects, and the
//! workloads of the clusters that the configuration names. Reads only, and carries on where something cannot be read. The
//! course of a staging is up to `ops::stage`.

mod arrival;
mod cluster;
mod commits;
mod environments;
mod groups;
mod outcome;
mod project;

pub use arrival::{Arrival, ArrivalState, DeployPipeline, OpenJob, arrival, merged_commit};
pub use cluster::{ClusterReading, read_cluster, read_workloads};
pub use commits::merge_request_of;
pub use groups::{ProjectGroup, groups};
pub use outcome::{
    ClusterPlace, ClusterStatus, EnvironmentDeployment, EnvironmentStatus, JobRef, ProjectStatus,
    ShippedMergeRequest, StatusReading, WorkloadStatus,
};
pub use project::read_project;
