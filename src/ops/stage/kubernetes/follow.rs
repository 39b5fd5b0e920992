//! Follows the rollout of a release, or of a workload whose image was changed, to its end, with the events and logs of failing
//! pods. A cluster that does not answer for a while is no failure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::failing::{LINE, failing_containers};
use super::plan::SHORTEST;
use super::{ReleaseEnd, ReleaseOutcome, ReleasePlan, ReleaseRun, ReleaseStageError};
use crate::model::event::TaskOutcome;
use crate::model::staging::kubernetes::{
    PodTrouble, RELEASE, Rollout, pod_selector, pod_troubles, pods_of_template, rollout, template,
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
    /// Selector of its pods, with those of earlier versions.
    pub(super) selector: String,
    /// The version to follow.
    pub(super) version: PodVersion,
}

/// The version of a workload whose pods count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PodVersion {
    /// Pods that carry this digest of their template.
    Template(String),
    /// A container of this name has an image with this digest.
    Image(String, String),
}

impl PodVersion {
    /// Returns whether the template of a workload is of the version: a controller may have to set the image first.
    fn is_wanted(&self, workload: &Value) -> bool {
        match self {
            Self::Template(_) => true,
            Self::Image(container, digest) => has_image(&template(workload)["spec"], container, digest),
        }
    }

    /// Returns the pods of the version.
    fn of(&self, pods: Vec<Value>) -> Vec<Value> {
        match self {
            Self::Template(digest) => pods_of_template(pods, digest),
            Self::Image(container, digest) => {
                pods.into_iter().filter(|pod| has_image(&pod["spec"], container, digest)).collect()
            }
        }
    }
}

/// Returns whether a container of a pod has an image with a digest.
fn has_image(spec: &Value, container: &str, digest: &str) -> bool {
    let mut all = spec["containers"].as_array().into_iter().flatten();
    all.any(|one| {
        one["name"] == container && one["image"].as_str().is_some_and(|image| image.ends_with(digest))
    })
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
            selector: release_selector(&release.name),
            version: PodVersion::Template(release.template.clone()),
        }
    }
}

/// Returns the selector of the pods of a release.
pub(super) fn release_selector(release: &str) -> String {
    format!("{RELEASE}={release}")
}

/// Follows a workload of production after a change of the image of a container.
pub async fn follow_image(
    run: ReleaseRun<'_>,
    (kind, name): (&str, &str),
    (container, digest): (&str, &str),
) -> ReleaseOutcome {
    let began = run.gitlab.clock().elapsed();
    let mut outcome = ReleaseOutcome { end: ReleaseEnd::NotWaited, failed: Vec::new(), took: Duration::ZERO };
    outcome.end = match run.kubectl.find_object(kind, name).await {
        Ok(found) => {
            let followed = FollowedRelease {
                name: name.to_owned(),
                workload: (kind.to_owned(), name.to_owned()),
                selector: pod_selector(&found.unwrap_or_default()),
                version: PodVersion::Image(container.to_owned(), digest.to_owned()),
            };
            follow(run, &followed, &mut HeadWatch::none(), began, &mut outcome).await
        }
        Err(error) => ReleaseEnd::Lost(error.into()),
    };
    outcome.took = run.gitlab.clock().elapsed().saturating_sub(began);
    outcome
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
    let (kind, name) = &release.workload;
    kubectl.watch(&[Watched::Selected("pods", &release.selector), Watched::Object(kind, name)])
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
        if !self.release.version.is_wanted(&found) {
            return Ok((Rollout::Progressing("waiting for the new image".to_owned()), Vec::new()));
        }
        let rollout = rollout(&found);
        if matches!(rollout, Rollout::Done(_)) {
            return Ok((rollout, Vec::new()));
        }
        let pods = kubectl.list("pods", &self.release.selector).await?;
        let troubles = pod_troubles(&self.release.version.of(pods));
        for trouble in &troubles {
            let text = format!("`{}`: {}.", shown(&trouble.pod, 100), shown(&trouble.describe(), LINE));
            if self.warned.insert(format!("{} {} {}", trouble.pod, trouble.container, trouble.reason)) {
                self.run.events.warn(text);
            }
        }
        Ok((rollout, troubles))
    }
}
