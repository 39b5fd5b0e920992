//! The ends of the logs of a staging's jobs; those of a release are in `container_logs`.

use super::ProgressOptions;
use super::container_logs::{ContainerLog, container_logs};
use super::find::find;
use super::log_choice::LogChoice;
use super::read::read_rows;
use crate::model::staging::PipelineStatus;
use crate::ops::stage::StageError;
use crate::systems::gitlab::GitLab;

/// Maximum number of logs to fetch.
const MOST: usize = 50;

/// The end of a job's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLog {
    /// Group and branch of its pipeline, and the triggers below.
    pub pipeline: String,
    /// Number of its pipeline.
    pub pipeline_id: u64,
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u64,
    /// Its status.
    pub status: PipelineStatus,
    /// Address of its page.
    pub url: Option<String>,
    /// The last lines.
    pub lines: Vec<String>,
    /// Reason why there are none.
    pub unread: Option<String>,
}

/// Ends of logs of a staging.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StagingLogs {
    /// Those of jobs of pipelines.
    pub jobs: Vec<JobLog>,
    /// Those of containers of releases.
    pub containers: Vec<ContainerLog>,
}

/// Returns the ends of logs, of `lines` lines each.
///
/// # Errors
/// Fails when the staging cannot be read, or no job and no container has the name.
pub async fn logs(
    gitlab: &GitLab,
    options: &ProgressOptions,
    choice: &LogChoice,
    lines: usize,
) -> Result<StagingLogs, StageError> {
    if let Some(kubectl) = options.released() {
        let merge_request = (options.project.as_str(), options.merge_request);
        let containers = container_logs(kubectl, merge_request, choice, lines).await?;
        return Ok(StagingLogs { jobs: Vec::new(), containers });
    }
    let found = find(gitlab, options).await?;
    let mut logs = Vec::new();
    let mut names = Vec::new();
    for row in read_rows(gitlab, &found.facts.project, options, found.rows, found.answer.is_some()).await? {
        let outcome = row.outcome(gitlab);
        let Some(course) = &outcome.course else { continue };
        for (_, one) in course.all() {
            let below = one.trigger.as_ref().map(|trigger| format!(" › {trigger}")).unwrap_or_default();
            for job in one.jobs.iter().filter(|job| !job.is_trigger && job.span.from.is_some()) {
                names.push(job.name.clone());
                let is_chosen = match choice {
                    LogChoice::Failed => job.status == PipelineStatus::Failed,
                    LogChoice::All => true,
                    LogChoice::Named(name) => {
                        job.name == *name || *name == job.id.to_string() || *name == one.id.to_string()
                    }
                };
                if !is_chosen || logs.len() == MOST {
                    continue;
                }
                let log = gitlab.log_tail(&one.project, job.id, lines).await;
                let (lines, unread) = match log {
                    Ok(lines) => (lines, None),
                    Err(error) => (Vec::new(), Some(error.to_string())),
                };
                logs.push(JobLog {
                    pipeline: format!("{} {}{below}", outcome.group, outcome.branch),
                    pipeline_id: one.id,
                    name: job.name.clone(),
                    id: job.id,
                    status: job.status.clone(),
                    url: job.url.clone(),
                    lines,
                    unread,
                });
            }
        }
    }
    match choice {
        LogChoice::Named(name) if logs.is_empty() => {
            names.sort();
            names.dedup();
            Err(StageError::NoJob { merge_request: found.facts.reference(), name: name.clone(), names })
        }
        _ => Ok(StagingLogs { jobs: logs, containers: Vec::new() }),
    }
}
