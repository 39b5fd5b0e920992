//! Stages a merge request: asks the project's bot in a comment, and follows the pipelines of its answer
//! to their end. The form of requests and answers is in `model::staging`, the output in `report`.

mod ask;
mod error;
mod facts;
mod failures;
mod follow;
mod outcome;
mod pick;
mod row;
mod same;
mod staging;
mod target;

use std::time::Duration;

use crate::host::signals::Shutdown;
use crate::model::event::{Events, TaskOutcome};
use crate::model::staging::{Marker, comment};
use crate::ops::login::API_SCOPE;
use crate::ops::shared::outside_text::shown;
use crate::systems::gitlab::{GitLab, GitLabError};
pub use error::StageError;
pub use facts::{CommentRef, MergeRequestFacts};
pub use outcome::{AskResult, FailedJob, PipelineOutcome, StageOutcome, StagingResult};
pub use staging::{StageOptions, StagePlan, StagingOptions};
pub use target::{StageTarget, TargetError, target};

/// Reads the merge request and writes the comment. Changes nothing.
///
/// # Errors
/// Fails when the merge request cannot be read or staged, or the request cannot be written.
pub async fn plan(
    gitlab: &GitLab,
    staging: &StagingOptions,
    events: &Events,
) -> Result<StagePlan, StageError> {
    let task = events.start("gitlab", format!("asking {} for the merge request", gitlab.server()));
    let planned = read(gitlab, staging).await;
    task.dismiss();
    planned
}

async fn read(gitlab: &GitLab, staging: &StagingOptions) -> Result<StagePlan, StageError> {
    let found = gitlab.merge_request(&staging.project, staging.merge_request).await;
    let found = match found {
        // Servers other than GitLab also answer "not found", so this checks for GitLab.
        Err(error) if error.is_not_found() => match gitlab.version().await {
            Err(other @ GitLabError::NotGitLab { .. }) => return Err(other.into()),
            _ => return Err(error.into()),
        },
        found => found?,
    };
    let merge_request = MergeRequestFacts::of(gitlab.server(), &staging.project, &found)?;
    let marker = Marker::new(&merge_request.head, &staging.request)?;
    let comment = comment(&staging.template, &staging.request, &marker)?;
    let mut plan = StagePlan {
        merge_request,
        request: staging.request.clone(),
        comment,
        marker,
        earlier: None,
        token: None,
    };
    // GitLab shows comments only to users with a token.
    if gitlab.has_token() {
        let (me, token) = tokio::try_join!(gitlab.user(), gitlab.token_facts())?;
        plan.token = token;
        plan.earlier = ask::find_previous(gitlab, &plan, &me).await?.earlier;
    }
    Ok(plan)
}

/// Checks that the token may post the comment, as far as the server says what it may do.
///
/// # Errors
/// Fails if a scope is missing.
pub fn check_rights(gitlab: &GitLab, plan: &StagePlan) -> Result<(), StageError> {
    let Some(token) = &plan.token else { return Ok(()) };
    if token.scopes.iter().any(|scope| scope == API_SCOPE) {
        return Ok(());
    }
    Err(StageError::NoScope {
        merge_request: plan.merge_request.reference(),
        server: gitlab.server().to_owned(),
        missing: API_SCOPE,
        scopes: shown(&token.scopes.join(", "), 200),
    })
}

/// Posts the request, unless it exists, and follows the answer.
///
/// # Errors
/// Fails when the request cannot be posted. A later failure is in the outcome, with everything that is
/// known.
pub async fn run(
    gitlab: &GitLab,
    plan: StagePlan,
    options: &StageOptions,
    events: &Events,
    stop: &Shutdown,
) -> Result<StageOutcome, StageError> {
    let began = gitlab.clock().elapsed();
    let mut outcome = StageOutcome {
        merge_request: plan.merge_request.clone(),
        comment: plan.comment.clone(),
        asked: AskResult::No,
        answer: None,
        pipelines: Vec::new(),
        ended: StagingResult::DryRun,
        took: Duration::ZERO,
    };
    if options.dry_run {
        return Ok(outcome);
    }
    if plan.earlier.is_none() || options.force {
        check_rights(gitlab, &plan)?;
    }
    let task = events.start("asked", format!("asking @{}", plan.request.bot()));
    let ready = tokio::select! {
        biased;
        signal = stop.requested() => {
            outcome.ended = StagingResult::Stopped(signal);
            return Ok(outcome);
        }
        ready = ask::prepare(gitlab, &plan) => ready?,
    };
    // A comment that is being posted cannot be cancelled: a first signal waits for it, a second does not.
    outcome.asked = tokio::select! {
        asked = ask::ask(gitlab, &plan, ready, options.force, events) => asked?,
        signal = stop.force_requested() => {
            return Err(StageError::Stopped { merge_request: plan.merge_request.reference(), signal });
        }
    };
    match &outcome.asked {
        AskResult::Found(one) => {
            task.finish(TaskOutcome::Unchanged, format!("comment {} of {}", one.id, one.created_at));
        }
        AskResult::Posted(one) => task.finish(TaskOutcome::Done, format!("comment {}", one.id)),
        AskResult::No => {}
    }
    outcome.ended = if options.no_wait {
        StagingResult::NotWaited
    } else {
        follow::follow(gitlab, &plan, options, events, stop, began, &mut outcome).await
    };
    outcome.took = gitlab.clock().elapsed().saturating_sub(began);
    Ok(outcome)
}
