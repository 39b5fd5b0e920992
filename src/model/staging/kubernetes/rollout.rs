//! The progress of a release in a cluster: whether its workload is rolled out, and which of its pods fail. Pure rules
//! over the state that the cluster reports; following it is up to `ops`.

use serde_json::Value;

/// Progress of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollout {
    /// Under way, in a few words: `1 of 2 pods available`.
    Progressing(String),
    /// Ended well, in a few words.
    Done(String),
    /// Failed, in the words of the cluster.
    Failed(String),
}

/// A failing container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodTrouble {
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// Reason in Kubernetes' terms: `CrashLoopBackOff`.
    pub reason: String,
    /// Message of the cluster.
    pub message: String,
    /// The container has run before, so that its log is that of the run before.
    pub has_run: bool,
    /// The cluster does not recover from it within a short time.
    pub is_lasting: bool,
}

impl PodTrouble {
    /// Returns the reason with the message.
    #[must_use]
    pub fn describe(&self) -> String {
        let text = match self.message.trim() {
            "" => self.reason.clone(),
            message => format!("{}: {message}", self.reason),
        };
        text.trim_end_matches('.').to_owned()
    }
}

/// Reasons of waiting that last until somebody changes something.
const LASTING: [&str; 6] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];
/// Reasons of waiting that are no trouble.
const USUAL: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// Returns the progress of a workload.
#[must_use]
pub fn rollout(workload: &Value) -> Rollout {
    let (spec, status) = (&workload["spec"], &workload["status"]);
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let condition = |kind: &str| {
        let mut all = status["conditions"].as_array().into_iter().flatten();
        all.find(|one| one["type"] == kind && one["status"] == "True")
    };
    let message = |condition: &Value| condition["message"].as_str().unwrap_or("no reason given").to_owned();
    let is_observed = count(&status["observedGeneration"]) >= count(&workload["metadata"]["generation"]);
    let wanted = spec["replicas"].as_u64().unwrap_or(1);
    match workload["kind"].as_str().unwrap_or_default() {
        "CronJob" => Rollout::Done(format!("runs at `{}`", spec["schedule"].as_str().unwrap_or_default())),
        "Job" => match (condition("Complete"), condition("Failed")) {
            (Some(_), _) => Rollout::Done("complete".to_owned()),
            (None, Some(failed)) => Rollout::Failed(message(failed)),
            (None, None) => Rollout::Progressing(format!("{} active", count(&status["active"]))),
        },
        _ if !is_observed => Rollout::Progressing("waiting for the controller".to_owned()),
        "StatefulSet" => {
            let ready = count(&status["readyReplicas"]).min(count(&status["updatedReplicas"]));
            of_pods(ready, wanted, "ready")
        }
        "DaemonSet" => {
            let updated = count(&status["updatedNumberScheduled"]);
            let available = count(&status["numberAvailable"]).min(updated);
            of_pods(available, count(&status["desiredNumberScheduled"]), "available")
        }
        _ => {
            let mut conditions = status["conditions"].as_array().into_iter().flatten();
            let late = conditions.find(|one| one["reason"] == "ProgressDeadlineExceeded");
            if let Some(failed) = late.or_else(|| condition("ReplicaFailure")) {
                return Rollout::Failed(message(failed));
            }
            let updated = count(&status["updatedReplicas"]);
            let old = count(&status["replicas"]).saturating_sub(updated);
            match updated {
                updated if updated < wanted => of_pods(updated, wanted, "updated"),
                _ if old > 0 => Rollout::Progressing(format!("{old} old pods to be removed")),
                _ => of_pods(count(&status["availableReplicas"]), wanted, "available"),
            }
        }
    }
}

fn of_pods(done: u64, wanted: u64, state: &str) -> Rollout {
    let text = format!("{done} of {wanted} pods {state}");
    if done >= wanted { Rollout::Done(text) } else { Rollout::Progressing(text) }
}

