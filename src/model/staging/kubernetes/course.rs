//! The course of a release as a cluster tells it at one moment: what was applied when, how the rollout went, and the pods
//! that belong to it. Pure rules over objects of the cluster; reading them is up to `ops`, wording to `report`.

use jiff::Timestamp;
use serde_json::Value;

use super::labels::TEMPLATE;
use super::releasing::template;
use super::rollout::{PodTrouble, Rollout, rollout};
use crate::model::staging::WorkSpan;

/// Kinds of workloads of a release.
const WORKLOADS: [&str; 4] = ["Deployment", "StatefulSet", "CronJob", "Job"];

/// A moment of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseStep {
    /// The time.
    pub at: Timestamp,
    /// Kind and name of its object.
    pub object: String,
    /// The event, in the words of the cluster.
    pub text: String,
    /// Marks trouble.
    pub is_warning: bool,
}

/// The life of an object since the request: for a pod until it was ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseSpan {
    /// Kind and name of the object.
    pub object: String,
    /// Its state.
    pub state: SpanState,
    /// Start and end.
    pub span: WorkSpan,
}

/// The state of an object of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanState {
    /// Under way.
    Busy,
    /// Applied, or ready.
    Good,
    /// Failing.
    Bad,
}

/// An event of a cluster about an object of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseEvent {
    /// The time.
    pub at: Timestamp,
    /// Kind and name of the object.
    pub object: String,
    /// Reason in Kubernetes' terms, with the message.
    pub text: String,
}

/// The objects of a release at one moment.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseObjects<'a> {
    /// Time of the request, if the release tells it.
    pub requested_at: Option<Timestamp>,
    /// Its objects.
    pub objects: &'a [Value],
    /// Its pods.
    pub pods: &'a [Value],
    /// Failing containers of the pods.
    pub troubles: &'a [PodTrouble],
}

impl<'a> ReleaseObjects<'a> {
    /// Returns the workload: the newest, if there are several.
    #[must_use]
    pub fn workload(&self) -> Option<&'a Value> {
        let workloads = self.objects.iter().filter(|one| WORKLOADS.iter().any(|kind| one["kind"] == *kind));
        workloads.max_by_key(|one| created(one))
    }

    /// Returns the state of the rollout: a pod that stays broken fails it.
    #[must_use]
    pub fn rollout(&self) -> Rollout {
        let Some(workload) = self.workload() else {
            return Rollout::Failed("its workload was removed".to_owned());
        };
        match rollout(workload) {
            Rollout::Progressing(text) => match self.troubles.iter().find(|one| one.is_lasting) {
                Some(worst) => Rollout::Failed(worst.describe()),
                None => Rollout::Progressing(text),
            },
            known => known,
        }
    }

    /// Returns the moments since the request, the oldest first: objects that were made, conditions of the workload, states
    /// of the pods, and `events`.
    #[must_use]
    pub fn steps(&self, events: &[ReleaseEvent]) -> Vec<ReleaseStep> {
        let mut steps = Vec::new();
        let mut add = |at: Option<Timestamp>, object: &str, text: String, is_warning: bool| {
            let Some(at) = at else { return };
            steps.push(ReleaseStep { at, object: object.to_owned(), text, is_warning });
        };
        for one in self.objects {
            add(created(one), &title(one), "created".to_owned(), false);
        }
        if let Some(one) = self.workload() {
            for condition in conditions(one) {
                let at =
                    time(&condition["lastUpdateTime"]).or_else(|| time(&condition["lastTransitionTime"]));
                let is_true = condition["status"] == "True";
                let kind = word(&condition["type"]);
                let is_warning = is_true == matches!(kind, "ReplicaFailure" | "Failed");
                let what = if is_true { kind.to_owned() } else { format!("not {kind}") };
                add(at, &title(one), with_message(&what, condition), is_warning);
            }
        }
        for pod in self.pods {
            add(created(pod), &title(pod), "created".to_owned(), false);
            for (kind, text) in [("PodScheduled", "scheduled"), ("Ready", "ready")] {
                add(since(pod, kind), &title(pod), text.to_owned(), false);
            }
            for status in ["initContainerStatuses", "containerStatuses"]
                .iter()
                .flat_map(|list| pod["status"][list].as_array().into_iter().flatten())
            {
                for state in [&status["state"], &status["lastState"]] {
                    let ended = &state["terminated"];
                    let code = ended["exitCode"].as_i64().filter(|code| *code != 0);
                    let Some(code) = code else { continue };
                    let text = format!("container {} ended with {code}", word(&status["name"]));
                    add(time(&ended["finishedAt"]), &title(pod), text, true);
                }
            }
        }
        for event in events {
            add(Some(event.at), &event.object, event.text.clone(), true);
        }
        steps.retain(|one| self.requested_at.is_none_or(|from| one.at >= from));
        steps.sort_by_key(|one| one.at);
        steps.dedup();
        steps
    }

    /// Returns the lives of the objects that were made since the request, and of the pods.
    #[must_use]
    pub fn spans(&self) -> Vec<ReleaseSpan> {
        let is_new = |at: &Timestamp| self.requested_at.is_none_or(|from| *at >= from);
        let applied = self.objects.iter().filter_map(|one| {
            let at = created(one).filter(is_new)?;
            let span = WorkSpan { from: Some(at), to: Some(at) };
            Some(ReleaseSpan { object: title(one), state: SpanState::Good, span })
        });
        let pods = self.pods.iter().filter_map(|pod| {
            let from = created(pod).filter(is_new)?;
            let name = word(&pod["metadata"]["name"]);
            let ready = since(pod, "Ready");
            let state = match ready {
                Some(_) => SpanState::Good,
                None if self.troubles.iter().any(|one| one.pod == name) => SpanState::Bad,
                None => SpanState::Busy,
            };
            let span = WorkSpan { from: Some(from), to: ready };
            Some(ReleaseSpan { object: title(pod), state, span })
        });
        applied.chain(pods).collect()
    }
}

