//! Starts the pipeline once: finds that of an earlier request, or sends the request.

use super::PipelinePlan;
use super::find::{PastPipelines, covers_head, find_new, find_previous, reference};
use super::plan::PipelineRef;
use crate::model::event::Events;
use crate::ops::stage::delivery::{Delivery, deliver};
use crate::ops::stage::head::check_heads;
use crate::ops::stage::{AskResult, MergeRequestFacts, StageError};
use crate::systems::gitlab::{GitLab, GitLabError, User};

/// The facts to know before the request is sent.
pub(super) struct StartContext {
    me: Option<User>,
    past: PastPipelines,
}

/// Checks that the request can be sent, and is still the right one. Changes nothing.
pub(super) async fn prepare(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
) -> Result<StartContext, StageError> {
    if let Some(variable) = &plan.missing_token {
        return Err(StageError::NoTriggerToken { variable: variable.clone() });
    }
    if !gitlab.has_token() && !plan.is_trigger() {
        let action = format!("starting a pipeline of `{}`", facts.reference());
        return Err(StageError::NoToken { action, server: gitlab.server().to_owned() });
    }
    let me = if gitlab.has_token() { Some(gitlab.user().await?) } else { None };
    check_heads(gitlab, facts, &plan.combined).await?;
    let past = find_previous(gitlab, facts, plan, me.as_ref()).await?;
    Ok(StartContext { me, past })
}

/// Starts the pipeline, unless it exists.
pub(super) async fn start(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    ready: StartContext,
    force: bool,
    events: &Events,
) -> Result<AskResult, StageError> {
    if !force {
        if let Some(earlier) = ready.past.same.clone() {
            return Ok(AskResult::Resumed(earlier));
        }
        if let Some(perhaps) = ready.past.perhaps.as_ref().filter(|_| !plan.is_trigger()) {
            return Err(StageError::Incomparable { url: perhaps.url.clone() });
        }
    }
    let started = send(gitlab, facts, plan, &ready, events).await?;
    Ok(AskResult::Started(started))
}

async fn send(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    ready: &StartContext,
    events: &Events,
) -> Result<PipelineRef, StageError> {
    let request = async || gitlab.start_pipeline(&plan.call).await;
    let find = async || arrived(gitlab, facts, plan, ready).await;
    let started = match deliver(gitlab, events, "whether the pipeline was started", request, find).await? {
        Delivery::Answered(started) => started,
        Delivery::Found(found) => return Ok(found),
    };
    let found = reference(gitlab, plan, &started);
    if plan.expects_head && !covers_head(gitlab, facts, plan, &started).await? {
        return Err(StageError::OtherCommit { url: found.url, sha: found.sha, head: facts.head.clone() });
    }
    Ok(found)
}

/// Looks for a pipeline that may have been started.
async fn arrived(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    ready: &StartContext,
) -> Result<Option<PipelineRef>, StageError> {
    let uncertain = |source: GitLabError| StageError::UncertainPipeline {
        merge_request: facts.reference(),
        source: Box::new(source),
    };
    let found = find_new(gitlab, facts, plan, ready.me.as_ref(), &ready.past).await.map_err(uncertain)?;
    match (found.same, found.perhaps) {
        (Some(same), _) => Ok(Some(same)),
        (None, Some(perhaps)) => Err(StageError::Incomparable { url: perhaps.url }),
        (None, None) => Ok(None),
    }
}
