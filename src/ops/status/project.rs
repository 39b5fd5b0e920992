//! Reads the environments of a project: two lists, and a bounded number of further requests, some at a time.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;

use super::commits::merge_request_of;
use super::environments::{FoundEnvironment, join};
use super::{EnvironmentDeployment, EnvironmentStatus, ProjectGroup, ProjectStatus, ShippedMergeRequest};
use crate::systems::gitlab::{GitLab, GitLabDeployment, GitLabEnvironment, GitLabError};

/// Maximum number of pages of environments, of a hundred each.
const PAGES: usize = 3;
/// Maximum number of environments to ask for their last deployment.
const MOST_ENVIRONMENTS: usize = 10;
/// Maximum number of commits to ask for their merge request.
const MOST_COMMITS: usize = 20;
/// Maximum number of requests at a time for one project.
pub(super) const AT_A_TIME: usize = 4;

/// Reads a project. What cannot be read is in the outcome.
pub async fn read_project(gitlab: &GitLab, group: &ProjectGroup<'_>) -> ProjectStatus {
    let mut status = ProjectStatus {
        server: gitlab.server().to_owned(),
        project: group.project.clone(),
        components: group.components.iter().map(|one| one.name().to_owned()).collect(),
        environments: Vec::new(),
        unread: Vec::new(),
        failure: None,
    };
    let project = group.project.as_str();
    let (environments, deployments) =
        tokio::join!(gitlab.environments(project, PAGES), gitlab.deployments(project));
    let (environments, deployments) = match (environments, deployments) {
        (Err(error), Err(_)) => {
            status.failure = Some(error);
            return status;
        }
        (environments, deployments) => {
            (kept(environments, &mut status.unread), kept(deployments, &mut status.unread))
        }
    };
    let mut found = join(environments, &deployments);
    complete(gitlab, project, &mut found, &mut status.unread).await;
    status.environments = found.into_iter().map(|one| one.status).collect();
    name_merge_requests(gitlab, project, &mut status).await;
    status
}

/// Returns what was read, or notes why not.
fn kept<T>(read: Result<Vec<T>, GitLabError>, unread: &mut Vec<String>) -> Vec<T> {
    read.unwrap_or_else(|error| {
        unread.push(format!("Not read: {error}."));
        Vec::new()
    })
}

/// Asks for the last deployments that are older than all in the list.
async fn complete(gitlab: &GitLab, project: &str, found: &mut [FoundEnvironment], unread: &mut Vec<String>) {
    let lacking: Vec<&mut FoundEnvironment> = found.iter_mut().filter(|one| one.lacks_deployment()).collect();
    if lacking.len() > MOST_ENVIRONMENTS {
        let more = lacking.len() - MOST_ENVIRONMENTS;
        unread.push(format!(
            "{more} more environments have had no deployment lately; they were not asked for."
        ));
    }
    let asked = lacking.into_iter().take(MOST_ENVIRONMENTS).map(async |one| {
        let read: Result<GitLabEnvironment, GitLabError> = gitlab.environment(project, one.id).await;
        match read {
            Ok(whole) => {
                let last: Option<&GitLabDeployment> = whole.last_deployment.as_deref();
                one.status.current =
                    last.filter(|last| last.status.is_success()).map(EnvironmentDeployment::from);
                None
            }
            Err(error) => Some(format!("Not read: {error}.")),
        }
    });
    let troubles: Vec<Option<String>> =
        futures_util::stream::iter(asked).buffer_unordered(AT_A_TIME).collect().await;
    // They mostly have one cause.
    unread.extend(troubles.into_iter().flatten().next());
}

/// Asks which merge requests brought the commits.
async fn name_merge_requests(gitlab: &GitLab, project: &str, status: &mut ProjectStatus) {
    fn all(one: &mut EnvironmentStatus) -> impl Iterator<Item = &mut EnvironmentDeployment> {
        [&mut one.current, &mut one.newest].into_iter().flatten()
    }
    let mut commits: Vec<String> = Vec::new();
    for one in status.environments.iter_mut().flat_map(all) {
        if !one.sha.is_empty() && !commits.contains(&one.sha) {
            commits.push(one.sha.clone());
        }
    }
    if commits.len() > MOST_COMMITS {
        let more = commits.len() - MOST_COMMITS;
        status.unread.push(format!("The merge requests of {more} more commits were not asked for."));
    }
    let asked = commits.into_iter().take(MOST_COMMITS).map(async |sha| {
        let found = merge_request_of(gitlab, project, &sha).await;
        (sha, found.map(|one| one.as_ref().map(ShippedMergeRequest::from)))
    });
    let answers: Vec<_> = futures_util::stream::iter(asked).buffer_unordered(AT_A_TIME).collect().await;
    let mut known = BTreeMap::new();
    let mut trouble = None;
    for (sha, answer) in answers {
        match answer {
            Ok(found) => drop(known.insert(sha, found)),
            Err(error) => trouble = Some(format!("Not read: {error}.")),
        }
    }
    status.unread.extend(trouble);
    for one in status.environments.iter_mut().flat_map(all) {
        one.merge_request = known.get(&one.sha).cloned().flatten();
    }
}
