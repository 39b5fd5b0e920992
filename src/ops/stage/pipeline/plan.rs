//! A pipeline to start, before anything is sent.

use std::sync::Arc;

use crate::base::secret::Secret;
use crate::model::guard::Guard;
use crate::model::inventory::{PipelineKind, StageEnvironmentDecl};
use crate::model::staging::{PipelineMarker, PipelineRequest, StageParameter, StagedHead};
use crate::ops::stage::environment::EnvironmentPlan;
use crate::systems::gitlab::{NewPipeline, RequestPreview};

/// A request for a pipeline, and what it needs.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// The request.
    pub request: PipelineRequest,
    /// The parameters that the entry declares.
    pub declared: Vec<StageParameter>,
    /// Component or project of the request, for messages.
    pub component: String,
    /// Refuses values that name production.
    pub guard: Arc<Guard>,
    /// Trigger token of the kind `trigger`.
    pub token: Option<TriggerToken>,
    /// The environment of the entry.
    pub environment: Option<StageEnvironmentDecl>,
}

/// A trigger token, by the variable that holds it.
#[derive(Debug, Clone)]
pub struct TriggerToken {
    /// Name of the environment variable.
    pub variable: String,
    /// Its value, if it is set.
    pub secret: Option<Secret>,
}

/// The planned pipeline.
#[derive(Debug, Clone)]
pub struct PipelinePlan {
    /// The request, as people read it.
    pub preview: RequestPreview,
    /// Pipeline of an earlier request that is the same.
    pub earlier: Option<PipelineRef>,
    /// The environment that gets the result, if the entry names one.
    pub environment: Option<EnvironmentPlan>,
    /// The request.
    pub(super) call: NewPipeline,
    /// Marks the pipeline, if it has variables.
    pub(super) marker: Option<PipelineMarker>,
    /// Name of the trigger token's variable, if it is not set.
    pub(super) missing_token: Option<String>,
    /// The request has inputs, which GitLab does not show.
    pub(super) has_inputs: bool,
    /// The pipeline runs for the head of the merge request.
    pub(super) expects_head: bool,
    /// Merge requests that are staged together with it.
    pub(super) combined: Vec<StagedHead>,
}

impl PipelinePlan {
    /// Returns whether a trigger token starts the pipeline, so that no right of the user is needed.
    #[must_use]
    pub fn is_trigger(&self) -> bool {
        matches!(self.call, NewPipeline::Trigger { .. })
    }

    /// Returns the word of the kind.
    pub(super) fn kind(&self) -> &'static str {
        let kind = match self.call {
            NewPipeline::MergeRequest { .. } => PipelineKind::MergeRequest,
            NewPipeline::Branch(_) => PipelineKind::Branch,
            NewPipeline::Trigger { .. } => PipelineKind::Trigger,
        };
        kind.as_str()
    }
}

/// A pipeline that a request started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRef {
    /// Its number.
    pub id: u64,
    /// Its project: `group/project`.
    pub project: String,
    /// Its branch, tag or reference.
    pub branch: String,
    /// Its commit.
    pub sha: String,
    /// Address of its page.
    pub url: String,
}
