//! The method `pipeline`: starts one pipeline of GitLab, of the merge request, of a branch or with a trigger token, and
//! follows it to its end. The rules of its values are in `model::staging`.

mod find;
mod plan;
mod start;

pub use plan::{PipelineOptions, PipelinePlan, PipelineRef, TriggerToken};

use super::combined::{CombinedMergeRequest, heads};
use super::context::StageContext;
use super::follow::{Follower, PipelineRow, until_the_end};
use super::head::HeadWatch;
use super::{
    AskResult, MergeRequestFacts, PipelineOutcome, PipelineVerdict, StageError, StageOutcome, StagingResult,
    environment,
};
use crate::base::secret::Secret;
use crate::model::event::TaskOutcome;
use crate::model::guard::GuardFinding;
use crate::model::inventory::PipelineKind;
use crate::model::staging::{FilledPipeline, PipelineMarker, PipelineStatus};
use crate::systems::gitlab::{GitLab, NewPipeline, PipelineValues, User};

/// Writes the request, and looks for the pipeline of an earlier one. Changes nothing.
pub(super) async fn plan(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    combined: &[CombinedMergeRequest],
    options: &PipelineOptions,
    me: Option<&User>,
) -> Result<PipelinePlan, StageError> {
    let mut request = options.request.clone();
    for one in combined {
        let added = request.combine(one.facts.staged_head(), one.values.clone(), &options.declared);
        request = added.map_err(|fault| one.refused(facts, fault))?;
    }
    let filled = request.fill(&facts.for_templates(&facts.repository_url(gitlab.server())))?;
    check_values(options, &filled)?;
    let mut plan = planned(gitlab, facts, options, filled).await?;
    plan.combined = heads(combined);
    plan.environment = environment::plan_end(gitlab, facts, options.environment.as_ref()).await?;
    // GitLab shows pipelines of others only to users with a token, and the user's own to the user.
    if me.is_some() {
        let past = find::find_previous(gitlab, facts, &plan, me).await?;
        plan.earlier = past.same;
    }
    Ok(plan)
}

/// Refuses values that name production, or look like a real credential.
fn check_values(options: &PipelineOptions, filled: &FilledPipeline) -> Result<(), StageError> {
    let variables = filled.variables.iter().map(|(key, value)| (key, value.clone()));
    let inputs = filled.inputs.iter().map(|(key, value)| (key, value.to_string()));
    for (key, value) in variables.chain(inputs) {
        let reasons = options.guard.reasons(Some(key), &value);
        if let Some(finding) = GuardFinding::new(&options.component, key, "of the pipeline", reasons) {
            return Err(StageError::Production(Box::new(finding)));
        }
    }
    Ok(())
}

async fn planned(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    options: &PipelineOptions,
    filled: FilledPipeline,
) -> Result<PipelinePlan, StageError> {
    let is_source =
        filled.kind == PipelineKind::Branch && filled.project.is_none() && filled.branch.is_none();
    let has_inputs = !filled.inputs.is_empty();
    // A pipeline that runs on another commit than the head says only by its marker what it is for.
    let is_marked = filled.kind != PipelineKind::MergeRequest && !(is_source && filled.variables.is_empty());
    let marker = is_marked.then(|| PipelineMarker::new(&facts.reference(), &facts.head, &filled));
    let mut missing_token = None;
    let call = match filled.kind {
        PipelineKind::MergeRequest => {
            NewPipeline::MergeRequest { project: facts.project.clone(), iid: facts.iid }
        }
        kind => {
            let project = match filled.project {
                Some(project) => project,
                None => source_project(gitlab, facts).await?,
            };
            let mut variables = filled.variables;
            if let Some(marker) = &marker {
                variables.insert(PipelineMarker::VARIABLE.to_owned(), marker.to_string());
            }
            let branch = filled.branch.unwrap_or_else(|| facts.source_branch.clone());
            let values = PipelineValues { project, branch, variables, inputs: filled.inputs };
            match &options.token {
                Some(token) if kind == PipelineKind::Trigger => {
                    missing_token = token.secret.is_none().then(|| token.variable.clone());
                    let secret = token.secret.clone().unwrap_or_else(|| Secret::new(""));
                    NewPipeline::Trigger { values, token: secret, token_name: token.variable.clone() }
                }
                _ => NewPipeline::Branch(values),
            }
        }
    };
    let expects_head = is_source || filled.kind == PipelineKind::MergeRequest;
    let preview = call.preview();
    let combined = Vec::new();
    Ok(PipelinePlan {
        preview,
        earlier: None,
        environment: None,
        call,
        marker,
        missing_token,
        has_inputs,
        expects_head,
        combined,
    })
}

