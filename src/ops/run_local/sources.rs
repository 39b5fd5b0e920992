//! The sources of a plan as they are now: for a dry run, which clones nothing. A run names its sources when
//! it prepares them.

use std::path::PathBuf;

use super::plan::RunPlan;
use super::request::RunRequest;
use crate::ops::shared::op_context::OpContext;
use crate::systems::git::{Checkout, inspect};

/// A plan, and the sources that it would use.
#[derive(Debug)]
pub struct DryRun {
    /// The plan.
    pub plan: RunPlan,
    /// The sources as they are now.
    pub sources: Vec<PlannedSource>,
}

/// The directory of sources that a run would use.
#[derive(Debug, Clone)]
pub struct PlannedSource {
    /// The directory.
    pub path: PathBuf,
    /// The files as they are now; `None` if they are not cloned yet.
    pub checkout: Option<Checkout>,
    /// The run would move the clone to this merge request.
    pub merge_request: Option<u64>,
}

/// Finds the sources of all units, each once, and inspects those that exist.
///
/// # Errors
/// Fails when a directory is the clone of another repository, or cannot be read, as a run would.
pub(super) fn find(
    ctx: &OpContext<'_>,
    request: &RunRequest<'_>,
    plan: &RunPlan,
) -> anyhow::Result<Vec<PlannedSource>> {
    let mut found: Vec<PlannedSource> = Vec::new();
    for unit in plan.units() {
        let native = unit.native.as_ref().filter(|_| plan.native);
        let native = native.and_then(|command| command.repo.as_deref());
        let built = unit.dev.build.as_ref().filter(|_| !plan.native).map(|build| build.repo.as_str());
        for repo in [native, built, unit.dev.repo.as_deref()].into_iter().flatten() {
            let path = ctx.workspace.location(ctx.inventory, repo).target()?;
            if found.iter().any(|known| known.path == path) {
                continue;
            }
            let checkout = inspect(&path)?;
            let merge_request = request.merge_request.filter(|_| unit.requested);
            found.push(PlannedSource { path, checkout, merge_request });
        }
    }
    Ok(found)
}
