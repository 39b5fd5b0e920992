//! Follows pipelines to their end, whatever method started them: polls until all are final, waits out
//! temporary errors, and keeps everything that was learned, however it ends.

mod failures;
mod row;

use std::time::Duration;

pub(super) use row::{PipelineRow, RowPlace};

use super::context::StageContext;
use super::{PipelineOutcome, StageError, StagingResult};
use crate::model::staging::PipelineStatus;

/// A method's side of following: where its pipelines come from.
pub(super) trait Follower {
    /// Polls everything once; returns `true` at the end.
    async fn look(&mut self) -> Result<bool, StageError>;

    /// Returns the pipelines so far.
    fn rows(&self) -> &[PipelineRow];

    /// Returns the result if no pipeline appeared in time.
    fn give_up(&mut self) -> StagingResult;
}

/// Polls until the end, and writes the pipelines down.
pub(super) async fn until_the_end(
    context: StageContext<'_>,
    follower: &mut impl Follower,
    pipelines: &mut Vec<PipelineOutcome>,
) -> StagingResult {
    let ended = poll(context, follower).await;
    let rows = follower.rows();
    rows.iter().for_each(|row| row.abandon(context.events));
    *pipelines = rows.iter().map(|row| row.outcome(context.gitlab)).collect();
    if matches!(ended, StagingResult::Finished | StagingResult::TimedOut) {
        add_failed_jobs(context, rows, pipelines).await;
    }
    ended
}

async fn add_failed_jobs(context: StageContext<'_>, rows: &[PipelineRow], pipelines: &mut [PipelineOutcome]) {
    for (row, pipeline) in rows.iter().zip(pipelines) {
        let Some((project, id)) = row.readable() else { continue };
        if *row.status() != PipelineStatus::Failed {
            continue;
        }
        // A second signal skips the reasons.
        pipeline.failed = tokio::select! {
            failed = failures::failed_jobs(context.gitlab, project, id, context.options.log_lines) => failed,
            _ = context.stop.requested() => return,
        };
    }
}

async fn poll(context: StageContext<'_>, follower: &mut impl Follower) -> StagingResult {
    let StageContext { gitlab, options, events, stop, began } = context;
    let clock = gitlab.clock().clone();
    let asked = clock.elapsed();
    let mut trouble: Option<Duration> = None;
    loop {
        let looked = tokio::select! {
            biased;
            signal = stop.requested() => return StagingResult::Stopped(signal),
            looked = follower.look() => looked,
        };
        let now = clock.elapsed();
        match looked {
            Ok(true) => return StagingResult::Finished,
            Ok(false) => trouble = None,
            Err(StageError::GitLab(error)) if error.is_transient() => {
                if trouble.is_none() {
                    events.warn(format!("Still following, although {error}."));
                }
                let since = *trouble.get_or_insert(now);
                if now.saturating_sub(since) >= options.patience {
                    return StagingResult::Lost(error.into());
                }
            }
            Err(error) => return StagingResult::Lost(error),
        }
        if options.timeout.is_some_and(|limit| now.saturating_sub(began) >= limit) {
            return StagingResult::TimedOut;
        }
        if follower.rows().is_empty() && now.saturating_sub(asked) >= options.answer_within {
            return follower.give_up();
        }
        tokio::select! {
            biased;
            signal = stop.requested() => return StagingResult::Stopped(signal),
            () = clock.sleep(options.interval) => {}
        }
    }
}