/// Returns the project of the source branch: the fork's, or the merge request's own.
async fn source_project(gitlab: &GitLab, facts: &MergeRequestFacts) -> Result<String, StageError> {
    match facts.fork {
        Some(number) => Ok(gitlab.project_path(number).await?),
        None => Ok(facts.project.clone()),
    }
}

/// Starts the pipeline, unless it exists, and follows it.
pub(super) async fn run(
    context: StageContext<'_>,
    plan: &PipelinePlan,
    outcome: &mut StageOutcome,
) -> Result<StagingResult, StageError> {
    let StageContext { gitlab, options, events, stop, .. } = context;
    let facts = outcome.merge_request.clone();
    let task = events.start("started", format!("starting a pipeline of {}", plan.call.project()));
    let ready = tokio::select! {
        biased;
        signal = stop.requested() => return Ok(StagingResult::Stopped(signal)),
        ready = start::prepare(gitlab, &facts, plan) => ready?,
    };
    // A request that is being sent cannot be cancelled: a first signal waits for it, a second does not.
    outcome.asked = tokio::select! {
        started = start::start(gitlab, &facts, plan, ready, options.force, events) => started?,
        signal = stop.force_requested() => {
            let action = format!("a pipeline of `{}` was being started", facts.reference());
            return Err(StageError::Stopped { action, signal });
        }
    };
    let (pipeline, state) = match &outcome.asked {
        AskResult::Resumed(pipeline) => (pipeline.clone(), TaskOutcome::Unchanged),
        AskResult::Started(pipeline) => (pipeline.clone(), TaskOutcome::Done),
        AskResult::No | AskResult::Posted(_) | AskResult::Found(_) => return Ok(StagingResult::NotWaited),
    };
    task.finish(state, format!("pipeline {}", pipeline.id));
    if options.no_wait {
        return Ok(StagingResult::NotWaited);
    }
    let row = PipelineRow::of_pipeline(&pipeline, plan.kind());
    let mut follower =
        StartedPipeline { context, head: HeadWatch::of_pipelines(&facts, &plan.combined), row: [row] };
    let ended = until_the_end(context, &mut follower, &mut outcome.pipelines).await;
    if let (Some(planned), StagingResult::Finished) = (&plan.environment, &ended)
        && let Some(status) = deployment_status(&outcome.pipelines)
    {
        environment::report_end(gitlab, planned, status, events).await;
    }
    Ok(ended)
}

/// Returns the status of a deployment by a pipeline; `None` if a part of the result could not be seen.
fn deployment_status(pipelines: &[PipelineOutcome]) -> Option<PipelineStatus> {
    match PipelineVerdict::worst(pipelines.iter().map(PipelineOutcome::verdict)) {
        PipelineVerdict::Succeeded => Some(PipelineStatus::Success),
        PipelineVerdict::Failed if pipelines.iter().any(|one| one.status == PipelineStatus::Canceled) => {
            Some(PipelineStatus::Canceled)
        }
        PipelineVerdict::Failed => Some(PipelineStatus::Failed),
        PipelineVerdict::Unknown => None,
    }
}

/// The one pipeline that was started.
struct StartedPipeline<'a> {
    context: StageContext<'a>,
    head: HeadWatch,
    row: [PipelineRow; 1],
}

impl Follower for StartedPipeline<'_> {
    async fn look(&mut self) -> Result<bool, StageError> {
        let StageContext { gitlab, events, .. } = self.context;
        self.head.look(gitlab, events).await?;
        let [row] = &mut self.row;
        row.look(gitlab, events).await?;
        Ok(row.is_finished())
    }

    fn rows(&self) -> &[PipelineRow] {
        &self.row
    }

    fn rows_mut(&mut self) -> &mut [PipelineRow] {
        &mut self.row
    }

    fn give_up(&mut self) -> StagingResult {
        StagingResult::TimedOut
    }
}
