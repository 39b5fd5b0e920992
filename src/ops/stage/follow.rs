//! Follows a request: polls the merge request, the bot's answer and all its pipelines until they are
//! final. Temporary errors are waited out.

use std::time::Duration;

use super::facts::{CommentRef, is_user};
use super::pick::{Pick, pick};
use super::row::PipelineRow;
use super::same::pair;
use super::{AskResult, StageError, StageOptions, StageOutcome, StagePlan, StagingResult, failures};
use crate::base::text::{duration, plural};
use crate::host::signals::Shutdown;
use crate::model::event::{Events, Task, TaskOutcome};
use crate::model::staging::{AnswerRow, PipelineStatus, table};
use crate::ops::shared::outside_text::shown;
use crate::systems::gitlab::{Discussion, GitLab, MergeRequest, Note, Poller};

/// Maximum number of pages, of a hundred comments or threads each, to search.
const PAGES: usize = 10;

/// Follows the request. The outcome has everything that was learned, however it ends.
pub(super) async fn follow(
    gitlab: &GitLab,
    plan: &StagePlan,
    options: &StageOptions,
    events: &Events,
    stop: &Shutdown,
    began: Duration,
    outcome: &mut StageOutcome,
) -> StagingResult {
    let (AskResult::Posted(request) | AskResult::Found(request)) = outcome.asked.clone() else {
        return StagingResult::NotWaited;
    };
    let mut follower = PipelineFollower::new(gitlab, plan, options, events, request);
    let ended = follower.until_the_end(stop, began).await;
    follower.rows.iter().for_each(|row| row.abandon(events));
    outcome.answer = follower.answer.as_ref().map(|answer| answer.place.clone());
    outcome.pipelines = follower.rows.iter().map(|row| row.outcome(gitlab)).collect();
    if matches!(ended, StagingResult::Finished | StagingResult::TimedOut) {
        for (row, pipeline) in follower.rows.iter().zip(&mut outcome.pipelines) {
            let Some((project, id)) = row.readable() else { continue };
            if *row.status() != PipelineStatus::Failed {
                continue;
            }
            // A second signal skips the reasons.
            pipeline.failed = tokio::select! {
                failed = failures::failed_jobs(gitlab, project, id, options.log_lines) => failed,
                _ = stop.requested() => break,
            };
        }
    }
    ended
}

/// The bot's answer.
#[derive(Debug)]
struct Answer {
    place: CommentRef,
    watch: Poller<Note>,
    gone: bool,
}

struct PipelineFollower<'a> {
    gitlab: &'a GitLab,
    plan: &'a StagePlan,
    options: &'a StageOptions,
    events: &'a Events,
    request: CommentRef,
    merge_request: Poller<MergeRequest>,
    notes: Poller<Vec<Note>>,
    answer: Option<Answer>,
    rows: Vec<PipelineRow>,
    /// The answer is too long to be read completely.
    is_cut: bool,
    waiting: Option<Task>,
    /// The last comment of the bot that is not an answer.
    said: Option<String>,
    warned_head: Option<String>,
    warned_state: bool,
    warned_others: bool,
}

impl<'a> PipelineFollower<'a> {
    fn new(
        gitlab: &'a GitLab,
        plan: &'a StagePlan,
        options: &'a StageOptions,
        events: &'a Events,
        request: CommentRef,
    ) -> Self {
        let facts = &plan.merge_request;
        Self {
            gitlab,
            plan,
            options,
            events,
            request,
            merge_request: Poller::merge_request(&facts.project, facts.iid),
            notes: Poller::notes(&facts.project, facts.iid),
            answer: None,
            rows: Vec::new(),
            is_cut: false,
            waiting: Some(events.start("answered", format!("waiting for @{}", plan.request.bot()))),
            said: None,
            warned_head: None,
            warned_state: false,
            warned_others: false,
        }
    }

