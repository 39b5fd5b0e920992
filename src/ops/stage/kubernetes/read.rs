//! Reads the releases of a merge request, or of a project, from the staging namespace: by the labels that a request gives to
//! its objects, and by their owner. Changes nothing.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::Value;

use super::FailedContainer;
use super::failing::{LINE, failing_containers, public_reason};
use crate::model::staging::kubernetes::{
    ADDRESS_KINDS, MERGE_REQUEST, PROJECT, PodTrouble, RELEASE, RELEASED_KINDS, ReleaseEvent, ReleaseObjects,
    ReleaseRemains, ReleaseSpan, ReleaseStep, Rollout, pod_troubles, pods_of_template, project_digest,
    release_addresses, remains, template_digest_of,
};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::systems::kubectl::{Kubectl, KubectlError};

/// Maximum number of pods whose events are read.
const PODS: usize = 5;
/// Maximum number of steps to keep, the last ones.
const STEPS: usize = 60;

/// A release as the cluster tells it at one moment. All text in it is safe to show.
#[derive(Debug, Clone)]
pub struct ReleaseProgress {
    /// Its objects, the commit and the image, and when it expires.
    pub remains: ReleaseRemains,
    /// Its namespace.
    pub namespace: String,
    /// The state of the rollout.
    pub rollout: Rollout,
    /// Kind and name of the workload, and the digest that its pods carry; `None` if it was removed.
    pub workload: Option<(String, String, String)>,
    /// The moments since the request, the oldest first.
    pub steps: Vec<ReleaseStep>,
    /// The lives of objects and pods since the request.
    pub spans: Vec<ReleaseSpan>,
    /// Addresses that lead to it from outside of the cluster.
    pub addresses: Vec<String>,
    /// Failing containers.
    pub failed: Vec<FailedContainer>,
}

impl ReleaseProgress {
    /// Returns whether nothing more will happen to it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !matches!(self.rollout, Rollout::Progressing(_))
    }

    /// Returns whether it is rolled out.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self.rollout, Rollout::Done(_))
    }

    /// Returns whether it is of a commit.
    #[must_use]
    pub fn is_of(&self, head: &str) -> bool {
        self.remains.head.eq_ignore_ascii_case(head)
    }
}

/// Reads the releases of a merge request, with `lines` lines of the logs of failing containers. What could not be read is
/// added to `unread`, one sentence each.
///
/// # Errors
/// Fails if the cluster does not answer, or refuses to list the objects or the pods.
pub(in crate::ops::stage) async fn read_releases(
    kubectl: &Kubectl,
    (project, number): (&str, u64),
    lines: usize,
    unread: &mut Vec<String>,
) -> Result<Vec<ReleaseProgress>, KubectlError> {
    kubectl.check_context().await?;
    let selector = format!("{PROJECT}={},{MERGE_REQUEST}={number}", project_digest(project));
    let objects = kubectl.list(RELEASED_KINDS, &selector).await?;
    let mut releases = Vec::new();
    // The answer is not trusted to fit the question, and claims that outlive their release are no release.
    let is_meant = |one: &ReleaseRemains| {
        is_of(one, project)
            && one.merge_request == Some(number)
            && one.objects.iter().any(|object| !object.is_claim())
    };
    for one in remains(&objects).into_iter().filter(is_meant) {
        let own = objects_of(&objects, &one);
        let template = ReleaseObjects { requested_at: None, objects: &own, pods: &[], troubles: &[] };
        let template = template.workload().map(template_digest_of).unwrap_or_default();
        let pods = kubectl.list("pods", &format!("{RELEASE}={}", one.name)).await?;
        let pods = pods_of_template(pods, template);
        let troubles = pod_troubles(&pods);
        let read = ReleaseObjects {
            requested_at: one.requested_at,
            objects: &own,
            pods: &pods,
            troubles: &troubles,
        };
        let events = read_events(kubectl, &read, unread).await;
        let addresses = read_addresses(kubectl, &own, unread).await;
        let mut progress = progress(kubectl, one, &read, &events, addresses);
        progress.failed = failing_containers(kubectl, &troubles, lines).await;
        releases.push(progress);
    }
    Ok(releases)
}

