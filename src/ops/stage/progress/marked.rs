//! The pipelines that the method `pipeline` has started for the head commit, perhaps in another project: found by the marker
//! among their variables, as far as the server shows them, or as those of the merge request itself.

use crate::model::inventory::{PipelineDecl, PipelineKind};
use crate::model::staging::{AnswerRow, PipelineMarker, StagedHead};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::head::is_of_head;
use crate::ops::stage::{MergeRequestFacts, StageError};
use crate::systems::gitlab::{GitLab, Pipeline, PipelineFilter};

/// Maximum number of pipelines whose variables are read.
const COMPARED: usize = 10;

/// The pipelines that were found.
#[derive(Debug, Default)]
pub(super) struct MarkedPipelines {
    /// Their rows, the newest one of each request.
    pub(super) rows: Vec<AnswerRow>,
    /// The rows are those of requests, not of all pipelines of the commit.
    pub(super) is_requested: bool,
    /// Merge requests that the newest one stages together with this one.
    pub(super) combined: Vec<StagedHead>,
    /// Facts that could not be read, one sentence each.
    pub(super) unread: Vec<String>,
}

/// Returns the newest pipeline of each request.
///
/// # Errors
/// Fails if the server does not answer, or the template of the branch is invalid.
pub(super) async fn pipelines(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    decl: &PipelineDecl,
) -> Result<MarkedPipelines, StageError> {
    let mut found = MarkedPipelines::default();
    let source = match decl.kind {
        PipelineKind::MergeRequest => return of_merge_request(gitlab, facts).await,
        PipelineKind::Branch => "api",
        PipelineKind::Trigger => "trigger",
    };
    let project = match (&decl.project, facts.fork) {
        (Some(project), _) => project.clone(),
        (None, Some(number)) => match gitlab.project_path(number).await {
            Ok(path) => path,
            Err(error) if error.is_hidden() => {
                found.unread.push("The project of the source branch cannot be read.".to_owned());
                return Ok(found);
            }
            Err(error) => return Err(error.into()),
        },
        (None, None) => facts.project.clone(),
    };
    let branch = decl.branch.as_deref().unwrap_or(&facts.source_branch);
    let url = facts.repository_url(gitlab.server());
    let branch = facts.for_templates(&url).fill("stage.pipeline", "ref", branch)?;
    let filter = PipelineFilter { branch: &branch, source, user: None, sha: None };
    let mut listed = match gitlab.pipelines(&project, &filter).await {
        Ok(listed) => listed,
        Err(error) if error.is_hidden() => {
            found
                .unread
                .push(format!("Without a token that may see them, pipelines of `{project}` are not shown."));
            return Ok(found);
        }
        Err(error) => return Err(error.into()),
    };
    listed.sort_by_key(|one| std::cmp::Reverse(one.id));
    // A pipeline on the source branch without variables of its own has no marker.
    let is_bare = decl.variables.is_empty() && decl.project.is_none() && decl.branch.is_none();
    let mut requests: Vec<String> = Vec::new();
    let mut hidden = 0;
    for one in listed.iter().take(COMPARED) {
        let is_head = one.sha.as_deref().is_some_and(|sha| sha.eq_ignore_ascii_case(&facts.head));
        let variables = match gitlab.pipeline_variables(&project, one.id).await {
            Ok(variables) => variables,
            Err(error) if error.is_hidden() => {
                hidden += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let marker = variables.iter().find(|variable| variable.key == PipelineMarker::VARIABLE);
        let marker = marker.and_then(|variable| PipelineMarker::parse(&variable.value));
        let request = match &marker {
            Some(marker) if marker.sha().eq_ignore_ascii_case(&facts.head) => marker.to_string(),
            None if is_bare && is_head => String::new(),
            _ => continue,
        };
        if requests.contains(&request) {
            continue;
        }
        if requests.is_empty() {
            found.combined = marker.map(|marker| marker.combined().to_vec()).unwrap_or_default();
        }
        requests.push(request);
        found.rows.push(row(decl.kind, one));
    }
    if found.rows.is_empty() && hidden > 0 {
        found.unread.push(format!(
            "The variables of pipelines on `{}` of `{project}` cannot be read: one of them may be of this merge request.",
            shown(&branch, 200)
        ));
    }
    Ok(found)
}

/// Returns the newest pipeline of the merge request for its head, which a request takes for its own. It has no variables, so
/// that only its starter tells whose it is.
async fn of_merge_request(gitlab: &GitLab, facts: &MergeRequestFacts) -> Result<MarkedPipelines, StageError> {
    let mut found = MarkedPipelines::default();
    let mut listed = match gitlab.merge_request_pipelines(&facts.project, facts.iid).await {
        // The search for all pipelines of the commit says so.
        Err(error) if error.is_hidden() => return Ok(found),
        listed => listed?,
    };
    listed.sort_by_key(|one| std::cmp::Reverse(one.id));
    for one in listed.iter().take(COMPARED) {
        if is_of_head(gitlab, facts, one).await? {
            found.rows.push(row(PipelineKind::MergeRequest, one));
            break;
        }
    }
    Ok(found)
}

fn row(kind: PipelineKind, one: &Pipeline) -> AnswerRow {
    AnswerRow {
        group: kind.as_str().to_owned(),
        branch: shown(one.branch.as_deref().unwrap_or("–"), 100),
        id: Some(one.id),
        link: web_address(&one.web_url),
        status: one.status.clone(),
    }
}
