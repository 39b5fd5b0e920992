//! Cancels the pipelines of the user's own request. Pipelines of others are never canceled.

use std::time::Duration;

use super::ProgressOptions;
use super::find::find;
use super::read::read_rows;
use crate::model::inventory::StageVia;
use crate::model::staging::{PipelineCourse, PipelineStatus};
use crate::ops::login::API_SCOPE;
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::follow::PipelineRow;
use crate::ops::stage::{MergeRequestFacts, StageError};
use crate::systems::gitlab::{GitLab, GitLabError};

/// Delays before each try.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(4)];

/// The pipelines to cancel.
#[derive(Debug, Clone)]
pub struct CancelPlan {
    /// The merge request.
    pub merge_request: MergeRequestFacts,
    /// User name of the requester.
    pub requested_by: String,
    /// The unfinished pipelines, parents first.
    pub pipelines: Vec<CanceledPipeline>,
}

/// A pipeline to cancel, or that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanceledPipeline {
    /// Its project.
    pub project: String,
    /// Its number.
    pub id: u64,
    /// Group and branch, and the trigger below.
    pub name: String,
    /// Address of its page.
    pub url: Option<String>,
    /// Its status.
    pub status: PipelineStatus,
}

/// A request that cannot be canceled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The staging cannot be read.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Canceling needs a token.
    #[error("canceling the pipelines of `{merge_request}` needs a token for `{server}`")]
    NoToken {
        /// `group/project!iid`.
        merge_request: String,
        /// The server.
        server: String,
    },
    /// The request is another user's.
    #[error(
        "staging of `{merge_request}` was requested by @{by}, and you are @{me}: only one's own request is canceled"
    )]
    NotYours {
        /// `group/project!iid`.
        merge_request: String,
        /// The requester.
        by: String,
        /// The token's user.
        me: String,
    },
    /// The pipelines may be those of another request.
    #[error(
        "there are other requests to the bot on `{merge_request}`: its pipelines may be those of another one"
    )]
    Unclear {
        /// `group/project!iid`.
        merge_request: String,
    },
    /// A pipeline could not be canceled.
    #[error("pipeline {id} of `{project}` was not canceled; canceled before it: {done}")]
    Pipeline {
        /// Its project.
        project: String,
        /// Its number.
        id: u64,
        /// Number of pipelines that were canceled.
        done: usize,
        /// Underlying error.
        source: GitLabError,
    },
}

/// Finds the unfinished pipelines of the user's own request. Changes nothing.
///
/// # Errors
/// Fails when there is no request, or it is another user's.
pub async fn plan_cancel(gitlab: &GitLab, options: &ProgressOptions) -> Result<CancelPlan, CancelError> {
    if options.via == StageVia::Kubernetes {
        let merge_request = format!("{}!{}", options.project, options.merge_request);
        return Err(CancelError::Stage(StageError::InCluster { merge_request }));
    }
    if !gitlab.has_token() {
        return Err(CancelError::NoToken {
            merge_request: format!("{}!{}", options.project, options.merge_request),
            server: gitlab.server().to_owned(),
        });
    }
    let found = find(gitlab, options).await?;
    let me = gitlab.user().await.map_err(StageError::from)?;
    let reference = found.facts.reference();
    let by = match &found.located.current {
        Some(current) => Some(current.found.author.clone()),
        // The pipelines tell who started each.
        None => found.is_started.then(|| shown(&me.username, 100)),
    };
    let Some(by) = by else {
        return Err(CancelError::Stage(StageError::NotRequested {
            merge_request: reference,
            head: found.facts.head.clone(),
            outdated: found.located.outdated.and_then(|one| one.found.sha),
            searched: found.searched,
        }));
    };
    if !by.eq_ignore_ascii_case(&me.username) {
        return Err(CancelError::NotYours { merge_request: reference, by, me: shown(&me.username, 100) });
    }
    if found.is_guess {
        return Err(CancelError::Unclear { merge_request: reference });
    }
    let token = gitlab.token_facts().await.map_err(StageError::from)?;
    if let Some(token) = token.filter(|token| !token.scopes.iter().any(|scope| scope == API_SCOPE)) {
        return Err(CancelError::Stage(StageError::NoScope {
            action: format!("canceling the pipelines of `{reference}`"),
            server: gitlab.server().to_owned(),
            missing: API_SCOPE,
            scopes: shown(&token.scopes.join(", "), 200),
        }));
    }
    let mut pipelines = Vec::new();
    let mut rows =
        read_rows(gitlab, &found.facts.project, options, found.rows, found.answer.is_some()).await?;
    if found.is_started {
        let is_mine =
            |row: &PipelineRow| row.starter().is_some_and(|by| by.eq_ignore_ascii_case(&me.username));
        if let Some(other) = rows.first().filter(|_| !rows.iter().any(is_mine)) {
            let by = shown(other.starter().unwrap_or("somebody"), 100);
            return Err(CancelError::NotYours { merge_request: reference, by, me: shown(&me.username, 100) });
        }
        rows.retain(is_mine);
    }
    for row in rows {
        let outcome = row.outcome(gitlab);
        let Some(course) = &outcome.course else { continue };
        for (_, one) in course.all().into_iter().filter(|(_, one)| can_end(one)) {
            let below = one.trigger.as_ref().map(|trigger| format!(" › {trigger}")).unwrap_or_default();
            pipelines.push(CanceledPipeline {
                project: one.project.clone(),
                id: one.id,
                name: format!("{} {}{below}", outcome.group, outcome.branch),
                url: one.url.clone(),
                status: one.status.clone(),
            });
        }
    }
    Ok(CancelPlan { merge_request: found.facts, requested_by: by, pipelines })
}

impl CancelPlan {
    /// Returns the number of pipelines that have ended, or end now.
    #[must_use]
    pub fn ending(&self) -> usize {
        self.pipelines.iter().filter(|one| is_ending(&one.status)).count()
    }
}

fn is_ending(status: &PipelineStatus) -> bool {
    status.is_finished() || *status == PipelineStatus::Canceling
}

/// Returns whether a pipeline can be canceled.
fn can_end(one: &PipelineCourse) -> bool {
    !one.status.is_finished() && one.unread.is_none()
}

/// Cancels the pipelines. A pipeline that has ended in the meantime stays as it is. The plan has their statuses
/// afterwards, also where the server does not cancel one, or a signal ends the work.
///
/// # Errors
/// Fails at the first pipeline that the server does not let the user cancel, or about which it does not answer.
pub async fn cancel(gitlab: &GitLab, plan: &mut CancelPlan) -> Result<(), CancelError> {
    for at in 0..plan.pipelines.len() {
        let one = &mut plan.pipelines[at];
        if let Err(source) = cancel_one(gitlab, one).await {
            let (project, id) = (one.project.clone(), one.id);
            return Err(CancelError::Pipeline { project, id, done: at, source });
        }
    }
    Ok(())
}

/// Cancels a pipeline. The call may be repeated, so one that was lost is; a server may take a moment to obey.
async fn cancel_one(gitlab: &GitLab, one: &mut CanceledPipeline) -> Result<(), GitLabError> {
    for pause in PAUSES {
        gitlab.clock().sleep(pause).await;
        let canceled = match gitlab.cancel_pipeline(&one.project, one.id).await {
            // The cancellation of a parent may have ended it.
            Err(error) if error.is_ambiguous() => gitlab.pipeline(&one.project, one.id).await,
            canceled => canceled,
        };
        one.status = canceled?.status;
        if is_ending(&one.status) {
            break;
        }
    }
    Ok(())
}
