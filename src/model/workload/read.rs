//! The workloads among the objects of a namespace.

use jiff::Timestamp;
use serde_json::Value;

use super::pods::{digest_of, digests, pods_of};
use crate::model::staging::kubernetes::{MERGE_REQUEST, Rollout, rollout};

/// Kinds that run pods in the long term.
const KINDS: [&str; 5] = ["CronJob", "DaemonSet", "Deployment", "DeploymentConfig", "StatefulSet"];

/// A workload in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Merge request whose release it is, for one in staging.
    pub merge_request: Option<u64>,
    /// Its containers.
    pub containers: Vec<RunningContainer>,
    /// Time since which it runs its images, as far as the cluster says.
    pub since: Option<Timestamp>,
    /// State.
    pub health: Rollout,
}

/// A container of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningContainer {
    /// Name.
    pub name: String,
    /// Image, as the workload names it.
    pub image: String,
    /// Digests of the image that its pods run, the newest pod's first; several while a rollout is under way.
    pub digests: Vec<String>,
}

/// Returns the workloads among objects, by kind and name. The pods say which digests they run.
#[must_use]
pub fn workloads(objects: &[Value], pods: &[Value]) -> Vec<Workload> {
    let is_one = |object: &&Value| object["kind"].as_str().is_some_and(|kind| KINDS.contains(&kind));
    let mut found: Vec<Workload> =
        objects.iter().filter(is_one).map(|object| workload(object, &pods_of(object, pods))).collect();
    found.sort_by(|one, other| (&one.name, &one.kind).cmp(&(&other.name, &other.kind)));
    found
}

fn workload(object: &Value, pods: &[&Value]) -> Workload {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let container = |one: &Value| {
        let (name, image) = (text(&one["name"]), text(&one["image"]));
        let fixed = digest_of(&image).map(|digest| vec![digest]);
        let digests = fixed.unwrap_or_else(|| digests(pods, &name));
        RunningContainer { name, image, digests }
    };
    let containers = pod_spec(object)["containers"].as_array().into_iter().flatten().map(container).collect();
    Workload {
        kind: text(&object["kind"]),
        name: text(&object["metadata"]["name"]),
        merge_request: object["metadata"]["labels"][MERGE_REQUEST]
            .as_str()
            .and_then(|text| text.parse().ok()),
        containers,
        since: since(object, pods),
        health: rollout(object),
    }
}

/// Returns the specification of the pods that a workload makes.
pub(super) fn pod_spec(object: &Value) -> &Value {
    let spec = &object["spec"];
    let template = if object["kind"] == "CronJob" {
        &spec["jobTemplate"]["spec"]["template"]
    } else {
        &spec["template"]
    };
    &template["spec"]
}

/// A Deployment knows the end of its last rollout; other kinds are as old as their oldest pod.
fn since(object: &Value, pods: &[&Value]) -> Option<Timestamp> {
    let at = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let progressing = conditions.find(|one| one["type"] == "Progressing");
    progressing
        .and_then(|one| at(&one["lastUpdateTime"]))
        .or_else(|| at(&pods.first()?["metadata"]["creationTimestamp"]))
}