/// Reads the releases of a project. One list has the pods of all that are under way, since a release may fail by them before
/// its workload says so; if they cannot be read, a sentence in `unread` says it.
///
/// # Errors
/// Fails if the cluster does not answer, or refuses to list the objects.
pub(in crate::ops::stage) async fn list_releases(
    kubectl: &Kubectl,
    project: &str,
    unread: &mut Vec<String>,
) -> Result<Vec<(ReleaseRemains, Rollout)>, KubectlError> {
    kubectl.check_context().await?;
    let objects = kubectl.list(RELEASED_KINDS, &format!("{PROJECT}={}", project_digest(project))).await?;
    let found = remains(&objects).into_iter().filter(|one| is_of(one, project));
    let with_objects = |one: ReleaseRemains| {
        let own = objects_of(&objects, &one);
        (one, own)
    };
    let found: Vec<(ReleaseRemains, Vec<Value>)> = found.map(with_objects).collect();
    let is_under_way = |own: &[Value]| {
        let read = ReleaseObjects { requested_at: None, objects: own, pods: &[], troubles: &[] };
        matches!(read.rollout(), Rollout::Progressing(_))
    };
    let busy: Vec<&str> =
        found.iter().filter(|(_, own)| is_under_way(own)).map(|(one, _)| one.name.as_str()).collect();
    let pods = if busy.is_empty() {
        Vec::new()
    } else {
        kubectl.list("pods", &format!("{RELEASE} in ({})", busy.join(","))).await.unwrap_or_else(|error| {
            let why = public_reason(&error);
            add_once(
                unread,
                &format!("Pods are not read, so that a rollout may have failed already: {why}."),
            );
            Vec::new()
        })
    };
    let judged = |(one, own): (ReleaseRemains, Vec<Value>)| {
        let read = ReleaseObjects { requested_at: None, objects: &own, pods: &[], troubles: &[] };
        let template = read.workload().map(template_digest_of).unwrap_or_default();
        let is_own = |pod: &&Value| pod["metadata"]["labels"][RELEASE] == one.name.as_str();
        let pods = pods_of_template(pods.iter().filter(is_own).cloned().collect(), template);
        let rollout = ReleaseObjects { troubles: &pod_troubles(&pods), ..read }.rollout();
        (shown_remains(one), shown_rollout(rollout))
    };
    Ok(found.into_iter().map(judged).collect())
}

/// Returns whether a release is one of a project.
fn is_of(release: &ReleaseRemains, project: &str) -> bool {
    release.project == project_digest(project)
}

/// Returns those of some objects that belong to a release.
fn objects_of(objects: &[Value], release: &ReleaseRemains) -> Vec<Value> {
    let is_own = |object: &&Value| {
        release.objects.iter().any(|one| object["kind"] == one.kind && object["metadata"]["name"] == one.name)
    };
    objects.iter().filter(is_own).cloned().collect()
}

fn progress(
    kubectl: &Kubectl,
    one: ReleaseRemains,
    read: &ReleaseObjects<'_>,
    events: &[ReleaseEvent],
    addresses: Vec<String>,
) -> ReleaseProgress {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let workload = read.workload().map(|found| {
        (text(&found["kind"]), text(&found["metadata"]["name"]), template_digest_of(found).to_owned())
    });
    let step = |step: ReleaseStep| ReleaseStep {
        object: shown(&step.object, LINE),
        text: shown(&step.text, LINE),
        ..step
    };
    let mut steps: Vec<ReleaseStep> = read.steps(events).into_iter().map(step).collect();
    steps.drain(..steps.len().saturating_sub(STEPS));
    let span = |span: ReleaseSpan| ReleaseSpan { object: shown(&span.object, LINE), ..span };
    ReleaseProgress {
        remains: shown_remains(one),
        namespace: kubectl.target().namespace.clone(),
        rollout: shown_rollout(read.rollout()),
        workload,
        steps,
        spans: read.spans().into_iter().map(span).collect(),
        addresses,
        failed: Vec::new(),
    }
}

