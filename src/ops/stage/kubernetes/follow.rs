//! Follows the rollout of a release to its end, with the events and logs of failing pods. A cluster that does not
//! answer for a while is no failure.

use std::collections::BTreeSet;
use std::time::Duration;

use super::failing::{LINE, failing_containers};
use super::plan::SHORTEST;
use super::{ReleaseEnd, ReleaseOutcome, ReleasePlan, ReleaseRun, ReleaseStageError};
use crate::model::event::TaskOutcome;
use crate::model::staging::kubernetes::{
    PodTrouble, RELEASE, Rollout, pod_troubles, pods_of_template, rollout,
};
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::head::HeadWatch;
use crate::systems::kubectl::{Kubectl, KubectlError, ObjectChanges, Watched};

/// A release to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FollowedRelease {
    /// Name of the release.
    pub(super) name: String,
    /// Kind and name of its workload.
    pub(super) workload: (String, String),
    /// Digest that its pods carry.
    pub(super) template: String,
}

impl FollowedRelease {
    /// Returns the release of a plan.
    pub(super) fn of_plan(plan: &ReleasePlan) -> Self {
        let release = &plan.release;
        // The workload is the last object.
        let (kind, name) = release.objects.last().map_or(("", ""), |one| (one.kind(), one.name()));
        Self {
            name: release.name.clone(),
            workload: (kind.to_owned(), name.to_owned()),
            template: release.template.clone(),
        }
    }

    fn selector(&self) -> String {
        format!("{RELEASE}={}", self.name)
    }
}

/// Follows the rollout.
pub(super) async fn follow(
    run: ReleaseRun<'_>,
    release: &FollowedRelease,
    head: &mut HeadWatch,
    began: Duration,
    outcome: &mut ReleaseOutcome,
) -> ReleaseEnd {
    let task = run.events.start(release.name.clone(), "rolling out");
    let mut following = Following { run, release, head, next_head: began, warned: BTreeSet::new() };
    let clock = run.gitlab.clock();
    let changes = watch(run.kubectl, release);
    let lines = run.options.log_lines;
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
                outcome.failed = failing_containers(run.kubectl, &troubles, lines).await;
                break ReleaseEnd::Failed(shown(&text, LINE));
            }
            Ok((Rollout::Progressing(text), troubles)) => {
                lost_since = None;
                if let Some(worst) = troubles.iter().find(|one| one.is_lasting) {
                    outcome.failed = failing_containers(run.kubectl, &troubles, lines).await;
                    break ReleaseEnd::Failed(shown(&worst.describe(), LINE));
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
fn watch(kubectl: &Kubectl, release: &FollowedRelease) -> ObjectChanges {
    let (pods, (kind, name)) = (release.selector(), &release.workload);
    kubectl.watch(&[Watched::Selected("pods", &pods), Watched::Object(kind, name)])
}

/// A rollout that is followed.
struct Following<'a> {
    run: ReleaseRun<'a>,
    release: &'a FollowedRelease,
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
        let (kind, name) = &self.release.workload;
        let Some(found) = kubectl.find_object(kind, name).await? else {
            return Ok((Rollout::Failed(format!("{kind} `{name}` was removed")), Vec::new()));
        };
        let rollout = rollout(&found);
        if matches!(rollout, Rollout::Done(_)) {
            return Ok((rollout, Vec::new()));
        }
        let pods = kubectl.list("pods", &self.release.selector()).await?;
        let pods = pods_of_template(pods, &self.release.template);
        let troubles = pod_troubles(&pods);
        for trouble in &troubles {
            let text = format!("`{}`: {}.", shown(&trouble.pod, 100), shown(&trouble.describe(), LINE));
            if self.warned.insert(format!("{} {} {}", trouble.pod, trouble.container, trouble.reason)) {
                self.run.events.warn(text);
            }
        }
        Ok((rollout, troubles))
    }
}
