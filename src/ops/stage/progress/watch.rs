//! Follows a staging that was started earlier, by whomever, to its end.

use std::time::Duration;

use super::ProgressOptions;
use super::find::{FoundStaging, find, pipelines, request_of};
use crate::host::signals::Shutdown;
use crate::model::event::{Events, Task, TaskOutcome};
use crate::model::staging::Marker;
use crate::ops::stage::bot::{self, BotPlan};
use crate::ops::stage::context::StageContext;
use crate::ops::stage::follow::{Follower, PipelineRow, until_the_end};
use crate::ops::stage::head::HeadWatch;
use crate::ops::stage::{
    AskResult, MergeRequestFacts, SentRequest, StageError, StageOptions, StageOutcome, StagingResult,
};
use crate::systems::gitlab::GitLab;

/// Follows the newest request for the head commit; without a token, the pipelines that everybody may see.
///
/// # Errors
/// Fails when the merge request cannot be read, or nothing was requested for its head.
pub async fn watch(
    gitlab: &GitLab,
    progress: &ProgressOptions,
    options: &StageOptions,
    events: &Events,
    stop: &Shutdown,
) -> Result<StageOutcome, StageError> {
    let began = gitlab.clock().elapsed();
    let context = StageContext { gitlab, options, events, stop, began };
    let task = events.start("gitlab", format!("asking {} for the merge request", gitlab.server()));
    let found = find(gitlab, progress).await;
    task.dismiss();
    let found = found?;
    for unread in &found.unread {
        events.note(unread.clone());
    }
    let mut outcome = StageOutcome {
        merge_request: found.facts.clone(),
        combined: found.combined.clone(),
        request: SentRequest::Comment(String::new()),
        environment: None,
        asked: AskResult::No,
        answer: None,
        pipelines: Vec::new(),
        ended: StagingResult::NotWaited,
        took: Duration::ZERO,
    };
    outcome.ended = match &found.located.current {
        Some(current) => {
            let request = request_of(current, &found.bot)?;
            let plan = BotPlan {
                marker: Marker::new(&found.facts.head, &request)?,
                request,
                comment: current.found.text.clone(),
                earlier: Some(current.found.comment.clone()),
                form: progress.form,
                pipelines: progress.pipelines.clone(),
            };
            outcome.request = SentRequest::Comment(plan.comment.clone());
            outcome.asked = AskResult::Found(current.found.comment.clone());
            bot::follow(context, &plan, current.found.comment.clone(), &mut outcome).await
        }
        None if is_missing(&found) && progress.is_by_comment() => {
            return Err(StageError::NotRequested {
                merge_request: found.facts.reference(),
                head: found.facts.head.clone(),
                outdated: found.located.outdated.and_then(|one| one.found.sha),
                searched: found.searched,
            });
        }
        None => {
            let facts = outcome.merge_request.clone();
            let mut follower = RowsFollower::new(context, progress, &facts, found);
            until_the_end(context, &mut follower, &mut outcome.pipelines).await
        }
    };
    outcome.took = gitlab.clock().elapsed().saturating_sub(began);
    Ok(outcome)
}

/// Returns whether all that can be read is known, and nothing was requested there.
fn is_missing(found: &FoundStaging) -> bool {
    found.rows.is_empty() && (found.unread.is_empty() || found.searched.is_some())
}

/// Follows the pipelines of the head commit. Until there is one, it looks for it.
struct RowsFollower<'a> {
    context: StageContext<'a>,
    progress: &'a ProgressOptions,
    facts: &'a MergeRequestFacts,
    head: HeadWatch,
    rows: Vec<PipelineRow>,
    waiting: Option<Task>,
}

impl<'a> RowsFollower<'a> {
    fn new(
        context: StageContext<'a>,
        progress: &'a ProgressOptions,
        facts: &'a MergeRequestFacts,
        found: FoundStaging,
    ) -> Self {
        let place = progress.place(context.gitlab, &facts.project, false);
        let head = HeadWatch::of_pipelines(facts, &found.combined);
        let rows: Vec<PipelineRow> =
            found.rows.into_iter().map(|row| PipelineRow::new(row, &place)).collect();
        let waiting = rows.is_empty().then(|| context.events.start("pipelines", "waiting for a pipeline"));
        Self { context, progress, facts, head, rows, waiting }
    }
}

impl Follower for RowsFollower<'_> {
    async fn look(&mut self) -> Result<bool, StageError> {
        let StageContext { gitlab, events, .. } = self.context;
        self.head.look(gitlab, events).await?;
        if self.rows.is_empty() {
            let seen = pipelines(gitlab, self.facts, self.progress).await?;
            self.head = HeadWatch::of_pipelines(self.facts, &seen.combined);
            let place = self.progress.place(gitlab, &self.facts.project, false);
            self.rows = seen.rows.into_iter().map(|row| PipelineRow::new(row, &place)).collect();
            if let Some(task) = self.waiting.take_if(|_| !self.rows.is_empty()) {
                task.dismiss();
            }
        }
        for row in &mut self.rows {
            row.look(gitlab, events).await?;
        }
        Ok(!self.rows.is_empty() && self.rows.iter().all(PipelineRow::is_finished))
    }

    fn rows(&self) -> &[PipelineRow] {
        &self.rows
    }

    fn rows_mut(&mut self) -> &mut [PipelineRow] {
        &mut self.rows
    }

    fn give_up(&mut self) -> StagingResult {
        if let Some(task) = self.waiting.take() {
            task.finish(TaskOutcome::Failed, "no pipeline");
        }
        StagingResult::NoAnswer(None)
    }
}
