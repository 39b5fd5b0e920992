//! The environment of GitLab that stands for a staging: planned, created or updated, told of the deployment and its end, and
//! stopped. A staging does not depend on it: a failure is a warning. That of a pipeline is reported once the pipeline has ended,
//! since a job of it may keep the environment itself.

use super::{MergeRequestFacts, StageError};
use crate::model::event::Events;
use crate::model::inventory::StageEnvironmentDecl;
use crate::model::staging::{PipelineStatus, StagedEnvironment};
use crate::ops::login::API_SCOPE;
use crate::ops::stage::merge_request::read_any;
use crate::systems::gitlab::{
    EnvironmentCall, GitLab, GitLabDeployment, GitLabEnvironment, GitLabError, RequestPreview,
};

/// The planned environment.
#[derive(Debug, Clone)]
pub struct EnvironmentPlan {
    /// `group/project`.
    pub project: String,
    /// Name and address.
    pub environment: StagedEnvironment,
    /// The change.
    pub change: EnvironmentChange,
    deploy: EnvironmentCall,
    head: String,
}

/// The planned change of an environment.
#[derive(Debug, Clone)]
pub enum EnvironmentChange {
    /// It is created.
    Create(EnvironmentCall),
    /// Its address is changed.
    Update(EnvironmentCall),
    /// It is there already.
    None,
    /// Nothing is done: a job of a pipeline keeps it.
    OfJob,
    /// Nothing is done, for this reason.
    Skipped(String),
}

impl EnvironmentPlan {
    /// Returns the requests that will be sent, as people read them.
    #[must_use]
    pub fn previews(&self) -> Vec<RequestPreview> {
        let change = match &self.change {
            EnvironmentChange::Create(call) | EnvironmentChange::Update(call) => Some(call),
            EnvironmentChange::None => None,
            EnvironmentChange::OfJob | EnvironmentChange::Skipped(_) => return Vec::new(),
        };
        change.into_iter().chain([&self.deploy]).map(EnvironmentCall::preview).collect()
    }
}

/// Plans the environment of an entry. Changes nothing.
pub(super) async fn plan(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    decl: Option<&StageEnvironmentDecl>,
) -> Result<Option<EnvironmentPlan>, StageError> {
    let Some(decl) = decl else { return Ok(None) };
    let environment = filled(gitlab, facts, decl)?;
    let change = match change(gitlab, facts, &environment).await {
        Ok(change) => change,
        Err(error) => EnvironmentChange::Skipped(error.to_string()),
    };
    let deploy =
        EnvironmentCall::deploy(&facts.project, &environment.name, &facts.head, &facts.source_branch);
    let (project, head) = (facts.project.clone(), facts.head.clone());
    Ok(Some(EnvironmentPlan { project, environment, change, deploy, head }))
}

/// Plans the environment of an entry whose pipeline may keep it itself. Changes nothing.
pub(super) async fn plan_end(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    decl: Option<&StageEnvironmentDecl>,
) -> Result<Option<EnvironmentPlan>, StageError> {
    let Some(mut planned) = plan(gitlab, facts, decl).await? else { return Ok(None) };
    planned.deploy = planned.deploy.with_status("success");
    if !matches!(planned.change, EnvironmentChange::Skipped(_) | EnvironmentChange::Create(_)) {
        match has_job(gitlab, &planned).await {
            Ok(true) => planned.change = EnvironmentChange::OfJob,
            Ok(false) => {}
            Err(error) => planned.change = EnvironmentChange::Skipped(error.to_string()),
        }
    }
    Ok(Some(planned))
}

/// Returns whether a job of a pipeline has deployed to an environment.
async fn has_job(gitlab: &GitLab, plan: &EnvironmentPlan) -> Result<bool, GitLabError> {
    let known = gitlab.deployments(&plan.project).await?;
    Ok(of_environment(&known, plan).any(|one| one.deployable.is_some()))
}

fn of_environment<'a>(
    known: &'a [GitLabDeployment],
    plan: &'a EnvironmentPlan,
) -> impl Iterator<Item = &'a GitLabDeployment> {
    let is_of = |one: &GitLabDeployment| {
        one.environment.as_ref().is_some_and(|environment| environment.name == plan.environment.name)
    };
    known.iter().filter(move |one| is_of(one))
}

fn filled(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    decl: &StageEnvironmentDecl,
) -> Result<StagedEnvironment, StageError> {
    let url = facts.repository_url(gitlab.server());
    Ok(StagedEnvironment::new(decl, &facts.for_templates(&url))?)
}

async fn change(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    wanted: &StagedEnvironment,
) -> Result<EnvironmentChange, GitLabError> {
    if let Some(reason) = lacking(gitlab).await? {
        return Ok(EnvironmentChange::Skipped(reason));
    }
    let found = gitlab.find_environment(&facts.project, &wanted.name).await?;
    Ok(match (found, wanted.url.as_deref()) {
        (None, url) => EnvironmentChange::Create(EnvironmentCall::create(&facts.project, &wanted.name, url)),
        (Some(found), Some(url)) if found.external_url.as_deref() != Some(url) => {
            EnvironmentChange::Update(EnvironmentCall::update(&facts.project, found.id, url))
        }
        (Some(_), _) => EnvironmentChange::None,
    })
}

/// Returns why the token cannot change environments, as far as it is known.
async fn lacking(gitlab: &GitLab) -> Result<Option<String>, GitLabError> {
    if !gitlab.has_token() {
        return Ok(Some(format!("there is no token for `{}`", gitlab.server())));
    }
    let token = gitlab.token_facts().await?;
    let lacks = token.is_some_and(|token| !token.scopes.iter().any(|scope| scope == API_SCOPE));
    Ok(lacks.then(|| format!("the token lacks the scope `{API_SCOPE}`")))
}

