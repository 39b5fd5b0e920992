//! Follows the rollout of a release to its end, with the events and logs of failing pods. A cluster that does not
//! answer for a while is no failure.

use std::collections::BTreeSet;
use std::time::Duration;

use super::plan::SHORTEST;
use super::{FailedContainer, ReleaseEnd, ReleaseOutcome, ReleasePlan, ReleaseRun, ReleaseStageError};
use crate::model::event::TaskOutcome;
use crate::model::staging::kubernetes::{PodTrouble, RELEASE, Rollout, TEMPLATE, pod_troubles, rollout};
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::head::HeadWatch;
use crate::systems::kubectl::{Kubectl, KubectlError, ObjectChanges, Watched};

/// Maximum number of failing containers to report.
const REPORTED: usize = 3;
/// Maximum number of events of a failing pod to report.
const EVENTS: usize = 5;
/// Maximum columns of a line of a log, and of a message.
const LINE: usize = 300;

/// Follows the rollout.
pub(super) async fn follow(
    run: ReleaseRun<'_>,
    plan: &ReleasePlan,
    head: &mut HeadWatch,
    began: Duration,
    outcome: &mut ReleaseOutcome,
) -> ReleaseEnd {
    let task = run.events.start(plan.release.name.clone(), "rolling out");
    let mut following = Following { run, plan, head, next_head: began, warned: BTreeSet::new() };
    let clock = run.gitlab.clock();
    let changes = watch(run.kubectl, plan);
    let mut lost_since: Option<Duration> = None;
    let end = loop {
        let looked = tokio::select! {
            biased;
            signal = run.stop.requested() => break ReleaseEnd::Stopped(signal),
            looked = following.look() => looked,
        };
        let now = clock.elapsed();
        match looked {
            Ok((Rollout::Done(text), _)) => break ReleaseEnd::Done(text),
            Ok((Rollout::Failed(text), troubles)) => {
                outcome.failed = following.failures(&troubles).await;
                break ReleaseEnd::Failed(shown(&text, LINE));
            }
            Ok((Rollout::Progressing(text), troubles)) => {
                lost_since = None;
                if let Some(worst) = troubles.iter().find(|one| one.is_lasting) {
                    outcome.failed = following.failures(&troubles).await;
                    break ReleaseEnd::Failed(describe(worst));
                }
                task.detail(shown(&text, LINE));
            }
            Err(error) => {
                let since = *lost_since.get_or_insert(now);
                let is_passing =
                    matches!(error, KubectlError::Unreachable { .. } | KubectlError::TimedOut { .. });
                if !is_passing || now.saturating_sub(since) > run.options.patience {
                    break ReleaseEnd::Lost(ReleaseStageError::Kubectl(error));
                }
                task.detail(format!("the cluster does not answer: {}", shown(&error.to_string(), LINE)));
            }
        }
        if run.options.timeout.is_some_and(|limit| now.saturating_sub(began) > limit) {
            break ReleaseEnd::TimedOut;
        }
        tokio::select! {
            biased;
            signal = run.stop.requested() => break ReleaseEnd::Stopped(signal),
            () = changes.next() => {}
            // A cluster that cannot be watched, or has lost its watcher, is asked.
            () = clock.sleep(run.options.interval.max(SHORTEST)) => {}
        }
    };
    match &end {
        ReleaseEnd::Done(text) => task.finish(TaskOutcome::Done, text.clone()),
        ReleaseEnd::Failed(text) => task.finish(TaskOutcome::Failed, text.clone()),
        _ => task.dismiss(),
    }
    end
}

/// Watches the workload, and the pods of the release.
fn watch(kubectl: &Kubectl, plan: &ReleasePlan) -> ObjectChanges {
    let pods = release_selector(plan);
    let mut watched = vec![Watched::Selected("pods", &pods)];
    if let Some(workload) = plan.release.objects.last() {
        watched.push(Watched::Object(workload.kind(), workload.name()));
    }
    kubectl.watch(&watched)
}

