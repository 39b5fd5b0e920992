//! JSON of the progress of a staging.

use serde::Serialize;

use super::release::{ReleaseProgressView, release_view};
use super::words::state_word;
use crate::model::staging::{PipelineCourse, WorkSpan};
use crate::ops::stage::{FailedJob, FoundRequest, PipelineOutcome, StagingProgress};

#[derive(Serialize)]
pub(super) struct ProgressView<'a> {
    merge_request: String,
    title: &'a str,
    url: &'a str,
    head: &'a str,
    merge_request_state: &'a str,
    server: &'a str,
    read_at: String,
    state: &'static str,
    request: Option<StagingRequestView<'a>>,
    outdated_request: Option<StagingRequestView<'a>>,
    combined: Vec<CombinedHeadView<'a>>,
    answer_url: Option<&'a str>,
    pipelines: Vec<RootView<'a>>,
    releases: Vec<ReleaseProgressView<'a>>,
    environments: Vec<EnvironmentView<'a>>,
    unread: &'a [String],
}

#[derive(Serialize)]
struct CombinedHeadView<'a> {
    merge_request: String,
    commit: &'a str,
    moved_to: Option<&'a str>,
}

#[derive(Serialize)]
struct StagingRequestView<'a> {
    by: &'a str,
    at: &'a str,
    url: &'a str,
    comment_id: u64,
    commit: Option<&'a str>,
    text: &'a str,
}

#[derive(Serialize)]
struct RootView<'a> {
    group: &'a str,
    branch: &'a str,
    id: Option<u64>,
    project: Option<&'a str>,
    status: &'a str,
    is_read: bool,
    url: Option<&'a str>,
    seconds: Option<u64>,
    succeeded: bool,
    course: Option<CourseView<'a>>,
    failed_jobs: Vec<FailedJobView<'a>>,
}

#[derive(Serialize)]
struct CourseView<'a> {
    project: &'a str,
    id: u64,
    trigger: Option<&'a str>,
    commit: Option<&'a str>,
    branch: Option<&'a str>,
    status: &'a str,
    url: Option<&'a str>,
    started_at: Option<String>,
    finished_at: Option<String>,
    stages: Vec<StageStateView>,
    jobs: Vec<JobStateView<'a>>,
    triggered: Vec<CourseView<'a>>,
    unread: Option<&'a str>,
    is_cut: bool,
}

#[derive(Serialize)]
struct StageStateView {
    name: String,
    status: String,
    jobs: usize,
    ended: usize,
}

#[derive(Serialize)]
struct JobStateView<'a> {
    id: u64,
    name: &'a str,
    stage: &'a str,
    status: &'a str,
    may_fail: bool,
    url: Option<&'a str>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Serialize)]
struct FailedJobView<'a> {
    name: &'a str,
    stage: &'a str,
    id: u64,
    pipeline: u64,
    url: Option<&'a str>,
    reason: Option<&'a str>,
    log: &'a [String],
}

#[derive(Serialize)]
struct EnvironmentView<'a> {
    name: &'a str,
    url: Option<&'a str>,
    state: Option<&'a str>,
    stops_at: Option<String>,
}

pub(super) fn progress_view(progress: &StagingProgress) -> ProgressView<'_> {
    let facts = &progress.merge_request;
    ProgressView {
        merge_request: facts.reference(),
        title: &facts.title,
        url: &facts.url,
        head: &facts.head,
        merge_request_state: &facts.state,
        server: &progress.server,
        read_at: progress.read_at.to_string(),
        state: state_word(progress.state()),
        request: progress.request.as_ref().map(request_view),
        outdated_request: progress.outdated.as_ref().map(request_view),
        combined: progress
            .combined
            .iter()
            .map(|one| CombinedHeadView {
                merge_request: one.staged.reference(),
                commit: &one.staged.sha,
                moved_to: one.moved_to.as_deref(),
            })
            .collect(),
        answer_url: progress.answer.as_ref().map(|answer| answer.url.as_str()),
        pipelines: progress.pipelines.iter().map(root_view).collect(),
        releases: progress.releases.iter().map(|one| release_view(one, progress)).collect(),
        environments: progress
            .environments
            .iter()
            .map(|one| EnvironmentView {
                name: &one.name,
                url: one.url.as_deref(),
                state: one.state.as_deref(),
                stops_at: one.stops_at.map(|at| at.to_string()),
            })
            .collect(),
        unread: &progress.unread,
    }
}

fn request_view(one: &FoundRequest) -> StagingRequestView<'_> {
    StagingRequestView {
        by: &one.author,
        at: &one.comment.created_at,
        url: &one.comment.url,
        comment_id: one.comment.id,
        commit: one.sha.as_deref(),
        text: &one.text,
    }
}

fn root_view(one: &PipelineOutcome) -> RootView<'_> {
    RootView {
        group: &one.group,
        branch: &one.branch,
        id: one.id,
        project: one.project.as_deref(),
        status: one.status.as_str(),
        is_read: !one.by_hearsay,
        url: one.url.as_deref(),
        seconds: one.duration.map(|took| took.as_secs()),
        succeeded: one.succeeded(),
        course: one.course.as_ref().map(course_view),
        failed_jobs: one.failed.iter().map(failed_view).collect(),
    }
}

fn failed_view(job: &FailedJob) -> FailedJobView<'_> {
    FailedJobView {
        name: &job.name,
        stage: &job.stage,
        id: job.id,
        pipeline: job.pipeline,
        url: job.url.as_deref(),
        reason: job.reason.as_deref(),
        log: &job.log,
    }
}

fn course_view(one: &PipelineCourse) -> CourseView<'_> {
    let (started_at, finished_at) = times(one.span);
    CourseView {
        project: &one.project,
        id: one.id,
        trigger: one.trigger.as_deref(),
        commit: one.sha.as_deref(),
        branch: one.branch.as_deref(),
        status: one.status.as_str(),
        url: one.url.as_deref(),
        started_at,
        finished_at,
        stages: one
            .stages()
            .into_iter()
            .map(|stage| StageStateView {
                status: stage.status().to_string(),
                jobs: stage.jobs.len(),
                ended: stage.ended(),
                name: stage.name,
            })
            .collect(),
        jobs: one
            .jobs
            .iter()
            .map(|job| {
                let (started_at, finished_at) = times(job.span);
                JobStateView {
                    id: job.id,
                    name: &job.name,
                    stage: &job.stage,
                    status: job.status.as_str(),
                    may_fail: job.may_fail,
                    url: job.url.as_deref(),
                    started_at,
                    finished_at,
                }
            })
            .collect(),
        triggered: one.children.iter().map(course_view).collect(),
        unread: one.unread.as_deref(),
        is_cut: one.is_cut,
    }
}

fn times(span: WorkSpan) -> (Option<String>, Option<String>) {
    (span.from.map(|at| at.to_string()), span.to.map(|at| at.to_string()))
}