/// Creates or updates the environment, and reports the deployment. Returns the number of the deployment, to report its end.
pub(super) async fn begin(gitlab: &GitLab, plan: &EnvironmentPlan, events: &Events) -> Option<u64> {
    match try_report(gitlab, plan, PipelineStatus::Running).await {
        Ok(deployment) => deployment,
        Err(error) => {
            let name = &plan.environment.name;
            events.warn(format!("The environment `{name}` of `{}` was not changed: {error}.", plan.project));
            None
        }
    }
}

/// Reports the end of a pipeline as a deployment, unless a job of a pipeline has reported one.
pub(super) async fn report_end(
    gitlab: &GitLab,
    plan: &EnvironmentPlan,
    status: PipelineStatus,
    events: &Events,
) {
    let reported = match has_job(gitlab, plan).await {
        Ok(true) => return,
        Ok(false) => try_report(gitlab, plan, status).await,
        Err(error) => Err(error),
    };
    if let Err(error) = reported {
        let name = &plan.environment.name;
        events.warn(format!("The environment `{name}` of `{}` was not changed: {error}.", plan.project));
    }
}

/// Creates or updates the environment, and gives it a deployment of the head with a status.
async fn try_report(
    gitlab: &GitLab,
    plan: &EnvironmentPlan,
    status: PipelineStatus,
) -> Result<Option<u64>, GitLabError> {
    let (project, name) = (&plan.project, &plan.environment.name);
    match &plan.change {
        EnvironmentChange::OfJob | EnvironmentChange::Skipped(_) => return Ok(None),
        EnvironmentChange::Create(call) => match gitlab.write_environment(call).await {
            // It may be there all the same.
            Err(error) if error.is_ambiguous() => {
                gitlab.find_environment(project, name).await?.ok_or(error)?;
            }
            created => drop(created?),
        },
        EnvironmentChange::Update(call) => drop(gitlab.write_environment(call).await?),
        EnvironmentChange::None => {}
    }
    // A second request for the same commit continues the deployment of the first.
    let known = gitlab.deployments(project).await?;
    let newest = of_environment(&known, plan).next();
    match newest.filter(|one| one.sha.eq_ignore_ascii_case(&plan.head)) {
        Some(one) if one.status == status => Ok(Some(one.id)),
        Some(one) if one.status == PipelineStatus::Running => {
            gitlab.end_deployment(project, one.id, status.as_str()).await?;
            Ok(Some(one.id))
        }
        _ => Ok(Some(gitlab.write_deployment(&plan.deploy.with_status(status.as_str())).await?.id)),
    }
}

/// Reports the end of a deployment.
pub(super) async fn finish(
    gitlab: &GitLab,
    plan: &EnvironmentPlan,
    deployment: u64,
    status: &str,
    events: &Events,
) {
    if let Err(error) = gitlab.end_deployment(&plan.project, deployment, status).await {
        let name = &plan.environment.name;
        events.warn(format!("The end of the deployment to `{name}` was not reported: {error}."));
    }
}

/// A merge request whose environment is to be stopped.
#[derive(Debug, Clone)]
pub struct EnvironmentOwner {
    /// `group/project`.
    pub project: String,
    /// Number of the merge request.
    pub merge_request: u64,
    /// The environment of its component's entry.
    pub decl: StageEnvironmentDecl,
}

/// An environment to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningEnvironment {
    /// `group/project`.
    pub project: String,
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u64,
}

/// The environments of merge requests that are not stopped.
#[derive(Debug, Clone, Default)]
pub struct RunningEnvironments {
    /// The environments.
    pub found: Vec<RunningEnvironment>,
    /// Reasons why one is not stopped, one sentence each.
    pub findings: Vec<String>,
}

/// Finds the environments of merge requests that are not stopped. Changes nothing.
pub async fn running_environments(gitlab: &GitLab, owners: &[EnvironmentOwner]) -> RunningEnvironments {
    let mut all = RunningEnvironments::default();
    for owner in owners {
        match running(gitlab, owner).await {
            Ok(found) => all.found.extend(found),
            Err(error) => {
                let reference = format!("{}!{}", owner.project, owner.merge_request);
                all.findings.push(format!("The environment of `{reference}` is not stopped: {error}."));
            }
        }
    }
    all
}

async fn running(gitlab: &GitLab, owner: &EnvironmentOwner) -> anyhow::Result<Option<RunningEnvironment>> {
    if let Some(reason) = lacking(gitlab).await? {
        anyhow::bail!(reason);
    }
    let facts = read_any(gitlab, &owner.project, owner.merge_request).await?;
    let wanted = filled(gitlab, &facts, &owner.decl)?;
    let found = gitlab.find_environment(&owner.project, &wanted.name).await?;
    let is_running = |one: &GitLabEnvironment| one.state.as_deref() != Some("stopped");
    Ok(found.filter(is_running).map(|one| RunningEnvironment {
        project: owner.project.clone(),
        name: wanted.name,
        id: one.id,
    }))
}

/// Stops environments. Returns the failures, one sentence each.
pub async fn stop_environments(gitlab: &GitLab, all: &[RunningEnvironment]) -> Vec<String> {
    let mut failures = Vec::new();
    for one in all {
        if let Err(error) = gitlab.stop_environment(&one.project, one.id).await {
            failures.push(format!(
                "The environment `{}` of `{}` was not stopped: {error}.",
                one.name, one.project
            ));
        }
    }
    failures
}