/// Returns the failing containers of pods.
#[must_use]
pub fn pod_troubles(pods: &[Value]) -> Vec<PodTrouble> {
    let mut troubles = Vec::new();
    for pod in pods {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let trouble = |container: &str, state: &Value, has_run: bool| {
            let reason = state["reason"].as_str().unwrap_or_default().to_owned();
            PodTrouble {
                pod: name.to_owned(),
                container: container.to_owned(),
                message: state["message"].as_str().unwrap_or_default().to_owned(),
                has_run,
                is_lasting: LASTING.contains(&reason.as_str()),
                reason,
            }
        };
        for condition in pod["status"]["conditions"].as_array().into_iter().flatten() {
            if condition["type"] == "PodScheduled" && condition["status"] == "False" {
                // A node may become free.
                troubles.push(trouble("", condition, false));
            }
        }
        for list in ["initContainerStatuses", "containerStatuses"] {
            for status in pod["status"][list].as_array().into_iter().flatten() {
                let container = status["name"].as_str().unwrap_or_default();
                let has_run = status["restartCount"].as_u64().unwrap_or_default() > 0;
                let (waiting, ended) = (&status["state"]["waiting"], &status["state"]["terminated"]);
                let is_usual = |reason: &str| reason.is_empty() || USUAL.contains(&reason);
                if waiting["reason"].as_str().is_some_and(|reason| !is_usual(reason)) {
                    troubles.push(trouble(container, waiting, has_run));
                } else if ended["exitCode"].as_i64().is_some_and(|code| code != 0) {
                    troubles.push(trouble(container, ended, false));
                }
            }
        }
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rollout_reads_state_of_each_kind() {
        let of = |kind: &str, spec: Value, status: Value| {
            rollout(&json!({"kind": kind, "metadata": {"generation": 2}, "spec": spec, "status": status}))
        };
        let progressing = |text: &str| Rollout::Progressing(text.to_owned());
        let two = json!({"replicas": 2});
        assert_eq!(
            of("Deployment", two.clone(), json!({"observedGeneration": 1})),
            progressing("waiting for the controller")
        );
        let status =
            json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(of("Deployment", two.clone(), status), progressing("1 old pods to be removed"));
        let status =
            json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1});
        assert_eq!(of("Deployment", two.clone(), status), progressing("1 of 2 pods available"));
        let status =
            json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(of("Deployment", two.clone(), status), Rollout::Done("2 of 2 pods available".to_owned()));
        let late = json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"});
        let status = json!({"observedGeneration": 2, "conditions": [late]});
        assert_eq!(of("Deployment", two.clone(), status), Rollout::Failed("timed out".to_owned()));
        let status = json!({"observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 1});
        assert_eq!(of("StatefulSet", two, status), progressing("1 of 2 pods ready"));
        let failed = json!({"conditions": [{"type": "Failed", "status": "True", "message": "backoff"}]});
        assert_eq!(of("Job", json!({}), failed), Rollout::Failed("backoff".to_owned()));
        assert_eq!(
            of("CronJob", json!({"schedule": "@daily"}), json!({})),
            Rollout::Done("runs at `@daily`".to_owned())
        );
    }

    #[test]
    fn pod_troubles_tell_lasting_from_passing() {
        let pod =
            |status: Value| json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [status]}});
        let reasons = |status: Value| {
            let found = pod_troubles(&[pod(status)]);
            found.into_iter().map(|one| (one.reason, one.is_lasting, one.has_run)).collect::<Vec<_>>()
        };
        let waiting =
            |reason: &str| json!({"name": "c", "restartCount": 2, "state": {"waiting": {"reason": reason}}});
        assert_eq!(reasons(waiting("ContainerCreating")), []);
        assert_eq!(reasons(waiting("ErrImagePull")), [("ErrImagePull".to_owned(), false, true)]);
        assert_eq!(reasons(waiting("CrashLoopBackOff")), [("CrashLoopBackOff".to_owned(), true, true)]);
        let ended = json!({"name": "c", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}});
        assert_eq!(reasons(ended), [("Error".to_owned(), false, false)]);
    }
}
