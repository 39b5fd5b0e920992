//! JSON of `cki status`.

use serde::Serialize;

use crate::model::staging::kubernetes::Rollout;
use crate::ops::status::{
    Arrival, ArrivalState, ClusterStatus, DeployPipeline, EnvironmentDeployment, EnvironmentStatus, OpenJob,
    ProjectStatus, ShippedMergeRequest, StatusReading, WorkloadStatus,
};

#[derive(Serialize)]
pub(super) struct StatusView<'a> {
    projects: Vec<ProjectStatusView<'a>>,
    clusters: Vec<ClusterStatusView<'a>>,
    without_project: &'a [String],
}

#[derive(Serialize)]
struct ProjectStatusView<'a> {
    server: &'a str,
    project: &'a str,
    components: &'a [String],
    environments: Vec<EnvironmentStatusView<'a>>,
    unread: Vec<String>,
}

#[derive(Serialize)]
struct EnvironmentStatusView<'a> {
    name: &'a str,
    url: Option<&'a str>,
    is_production: bool,
    state: Option<&'a str>,
    current: Option<DeploymentView<'a>>,
    newest: Option<DeploymentView<'a>>,
}

#[derive(Serialize)]
struct DeploymentView<'a> {
    id: u64,
    status: &'a str,
    sha: &'a str,
    branch: Option<&'a str>,
    at: Option<String>,
    by: Option<&'a str>,
    job: Option<&'a str>,
    job_url: Option<&'a str>,
    pipeline: Option<u64>,
    merge_request: Option<ShippedView<'a>>,
}

#[derive(Serialize)]
struct ShippedView<'a> {
    number: u64,
    title: &'a str,
    url: Option<&'a str>,
    state: &'a str,
    target_branch: &'a str,
}

#[derive(Serialize)]
struct ClusterStatusView<'a> {
    place: &'static str,
    context: &'a str,
    namespace: &'a str,
    workloads: Vec<WorkloadView<'a>>,
    unread: &'a [String],
}

#[derive(Serialize)]
struct WorkloadView<'a> {
    component: &'a str,
    kind: &'a str,
    name: &'a str,
    merge_request: Option<u64>,
    health: &'static str,
    message: &'a str,
    since: Option<String>,
    containers: Vec<ContainerView<'a>>,
}

#[derive(Serialize)]
struct ContainerView<'a> {
    name: &'a str,
    image: &'a str,
    digests: &'a [String],
}

#[derive(Serialize)]
pub(super) struct ArrivalView<'a> {
    server: &'a str,
    project: &'a str,
    merge_request: ShippedView<'a>,
    state: &'static str,
    merged_at: Option<String>,
    commit: Option<&'a str>,
    environments: Vec<ArrivalEnvironmentView<'a>>,
    pipelines: Vec<DeployPipelineView<'a>>,
    unread: &'a [String],
}

#[derive(Serialize)]
struct ArrivalEnvironmentView<'a> {
    has_commit: Option<bool>,
    #[serde(flatten)]
    environment: EnvironmentStatusView<'a>,
}

#[derive(Serialize)]
struct DeployPipelineView<'a> {
    id: u64,
    status: &'a str,
    url: Option<&'a str>,
    jobs: usize,
    ended_jobs: usize,
    open_jobs: Vec<OpenJobView<'a>>,
}

#[derive(Serialize)]
struct OpenJobView<'a> {
    name: &'a str,
    status: &'a str,
    url: Option<&'a str>,
    pipeline: Option<u64>,
}

pub(super) fn status_view(reading: &StatusReading) -> StatusView<'_> {
    StatusView {
        projects: reading.projects.iter().map(ProjectStatusView::from).collect(),
        clusters: reading.clusters.iter().map(ClusterStatusView::from).collect(),
        without_project: &reading.without_project,
    }
}

pub(super) fn arrival_view(arrival: &Arrival) -> ArrivalView<'_> {
    ArrivalView {
        server: &arrival.server,
        project: &arrival.project,
        merge_request: ShippedView::from(&arrival.merge_request),
        state: state_word(arrival.state()),
        merged_at: arrival.merged_at.map(|at| at.to_string()),
        commit: arrival.commit.as_deref(),
        environments: arrival
            .environments
            .iter()
            .map(|(one, has)| ArrivalEnvironmentView { has_commit: *has, environment: one.into() })
            .collect(),
        pipelines: arrival.pipelines.iter().map(DeployPipelineView::from).collect(),
        unread: &arrival.unread,
    }
}

