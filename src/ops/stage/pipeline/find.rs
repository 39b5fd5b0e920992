//! Finds the pipeline of an earlier request. GitLab shows a pipeline's variables, so a marker among them tells; a
//! pipeline without variables is the same if it runs for the same commit, unless it has inputs, which GitLab hides.

use super::PipelinePlan;
use super::plan::PipelineRef;
use crate::model::staging::pipeline_of_url;
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::MergeRequestFacts;
use crate::ops::stage::head::is_of_head;
use crate::systems::gitlab::{GitLab, GitLabError, NewPipeline, Pipeline, PipelineFilter, User};

/// Maximum number of pipelines to compare.
const COMPARED: usize = 10;

/// Facts about earlier requests.
#[derive(Debug, Default)]
pub(super) struct PastPipelines {
    /// The newest pipeline of the same request.
    pub(super) same: Option<PipelineRef>,
    /// The newest pipeline that may be of the same request.
    pub(super) perhaps: Option<PipelineRef>,
    /// The number of the newest pipeline.
    newest: u64,
}

/// The comparison of a pipeline with a request.
enum Likeness {
    Same,
    Other,
    Hidden,
}

/// Looks for a pipeline of the same request for the same commit.
pub(super) async fn find_previous(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    me: Option<&User>,
) -> Result<PastPipelines, GitLabError> {
    find(gitlab, facts, plan, me, None).await
}

/// Looks for a pipeline of this request that is newer than all of an earlier look.
pub(super) async fn find_new(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    me: Option<&User>,
    past: &PastPipelines,
) -> Result<PastPipelines, GitLabError> {
    find(gitlab, facts, plan, me, Some(past.newest)).await
}

async fn find(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    me: Option<&User>,
    after: Option<u64>,
) -> Result<PastPipelines, GitLabError> {
    let mut listed = list(gitlab, facts, plan, me).await?;
    listed.sort_by_key(|one| std::cmp::Reverse(one.id));
    let mut past =
        PastPipelines { newest: listed.first().map_or(0, |one| one.id), ..PastPipelines::default() };
    let candidates = listed.iter().filter(|one| after.is_none_or(|newest| one.id > newest));
    for one in candidates.take(COMPARED) {
        match compare(gitlab, facts, plan, one, after.is_some()).await? {
            Likeness::Same => {
                past.same = Some(reference(gitlab, plan, one));
                break;
            }
            Likeness::Hidden if past.perhaps.is_none() => past.perhaps = Some(reference(gitlab, plan, one)),
            Likeness::Hidden | Likeness::Other => {}
        }
    }
    Ok(past)
}

/// Returns the pipelines among which that of the request is, if it exists.
async fn list(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    me: Option<&User>,
) -> Result<Vec<Pipeline>, GitLabError> {
    let (values, source) = match &plan.call {
        NewPipeline::MergeRequest { project, iid } => {
            return gitlab.merge_request_pipelines(project, *iid).await;
        }
        NewPipeline::Branch(values) => (values, "api"),
        NewPipeline::Trigger { values, .. } => (values, "trigger"),
    };
    let is_trigger = plan.is_trigger();
    let filter = PipelineFilter {
        branch: &values.branch,
        source,
        // A trigger token acts in the name of its owner.
        user: me.map(|me| me.username.as_str()).filter(|_| !is_trigger),
        sha: plan.expects_head.then_some(facts.head.as_str()),
    };
    match gitlab.pipelines(&values.project, &filter).await {
        // Starting a pipeline with a trigger token needs no right to see it.
        Err(error) if is_trigger && (error.is_not_found() || error.is_denied()) => Ok(Vec::new()),
        found => found,
    }
}

async fn compare(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    one: &Pipeline,
    is_new: bool,
) -> Result<Likeness, GitLabError> {
    if plan.expects_head && !covers_head(gitlab, facts, plan, one).await? {
        return Ok(Likeness::Other);
    }
    let Some(marker) = &plan.marker else {
        // A new one right after the request is that of the request.
        return Ok(if plan.has_inputs && !is_new { Likeness::Hidden } else { Likeness::Same });
    };
    match gitlab.pipeline_variables(plan.call.project(), one.id).await {
        Ok(variables) => {
            Ok(if marker.is_in(variables.iter().map(|one| (one.key.as_str(), one.value.as_str()))) {
                Likeness::Same
            } else {
                Likeness::Other
            })
        }
        Err(error) if error.is_not_found() || error.is_denied() => Ok(Likeness::Hidden),
        Err(error) => Err(error),
    }
}

/// Returns whether a pipeline runs for the head of the merge request.
pub(super) async fn covers_head(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &PipelinePlan,
    one: &Pipeline,
) -> Result<bool, GitLabError> {
    if matches!(plan.call, NewPipeline::MergeRequest { .. }) {
        return is_of_head(gitlab, facts, one).await;
    }
    Ok(one.sha.as_ref().is_some_and(|sha| sha.eq_ignore_ascii_case(&facts.head)))
}

/// Returns a pipeline as it is followed. A pipeline of a merge request may run in the project of the fork.
pub(super) fn reference(gitlab: &GitLab, plan: &PipelinePlan, one: &Pipeline) -> PipelineRef {
    let of_page = pipeline_of_url(&one.web_url, gitlab.server()).filter(|(_, id)| *id == one.id);
    let project = of_page.map_or_else(|| plan.call.project().to_owned(), |(project, _)| project);
    let url = web_address(&one.web_url);
    PipelineRef {
        id: one.id,
        url: url.unwrap_or_else(|| format!("{}/{project}/-/pipelines/{}", gitlab.server(), one.id)),
        project,
        branch: shown(one.branch.as_deref().unwrap_or("–"), 200),
        sha: shown(one.sha.as_deref().unwrap_or_default(), 64),
    }
}
