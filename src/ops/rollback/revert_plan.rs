//! Plans a revert: the commit, the merge request that brought it, and the requests that would be sent. Changes nothing.

use std::collections::BTreeMap;

use super::deployed::deployed;
use super::find::{branch_of, open_revert};
use super::{
    DeployedCommit, RevertChoice, RevertPlan, RevertRequest, RevertSteps, RevertWork, RollbackError,
};
use crate::model::rollback::{RevertMarker, revert_title, text};
use crate::ops::shared::outside_text::shown;
use crate::ops::status::{ProjectGroup, ShippedMergeRequest, merge_request_of, merged_commit};
use crate::systems::gitlab::{GitLab, GitLabError, MergeRequest, RevertStep};

/// Name of the reverting merge request in the preview of its record, which has no number yet.
const NEW: &str = "The new merge request";

/// The commit to revert.
struct Chosen {
    deployed: Option<DeployedCommit>,
    sha: String,
    merge_request: Option<MergeRequest>,
}

/// Plans a revert.
///
/// # Errors
/// Fails when there is no such commit, it is not merged, or a merged merge request has reverted it.
pub async fn plan_revert(gitlab: &GitLab, request: &RevertRequest<'_>) -> Result<RevertPlan, RollbackError> {
    let project = request.project;
    let Chosen { deployed, sha, merge_request } = chosen(gitlab, request).await?;
    let found = open_revert(gitlab, project, &sha).await?;
    let target_branch = match &merge_request {
        Some(found) => found.target_branch.clone(),
        None => gitlab
            .default_branch(project)
            .await?
            .ok_or_else(|| RollbackError::NoBranch { project: project.to_owned() })?,
    };
    let shipped = merge_request.as_ref().map(ShippedMergeRequest::from);
    let about = shipped.as_ref().map_or_else(|| sha.clone(), |found| found.title.clone());
    let (branch, title) = (branch_of(&sha), revert_title(&about));
    let marker = RevertMarker::new(&sha);
    let values = BTreeMap::from([
        ("sha", sha.clone()),
        ("component", request.component.name().to_owned()),
        ("merge_request", shipped.as_ref().map(|one| format!("!{}", one.iid)).unwrap_or_default()),
        ("reason", request.reason.to_owned()),
    ]);
    let description = text(request.description, &values, Some(&marker))?;
    let record = (request.record.to_owned(), request.reason.to_owned());
    let work = match found {
        Some(found) => RevertWork::Found(found),
        None => {
            let project = project.to_owned();
            let (name, from) = (branch.clone(), target_branch.clone());
            let (source, target) = (branch.clone(), target_branch.clone());
            let record = shipped.as_ref().map(|one| record_step(&project, one.iid, &sha, &record, NEW));
            RevertWork::Steps(Box::new(RevertSteps {
                branch: RevertStep::Branch { project: project.clone(), name, from },
                revert: RevertStep::Revert {
                    project: project.clone(),
                    sha: sha.clone(),
                    branch: branch.clone(),
                },
                record: record.transpose()?,
                open: RevertStep::MergeRequest { project, source, target, title: title.clone(), description },
            }))
        }
    };
    Ok(RevertPlan {
        project: project.to_owned(),
        deployed,
        sha,
        merge_request: shipped,
        target_branch: shown(&target_branch, 200),
        branch,
        title,
        work,
        record,
    })
}

/// Returns the comment that records a revert on the reverted merge request.
pub(super) fn record_step(
    project: &str,
    iid: u64,
    sha: &str,
    (template, reason): &(String, String),
    revert: &str,
) -> Result<RevertStep, RollbackError> {
    let values = BTreeMap::from([("revert", revert.to_owned()), ("reason", reason.clone())]);
    let body = text(template, &values, Some(&RevertMarker::new(sha)))?;
    Ok(RevertStep::Record { project: project.to_owned(), iid, body })
}

async fn chosen(gitlab: &GitLab, request: &RevertRequest<'_>) -> Result<Chosen, RollbackError> {
    let project = request.project;
    match &request.choice {
        RevertChoice::Deployed => {
            let group = ProjectGroup {
                server: gitlab.server().to_owned(),
                project: project.to_owned(),
                components: vec![request.component],
            };
            let found = deployed(gitlab, &group).await?;
            let sha = found.deployment.sha.clone();
            of_commit(gitlab, project, sha, Some(found)).await
        }
        RevertChoice::Commit(text) => {
            // The server completes a hash, and only a commit that exists becomes part of a request.
            let found = gitlab.commit(project, text).await?;
            of_commit(gitlab, project, shown(&found.id, 64), None).await
        }
        RevertChoice::MergeRequest(number) => {
            let found = gitlab.merge_request(project, *number).await?;
            let sha = merged_commit(&found).ok_or_else(|| RollbackError::NotMerged {
                reference: format!("{project}!{number}"),
                state: shown(&found.state, 20),
            })?;
            Ok(Chosen { deployed: None, sha: checked(&sha, project)?, merge_request: Some(found) })
        }
    }
}

async fn of_commit(
    gitlab: &GitLab,
    project: &str,
    sha: String,
    deployed: Option<DeployedCommit>,
) -> Result<Chosen, RollbackError> {
    let sha = checked(&sha, project)?;
    let merge_request = merge_request_of(gitlab, project, &sha).await?;
    // One that is not merged has not brought the commit to its target.
    let merge_request = merge_request.filter(|one| one.state == "merged");
    Ok(Chosen { deployed, sha, merge_request })
}

/// Returns a hash that may become part of the name of a branch.
fn checked(sha: &str, project: &str) -> Result<String, GitLabError> {
    if matches!(sha.len(), 40 | 64) && sha.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(sha.to_ascii_lowercase());
    }
    Err(GitLabError::BadAnswer {
        server: "GitLab".to_owned(),
        what: format!("a commit of `{project}`"),
        why: "it is no hash".to_owned(),
    })
}
