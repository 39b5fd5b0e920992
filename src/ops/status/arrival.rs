//! The way of a merge request after its merge: the environments that run its commit, and the pipelines and jobs that are
//! still under way to them.

use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::project::{AT_A_TIME, read_project};
use super::{EnvironmentStatus, JobRef, ProjectGroup, ShippedMergeRequest};
use crate::model::staging::PipelineStatus;
use crate::ops::shared::outside_text::{shown, web_address};
use crate::systems::gitlab::{GitLab, GitLabError, Job, ListedPipeline, MergeRequest};

/// Maximum number of environments to compare with the commit.
const MOST_ENVIRONMENTS: usize = 10;
/// Maximum number of pipelines of the commit to look into, and of pages of their jobs, of a hundred each.
const MOST_PIPELINES: usize = 3;
const JOB_PAGES: usize = 3;
/// Maximum number of jobs to name.
const MOST_JOBS: usize = 20;

/// The way of a merge request to production.
#[derive(Debug)]
pub struct Arrival {
    /// Address of the server.
    pub server: String,
    /// `group/project`.
    pub project: String,
    /// The merge request.
    pub merge_request: ShippedMergeRequest,
    /// Time of the merge.
    pub merged_at: Option<Timestamp>,
    /// Commit that the merge made; `None` before the merge.
    pub commit: Option<String>,
    /// The environments, and whether they run the commit; `None` if that is not known.
    pub environments: Vec<(EnvironmentStatus, Option<bool>)>,
    /// Pipelines of the commit, the newest first.
    pub pipelines: Vec<DeployPipeline>,
    /// Facts that could not be read, one sentence each.
    pub unread: Vec<String>,
}

/// A pipeline of a merge's commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployPipeline {
    /// Number.
    pub id: u64,
    /// Status.
    pub status: PipelineStatus,
    /// Address of its page.
    pub url: Option<String>,
    /// Number of its jobs, and of those that have ended.
    pub jobs: (usize, usize),
    /// Jobs that have not ended, or have failed, at most twenty; with the pipelines that they trigger.
    pub open: Vec<OpenJob>,
}

/// A job that keeps a pipeline from its end, or has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenJob {
    /// The job.
    pub job: JobRef,
    /// Its status, or that of the pipeline that it triggers.
    pub status: PipelineStatus,
}

/// The state of the way to production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrivalState {
    /// It is not merged.
    NotMerged,
    /// Production runs it.
    Arrived,
    /// A pipeline or a deployment is under way.
    UnderWay,
    /// A pipeline or a deployment has failed.
    Failed,
    /// Nothing is under way, and production does not run it.
    Waiting,
    /// The project has no environment of production that may be seen.
    Unknown,
}

impl Arrival {
    /// Returns the state. With several environments of production, all of them count.
    #[must_use]
    pub fn state(&self) -> ArrivalState {
        if self.commit.is_none() {
            return ArrivalState::NotMerged;
        }
        let production: Vec<&(EnvironmentStatus, Option<bool>)> =
            self.environments.iter().filter(|(one, _)| one.is_production).collect();
        if !production.is_empty() && production.iter().all(|(_, has)| *has == Some(true)) {
            return ArrivalState::Arrived;
        }
        let behind = production.iter().filter(|(_, has)| *has != Some(true));
        let mut statuses: Vec<&PipelineStatus> = self.pipelines.iter().map(|one| &one.status).collect();
        statuses.extend(behind.filter_map(|(one, _)| Some(&one.newest.as_ref()?.status)));
        match () {
            () if statuses.iter().any(|one| is_under_way(one)) => ArrivalState::UnderWay,
            () if statuses.contains(&&PipelineStatus::Failed) => ArrivalState::Failed,
            () if production.is_empty() => ArrivalState::Unknown,
            () => ArrivalState::Waiting,
        }
    }
}

/// Returns whether work is running, or waits for a runner; work that waits for a person is not under way.
fn is_under_way(status: &PipelineStatus) -> bool {
    !status.is_finished() && !matches!(status, PipelineStatus::Manual | PipelineStatus::Unknown(_))
}