    /// Polls until the end.
    async fn until_the_end(&mut self, stop: &Shutdown, began: Duration) -> StagingResult {
        let clock = self.gitlab.clock().clone();
        let asked = clock.elapsed();
        let mut trouble: Option<Duration> = None;
        loop {
            let looked = tokio::select! {
                biased;
                signal = stop.requested() => return StagingResult::Stopped(signal),
                looked = self.look() => looked,
            };
            let now = clock.elapsed();
            match looked {
                Ok(true) => return StagingResult::Finished,
                Ok(false) => trouble = None,
                Err(StageError::GitLab(error)) if error.is_transient() => {
                    if trouble.is_none() {
                        self.events.warn(format!("Still following, although {error}."));
                    }
                    let since = *trouble.get_or_insert(now);
                    if now.saturating_sub(since) >= self.options.patience {
                        return StagingResult::Lost(error.into());
                    }
                }
                Err(error) => return StagingResult::Lost(error),
            }
            if self.options.timeout.is_some_and(|limit| now.saturating_sub(began) >= limit) {
                return StagingResult::TimedOut;
            }
            if self.rows.is_empty() && now.saturating_sub(asked) >= self.options.answer_within {
                if let Some(task) = self.waiting.take() {
                    let limit = duration(self.options.answer_within);
                    task.finish(TaskOutcome::Failed, format!("no answer within {limit}"));
                }
                return StagingResult::NoAnswer(self.said.take());
            }
            tokio::select! {
                biased;
                signal = stop.requested() => return StagingResult::Stopped(signal),
                () = clock.sleep(self.options.interval) => {}
            }
        }
    }

    /// Polls everything once; returns `true` at the end.
    async fn look(&mut self) -> Result<bool, StageError> {
        self.look_at_merge_request().await?;
        if self.answer.is_none() {
            self.look_for_answer().await?;
        } else {
            self.look_at_answer().await?;
        }
        for row in &mut self.rows {
            row.look(self.gitlab, self.events).await?;
        }
        if let Some(answer) = self.answer.as_ref().filter(|answer| answer.gone) {
            let blind = self.rows.iter().any(|row| !row.is_finished() && !row.is_seen());
            if blind || self.rows.is_empty() {
                return Err(StageError::AnswerDeleted { url: answer.place.url.clone() });
            }
        }
        let is_over = !self.rows.is_empty() && self.rows.iter().all(PipelineRow::is_finished);
        match &self.answer {
            // An unread row may have failed.
            Some(answer) if is_over && self.is_cut => {
                Err(StageError::AnswerTooLong { url: answer.place.url.clone(), rows: self.rows.len() })
            }
            _ => Ok(is_over),
        }
    }

    async fn look_at_merge_request(&mut self) -> Result<(), StageError> {
        self.gitlab.refresh(&mut self.merge_request).await?;
        let Some(found) = self.merge_request.value() else { return Ok(()) };
        let asked = &self.plan.merge_request.head;
        let head = found.sha.as_ref().filter(|head| !head.eq_ignore_ascii_case(asked));
        if head.is_some() && self.warned_head.as_ref() != head {
            self.events.warn(format!(
                "`{}` has a new head commit, {}; the followed pipelines were requested for {}.",
                self.plan.merge_request.reference(),
                shown(head.map_or("", String::as_str), 12),
                shown(asked, 12),
            ));
            self.warned_head = head.cloned();
        }
        if found.state != "opened" && !self.warned_state {
            let state = shown(&found.state, 20);
            self.events.warn(format!("`{}` is {state} now.", self.plan.merge_request.reference()));
            self.warned_state = true;
        }
        Ok(())
    }

