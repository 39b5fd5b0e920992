//! The reasons of a pipeline's failure: its failed jobs, and the end of their logs.

use super::node::TreeNode;
use crate::model::staging::PipelineStatus;
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::FailedJob;
use crate::systems::gitlab::{GitLab, Job};

/// Maximum number of jobs of a pipeline, with those that it triggers, whose logs are fetched.
const MOST_LOGS: usize = 5;

/// The logs that may still be fetched.
#[derive(Debug)]
pub(super) struct LogBudget {
    lines: usize,
    left: usize,
}

impl LogBudget {
    pub(super) fn new(lines: usize) -> Self {
        Self { lines, left: MOST_LOGS }
    }
}

/// Returns the jobs that made a pipeline fail. Unreadable parts are left out: the pipeline's status and
/// page are known.
pub(super) async fn failed_jobs(gitlab: &GitLab, node: &TreeNode, budget: &mut LogBudget) -> Vec<FailedJob> {
    let mut failed = Vec::new();
    for job in culprits(node.jobs()) {
        let mut one = FailedJob {
            name: shown(&job.name, 100),
            stage: shown(&job.stage, 100),
            id: job.id,
            pipeline: node.id,
            url: web_address(&job.web_url),
            reason: job.failure_reason.as_deref().map(|reason| shown(reason, 100)),
            log: Vec::new(),
            no_log: None,
        };
        if budget.left > 0 {
            budget.left -= 1;
            match gitlab.log_tail(&node.project, job.id, budget.lines).await {
                Ok(log) => one.log = log,
                Err(error) => one.no_log = Some(error.to_string()),
            }
        }
        failed.push(one);
    }
    failed
}

/// Returns failed jobs in the order of their creation; those that may fail only if there are no others.
fn culprits(jobs: &[Job]) -> Vec<&Job> {
    let mut failed: Vec<&Job> = jobs.iter().filter(|job| job.status == PipelineStatus::Failed).collect();
    failed.sort_by_key(|job| job.id);
    if failed.iter().any(|job| !job.allow_failure) {
        failed.retain(|job| !job.allow_failure);
    }
    failed
}
