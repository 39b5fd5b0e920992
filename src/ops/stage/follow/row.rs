//! One followed pipeline: the pipeline itself if it is readable, else its row in the bot's table.

use std::time::Duration;

use crate::model::event::{Event, Events, PipelineEvent, TaskOutcome};
use crate::model::inventory::ProjectPatterns;
use crate::model::staging::{AnswerRow, PipelineStatus, pipeline_of_url};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::{PipelineOutcome, PipelineRef};
use crate::systems::gitlab::{GitLab, GitLabError, Job, Pipeline, Poller};

/// Number of tries to find a missing pipeline, which may have just been created.
const LOOKS: u32 = 3;
/// Maximum number of pages, of a hundred jobs each, to read.
pub(super) const JOB_PAGES: usize = 5;

/// Server and projects of the pipelines in a bot's table.
pub(in crate::ops::stage) struct RowPlace<'a> {
    /// The server.
    pub(in crate::ops::stage) gitlab: &'a GitLab,
    /// The project of a row without a link.
    pub(in crate::ops::stage) default: &'a str,
    /// The projects whose pipelines are followed.
    pub(in crate::ops::stage) followed: &'a ProjectPatterns,
}

/// A followed pipeline.
#[derive(Debug)]
pub(in crate::ops::stage) struct PipelineRow {
    answer: AnswerRow,
    /// The project to look in.
    project: Option<String>,
    pipeline: Option<Poller<Pipeline>>,
    /// The last answer about this very pipeline.
    seen: Option<Pipeline>,
    /// Commit of a pipeline that was started; a row of a bot has none, and is also followed by the bot's word.
    commit: Option<String>,
    jobs: Option<Poller<Vec<Job>>>,
    missed: u32,
    gone: bool,
    sent: Option<PipelineEvent>,
}

impl PipelineRow {
    pub(in crate::ops::stage) fn new(answer: AnswerRow, place: &RowPlace<'_>) -> Self {
        let mut row = Self::unresolved(answer);
        row.resolve_project(place);
        row
    }

    fn unresolved(answer: AnswerRow) -> Self {
        Self {
            answer,
            project: None,
            pipeline: None,
            seen: None,
            commit: None,
            jobs: None,
            missed: 0,
            gone: false,
            sent: None,
        }
    }

    /// Follows a pipeline that was started; `group` says how.
    pub(in crate::ops::stage) fn of_pipeline(started: &PipelineRef, group: &str) -> Self {
        let answer = AnswerRow {
            group: group.to_owned(),
            branch: started.branch.clone(),
            id: Some(started.id),
            link: Some(started.url.clone()),
            status: PipelineStatus::Created,
        };
        Self {
            pipeline: Some(Poller::pipeline(&started.project, started.id)),
            jobs: Some(Poller::jobs(&started.project, started.id)),
            project: Some(started.project.clone()),
            commit: Some(started.sha.clone()),
            ..Self::unresolved(answer)
        }
    }

    /// Updates the row from the table.
    pub(in crate::ops::stage) fn update(&mut self, answer: AnswerRow, place: &RowPlace<'_>) {
        let aimed = self.answer.id.is_some();
        self.answer = answer;
        if !aimed {
            self.resolve_project(place);
        }
    }

    /// Decides in which project to look for the pipeline.
    fn resolve_project(&mut self, place: &RowPlace<'_>) {
        let Some(id) = self.answer.id else { return };
        let project = match &self.answer.link {
            None => Some(place.default.to_owned()),
            // With a link to another server, the number is not one of this server's; another project is not the bot's.
            Some(link) => pipeline_of_url(link, place.gitlab.server())
                .filter(|(project, linked)| *linked == id && place.followed.has(project))
                .map(|(project, _)| project),
        };
        self.pipeline = project.as_deref().map(|project| Poller::pipeline(project, id));
        self.jobs = project.as_deref().map(|project| Poller::jobs(project, id));
        self.project = project;
    }

    /// Returns the row of the table.
    pub(in crate::ops::stage) fn answer(&self) -> &AnswerRow {
        &self.answer
    }

    /// Returns whether the status is final.
    pub(in crate::ops::stage) fn is_finished(&self) -> bool {
        self.gone || self.answer.is_not_found() || self.status().is_finished()
    }

    /// Returns whether the pipeline itself is readable.
    pub(in crate::ops::stage) fn is_seen(&self) -> bool {
        self.seen().is_some()
    }

    fn seen(&self) -> Option<&Pipeline> {
        self.seen.as_ref()
    }

    pub(in crate::ops::stage) fn status(&self) -> &PipelineStatus {
        self.seen().map_or(&self.answer.status, |pipeline| &pipeline.status)
    }

    /// Returns project and number, if the pipeline itself was read.
    pub(in crate::ops::stage) fn readable(&self) -> Option<(&str, u64)> {
        self.seen().and_then(|pipeline| Some((self.project.as_deref()?, pipeline.id)))
    }

    /// Polls the pipeline.
    pub(in crate::ops::stage) async fn look(
        &mut self,
        gitlab: &GitLab,
        events: &Events,
    ) -> Result<(), GitLabError> {
        if self.is_finished() && self.sent.is_some() {
            return Ok(());
        }
        if let Some(watch) = &mut self.pipeline {
            match gitlab.refresh(watch).await {
                Ok(_) => {
                    let found = watch.value().cloned();
                    self.missed = 0;
                    self.take(gitlab, found)?;
                }
                Err(error) if error.is_not_found() && self.is_lost() => return Err(error),
                Err(error) if error.is_not_found() => self.miss(events),
                Err(GitLabError::Forbidden { .. }) if self.commit.is_none() => {
                    (self.pipeline, self.seen) = (None, None);
                    events.note(format!("{} cannot be read; its status is the bot's word.", self.name()));
                }
                Err(error) => return Err(error),
            }
        }
        if *self.status() == PipelineStatus::Running && self.is_seen() {
            self.count(gitlab).await?;
        }
        self.tell(gitlab, events);
        Ok(())
    }

