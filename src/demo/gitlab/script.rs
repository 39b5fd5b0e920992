//! The state of a pipeline at a moment: a pure function of its script and of the time since its creation.

use std::time::Duration;

use super::config_pipelines::{Script, ScriptJob};
use crate::model::staging::PipelineStatus;

/// A pipeline at a moment. All times count from its creation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PipelineSnapshot {
    pub(super) status: PipelineStatus,
    pub(super) started: Option<Duration>,
    pub(super) finished: Option<Duration>,
    /// Time of the last change.
    pub(super) changed: Duration,
    pub(super) jobs: Vec<JobMoment>,
}

/// A job at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JobMoment {
    pub(super) status: PipelineStatus,
    pub(super) started: Option<Duration>,
    pub(super) finished: Option<Duration>,
}

/// Returns the time from the creation of a script's pipeline to the start of a job; `None` if an earlier stage fails.
pub(super) fn start_of(script: &Script, job: usize) -> Option<Duration> {
    let begin = seconds(script.created) + seconds(script.pending);
    plan(script, begin).jobs.get(job)?.span.map(|(from, _)| from)
}

/// Returns the state of a script's pipeline that was canceled at a moment.
pub(super) fn canceled(script: &Script, then: Duration) -> PipelineSnapshot {
    let mut snapshot = at(script, then);
    if snapshot.status.is_finished() {
        return snapshot;
    }
    for job in snapshot.jobs.iter_mut().filter(|job| !job.status.is_finished()) {
        job.status = PipelineStatus::Canceled;
        job.finished = Some(then);
    }
    PipelineSnapshot { status: PipelineStatus::Canceled, finished: Some(then), changed: then, ..snapshot }
}

/// Returns the state of a script's pipeline at a moment.
pub(super) fn at(script: &Script, now: Duration) -> PipelineSnapshot {
    let pending = seconds(script.created);
    let begin = pending + seconds(script.pending);
    let plan = plan(script, begin);
    let jobs: Vec<JobMoment> = plan.jobs.iter().map(|job| job_at(job, now, pending, begin)).collect();
    let status = match now {
        now if now < pending => PipelineStatus::Created,
        now if now < begin => PipelineStatus::Pending,
        now if now < plan.end => PipelineStatus::Running,
        _ if plan.fails => PipelineStatus::Failed,
        _ => PipelineStatus::Success,
    };
    let changes = plan.jobs.iter().filter_map(|job| job.span).flat_map(|(from, to)| [from, to]);
    let changed = changes.chain([pending, begin, plan.end]).filter(|change| *change <= now).max();
    PipelineSnapshot {
        status,
        started: (now >= begin).then_some(begin),
        finished: (now >= plan.end).then_some(plan.end),
        changed: changed.unwrap_or_default(),
        jobs,
    }
}

/// The schedule of a job.
struct PipelineScript<'a> {
    jobs: Vec<PlannedJob<'a>>,
    end: Duration,
    fails: bool,
}

struct PlannedJob<'a> {
    job: &'a ScriptJob,
    /// Start and end; `None` if an earlier stage fails.
    span: Option<(Duration, Duration)>,
    /// Time at which an earlier failure skips the job.
    skipped: Duration,
}

/// Schedules all jobs. The jobs of a stage run in parallel, and a stage begins when the one before it has
/// succeeded.
fn plan(script: &Script, begin: Duration) -> PipelineScript<'_> {
    let mut stages: Vec<&str> = Vec::new();
    for job in &script.jobs {
        if !stages.contains(&job.stage.as_str()) {
            stages.push(&job.stage);
        }
    }
    let mut spans: Vec<Option<(Duration, Duration)>> = vec![None; script.jobs.len()];
    let mut from = begin;
    let mut fails = false;
    for stage in stages {
        if fails {
            break;
        }
        let mut end = from;
        for (index, job) in script.jobs.iter().enumerate().filter(|(_, job)| job.stage == stage) {
            let to = from + seconds(job.seconds);
            spans[index] = Some((from, to));
            end = end.max(to);
            fails |= job.result == PipelineStatus::Failed && !job.allow_failure;
        }
        from = end;
    }
    let jobs =
        script.jobs.iter().zip(spans).map(|(job, span)| PlannedJob { job, span, skipped: from }).collect();
    PipelineScript { jobs, end: from, fails }
}

fn job_at(planned: &PlannedJob<'_>, now: Duration, pending: Duration, begin: Duration) -> JobMoment {
    let waiting = |status| JobMoment { status, started: None, finished: None };
    match planned.span {
        None if now >= planned.skipped => waiting(PipelineStatus::Skipped),
        Some((from, to)) if now >= to => {
            JobMoment { status: planned.job.result.clone(), started: Some(from), finished: Some(to) }
        }
        Some((from, _)) if now >= from => {
            JobMoment { status: PipelineStatus::Running, started: Some(from), finished: None }
        }
        // Runners do not get jobs of later stages yet.
        Some((from, _)) if now >= pending && from == begin => waiting(PipelineStatus::Pending),
        _ => waiting(PipelineStatus::Created),
    }
}

pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(result: PipelineStatus, allow_failure: bool) -> Script {
        let job = |name: &str, stage: &str, seconds, result| ScriptJob {
            name: name.to_owned(),
            stage: stage.to_owned(),
            seconds,
            result,
            allow_failure,
            log: String::new(),
            triggers: None,
        };
        Script {
            created: 1.0,
            pending: 1.0,
            jobs: vec![
                job("a", "build", 2.0, result),
                job("b", "build", 4.0, PipelineStatus::Success),
                job("c", "test", 1.0, PipelineStatus::Success),
            ],
        }
    }

    fn words(script: &Script, now: f64) -> Vec<String> {
        let snapshot = at(script, seconds(now));
        let jobs = snapshot.jobs.iter().map(|job| job.status.to_string());
        [snapshot.status.to_string()].into_iter().chain(jobs).collect()
    }

    #[test]
    fn pipeline_moves_through_states_over_time() {
        let good = script(PipelineStatus::Success, false);
        assert_eq!(words(&good, 0.0), ["created"; 4]);
        assert_eq!(words(&good, 1.5), ["pending", "pending", "pending", "created"]);
        assert_eq!(words(&good, 2.0), ["running", "running", "running", "created"]);
        assert_eq!(words(&good, 4.5), ["running", "success", "running", "created"]);
        assert_eq!(words(&good, 6.0), ["running", "success", "success", "running"]);
        assert_eq!(words(&good, 7.0), ["success"; 4]);
        let end = at(&good, seconds(100.0));
        assert_eq!(
            (end.started, end.finished, end.changed),
            (Some(seconds(2.0)), Some(seconds(7.0)), seconds(7.0))
        );
    }

    #[test]
    fn failed_job_skips_later_stages_unless_allowed() {
        let bad = script(PipelineStatus::Failed, false);
        assert_eq!(words(&bad, 5.0), ["running", "failed", "running", "created"]);
        assert_eq!(words(&bad, 6.0), ["failed", "failed", "success", "skipped"]);
        let allowed = script(PipelineStatus::Failed, true);
        assert_eq!(words(&allowed, 7.0), ["success", "failed", "success", "success"]);
    }
}
