//! One followed pipeline: the pipeline itself if it is readable, else its row in the bot's table.

use std::time::Duration;

use crate::model::event::{Event, Events, PipelineEvent, TaskOutcome};
use crate::model::staging::{AnswerRow, PipelineStatus, pipeline_of_url};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::PipelineOutcome;
use crate::systems::gitlab::{GitLab, GitLabError, Job, Pipeline, Poller};

/// Number of tries to find a missing pipeline, which may have just been created.
const LOOKS: u32 = 3;
/// Maximum number of pages, of a hundred jobs each, to read.
pub(super) const JOB_PAGES: usize = 5;

/// A followed pipeline.
#[derive(Debug)]
pub(in crate::ops::stage) struct PipelineRow {
    answer: AnswerRow,
    /// The project to look in.
    project: Option<String>,
    pipeline: Option<Poller<Pipeline>>,
    jobs: Option<Poller<Vec<Job>>>,
    missed: u32,
    gone: bool,
    sent: Option<PipelineEvent>,
}

impl PipelineRow {
    pub(in crate::ops::stage) fn new(answer: AnswerRow, gitlab: &GitLab, default_project: &str) -> Self {
        let mut row =
            Self { answer, project: None, pipeline: None, jobs: None, missed: 0, gone: false, sent: None };
        row.resolve_project(gitlab, default_project);
        row
    }

    /// Updates the row from the table.
    pub(in crate::ops::stage) fn update(
        &mut self,
        answer: AnswerRow,
        gitlab: &GitLab,
        default_project: &str,
    ) {
        let aimed = self.answer.id.is_some();
        self.answer = answer;
        if !aimed {
            self.resolve_project(gitlab, default_project);
        }
    }

    /// Decides in which project to look for the pipeline.
    fn resolve_project(&mut self, gitlab: &GitLab, default_project: &str) {
        let Some(id) = self.answer.id else { return };
        let project = match &self.answer.link {
            None => Some(default_project.to_owned()),
            // With a link to another server, the number is not one of this server's.
            Some(link) => pipeline_of_url(link, gitlab.server())
                .filter(|(_, linked)| *linked == id)
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
        self.pipeline.as_ref().and_then(Poller::value)
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
                Ok(_) => self.missed = 0,
                Err(error) if error.is_not_found() => self.miss(events),
                Err(GitLabError::Forbidden { .. }) => {
                    self.pipeline = None;
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

    fn miss(&mut self, events: &Events) {
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