    /// Takes an answer, unless it is about another pipeline or another commit.
    fn take(&mut self, gitlab: &GitLab, found: Option<Pipeline>) -> Result<(), GitLabError> {
        let Some(found) = found else { return Ok(()) };
        let is_commit =
            |commit: &String| found.sha.as_ref().is_some_and(|sha| sha.eq_ignore_ascii_case(commit));
        if Some(found.id) == self.answer.id && self.commit.as_ref().is_none_or(is_commit) {
            self.seen = Some(found);
            return Ok(());
        }
        Err(GitLabError::BadAnswer {
            server: gitlab.server().to_owned(),
            what: self.name(),
            why: "it is about another pipeline".to_owned(),
        })
    }

    /// Returns whether a missing pipeline that was started cannot be followed.
    fn is_lost(&mut self) -> bool {
        let is_first = self.commit.is_some() && !self.is_seen();
        self.missed += u32::from(is_first);
        is_first && self.missed >= LOOKS
    }

    fn miss(&mut self, events: &Events) {
        if self.commit.is_some() && !self.is_seen() {
            return;
        }
        if self.is_seen() {
            self.gone = true;
            events.warn(format!("{} was deleted.", self.name()));
            return;
        }
        self.missed += 1;
        if self.missed >= LOOKS {
            self.pipeline = None;
            events.note(format!("{} was not found; its status is the bot's word.", self.name()));
        }
    }

    /// Counts jobs; a user who may not see them still sees the pipeline.
    async fn count(&mut self, gitlab: &GitLab) -> Result<(), GitLabError> {
        let Some(watch) = &mut self.jobs else { return Ok(()) };
        match gitlab.refresh_list(watch, JOB_PAGES, |_| false).await {
            Err(GitLabError::Forbidden { .. } | GitLabError::NotFound { .. }) => {
                self.jobs = None;
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    fn name(&self) -> String {
        let Self { answer: AnswerRow { group, branch, id, .. }, .. } = self;
        match id {
            Some(id) => format!("Pipeline {id} (`{group}`, `{branch}`)"),
            None => format!("The pipeline of `{group}`, `{branch}`"),
        }
    }

    fn url(&self) -> Option<String> {
        let answer = || self.answer.link.as_deref().and_then(web_address);
        self.seen().and_then(|pipeline| web_address(&pipeline.web_url)).or_else(answer)
    }

    /// Returns the duration of the run so far.
    fn took(&self, gitlab: &GitLab) -> Option<Duration> {
        let pipeline = self.seen()?;
        if let Some(seconds) = pipeline.duration {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let started: jiff::Timestamp = pipeline.started_at.as_deref()?.parse().ok()?;
        let now = gitlab.clock().wall().duration_since(std::time::UNIX_EPOCH).ok()?;
        let started = Duration::try_from(started.duration_since(jiff::Timestamp::UNIX_EPOCH)).ok()?;
        Some(now.saturating_sub(started))
    }

    fn counts(&self) -> Option<(usize, usize)> {
        let jobs = self.jobs.as_ref()?.value()?;
        Some((jobs.iter().filter(|job| job.status.is_finished()).count(), jobs.len()))
    }

    /// Describes the progress in a few words.
    fn detail(&self) -> String {
        if self.gone {
            return "deleted".to_owned();
        }
        if *self.status() != PipelineStatus::Running {
            return String::new();
        }
        let running = self.jobs.as_ref().and_then(Poller::value).and_then(|jobs| {
            let job = jobs.iter().find(|job| job.status == PipelineStatus::Running)?;
            Some(shown(&job.name, 60))
        });
        let counts = self.counts().map(|(done, all)| format!("{done} of {all} jobs"));
        running.into_iter().chain(counts).collect::<Vec<_>>().join(", ")
    }

    /// Sends an event if anything but the time has changed.
    fn tell(&mut self, gitlab: &GitLab, events: &Events) {
        let event = PipelineEvent {
            group: self.answer.group.clone(),
            branch: self.answer.branch.clone(),
            id: self.answer.id,
            status: self.status().clone(),
            url: self.url(),
            took: self.took(gitlab),
            detail: self.detail(),
            finished: self.is_finished(),
        };
        let timeless = |event: &PipelineEvent| PipelineEvent { took: None, ..event.clone() };
        if self.sent.as_ref().map(timeless) != Some(timeless(&event)) {
            events.send(Event::Pipeline(event.clone()));
            self.sent = Some(event);
        }
    }

    /// Reports that the pipeline is not followed any more, unless it has ended.
    pub(in crate::ops::stage) fn abandon(&self, events: &Events) {
        if let Some(last) = self.sent.as_ref().filter(|last| !last.finished) {
            events.send(Event::Finished {
                subject: last.subject(),
                state: TaskOutcome::Skipped,
                detail: format!("{}, not followed any more", last.status),
                took: last.took.unwrap_or_default(),
            });
        }
    }

    pub(in crate::ops::stage) fn outcome(&self, gitlab: &GitLab) -> PipelineOutcome {
        PipelineOutcome {
            group: self.answer.group.clone(),
            branch: self.answer.branch.clone(),
            id: self.answer.id,
            project: self.project.clone(),
            status: self.status().clone(),
            by_hearsay: !self.is_seen(),
            gone: self.gone,
            url: self.url(),
            duration: self.took(gitlab),
            jobs: self.counts(),
            failed: Vec::new(),
        }
    }
}
