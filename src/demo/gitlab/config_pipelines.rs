//! The part of a configuration about pipelines: what starts them, and their course.

use serde::Deserialize;

use crate::model::staging::PipelineStatus;

/// A pipeline that the bot starts.
#[derive(Debug, Clone, Deserialize)]
pub struct StagingConfig {
    /// The bot's name for its group.
    pub group: String,
    /// The branch that it tests.
    pub branch: String,
    /// The project in which it runs.
    pub project: String,
    /// Name of its script.
    pub script: String,
}

/// An earlier pipeline.
#[derive(Debug, Clone, Deserialize)]
pub struct Earlier {
    /// The bot's name for its group.
    pub group: String,
    /// Its number.
    pub id: u64,
    /// The branch that it tested.
    pub branch: String,
    /// The project in which it ran.
    pub project: String,
    /// Name of the script for a repeated run.
    pub script: String,
}

/// The course of a pipeline.
#[derive(Debug, Clone, Deserialize)]
pub struct Script {
    /// Seconds in the status `created`.
    #[serde(default)]
    pub created: f64,
    /// Seconds in the status `pending`.
    #[serde(default)]
    pub pending: f64,
    /// Its jobs; stages follow one another in the order of their first job.
    pub jobs: Vec<ScriptJob>,
}

/// The course of a job.
#[derive(Debug, Clone, Deserialize)]
pub struct ScriptJob {
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: String,
    /// Duration in seconds.
    pub seconds: f64,
    /// Final status.
    #[serde(default = "success")]
    pub result: PipelineStatus,
    /// A failure of the job does not fail the pipeline.
    #[serde(default)]
    pub allow_failure: bool,
    /// Its output.
    #[serde(default)]
    pub log: String,
    /// The pipeline that it triggers instead of running on a runner.
    pub triggers: Option<DownstreamConfig>,
}

/// A pipeline that a job triggers.
#[derive(Debug, Clone, Deserialize)]
pub struct DownstreamConfig {
    /// The project in which it runs; that of the job, if absent: a child pipeline.
    pub project: Option<String>,
    /// The branch that it tests.
    pub branch: String,
    /// Name of its script.
    pub script: String,
}

fn success() -> PipelineStatus {
    PipelineStatus::Success
}