    /// Searches the comments since the request for the answer.
    async fn look_for_answer(&mut self) -> Result<(), StageError> {
        let facts = &self.plan.merge_request;
        let request = self.request.id;
        let reached = |notes: &[Note]| notes.iter().any(|note| note.id < request);
        if !self.gitlab.refresh_list(&mut self.notes, PAGES, reached).await? {
            return Ok(());
        }
        let notes = self.notes.value().cloned().unwrap_or_default();
        if !notes.iter().any(|note| note.id == request) {
            // The request may not be in the list yet.
            match self.gitlab.note(&facts.project, facts.iid, request).await {
                Err(error) if error.is_not_found() => {
                    return Err(StageError::RequestDeleted { url: self.request.url.clone() });
                }
                other => drop(other?),
            }
        }
        let found = match pick(&notes, request, &self.plan.request, None) {
            Pick::AskThreads => {
                let threads = self.threads().await?;
                pick(&notes, request, &self.plan.request, Some(&threads))
            }
            found => found,
        };
        let answer = match found {
            Pick::Answer(id) => id,
            Pick::Perhaps(id) => {
                self.warn_of_others();
                id
            }
            Pick::None | Pick::AskThreads => {
                self.listen(&notes);
                return Ok(());
            }
        };
        let Some(note) = notes.into_iter().find(|note| note.id == answer) else { return Ok(()) };
        self.answer = Some(Answer {
            place: facts.comment(&note),
            watch: Poller::note(&facts.project, facts.iid, note.id),
            gone: false,
        });
        self.read_table(&note.body);
        Ok(())
    }

    /// Returns the threads; none if the user may not see them.
    async fn threads(&self) -> Result<Vec<Discussion>, StageError> {
        let facts = &self.plan.merge_request;
        match self.gitlab.discussions(&facts.project, facts.iid, PAGES).await {
            Ok(found) => Ok(found),
            Err(error) if error.is_not_found() || error.is_denied() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn warn_of_others(&mut self) {
        if !std::mem::replace(&mut self.warned_others, true) {
            self.events.warn(
                "There are other requests to the bot; what is followed is its next answer that is in no other \
                 request's thread.",
            );
        }
    }

    /// Remembers a comment of the bot that is not an answer: it may have the reason.
    fn listen(&mut self, notes: &[Note]) {
        let bot = self.plan.request.bot();
        let mut said = notes.iter().filter(|note| note.id > self.request.id && !note.system);
        let last = said.find(|note| is_user(note.author.as_ref(), bot));
        let line = last.and_then(|note| note.body.lines().find(|line| !line.trim().is_empty()));
        let line = line.map(|line| shown(line.trim(), 200));
        if line.is_some() && line != self.said {
            if let (Some(task), Some(line)) = (&self.waiting, &line) {
                task.detail(line.clone());
            }
            self.said = line;
        }
    }

    /// Reads the answer again, which the bot edits in place.
    async fn look_at_answer(&mut self) -> Result<(), StageError> {
        let Some(answer) = self.answer.as_mut().filter(|answer| !answer.gone) else { return Ok(()) };
        match self.gitlab.refresh(&mut answer.watch).await {
            Ok(true) => {
                let body = answer.watch.value().map(|note| note.body.clone()).unwrap_or_default();
                self.read_table(&body);
            }
            Ok(false) => {}
            Err(error) if error.is_not_found() => {
                answer.gone = true;
                self.events.warn("The bot's answer was deleted; its pipelines are still followed.");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn read_table(&mut self, body: &str) {
        // An answer that has no table for a moment changes nothing.
        let Some(table) = table::read(body) else { return };
        self.is_cut |= table.is_cut;
        let default = self.options.pipelines_project.as_ref().unwrap_or(&self.plan.merge_request.project);
        let known: Vec<&AnswerRow> = self.rows.iter().map(PipelineRow::answer).collect();
        let pairs = pair(&known, &table.rows, self.gitlab.server());
        for (at, one) in pairs.into_iter().zip(table.rows) {
            match at {
                Some(at) => self.rows[at].update(one, self.gitlab, default),
                None => self.rows.push(PipelineRow::new(one, self.gitlab, default)),
            }
        }
        if let Some(task) = self.waiting.take_if(|_| !self.rows.is_empty()) {
            task.finish(TaskOutcome::Done, plural(self.rows.len(), "pipeline"));
        }
    }
}
