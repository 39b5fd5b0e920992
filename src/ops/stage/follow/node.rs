//! One pipeline of a followed tree: its three resources on the server, of which each poll asks for one. The tree is in
//! `tree`.

use super::question::{Question, Seen};
use crate::model::staging::{JobCourse, PipelineCourse, PipelineStatus, WorkSpan};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::systems::gitlab::{Bridge, GitLab, GitLabError, Job, Pipeline, Poller};

/// Number of tries to find a missing pipeline, which may have just been created.
const LOOKS: u32 = 3;
/// Maximum number of pages, of a hundred jobs each, to read.
pub(super) const JOB_PAGES: usize = 5;

/// A pipeline of a tree.
#[derive(Debug)]
pub(super) struct TreeNode {
    /// The project in requests: its path or its number.
    pub(super) project: String,
    /// The path of the project, where it is known.
    pub(super) path: Option<String>,
    pub(super) id: u64,
    /// Index of the pipeline that has triggered it.
    pub(super) parent: Option<usize>,
    pub(super) level: usize,
    /// Name of the job that has triggered it.
    pub(super) trigger: Option<String>,
    /// Its trigger may fail.
    pub(super) may_fail: bool,
    /// Its trigger still names it: a repeated trigger job names another one.
    pub(super) is_current: bool,
    /// The last status that anything has told.
    status: PipelineStatus,
    url: Option<String>,
    pipeline: Poller<Pipeline>,
    jobs: Poller<Vec<Job>>,
    bridges: Poller<Vec<Bridge>>,
    has_jobs: bool,
    turn: u32,
    missed: u32,
    pub(super) is_gone: bool,
    /// Reason why it cannot be read.
    pub(super) unread: Option<String>,
    /// More is below it than is followed.
    pub(super) is_cut: bool,
}

/// The facts about a pipeline whose change matters.
#[derive(Debug, PartialEq)]
struct NodeFacts {
    status: PipelineStatus,
    is_read: bool,
    is_unread: bool,
    jobs: Vec<(u64, PipelineStatus)>,
    bridges: Vec<(u64, PipelineStatus)>,
    below: Vec<(u64, PipelineStatus)>,
}

impl TreeNode {
    pub(super) fn new(project: &str, id: u64, status: PipelineStatus) -> Self {
        Self {
            project: project.to_owned(),
            path: None,
            id,
            parent: None,
            level: 0,
            trigger: None,
            may_fail: false,
            is_current: true,
            status,
            url: None,
            pipeline: Poller::pipeline(project, id),
            jobs: Poller::jobs(project, id),
            bridges: Poller::bridges(project, id),
            has_jobs: true,
            turn: 0,
            missed: 0,
            is_gone: false,
            unread: None,
            is_cut: false,
        }
    }

    /// Sets the address and the status that its trigger tells.
    pub(super) fn heard(&mut self, status: &PipelineStatus, url: &str) {
        if self.seen().is_none() {
            self.status = status.clone();
            self.url = web_address(url);
        }
    }

    /// Returns the pipeline as it was read last.
    pub(super) fn seen(&self) -> Option<&Pipeline> {
        self.pipeline.value()
    }

    pub(super) fn status(&self) -> &PipelineStatus {
        &self.status
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_gone || self.status.is_finished()
    }

    /// Returns whether its trigger job tells its status, since the pipeline itself cannot be read.
    pub(super) fn waits_for_trigger(&self) -> bool {
        self.is_current && self.unread.is_some() && !self.is_finished()
    }

    /// Returns whether its list of trigger jobs can be read.
    pub(super) fn tells_of_children(&self) -> bool {
        self.unread.is_none() && !self.is_gone && self.has_jobs
    }

    /// Returns whether nothing more can be learned: it has ended, and what it has triggered is known.
    pub(super) fn is_done(&self) -> bool {
        let knows_all = self.is_gone || !self.has_jobs || self.bridges.value().is_some();
        self.unread.is_some() || (self.is_finished() && knows_all)
    }

