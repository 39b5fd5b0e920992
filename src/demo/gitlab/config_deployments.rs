//! The part of a configuration about deployments: what was deployed where, and the history of the default branch.

use serde::Deserialize;

use crate::model::staging::PipelineStatus;

/// A deployment to an environment of the project.
#[derive(Debug, Clone, Deserialize)]
pub struct DeploymentConfig {
    /// Name of the environment.
    pub environment: String,
    /// The deployed commit.
    pub sha: String,
    /// The status.
    #[serde(default = "success")]
    pub status: PipelineStatus,
    /// Name of the job; without one, another program has reported the deployment.
    pub job: Option<String>,
    /// User who started it.
    pub user: Option<String>,
    /// The time of its creation (ISO 8601), if it is not that of the stand-in's start.
    pub created_at: Option<String>,
}

fn success() -> PipelineStatus {
    PipelineStatus::Success
}
