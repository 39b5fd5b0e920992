//! Follows pipelines to their end, whatever method started them: polls until all are final, waits out
//! temporary errors, and keeps everything that was learned, however it ends.

mod failures;
mod node;
mod progress_events;
mod question;
mod row;
mod tree;

use std::time::Duration;

pub(super) use row::{PipelineRow, RowPlace};

use super::context::StageContext;
use super::{PipelineOutcome, StageError, StagingResult};
use crate::base::text::duration;
use crate::model::event::Events;
use crate::model::staging::{AwakeTime, PollPace};

/// A method's side of following: where its pipelines come from.
pub(super) trait Follower {
    /// Polls everything once; returns `true` at the end.
    async fn look(&mut self) -> Result<bool, StageError>;

    /// Returns the pipelines so far.
    fn rows(&self) -> &[PipelineRow];

    /// Returns the pipelines so far, to read them completely.
    fn rows_mut(&mut self) -> &mut [PipelineRow];

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
    let reads_all = matches!(ended, StagingResult::Finished | StagingResult::TimedOut);
    if reads_all {
        complete(context, follower).await;
    }
    let rows = follower.rows();
    rows.iter().for_each(|row| row.abandon(context.events));
    *pipelines = rows.iter().map(|row| row.outcome(context.gitlab)).collect();
    if reads_all {
        add_failed_jobs(context, rows, pipelines).await;
    }
    ended
}

/// Reads all jobs, now that the end is known. What cannot be read stays as it was seen last.
async fn complete(context: StageContext<'_>, follower: &mut impl Follower) {
    for row in follower.rows_mut() {
        // A second signal skips it.
        tokio::select! {
            _ = row.complete(context.gitlab, context.events) => {}
            _ = context.stop.requested() => return,
        }
    }
}

async fn add_failed_jobs(context: StageContext<'_>, rows: &[PipelineRow], pipelines: &mut [PipelineOutcome]) {
    for (row, pipeline) in rows.iter().zip(pipelines) {
        // A second signal skips the reasons.
        tokio::select! {
            () = row.add_failures(context.gitlab, context.options.log_lines, pipeline) => {}
            _ = context.stop.requested() => return,
        }
    }
}

async fn poll(context: StageContext<'_>, follower: &mut impl Follower) -> StagingResult {
    let StageContext { gitlab, options, events, stop, began } = context;
    let clock = gitlab.clock().clone();
    let mut awake = AwakeTime::default();
    let mut pace = PollPace::new(options.interval);
    let asked = clock.elapsed();
    let mut trouble: Option<Duration> = None;
    let mut seen = 0;
    loop {
        let before = clock.elapsed();
        let looked = tokio::select! {
            biased;
            signal = stop.requested() => return StagingResult::Stopped(signal),
            looked = follower.look() => looked,
        };
        if let Some(asleep) = awake.note_poll(clock.elapsed().saturating_sub(before)) {
            note_sleep(events, asleep);
        }
        let now = awake.of(clock.elapsed());
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
        let version: u64 = follower.rows().iter().map(|row| 1 + row.version()).sum();
        let pause = pace.pause(std::mem::replace(&mut seen, version) != version);
        let before = clock.elapsed();
        tokio::select! {
            biased;
            signal = stop.requested() => return StagingResult::Stopped(signal),
            () = clock.sleep(pause) => {}
        }
        if let Some(asleep) = awake.note_pause(pause, clock.elapsed().saturating_sub(before)) {
            note_sleep(events, asleep);
            // What happened meanwhile is seen soon.
            pace.pause(true);
        }
    }
}

fn note_sleep(events: &Events, asleep: Duration) {
    events.note(format!("This machine was asleep for {}, which does not count.", duration(asleep)));
}
