//! Stages a merge request: one of the methods (a directory each) starts its pipelines, and this follows them
//! to their end. Every method shares the target, the facts of the merge request, the check of its head, the
//! outcome and the following. The output is in `report`.

mod bot;
mod combined;
mod context;
mod delivery;
mod environment;
mod error;
mod facts;
mod follow;
mod head;
pub mod kubernetes;
mod merge_request;
mod options;
mod outcome;
mod pipeline;
mod plan;
mod progress;
mod target;

use std::time::Duration;

use crate::host::signals::Shutdown;
use crate::model::event::Events;
use crate::ops::login::API_SCOPE;
use crate::ops::shared::outside_text::shown;
use crate::systems::gitlab::GitLab;
pub use bot::{BotOptions, BotPlan, BotWelcome};
pub use combined::{CombinedEntry, CombinedOptions};
use context::StageContext;
pub use environment::{
    EnvironmentChange, EnvironmentOwner, EnvironmentPlan, RunningEnvironment, RunningEnvironments,
    running_environments, stop_environments,
};
pub use error::{CombineFault, StageError};
pub use facts::{CommentRef, MergeRequestFacts};
use merge_request::read_open;
pub use options::StageOptions;
pub use outcome::{
    AskResult, FailedJob, PipelineOutcome, PipelineVerdict, SentRequest, StageOutcome, StagingResult,
};
pub use pipeline::{PipelineOptions, PipelinePlan, PipelineRef, TriggerToken};
pub use plan::{MethodOptions, MethodPlan, StagePlan, StagingOptions};
pub use progress::{
    CancelError, CancelPlan, CanceledPipeline, CombinedProgress, ContainerLog, FoundRequest, JobLog,
    ListedRelease, ListedStaging, LogChoice, NoteError, NoteResult, ProgressOptions, ProgressState,
    StagingEnvironment, StagingList, StagingLogs, StagingProgress, cancel, list, logs, plan_cancel,
    post_report, read as progress, watch,
};
pub use target::{StageTarget, TargetError, of_project, target};

/// Reads the merge request and writes the request. Changes nothing.
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
    combined::check(&staging.project, staging.merge_request, &staging.combined)?;
    let first = format!("{}!{}", staging.project, staging.merge_request);
    let (merge_request, combined) = tokio::try_join!(
        read_open(gitlab, &staging.project, staging.merge_request),
        combined::read(gitlab, &first, &staging.combined)
    )?;
    let (me, token) = if gitlab.has_token() {
        let (me, token) = tokio::try_join!(gitlab.user(), gitlab.token_facts())?;
        (Some(me), token)
    } else {
        (None, None)
    };
    let method = match &staging.method {
        MethodOptions::Bot(options) => {
            let plan = bot::plan(gitlab, &merge_request, &combined, options, me.as_ref()).await?;
            MethodPlan::Bot(Box::new(plan))
        }
        MethodOptions::Pipeline(options) => {
            let plan = pipeline::plan(gitlab, &merge_request, &combined, options, me.as_ref()).await?;
            MethodPlan::Pipeline(Box::new(plan))
        }
    };
    let combined = combined.into_iter().map(|one| one.facts).collect();
    Ok(StagePlan { merge_request, combined, token, method })
}

/// Reads the bot's own explanation on a merge request.
///
/// # Errors
/// Fails without a token, or when the merge request cannot be read.
pub async fn bot_welcome(
    gitlab: &GitLab,
    project: &str,
    merge_request: u64,
    bot: &str,
    events: &Events,
) -> Result<BotWelcome, StageError> {
    let task = events.start("gitlab", format!("asking {} for the comments of @{bot}", gitlab.server()));
    let facts = read_open(gitlab, project, merge_request).await;
    let found = match facts {
        Ok(facts) => bot::welcome(gitlab, facts, bot).await,
        Err(error) => Err(error),
    };
    task.dismiss();
    found
}

/// Checks that the token may send the request, as far as the server says what it may do.
///
/// # Errors
/// Fails if a scope is missing.
pub fn check_rights(gitlab: &GitLab, plan: &StagePlan) -> Result<(), StageError> {
    let (Some(token), Some(action)) = (&plan.token, plan.action()) else { return Ok(()) };
    if token.scopes.iter().any(|scope| scope == API_SCOPE) {
        return Ok(());
    }
    Err(StageError::NoScope {
        action,
        server: gitlab.server().to_owned(),
        missing: API_SCOPE,
        scopes: shown(&token.scopes.join(", "), 200),
    })
}

/// Sends the request, unless it exists, and follows its pipelines.
///
/// # Errors
/// Fails when the request cannot be sent. A later failure is in the outcome, with everything that is
/// known.
pub async fn run(
    gitlab: &GitLab,
    plan: StagePlan,
    options: &StageOptions,
    events: &Events,
    stop: &Shutdown,
) -> Result<StageOutcome, StageError> {
    let began = gitlab.clock().elapsed();
    let context = StageContext { gitlab, options, events, stop, began };
    let mut outcome = StageOutcome {
        merge_request: plan.merge_request.clone(),
        combined: plan.combined.iter().map(MergeRequestFacts::staged_head).collect(),
        request: plan.request(),
        environment: plan.environment().cloned(),
        asked: AskResult::No,
        answer: None,
        pipelines: Vec::new(),
        ended: StagingResult::DryRun,
        took: Duration::ZERO,
    };
    if options.dry_run {
        return Ok(outcome);
    }
    if !plan.is_requested() || options.force {
        check_rights(gitlab, &plan)?;
    }
    outcome.ended = match &plan.method {
        MethodPlan::Bot(bot) => bot::run(context, bot, &mut outcome).await?,
        MethodPlan::Pipeline(pipeline) => pipeline::run(context, pipeline, &mut outcome).await?,
    };
    outcome.took = gitlab.clock().elapsed().saturating_sub(began);
    Ok(outcome)
}
