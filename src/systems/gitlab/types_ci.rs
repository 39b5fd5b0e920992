//! Types of GitLab's API for pipelines as parts of a whole: jobs that trigger other pipelines, pipelines in lists,
//! environments and deployments. Single pipelines and jobs are in `types`.

use serde::Deserialize;

use super::user::User;
use crate::model::staging::PipelineStatus;

/// Pipeline as a part of another object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PipelineStub {
    /// Pipeline ID.
    pub id: u64,
    /// Status.
    pub status: PipelineStatus,
}

/// Pipeline that a job of another pipeline has started.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DownstreamPipeline {
    /// Pipeline ID.
    pub id: u64,
    /// ID of its project; older servers omit it.
    pub project_id: Option<u64>,
    /// Status.
    pub status: PipelineStatus,
    /// Branch or tag.
    #[serde(rename = "ref")]
    pub branch: Option<String>,
    /// URL of its page.
    #[serde(default)]
    pub web_url: String,
}

/// Job that triggers a child pipeline, or one of another project.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Bridge {
    /// Job ID.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Stage.
    #[serde(default)]
    pub stage: String,
    /// Status.
    pub status: PipelineStatus,
    /// Its failure does not fail the pipeline.
    #[serde(default)]
    pub allow_failure: bool,
    /// Timestamp of its start (ISO 8601).
    pub started_at: Option<String>,
    /// Timestamp of its end (ISO 8601).
    pub finished_at: Option<String>,
    /// Its own pipeline.
    pub pipeline: Option<PipelineStub>,
    /// The triggered pipeline, once it exists.
    pub downstream_pipeline: Option<DownstreamPipeline>,
}

/// Pipeline in a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedPipeline {
    /// Pipeline ID.
    pub id: u64,
    /// ID of its project.
    pub project_id: Option<u64>,
    /// Commit.
    #[serde(default)]
    pub sha: String,
    /// Status.
    pub status: PipelineStatus,
    /// Branch, tag or ref of a merge request.
    #[serde(rename = "ref")]
    pub branch: Option<String>,
    /// Reason of its existence: `push`, `merge_request_event`, `trigger`, …
    pub source: Option<String>,
    /// URL of its page.
    #[serde(default)]
    pub web_url: String,
}

/// Environment of a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GitLabEnvironment {
    /// Environment ID.
    pub id: u64,
    /// Name, such as `review/213`.
    pub name: String,
    /// Address of the deployed application.
    pub external_url: Option<String>,
    /// State: `available`, `stopping` or `stopped`; missing where an environment is part of a deployment.
    pub state: Option<String>,
    /// Timestamp at which the server stops it (ISO 8601).
    pub auto_stop_at: Option<String>,
    /// Tier: `production`, `staging`, `testing`, `development` or `other`; older servers omit it.
    pub tier: Option<String>,
    /// The newest successful deployment; only where an environment is read alone.
    pub last_deployment: Option<Box<GitLabDeployment>>,
}

/// Deployment to an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GitLabDeployment {
    /// Deployment ID.
    pub id: u64,
    /// Commit.
    #[serde(default)]
    pub sha: String,
    /// Branch, tag or ref of a merge request.
    #[serde(rename = "ref")]
    pub branch: Option<String>,
    /// Status: `created`, `running`, `success`, `failed`, `canceled` or `blocked`.
    pub status: PipelineStatus,
    /// Environment, without its state.
    pub environment: Option<GitLabEnvironment>,
    /// Timestamp of its creation (ISO 8601).
    pub created_at: Option<String>,
    /// Timestamp of its last change, which is its end once it has ended (ISO 8601).
    pub updated_at: Option<String>,
    /// Job that deploys; `None` for a deployment that another program has reported.
    pub deployable: Option<DeployJob>,
    /// User who started it.
    pub user: Option<User>,
}

/// Job of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeployJob {
    /// Job ID.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Status.
    pub status: PipelineStatus,
    /// Address of its page.
    #[serde(default)]
    pub web_url: String,
    /// Its pipeline.
    pub pipeline: Option<PipelineStub>,
}