/// Reads the way of a merge request.
///
/// # Errors
/// Fails if the merge request cannot be read. What else cannot be read is in the outcome.
pub async fn arrival(gitlab: &GitLab, project: &str, number: u64) -> Result<Arrival, GitLabError> {
    let found = gitlab.merge_request(project, number).await?;
    let commit = merged_commit(&found);
    let mut arrival = Arrival {
        server: gitlab.server().to_owned(),
        project: project.to_owned(),
        merge_request: ShippedMergeRequest::from(&found),
        merged_at: found.merged_at.as_deref().and_then(|at| at.parse().ok()),
        commit: commit.as_deref().map(|sha| shown(sha, 64)),
        environments: Vec::new(),
        pipelines: Vec::new(),
        unread: Vec::new(),
    };
    let Some(sha) = commit else { return Ok(arrival) };
    let group =
        ProjectGroup { server: arrival.server.clone(), project: project.to_owned(), components: Vec::new() };
    let (status, pipelines) =
        tokio::join!(read_project(gitlab, &group), gitlab.pipelines_of_commit(project, &sha));
    arrival.unread = status.unread;
    arrival.unread.extend(status.failure.map(|error| format!("Not read: {error}.")));
    arrival.environments = compared(gitlab, project, &sha, status.environments, &mut arrival.unread).await;
    match pipelines {
        Ok(found) => {
            let read =
                found.into_iter().take(MOST_PIPELINES).map(async |one| pipeline(gitlab, project, one).await);
            let read: Vec<_> = futures_util::stream::iter(read).buffered(AT_A_TIME).collect().await;
            for (one, trouble) in read {
                arrival.pipelines.push(one);
                arrival.unread.extend(trouble);
            }
        }
        Err(error) => arrival.unread.push(format!("Not read: {error}.")),
    }
    Ok(arrival)
}

/// Returns the commit by which a merge request is part of its target branch.
#[must_use]
pub fn merged_commit(found: &MergeRequest) -> Option<String> {
    if found.state != "merged" {
        return None;
    }
    [&found.merge_commit_sha, &found.squash_commit_sha, &found.sha].into_iter().find_map(Clone::clone)
}

/// Compares what environments run with the commit.
async fn compared(
    gitlab: &GitLab,
    project: &str,
    sha: &str,
    environments: Vec<EnvironmentStatus>,
    unread: &mut Vec<String>,
) -> Vec<(EnvironmentStatus, Option<bool>)> {
    let asked = environments.into_iter().enumerate().map(async |(number, one)| {
        let current = one.current.as_ref().map(|current| current.sha.clone());
        let has = match current {
            Some(current) if number < MOST_ENVIRONMENTS => {
                gitlab.is_ancestor(project, sha, &current).await.map(Some)
            }
            Some(_) => Ok(None),
            None => Ok(Some(false)),
        };
        (one, has)
    });
    let answers: Vec<_> = futures_util::stream::iter(asked).buffered(AT_A_TIME).collect().await;
    let mut trouble = None;
    let mut known = |(one, has): (EnvironmentStatus, Result<Option<bool>, GitLabError>)| match has {
        Ok(has) => (one, has),
        Err(error) => {
            trouble = Some(format!("Not read: {error}."));
            (one, None)
        }
    };
    let found = answers.into_iter().map(&mut known).collect();
    unread.extend(trouble);
    found
}

/// Reads a pipeline's jobs, and the pipelines that they trigger.
async fn pipeline(gitlab: &GitLab, project: &str, one: ListedPipeline) -> (DeployPipeline, Option<String>) {
    let mut found = DeployPipeline {
        id: one.id,
        status: one.status,
        url: web_address(&one.web_url),
        jobs: (0, 0),
        open: Vec::new(),
    };
    let (jobs, bridges) =
        tokio::join!(gitlab.jobs(project, one.id, JOB_PAGES), gitlab.bridges(project, one.id, 1));
    let mut trouble = None;
    let mut all: Vec<OpenJob> = Vec::new();
    match jobs {
        Ok(jobs) => all
            .extend(jobs.iter().map(|job| OpenJob { job: job_ref(job, one.id), status: job.status.clone() })),
        Err(error) => trouble = Some(format!("Not read: {error}.")),
    }
    for bridge in bridges.unwrap_or_default() {
        let downstream = bridge.downstream_pipeline.as_ref();
        let job = JobRef {
            name: shown(&bridge.name, 200),
            url: downstream.and_then(|one| web_address(&one.web_url)),
            pipeline: Some(downstream.map_or(one.id, |one| one.id)),
        };
        all.push(OpenJob { job, status: downstream.map_or(bridge.status, |one| one.status.clone()) });
    }
    found.jobs = (all.len(), all.iter().filter(|one| one.status.is_finished()).count());
    // A skipped or canceled job keeps nothing from its end.
    all.retain(|one| !one.status.is_finished() || one.status == PipelineStatus::Failed);
    all.sort_by_key(|one| one.status == PipelineStatus::Failed);
    all.truncate(MOST_JOBS);
    found.open = all;
    (found, trouble)
}

fn job_ref(job: &Job, pipeline: u64) -> JobRef {
    JobRef { name: shown(&job.name, 200), url: web_address(&job.web_url), pipeline: Some(pipeline) }
}