fn shown_rollout(rollout: Rollout) -> Rollout {
    match rollout {
        Rollout::Progressing(text) => Rollout::Progressing(shown(&text, LINE)),
        Rollout::Done(text) => Rollout::Done(shown(&text, LINE)),
        Rollout::Failed(text) => Rollout::Failed(shown(text.trim_end_matches('.'), LINE)),
    }
}

/// Makes the texts safe that anybody may have written who may change the objects.
fn shown_remains(one: ReleaseRemains) -> ReleaseRemains {
    ReleaseRemains {
        head: shown(&one.head, 64),
        image: one.image.map(|image| shown(&image, LINE)),
        image_commit: one.image_commit.map(|commit| shown(&commit, 64)),
        requested_by: one.requested_by.map(|by| shown(&by, 100)),
        component: one.component.map(|component| shown(&component, LINE)),
        ..one
    }
}

/// Reads the warnings about the workload and the pods.
async fn read_events(
    kubectl: &Kubectl,
    read: &ReleaseObjects<'_>,
    unread: &mut Vec<String>,
) -> Vec<ReleaseEvent> {
    let name = |one: &Value| one["metadata"]["name"].as_str().map(str::to_owned);
    let broken = |pod: &&Value| read.troubles.iter().any(|one| pod["metadata"]["name"] == one.pod);
    let (failing, others): (Vec<&Value>, Vec<&Value>) = read.pods.iter().partition(broken);
    let pods = failing.into_iter().chain(others).take(PODS);
    let names: BTreeSet<String> = read.workload().into_iter().chain(pods).filter_map(name).collect();
    let asked = join_all(names.iter().map(|name| kubectl.events(name))).await;
    let mut events = Vec::new();
    for found in asked {
        match found {
            Ok(found) => events.extend(found.into_iter().filter(|one| one.is_warning).filter_map(|one| {
                let text = format!("{}: {}", one.reason, one.message);
                Some(ReleaseEvent { at: one.at?, object: one.object, text })
            })),
            Err(error) => {
                add_once(unread, &format!("Events of the cluster are not read: {}.", public_reason(&error)));
            }
        }
    }
    events
}

/// Reads the addresses that lead to the Services of a release. A cluster may know neither Ingresses nor Routes.
async fn read_addresses(kubectl: &Kubectl, own: &[Value], unread: &mut Vec<String>) -> Vec<String> {
    let services: BTreeSet<&str> = own
        .iter()
        .filter(|one| one["kind"] == "Service")
        .filter_map(|one| one["metadata"]["name"].as_str())
        .collect();
    if services.is_empty() {
        return Vec::new();
    }
    let mut objects = Vec::new();
    for found in join_all(ADDRESS_KINDS.map(|kind| kubectl.all(kind))).await {
        match found {
            Ok(found) => objects.extend(found),
            Err(KubectlError::NotFound { .. }) => {}
            Err(error) => {
                add_once(
                    unread,
                    &format!("Addresses in the cluster are not read: {}.", public_reason(&error)),
                );
            }
        }
    }
    release_addresses(&objects, &services).iter().filter_map(|address| web_address(address)).collect()
}

fn add_once(unread: &mut Vec<String>, sentence: &str) {
    let sentence = shown(sentence, 2 * LINE);
    if !unread.contains(&sentence) {
        unread.push(sentence);
    }
}

/// Returns the failing containers of a release's pods, and all containers of them.
///
/// # Errors
/// Fails if the cluster does not answer, or refuses.
pub(in crate::ops::stage) async fn pods_of(
    kubectl: &Kubectl,
    release: &ReleaseProgress,
) -> Result<(Vec<Value>, Vec<PodTrouble>), KubectlError> {
    let pods = kubectl.list("pods", &format!("{RELEASE}={}", release.remains.name)).await?;
    let digest = release.workload.as_ref().map(|(_, _, digest)| digest.as_str()).unwrap_or_default();
    let pods = pods_of_template(pods, digest);
    let troubles = pod_troubles(&pods);
    Ok((pods, troubles))
}