fn release_selector(plan: &ReleasePlan) -> String {
    format!("{RELEASE}={}", plan.release.name)
}

/// A rollout that is followed.
struct Following<'a> {
    run: ReleaseRun<'a>,
    plan: &'a ReleasePlan,
    head: &'a mut HeadWatch,
    /// Time of the next look at the merge request: changes of the cluster are no reason to ask GitLab more often.
    next_head: Duration,
    warned: BTreeSet<String>,
}

impl Following<'_> {
    /// Looks at the workload and its pods once. A merge request that cannot be read does not matter here.
    async fn look(&mut self) -> Result<(Rollout, Vec<PodTrouble>), KubectlError> {
        let now = self.run.gitlab.clock().elapsed();
        if now >= self.next_head {
            self.next_head = now + self.run.options.interval;
            if let Err(error) = self.head.look(self.run.gitlab, self.run.events).await {
                self.run.events.warn_once(format!("The merge request is not watched: {error}."));
            }
        }
        let kubectl = self.run.kubectl;
        let Some(workload) = self.plan.release.objects.last() else {
            return Ok((Rollout::Done("nothing to roll out".to_owned()), Vec::new()));
        };
        let found = kubectl.find_object(workload.kind(), workload.name()).await?;
        let Some(found) = found else {
            let message = format!("{} `{}` was removed", workload.kind(), workload.name());
            return Ok((Rollout::Failed(message), Vec::new()));
        };
        let rollout = rollout(&found);
        if matches!(rollout, Rollout::Done(_)) {
            return Ok((rollout, Vec::new()));
        }
        let pods = kubectl.list("pods", &release_selector(self.plan)).await?;
        // A pod of the rollout before does not count.
        let template = self.plan.release.template.as_str();
        let is_new = |pod: &serde_json::Value| pod["metadata"]["annotations"][TEMPLATE] == template;
        let pods: Vec<_> = pods.into_iter().filter(is_new).collect();
        let troubles = pod_troubles(&pods);
        for trouble in &troubles {
            let text = format!("`{}`: {}.", shown(&trouble.pod, 100), describe(trouble));
            if self.warned.insert(format!("{} {} {}", trouble.pod, trouble.container, trouble.reason)) {
                self.run.events.warn(text);
            }
        }
        Ok((rollout, troubles))
    }

    /// Reads the events and the end of the logs of failing containers.
    async fn failures(&self, troubles: &[PodTrouble]) -> Vec<FailedContainer> {
        let mut failures = Vec::new();
        for trouble in troubles.iter().take(REPORTED) {
            let kubectl = self.run.kubectl;
            let events = kubectl.events(&trouble.pod).await.unwrap_or_default();
            let warnings = events.iter().filter(|event| event.is_warning);
            let mut events: Vec<String> =
                warnings.map(|event| shown(&format!("{}: {}", event.reason, event.message), LINE)).collect();
            events.drain(..events.len().saturating_sub(EVENTS));
            let lines = self.run.options.log_lines;
            let log = match trouble.container.as_str() {
                "" => Vec::new(),
                container => kubectl
                    .log_tail(&trouble.pod, container, trouble.has_run, lines)
                    .await
                    .unwrap_or_else(|error| vec![format!("no log: {error}")]),
            };
            failures.push(FailedContainer {
                pod: shown(&trouble.pod, 253),
                container: shown(&trouble.container, 63),
                reason: describe(trouble),
                events,
                log: log.iter().map(|line| shown(line, LINE)).collect(),
            });
        }
        failures
    }
}

fn describe(trouble: &PodTrouble) -> String {
    let text = match trouble.message.trim() {
        "" => trouble.reason.clone(),
        message => format!("{}: {message}", trouble.reason),
    };
    shown(&text, LINE).trim_end_matches('.').to_owned()
}