/// Returns the digest that the pods of a workload carry in [`TEMPLATE`].
#[must_use]
pub fn template_digest_of(workload: &Value) -> &str {
    word(&template(workload)["metadata"]["annotations"][TEMPLATE])
}

/// Returns those of some pods that have the digest: a pod of the rollout before does not count.
#[must_use]
pub fn pods_of_template(pods: Vec<Value>, digest: &str) -> Vec<Value> {
    pods.into_iter().filter(|pod| pod["metadata"]["annotations"][TEMPLATE] == digest).collect()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn created(object: &Value) -> Option<Timestamp> {
    time(&object["metadata"]["creationTimestamp"])
}

fn title(object: &Value) -> String {
    format!("{} {}", word(&object["kind"]), word(&object["metadata"]["name"]))
}

fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    object["status"]["conditions"].as_array().into_iter().flatten()
}

/// Returns the time since which a condition of a pod is met.
fn since(pod: &Value, kind: &str) -> Option<Timestamp> {
    let met = conditions(pod).find(|one| one["type"] == kind && one["status"] == "True")?;
    time(&met["lastTransitionTime"])
}

fn with_message(what: &str, condition: &Value) -> String {
    match word(&condition["message"]).trim() {
        "" => what.to_owned(),
        message => format!("{what}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(minute: u8) -> String {
        format!("2026-11-29T10:{minute:02}:00Z")
    }

    fn when(minute: u8) -> Timestamp {
        at(minute).parse().expect("is a time")
    }

    fn of_kind(kind: &str, name: &str, minute: u8, status: &Value) -> Value {
        json!({"kind": kind, "metadata": {"name": name, "creationTimestamp": at(minute)}, "status": status})
    }

    #[test]
    fn course_tells_what_happened_since_the_request() {
        let condition = |kind: &str, status: &str, minute: u8| json!({"type": kind, "status": status, "lastTransitionTime": at(minute), "message": "because"});
        let status = json!({"conditions": [condition("Available", "False", 12)]});
        let objects = [of_kind("Service", "web", 1, &json!({})), of_kind("Deployment", "web", 11, &status)];
        let ready = json!({"conditions": [condition("Ready", "True", 14)]});
        let crashed = json!({"containerStatuses": [{
            "name": "app", "lastState": {"terminated": {"exitCode": 3, "finishedAt": at(13)}},
        }]});
        let pods = [of_kind("Pod", "web-1", 11, &ready), of_kind("Pod", "web-2", 12, &crashed)];
        let trouble = PodTrouble {
            pod: "web-2".to_owned(),
            container: "app".to_owned(),
            reason: "CrashLoopBackOff".to_owned(),
            message: "back-off.".to_owned(),
            has_run: true,
            is_lasting: true,
        };
        let release = ReleaseObjects {
            requested_at: Some(when(10)),
            objects: &objects,
            pods: &pods,
            troubles: std::slice::from_ref(&trouble),
        };
        let event =
            ReleaseEvent { at: when(15), object: "Pod web-2".to_owned(), text: "BackOff: slow".to_owned() };
        let steps = release.steps(&[event]);
        let told: Vec<String> = steps
            .iter()
            .map(|one| format!("{} {}{}", one.object, one.text, if one.is_warning { " !" } else { "" }))
            .collect();
        assert_eq!(
            told,
            [
                "Deployment web created",
                "Pod web-1 created",
                "Deployment web not Available: because !",
                "Pod web-2 created",
                "Pod web-2 container app ended with 3 !",
                "Pod web-1 ready",
                "Pod web-2 BackOff: slow !",
            ]
        );
        let spans = release.spans();
        let states: Vec<(&str, SpanState, Option<Timestamp>)> =
            spans.iter().map(|one| (one.object.as_str(), one.state, one.span.to)).collect();
        assert_eq!(
            states,
            [
                ("Deployment web", SpanState::Good, Some(when(11))),
                ("Pod web-1", SpanState::Good, Some(when(14))),
                ("Pod web-2", SpanState::Bad, None),
            ]
        );
        assert_eq!(release.rollout(), Rollout::Failed("CrashLoopBackOff: back-off".to_owned()));
        let gone = ReleaseObjects { objects: &objects[..1], ..release };
        assert_eq!(gone.rollout(), Rollout::Failed("its workload was removed".to_owned()));
    }
}
