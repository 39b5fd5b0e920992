//! The deployment files of a release: those of the merge request's project as they are at its head, read from the objects of
//! a clone, and all others as they are cloned.

use std::collections::{BTreeMap, BTreeSet};

use super::ReleaseStageError;
use crate::host::signals::Signal;
use crate::model::deployment::ClusterDeployment;
use crate::model::event::TaskOutcome;
use crate::model::inventory::Component;
use crate::ops::clone::source::{self, SourceError};
use crate::ops::shared::deployment::{self, DeployedError};
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::project::project_of;
use crate::ops::stage::{MergeRequestFacts, StageError};
use crate::systems::git::{CommitId, GitContext, GitError, GitUrl, MergeRequestHead, Tree};

/// Reads the deployment of a component for a merge request. Missing clones are made, and the head is fetched.
pub(super) async fn deployment(
    ctx: &OpContext<'_>,
    component: &Component,
    facts: &MergeRequestFacts,
) -> Result<ClusterDeployment, ReleaseStageError> {
    let is_own = |repo: &str| {
        let url = ctx.inventory.repo_url(repo).and_then(|url| GitUrl::parse(url).ok());
        let project = url.as_ref().and_then(project_of);
        project.is_some_and(|(project, _)| project.eq_ignore_ascii_case(&facts.project))
    };
    let own: BTreeSet<String> =
        component.deployment.iter().map(|item| item.repo.clone()).filter(|repo| is_own(repo)).collect();
    let workspace = ctx.workspace.with_clones_of(own.clone());
    let ctx = OpContext { workspace: &workspace, ..ctx.clone() };
    for item in &component.deployment {
        source::ensure(&ctx, component, &item.repo, None).await?;
    }
    let mut revisions = BTreeMap::new();
    for repo in own {
        fetch(&ctx, &repo, facts).await?;
        revisions.insert(repo, facts.head.clone());
    }
    Ok(deployment::load_objects_at(&revisions, component, ctx.inventory, ctx.workspace)?)
}

/// Fetches the head of a merge request into the clone of its repository, unless it is there.
async fn fetch(ctx: &OpContext<'_>, repo: &str, facts: &MergeRequestFacts) -> Result<(), ReleaseStageError> {
    let place = ctx.workspace.clone_location(ctx.inventory, repo);
    let url = GitUrl::parse(place.url.as_deref().unwrap_or_default()).map_err(DeployedError::Git)?;
    let path = place.target().map_err(DeployedError::Git)?;
    let request = MergeRequestHead::new(facts.iid, ctx.merge_request_ref).map_err(DeployedError::Git)?;
    let (git, events, stop) = (ctx.git.clone(), ctx.events.clone(), ctx.stop.clone());
    let (name, head) = (repo.to_owned(), facts.head.clone());
    let work = tokio::task::spawn_blocking(move || {
        if Tree::open(&path, &head)?.is_some() {
            return Ok::<Option<CommitId>, GitError>(None);
        }
        let task = events.start(&name, format!("fetching !{}", request.iid()));
        let job = GitContext { task: &task, events: &events, stop: &stop };
        let fetched = git.fetch_head(&path, &url, &request, job)?;
        task.finish(TaskOutcome::Done, format!("!{} at {}", request.iid(), fetched.short()));
        Ok(Some(fetched))
    });
    let fetched = match work.await {
        Ok(fetched) => fetched.map_err(DeployedError::Git)?,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => return Err(SourceError::Stopped(Signal::Terminate).into()),
        },
    };
    match fetched.map(|commit| commit.to_string()).filter(|commit| *commit != facts.head) {
        Some(now) => {
            Err(StageError::HeadMoved { merge_request: facts.reference(), was: facts.head.clone(), now }
                .into())
        }
        None => Ok(()),
    }
}
