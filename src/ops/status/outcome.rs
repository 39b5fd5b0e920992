//! The outcome of a look at what runs where. All text in it that comes from outside is safe to show, but for the names of
//! objects of a cluster, which `report` makes safe.

use jiff::Timestamp;

use crate::model::staging::PipelineStatus;
use crate::model::workload::Workload;
use crate::systems::gitlab::GitLabError;
use crate::systems::kubectl::ClusterTarget;

/// Projects and clusters as they were read.
#[derive(Debug)]
pub struct StatusReading {
    /// Projects on GitLab.
    pub projects: Vec<ProjectStatus>,
    /// Namespaces of clusters.
    pub clusters: Vec<ClusterStatus>,
    /// Names of components whose project is not known.
    pub without_project: Vec<String>,
}

impl StatusReading {
    /// Returns the first reason if nothing at all could be read.
    pub fn take_failure(&mut self) -> Option<GitLabError> {
        let has_read = self.projects.iter().any(|one| one.failure.is_none())
            || self.clusters.iter().any(|one| !one.workloads.is_empty());
        if has_read { None } else { self.projects.iter_mut().find_map(|one| one.failure.take()) }
    }
}

/// The environments of a project.
#[derive(Debug)]
pub struct ProjectStatus {
    /// Address of the server.
    pub server: String,
    /// `group/project`.
    pub project: String,
    /// Names of the components that come from it.
    pub components: Vec<String>,
    /// Its environments, those of production first.
    pub environments: Vec<EnvironmentStatus>,
    /// Facts that could not be read, one sentence each.
    pub unread: Vec<String>,
    /// The reason why nothing could be read.
    pub failure: Option<GitLabError>,
}

/// An environment, and what was deployed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentStatus {
    /// Name.
    pub name: String,
    /// Address of the application.
    pub url: Option<String>,
    /// Serves real users.
    pub is_production: bool,
    /// `available`, `stopping` or `stopped`; missing if the server does not say.
    pub state: Option<String>,
    /// The newest successful deployment.
    pub current: Option<EnvironmentDeployment>,
    /// The newest deployment, if it did not succeed or has not ended.
    pub newest: Option<EnvironmentDeployment>,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentDeployment {
    /// Number.
    pub id: u64,
    /// Commit.
    pub sha: String,
    /// Branch or tag.
    pub branch: Option<String>,
    /// Status.
    pub status: PipelineStatus,
    /// Time of its end, or of its beginning while it has not ended.
    pub at: Option<Timestamp>,
    /// Job that deploys.
    pub job: Option<JobRef>,
    /// User who started it.
    pub by: Option<String>,
    /// Merge request that brought the commit.
    pub merge_request: Option<ShippedMergeRequest>,
}

/// A job of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRef {
    /// Name.
    pub name: String,
    /// Address of its page.
    pub url: Option<String>,
    /// Number of its pipeline.
    pub pipeline: Option<u64>,
}

/// A merge request that brought a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippedMergeRequest {
    /// Number.
    pub iid: u64,
    /// Title.
    pub title: String,
    /// Address of its page.
    pub url: Option<String>,
    /// Target branch.
    pub target_branch: String,
    /// `opened`, `closed`, `locked` or `merged`.
    pub state: String,
}

/// The purpose of a namespace of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterPlace {
    /// Serves real users.
    Production,
    /// Holds merge requests for a test.
    Staging,
}

impl ClusterPlace {
    /// Returns the word for people and programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
        }
    }
}

/// The workloads of a namespace.
#[derive(Debug)]
pub struct ClusterStatus {
    /// Purpose.
    pub place: ClusterPlace,
    /// Context and namespace.
    pub target: ClusterTarget,
    /// Workloads of the components.
    pub workloads: Vec<WorkloadStatus>,
    /// Facts that could not be read, one sentence each.
    pub unread: Vec<String>,
}

/// A workload of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadStatus {
    /// Name of the component.
    pub component: String,
    /// The workload.
    pub workload: Workload,
}