    pub(super) fn jobs(&self) -> &[Job] {
        self.jobs.value().map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn bridges(&self) -> &[Bridge] {
        self.bridges.value().map(Vec::as_slice).unwrap_or_default()
    }

    /// Asks the one question that tells most; returns whether something has changed.
    pub(super) async fn look(&mut self, gitlab: &GitLab) -> Result<bool, GitLabError> {
        let seen = Seen {
            pipeline: self.seen().is_some(),
            status: self.status.clone(),
            jobs: if self.has_jobs { self.jobs.value().map(Vec::len) } else { Some(0) },
            bridges: if self.has_jobs { self.bridges.value().map(Vec::len) } else { Some(0) },
        };
        let question = seen.next(self.turn);
        self.turn = self.turn.wrapping_add(1);
        self.ask(gitlab, question).await
    }

    /// Asks a question.
    pub(super) async fn ask(&mut self, gitlab: &GitLab, question: Question) -> Result<bool, GitLabError> {
        let before = self.facts();
        let asked = match question {
            Question::Pipeline => gitlab.refresh(&mut self.pipeline).await,
            Question::Jobs => gitlab.refresh_list(&mut self.jobs, JOB_PAGES, |_| false).await,
            Question::Bridges => gitlab.refresh_list(&mut self.bridges, 1, |_| false).await,
        };
        match (question, asked) {
            (_, Ok(true)) => self.learn(question),
            (_, Ok(false)) => {}
            // What an earlier answer has told is older than the last status.
            (Question::Pipeline, Err(error)) if error.is_hidden() => self.miss(&error),
            // A user who may not see the jobs still sees the pipeline.
            (_, Err(error)) if error.is_hidden() => self.has_jobs = false,
            (_, Err(error)) => return Err(error),
        }
        // The durations in an answer change with each request.
        Ok(self.facts() != before)
    }

    /// Returns the facts whose change matters.
    fn facts(&self) -> NodeFacts {
        let downstream =
            |job: &Bridge| job.downstream_pipeline.as_ref().map(|one| (one.id, one.status.clone()));
        NodeFacts {
            status: self.status.clone(),
            is_read: self.seen().is_some(),
            is_unread: self.unread.is_some() || self.is_gone || !self.has_jobs,
            jobs: self.jobs().iter().map(|job| (job.id, job.status.clone())).collect(),
            bridges: self.bridges().iter().map(|job| (job.id, job.status.clone())).collect(),
            below: self.bridges().iter().filter_map(downstream).collect(),
        }
    }

    fn miss(&mut self, error: &GitLabError) {
        if self.seen().is_some() && error.is_not_found() {
            self.is_gone = true;
            return;
        }
        self.missed += 1;
        if self.missed >= LOOKS || !error.is_not_found() {
            self.unread = Some(error.to_string());
        }
    }

    /// Takes the status from the newest answer: jobs carry that of their pipeline.
    fn learn(&mut self, question: Question) {
        let told = match question {
            Question::Pipeline => self.pipeline.value().map(|one| one.status.clone()),
            Question::Jobs => self.jobs().iter().find_map(|job| Some(job.pipeline.as_ref()?.status.clone())),
            Question::Bridges => {
                self.bridges().iter().find_map(|job| Some(job.pipeline.as_ref()?.status.clone()))
            }
        };
        if let Some(status) = told {
            self.status = status;
        }
    }

    /// Returns what is known, without the pipelines below.
    pub(super) fn course(&self) -> PipelineCourse {
        let seen = self.seen();
        let text = |text: &Option<String>| text.as_deref().map(|text| shown(text, 300));
        let span = seen.map(|one| WorkSpan::parse(one.started_at.as_deref(), one.finished_at.as_deref()));
        let mut jobs: Vec<JobCourse> = self.jobs().iter().map(job_course).collect();
        jobs.extend(self.bridges().iter().map(bridge_course));
        jobs.sort_by_key(|job| job.id);
        PipelineCourse {
            project: shown(self.path.as_ref().unwrap_or(&self.project), 300),
            id: self.id,
            sha: seen.and_then(|one| Some(shown(one.sha.as_deref()?, 64))),
            branch: seen.and_then(|one| text(&one.branch)),
            status: self.status.clone(),
            span: span.unwrap_or_default(),
            url: seen.and_then(|one| web_address(&one.web_url)).or_else(|| self.url.clone()),
            trigger: self.trigger.clone(),
            jobs,
            children: Vec::new(),
            may_fail: self.may_fail,
            unread: self.unread.clone().or_else(|| self.is_gone.then(|| "it was deleted".to_owned())),
            is_cut: self.is_cut,
        }
    }
}

fn job_course(job: &Job) -> JobCourse {
    JobCourse {
        id: job.id,
        name: shown(&job.name, 100),
        stage: shown(&job.stage, 100),
        status: job.status.clone(),
        may_fail: job.allow_failure,
        span: WorkSpan::parse(job.started_at.as_deref(), job.finished_at.as_deref()),
        url: web_address(&job.web_url),
        is_trigger: false,
        downstream: None,
    }
}

/// Returns a job that triggers a pipeline, whose page is that of the pipeline.
fn bridge_course(bridge: &Bridge) -> JobCourse {
    let downstream = bridge.downstream_pipeline.as_ref().map(|one| one.id);
    let Bridge { id, name, stage, status, allow_failure, started_at, finished_at, .. } = bridge.clone();
    let (web_url, failure_reason, pipeline) = (String::new(), None, None);
    let job = Job {
        id,
        name,
        stage,
        status,
        allow_failure,
        failure_reason,
        web_url,
        started_at,
        finished_at,
        pipeline,
    };
    JobCourse { is_trigger: true, downstream, ..job_course(&job) }
}