/// Returns whether a workload belongs to a component, by the names that its deployment files and its entry give it; one of
/// a release has the merge request's number behind its name.
#[must_use]
pub fn belongs_to(workload: &Workload, names: &[String]) -> bool {
    let plain =
        workload.merge_request.and_then(|number| workload.name.strip_suffix(&format!("-mr-{number}")));
    names.iter().any(|name| *name == workload.name || Some(name.as_str()) == plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn digest(letter: &str) -> String {
        format!("sha256:{}", letter.repeat(64))
    }

    fn pod(name: &str, labels: &Value, at: &str, image_id: &str) -> Value {
        json!({
            "kind": "Pod", "metadata": {"name": name, "labels": labels, "creationTimestamp": at},
            "status": {"containerStatuses": [{"name": "web", "imageID": image_id}]},
        })
    }

    #[test]
    fn workloads_have_the_digests_of_their_pods() {
        let containers = json!([{"name": "web", "image": "quay.io/a/web:production"}]);
        let deployment = json!({
            "kind": "Deployment", "metadata": {"name": "web", "generation": 1},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": containers}}},
            "status": {
                "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
                "conditions": [{"type": "Progressing", "lastUpdateTime": "2026-11-22T10:00:00Z"}],
            },
        });
        let cron = json!({
            "kind": "CronJob", "metadata": {"name": "nightly"},
            "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {"containers": containers}}}}},
        });
        let release = json!({
            "kind": "StatefulSet", "metadata": {"name": "web-mr-213", "labels": {MERGE_REQUEST: "213"}},
            "spec": {"template": {"spec": {"containers": [{"name": "web", "image": format!("quay.io/a/web@{}", digest("c"))}]}}},
        });
        let config = json!({
            "kind": "DeploymentConfig", "metadata": {"name": "old"},
            "spec": {"selector": {"app": "old"}, "template": {"spec": {"containers": containers}}},
        });
        let app = json!({"app": "web"});
        let pods = [
            pod("old-1", &json!({"app": "old"}), "2026-11-22T09:00:00Z", &format!("x@{}", digest("9"))),
            pod("web-2", &app, "2026-11-22T09:00:00Z", &format!("quay.io/a/web@{}", digest("b"))),
            pod(
                "web-1",
                &app,
                "2026-11-21T09:00:00Z",
                &format!("docker-pullable://quay.io/a/web@{}", digest("a")),
            ),
            pod("other", &json!({"app": "other"}), "2026-11-22T09:00:00Z", &format!("x@{}", digest("d"))),
            pod(
                "n-1",
                &json!({"job-name": "nightly-29"}),
                "2026-11-22T08:00:00Z",
                &format!("x@{}", digest("e")),
            ),
            pod(
                "n-2",
                &json!({"job-name": "nightly-other-29"}),
                "2026-11-22T08:00:00Z",
                &format!("x@{}", digest("f")),
            ),
        ];
        let found = workloads(&[json!({"kind": "Service"}), config, deployment, cron, release], &pods);
        let shown: Vec<(&str, &[String])> =
            found.iter().map(|one| (one.name.as_str(), one.containers[0].digests.as_slice())).collect();
        assert_eq!(
            shown,
            [
                ("nightly", &[digest("e")][..]),
                ("old", &[digest("9")]),
                ("web", &[digest("b"), digest("a")]),
                ("web-mr-213", &[digest("c")])
            ]
        );
        assert_eq!(found[2].since, "2026-11-22T10:00:00Z".parse().ok());
        assert_eq!(found[2].health, Rollout::Done("1 of 1 pods available".to_owned()));
        let names = ["web".to_owned()];
        assert_eq!(
            found.iter().map(|one| belongs_to(one, &names)).collect::<Vec<_>>(),
            [false, false, true, true]
        );
        assert!(!belongs_to(&found[3], &["web-mr".to_owned()]));
    }

    #[test]
    fn odd_objects_are_no_panic() {
        for odd in [json!({"kind": "Deployment"}), json!({"kind": "CronJob", "spec": []}), json!(null)] {
            let found = workloads(std::slice::from_ref(&odd), &[odd.clone(), json!({"metadata": 1})]);
            assert!(found.iter().all(|one| one.containers.is_empty()), "{found:?}");
        }
        let same = json!({"kind": "Deployment", "spec": {"selector": {"matchLabels": {}}}});
        assert!(pods_of(&same, &[json!({})]).is_empty(), "an empty selector matches nothing");
        for wrong in ["web:1", "web@sha256:1", "web@sha512:aa", "sha256:"] {
            assert_eq!(digest_of(wrong), None, "{wrong}");
        }
    }
}
