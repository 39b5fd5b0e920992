//! One followed pipeline: the pipeline itself with everything that it triggers if it is readable, else its row in the
//! bot's table.

use std::time::Duration;

use jiff::Timestamp;

use super::failures::{self, LogBudget};
use super::progress_events::ProgressEvents;
use super::tree::PipelineTree;
use crate::model::event::Events;
use crate::model::inventory::ProjectPatterns;
use crate::model::staging::{AnswerRow, PipelineStatus, pipeline_of_url};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::{PipelineOutcome, PipelineRef};
use crate::systems::gitlab::{GitLab, GitLabError};

/// Maximum columns of a name in the outcome.
const NAME: usize = 200;

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
    tree: Option<PipelineTree>,
    /// Commit of a pipeline that was started; a row of a bot has none, and is also followed by the bot's word.
    commit: Option<String>,
    /// The deletion was reported.
    warned: bool,
    /// Number of changes that were seen.
    version: u64,
    sent: ProgressEvents,
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
            tree: None,
            commit: None,
            warned: false,
            version: 0,
            sent: ProgressEvents::default(),
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
            tree: Some(PipelineTree::new(&started.project, started.id, PipelineStatus::Created)),
            project: Some(started.project.clone()),
            commit: Some(started.sha.clone()),
            ..Self::unresolved(answer)
        }
    }

    /// Updates the row from the table.
    pub(in crate::ops::stage) fn update(&mut self, answer: AnswerRow, place: &RowPlace<'_>) {
        let aimed = self.answer.id.is_some();
        self.version += u64::from(self.answer != answer);
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
        self.tree =
            project.as_deref().map(|project| PipelineTree::new(project, id, self.answer.status.clone()));
        self.project = project;
    }

    /// Returns the row of the table.
    pub(in crate::ops::stage) fn answer(&self) -> &AnswerRow {
        &self.answer
    }

    /// Returns a number that grows with each change that was seen.
    pub(in crate::ops::stage) fn version(&self) -> u64 {
        self.version
    }

    /// Returns whether the status is final.
    pub(in crate::ops::stage) fn is_finished(&self) -> bool {
        if self.answer.is_not_found() {
            return true;
        }
        match self.seen() {
            Some(tree) => tree.is_finished(),
            None => self.answer.status.is_finished(),
        }
    }

    /// Returns whether the pipeline itself is readable.
    pub(in crate::ops::stage) fn is_seen(&self) -> bool {
        self.seen().is_some()
    }

    fn seen(&self) -> Option<&PipelineTree> {
        self.tree.as_ref().filter(|tree| {
            let found = tree.root().seen();
            found.is_some_and(|found| self.is_ours(found.sha.as_deref()))
        })
    }

    /// Returns the user name of the person who started the pipeline, once it was read.
    pub(in crate::ops::stage) fn starter(&self) -> Option<&str> {
        Some(&self.seen()?.root().seen()?.user.as_ref()?.username)
    }

    /// Returns whether a commit is that of the pipeline that was started.
    fn is_ours(&self, sha: Option<&str>) -> bool {
        let Some(commit) = &self.commit else { return true };
        sha.is_some_and(|sha| sha.eq_ignore_ascii_case(commit))
    }

    pub(in crate::ops::stage) fn status(&self) -> &PipelineStatus {
        self.seen().map_or(&self.answer.status, |tree| tree.root().status())
    }

    fn is_gone(&self) -> bool {
        self.tree.as_ref().is_some_and(|tree| tree.root().is_gone)
    }

    /// Polls the pipeline, and those that it triggers, with one request each.
    pub(in crate::ops::stage) async fn look(
        &mut self,
        gitlab: &GitLab,
        events: &Events,
    ) -> Result<(), GitLabError> {
        if self.is_finished() && self.sent.is_complete() {
            return Ok(());
        }
        if let Some(tree) = &mut self.tree {
            let changed = tree.look(gitlab).await?;
            self.version += u64::from(changed);
        }
        self.check_root(gitlab, events)?;
        self.tell(gitlab, events);
        Ok(())
    }

    /// Reads everything about the pipeline and those that it triggers.
    pub(in crate::ops::stage) async fn complete(
        &mut self,
        gitlab: &GitLab,
        events: &Events,
    ) -> Result<(), GitLabError> {
        if let Some(tree) = &mut self.tree {
            tree.complete(gitlab).await?;
        }
        self.check_root(gitlab, events)?;
        self.tell(gitlab, events);
        Ok(())
    }

    /// Reports a pipeline that is gone or unreadable. Fails if it was started, since nobody else tells its status, and
    /// for an answer about another commit.
    fn check_root(&mut self, gitlab: &GitLab, events: &Events) -> Result<(), GitLabError> {
        let Some(tree) = &self.tree else { return Ok(()) };
        let root = tree.root();
        if root.is_gone {
            if !std::mem::replace(&mut self.warned, true) {
                events.warn(format!("{} was deleted.", self.name()));
            }
            return Ok(());
        }
        let (server, what) = (gitlab.server().to_owned(), self.name());
        if root.seen().is_some_and(|found| !self.is_ours(found.sha.as_deref())) {
            return Err(GitLabError::BadAnswer {
                server,
                what,
                why: "it is about another commit".to_owned(),
            });
        }
        match (&root.unread, &self.commit) {
            (Some(_), Some(_)) => Err(GitLabError::NotFound { server, what }),
            (Some(_), None) => {
                events.note(format!("{} cannot be read; its status is the bot's word.", self.name()));
                self.tree = None;
                self.version += 1;
                Ok(())
            }
            (None, _) => Ok(()),
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
        let seen = || web_address(&self.seen()?.root().seen()?.web_url);
        seen().or_else(|| self.answer.link.as_deref().and_then(web_address))
    }

    /// Returns the duration of the run so far.
    fn took(&self, gitlab: &GitLab) -> Option<Duration> {
        let pipeline = self.seen()?.root().seen()?;
        if let Some(seconds) = pipeline.duration {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let started: Timestamp = pipeline.started_at.as_deref()?.parse().ok()?;
        Duration::try_from(now(gitlab)?.duration_since(started)).ok()
    }

    /// Sends what has changed.
    fn tell(&mut self, gitlab: &GitLab, events: &Events) {
        let outcome = self.outcome(gitlab);
        self.sent.send(&outcome, now(gitlab).unwrap_or_default(), events);
    }

    /// Reports that the pipeline is not followed any more, unless it has ended.
    pub(in crate::ops::stage) fn abandon(&self, events: &Events) {
        self.sent.abandon(events);
    }

    pub(in crate::ops::stage) fn outcome(&self, gitlab: &GitLab) -> PipelineOutcome {
        let course = self.seen().map(PipelineTree::course);
        let counts = course.as_ref().filter(|course| !course.jobs.is_empty()).map(|course| {
            let ended = course.jobs.iter().filter(|job| job.status.is_finished()).count();
            (ended, course.jobs.len())
        });
        PipelineOutcome {
            group: shown(&self.answer.group, NAME),
            branch: shown(&self.answer.branch, NAME),
            id: self.answer.id,
            project: self.project.clone(),
            status: self.status().clone(),
            by_hearsay: !self.is_seen(),
            unread: None,
            gone: self.is_gone(),
            ended: self.is_finished(),
            url: self.url(),
            duration: self.took(gitlab),
            jobs: counts,
            course,
            failed: Vec::new(),
        }
    }

    /// Adds the failed jobs of the pipeline and of those that it triggers, with the end of their logs.
    pub(in crate::ops::stage) async fn add_failures(
        &self,
        gitlab: &GitLab,
        lines: usize,
        outcome: &mut PipelineOutcome,
    ) {
        let Some(tree) = self.seen() else { return };
        let mut budget = LogBudget::new(lines);
        for node in tree.current().filter(|node| *node.status() == PipelineStatus::Failed) {
            outcome.failed.extend(failures::failed_jobs(gitlab, node, &mut budget).await);
        }
    }
}

/// Returns the time of day.
fn now(gitlab: &GitLab) -> Option<Timestamp> {
    Timestamp::try_from(gitlab.clock().wall()).ok()
}
