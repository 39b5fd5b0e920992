//! The method `bot`: asks the project's bot in a comment, and follows the pipelines of its answer to their
//! end. The form of requests and answers is in `model::staging`.

mod answer;
mod ask;
mod links;
mod pick;
mod plan;
mod same;
mod welcome;

pub(super) use answer::follow;
pub(super) use links::{LinkScope, LinkedPipelines};
pub(super) use pick::{LinkPick, Pick, pick};
pub use plan::{BotOptions, BotPlan};
pub use welcome::BotWelcome;
pub(super) use welcome::welcome;

use super::combined::CombinedMergeRequest;
use super::context::StageContext;
use super::{AskResult, MergeRequestFacts, StageError, StageOutcome, StagingResult};
use crate::model::event::TaskOutcome;
use crate::model::staging::{Marker, comment};
use crate::systems::gitlab::{GitLab, GitLabError, User};

/// Writes the comment, and looks for an earlier one of the user. Changes nothing.
pub(super) async fn plan(
    gitlab: &GitLab,
    merge_request: &MergeRequestFacts,
    combined: &[CombinedMergeRequest],
    options: &BotOptions,
    me: Option<&User>,
) -> Result<BotPlan, StageError> {
    let mut request = options.request.clone();
    for one in combined {
        let added = request.combine(one.facts.staged_head(), &one.values, &options.declared);
        request = added.map_err(|fault| one.refused(merge_request, fault))?;
    }
    let marker = Marker::new(&merge_request.head, &request)?;
    let mut plan = BotPlan {
        comment: comment(&options.template, &request, &marker)?,
        request,
        marker,
        earlier: None,
        form: options.form,
        pipelines: options.pipelines.clone(),
    };
    // GitLab shows comments only to users with a token.
    if let Some(me) = me {
        plan.earlier = match ask::find_previous(gitlab, merge_request, &plan, me).await {
            // Nothing will be posted, but the text can be shown.
            Err(GitLabError::TooManyNotes { .. }) => None,
            past => past?.earlier,
        };
    }
    Ok(plan)
}

/// Posts the comment, unless it exists, and follows the answer.
pub(super) async fn run(
    context: StageContext<'_>,
    plan: &BotPlan,
    outcome: &mut StageOutcome,
) -> Result<StagingResult, StageError> {
    let StageContext { gitlab, options, events, stop, .. } = context;
    let facts = outcome.merge_request.clone();
    let task = events.start("asked", format!("asking @{}", plan.request.bot()));
    let ready = tokio::select! {
        biased;
        signal = stop.requested() => return Ok(StagingResult::Stopped(signal)),
        ready = ask::prepare(gitlab, &facts, plan) => ready?,
    };
    // A comment that is being posted cannot be cancelled: a first signal waits for it, a second does not.
    outcome.asked = tokio::select! {
        asked = ask::ask(gitlab, &facts, plan, ready, options.force, events) => asked?,
        signal = stop.force_requested() => {
            let action = format!("the comment on `{}` was being posted", facts.reference());
            return Err(StageError::Stopped { action, signal });
        }
    };
    let request = match &outcome.asked {
        AskResult::Found(one) => {
            task.finish(TaskOutcome::Unchanged, format!("comment {} of {}", one.id, one.created_at));
            one.clone()
        }
        AskResult::Posted(one) => {
            task.finish(TaskOutcome::Done, format!("comment {}", one.id));
            one.clone()
        }
        AskResult::No | AskResult::Started(_) | AskResult::Resumed(_) => return Ok(StagingResult::NotWaited),
    };
    if options.no_wait {
        return Ok(StagingResult::NotWaited);
    }
    Ok(follow(context, plan, request, outcome).await)
}
