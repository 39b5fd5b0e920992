//! Releases of several merge requests that belong together: a plan for each, of which all must be possible. The plan of one
//! is in `plan`.

use super::plan::plan_release;
use super::{ReleasePlan, ReleaseSources, ReleaseStageError};
use crate::ops::shared::op_context::OpContext;
use crate::ops::stage::{CombineFault, StageError};
use crate::systems::gitlab::GitLab;
use crate::systems::kubectl::Kubectl;
use crate::systems::registry::Registry;

/// Plans the releases of one or more merge requests.
///
/// # Errors
/// Fails as the plan of each release does, naming the merge request that cannot be combined with the first one.
pub async fn plan_releases(
    ctx: &OpContext<'_>,
    gitlab: &GitLab,
    registry: &Registry,
    kubectl: &Kubectl,
    sources: &[ReleaseSources<'_>],
) -> Result<Vec<ReleasePlan>, ReleaseStageError> {
    let reference = |one: &ReleaseSources<'_>| format!("{}!{}", one.project, one.merge_request);
    let mut plans = Vec::new();
    for (index, one) in sources.iter().enumerate() {
        let same = sources[..index].iter().find(|other| other.component.reference == one.component.reference);
        if let Some(other) = same {
            let (merge_request, with) = (reference(one), reference(other));
            return Err(StageError::NotCombined {
                merge_request,
                with,
                fault: Box::new(CombineFault::SameProject),
            }
            .into());
        }
        let planned = plan_release(ctx, gitlab, registry, kubectl, one).await;
        plans.push(match (planned, index) {
            (Err(error), 1..) => return Err(combine_error(reference(one), reference(&sources[0]), error)),
            (planned, _) => planned?,
        });
    }
    Ok(plans)
}

/// Returns an error that names its merge request, if there are several.
pub(super) fn named_error(
    plans: &[ReleasePlan],
    plan: &ReleasePlan,
    error: ReleaseStageError,
) -> ReleaseStageError {
    match plans {
        [first, _, ..] if !std::ptr::eq(first, plan) => {
            combine_error(plan.merge_request.reference(), first.merge_request.reference(), error)
        }
        _ => error,
    }
}

fn combine_error(merge_request: String, with: String, error: ReleaseStageError) -> ReleaseStageError {
    ReleaseStageError::NotCombined { merge_request, with, source: Box::new(error) }
}