fn state_word(state: ArrivalState) -> &'static str {
    match state {
        ArrivalState::NotMerged => "not-merged",
        ArrivalState::Arrived => "arrived",
        ArrivalState::UnderWay => "under-way",
        ArrivalState::Failed => "failed",
        ArrivalState::Waiting => "waiting",
        ArrivalState::Unknown => "unknown",
    }
}

impl<'a> From<&'a ProjectStatus> for ProjectStatusView<'a> {
    fn from(one: &'a ProjectStatus) -> Self {
        let mut unread = one.unread.clone();
        unread.extend(one.failure.as_ref().map(|error| format!("Not read: {error}.")));
        Self {
            server: &one.server,
            project: &one.project,
            components: &one.components,
            environments: one.environments.iter().map(EnvironmentStatusView::from).collect(),
            unread,
        }
    }
}

impl<'a> From<&'a EnvironmentStatus> for EnvironmentStatusView<'a> {
    fn from(one: &'a EnvironmentStatus) -> Self {
        Self {
            name: &one.name,
            url: one.url.as_deref(),
            is_production: one.is_production,
            state: one.state.as_deref(),
            current: one.current.as_ref().map(DeploymentView::from),
            newest: one.newest.as_ref().map(DeploymentView::from),
        }
    }
}

impl<'a> From<&'a EnvironmentDeployment> for DeploymentView<'a> {
    fn from(one: &'a EnvironmentDeployment) -> Self {
        let job = one.job.as_ref();
        Self {
            id: one.id,
            status: one.status.as_str(),
            sha: &one.sha,
            branch: one.branch.as_deref(),
            at: one.at.map(|at| at.to_string()),
            by: one.by.as_deref(),
            job: job.map(|job| job.name.as_str()),
            job_url: job.and_then(|job| job.url.as_deref()),
            pipeline: job.and_then(|job| job.pipeline),
            merge_request: one.merge_request.as_ref().map(ShippedView::from),
        }
    }
}

impl<'a> From<&'a ShippedMergeRequest> for ShippedView<'a> {
    fn from(one: &'a ShippedMergeRequest) -> Self {
        Self {
            number: one.iid,
            title: &one.title,
            url: one.url.as_deref(),
            state: &one.state,
            target_branch: &one.target_branch,
        }
    }
}

impl<'a> From<&'a ClusterStatus> for ClusterStatusView<'a> {
    fn from(one: &'a ClusterStatus) -> Self {
        Self {
            place: one.place.as_str(),
            context: &one.target.context,
            namespace: &one.target.namespace,
            workloads: one.workloads.iter().map(WorkloadView::from).collect(),
            unread: &one.unread,
        }
    }
}

impl<'a> From<&'a WorkloadStatus> for WorkloadView<'a> {
    fn from(one: &'a WorkloadStatus) -> Self {
        let workload = &one.workload;
        let (health, message) = match &workload.health {
            Rollout::Progressing(text) => ("progressing", text),
            Rollout::Done(text) => ("healthy", text),
            Rollout::Failed(text) => ("failed", text),
        };
        let containers = workload.containers.iter();
        Self {
            component: &one.component,
            kind: &workload.kind,
            name: &workload.name,
            merge_request: workload.merge_request,
            health,
            message,
            since: workload.since.map(|at| at.to_string()),
            containers: containers
                .map(|one| ContainerView { name: &one.name, image: &one.image, digests: &one.digests })
                .collect(),
        }
    }
}

impl<'a> From<&'a DeployPipeline> for DeployPipelineView<'a> {
    fn from(one: &'a DeployPipeline) -> Self {
        let (jobs, ended_jobs) = one.jobs;
        let open = |one: &'a OpenJob| OpenJobView {
            name: &one.job.name,
            status: one.status.as_str(),
            url: one.job.url.as_deref(),
            pipeline: one.job.pipeline,
        };
        Self {
            id: one.id,
            status: one.status.as_str(),
            url: one.url.as_deref(),
            jobs,
            ended_jobs,
            open_jobs: one.open.iter().map(open).collect(),
        }
    }
}
