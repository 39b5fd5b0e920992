//! Tests of `cki stage status`, `watch`, `logs`, `list`, `cancel` and `report` on a release in a staging namespace, through the
//! real program with a `kubectl` of the test's own.

use std::sync::Arc;

use cki::demo::gitlab::StandIn;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::release::{FakeCluster, HEAD, object};

const MR: &str = "--mr 213 --component web";
/// A secret that only this machine knows.
const HIDDEN: &str = "a-password-of-this-machine";
const IMAGE: &str = "quay.io/group/web@sha256:5f1c0d83";
const CREATED: &str = "2026-11-22T10:00:05Z";

fn lab(via: &str) -> (FakeCluster, Arc<StandIn>) {
    let mut cluster = FakeCluster::new(via);
    let gitlab = crate::gitlab::stand_in();
    cluster.cli.set("CKI_GITLAB_URL", gitlab.url());
    cluster.cli.set("CKI_GITLAB_TOKEN", crate::gitlab::ALICE);
    cluster.cli.set("GITLAB_TOKEN", HIDDEN);
    cluster.cli.set("CKI_STAGE_INTERVAL", "1");
    cluster.script(
        "get-routes",
        "echo \"error: the server doesn't have a resource type \\\"routes\\\"\" >&2; exit 1",
    );
    (cluster, gitlab)
}

/// A release of a commit with a Deployment in a state.
fn objects(head: &str, status: &Value) -> [Value; 3] {
    let mut owner = object("ConfigMap", "cki-stage-service-web-mr-213", head);
    let annotations = owner["metadata"]["annotations"].as_object_mut().expect("is there");
    for (key, value) in [
        ("cki.component", "service/web"),
        ("cki.image", IMAGE),
        ("cki.image-commit", head),
        ("cki.requested-by", "alice"),
        ("cki.requested-at", "2026-11-22T10:00:00Z"),
    ] {
        annotations.insert(key.to_owned(), value.into());
    }
    let mut workload = object("Deployment", "web-mr-213", head);
    workload["metadata"]["creationTimestamp"] = CREATED.into();
    workload["spec"] = json!({
        "replicas": 1, "template": {"metadata": {"annotations": {"cki.template": "t1"}}, "spec": {}},
    });
    workload["status"] = status.clone();
    [owner, object("Service", "web-mr-213", head), workload]
}

fn pod(name: &str, template: &str, status: &Value) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {
            "name": name, "creationTimestamp": "2026-11-22T10:00:06Z", "annotations": {"cki.template": template},
            "labels": {"cki.release": "service-web-mr-213"},
        },
        "spec": {"containers": [{"name": "web"}]},
        "status": status,
    })
}

fn list(items: &[Value]) -> String {
    json!({"kind": "List", "items": items}).to_string()
}

fn done() -> Value {
    let available = json!({"type": "Available", "status": "True", "lastTransitionTime": "2026-11-22T10:00:20Z",
        "message": "Deployment has minimum availability."});
    json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "conditions": [available]})
}

#[test]
fn release_progress_is_found_in_the_cluster() {
    let (cluster, _gitlab) = lab("kubernetes");
    let cli = &cluster.cli;
    // Nothing was requested.
    cli.run(&format!("stage status {MR}"))
        .ends_with(3)
        .says("`cki stage --mr 213 --component web` requests it");
    cli.run(&format!("stage logs {MR}"))
        .ends_with(3)
        .says("`team-staging` has no release of `group/tools!213`");
    cli.run(&format!("stage watch {MR}")).ends_with(3).says("no staging was requested for the head 9c41d0e");
    cli.run(&format!("stage cancel {MR} --yes"))
        .ends_with(2)
        .says("removed and not canceled")
        .says("hint: `cki unstage --mr group/tools!213` removes it.");

    // An answer that does not fit the question is none.
    let mut other = objects(HEAD, &done());
    for object in &mut other {
        object["metadata"]["labels"]["cki.merge-request"] = "214".into();
    }
    cluster.has(&other);
    cli.run(&format!("stage status {MR}")).ends_with(3);

    // Rolled out, with an Ingress that somebody else has made.
    cluster.has(&objects(HEAD, &done()));
    let ready = json!({"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-22T10:00:19Z"}]});
    cluster.answer(
        "get-pods",
        &list(&[pod("web-mr-213-a", "t1", &ready), pod("web-mr-213-old", "t0", &json!({}))]),
    );
    let path = json!({"path": "/", "backend": {"service": {"name": "web-mr-213"}}});
    let rule = json!({"host": "mr-213.example.org", "http": {"paths": [path]}});
    cluster.answer("get-ingresses", &list(&[json!({"kind": "Ingress", "spec": {"rules": [rule]}})]));
    let shown = cli.run(&format!("stage status {MR}")).ends_with(0).to_string();
    for line in [
        "group/tools !213  Retry on infra errors",
        "  State       ✔ Rolled out: 1 of 1 pods available",
        "  Component   service/web",
        "  Commit      9c41d0e",
        "  Image       quay.io/group/web@sha256:5f1c0d83",
        "  Built from  this commit",
        "  Requested   2026-11-22 10:00:00 UTC",
        "  Expires     2999-11-29 10:00:00 UTC, in ",
        "  Address     http://mr-213.example.org/",
        "Deployment web-mr-213  created",
        "Pod web-mr-213-a       ready",
        "Deployment web-mr-213  Available: Deployment has minimum availability.",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("web-mr-213-old"), "{shown}");
    let view = cli.run(&format!("stage status {MR} -o json")).ends_with(0).json();
    let release = &view["releases"][0];
    assert_eq!((&view["state"], &release["state"]), (&json!("succeeded"), &json!("done")));
    assert_eq!((&release["commit"], &release["image"]), (&json!(HEAD), &json!(IMAGE)));
    assert_eq!(release["requested_by"], "alice");
    assert_eq!(release["expires_at"], "2999-11-29T10:00:00Z");
    assert_eq!(release["addresses"], json!(["http://mr-213.example.org/"]));
    let steps: Vec<&str> = release["steps"]
        .as_array()
        .expect("is a list")
        .iter()
        .filter_map(|one| one["text"].as_str())
        .collect();
    assert_eq!(steps, ["created", "created", "ready", "Available: Deployment has minimum availability."]);
    cluster.answer("get-Deployment", &objects(HEAD, &done())[2].to_string());
    let watched = cli.run(&format!("stage watch {MR}")).ends_with(0);
    watched
        .says("`service-web-mr-213` is rolled out after")
        .says("`cki unstage --mr 213 --component web` removes it.");
    for width in [60, 80] {
        let narrow =
            cli.call(&format!("stage status {MR}")).set("NO_COLOR", "1").terminal(width).end().ends_with(0);
        let widest = narrow.stdout.lines().map(cki::base::text::width).max();
        assert!(widest <= Some(usize::from(width)), "{width}: {narrow}");
    }

    // The list has it, whatever the method of the entry; a cluster that cannot be read is no failure.
    let listed = cli.run("stage list --component web").ends_with(0);
    listed.says("!213  ✔ rolled out  @alice").says("1 release in the staging namespace.");
    let view = cli.run("stage list --component web -o json").ends_with(0).json();
    assert_eq!(view["stagings"][0]["release"]["commit"], HEAD);
    assert_eq!(view["stagings"][0]["release"]["is_open"], true);
    cluster.script(
        "get-configmaps",
        "echo 'Error from server (Forbidden): configmaps is forbidden' >&2; exit 1",
    );
    let unread = cli.run("stage list --component web").ends_with(0);
    unread.says("Releases are not read: the cluster forbids it: Error from server (Forbidden)");
    cli.run(&format!("stage status {MR}")).ends_with(5).says("the cluster forbids it");
    cluster.script("get-configmaps", "");

    // A release of an older commit is named and not followed.
    cluster.has(&objects(&"b".repeat(40), &done()));
    let older = cli.run(&format!("stage status {MR}")).ends_with(3);
    older.says("✔ Rolled out").says(" · of an older commit").says("the release is of bbbbbbb; ");
    cli.run(&format!("stage watch {MR}"))
        .ends_with(3)
        .says("was requested for bbbbbbb, not for its head 9c41d0e");
}

/// Writes the page of a release whose pod fails.
pub(super) fn write_page(file: &std::path::Path) {
    let (cluster, _gitlab) = lab("kubernetes");
    cluster.has(&objects(HEAD, &json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 0})));
    let state = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "it does not start"}});
    let status = json!({"containerStatuses": [{"name": "web", "restartCount": 2, "state": state}]});
    cluster.answer("get-pods", &list(&[pod("web-mr-213-a", "t1", &status)]));
    cluster.answer("logs-web-mr-213-a", "starts\n<script>document.title = 'x'</script>\nends\n");
    cluster.cli.run(&format!("stage report {MR} --html '{}'", file.display())).ends_with(0);
    let page = std::fs::read_to_string(file).expect("is there");
    assert!(page.contains("CrashLoopBackOff") && page.contains("&lt;script&gt;"), "{page}");
}

#[test]
fn release_that_fails_is_told_without_secrets() {
    // The entry names another method.
    let (cluster, gitlab) = lab("bot");
    let cli = &cluster.cli;
    let mr = "--mr 213 --component web --via kubernetes";
    let progressing = json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 0});
    cluster.has(&objects(HEAD, &progressing));
    cluster.answer("get-Deployment", &objects(HEAD, &progressing)[2].to_string());
    let waiting = |reason: &str| {
        let state = json!({"waiting": {"reason": reason, "message": "it does not start"}});
        list(&[pod(
            "web-mr-213-a",
            "t1",
            &json!({"containerStatuses": [{"name": "web", "restartCount": 2, "state": state}]}),
        )])
    };
    // Under way: Ctrl-C ends the watch only.
    cluster.answer("get-pods", &waiting("ErrImagePull"));
    cli.run(&format!("stage status {mr}"))
        .ends_with(124)
        .says("● Rolling out: 0 of 1 pods available")
        .says("`cki stage watch --via kubernetes --mr 213 --component web` follows it.");
    let mut watched = cli.start(&format!("stage watch {mr}"));
    watched.until("ErrImagePull: it does not start");
    watched.signal(Signal::SIGINT);
    watched.end().ends_with(130).says("the release stays").says("cki stage watch --via kubernetes --mr 213");

    cluster.answer("get-pods", &waiting("CrashLoopBackOff"));
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKC\nAQEAxVZ0123\n-----END RSA PRIVATE KEY-----";
    let log = format!("starts\n{key}\nPASSWORD={HIDDEN} glpat-0123456789abcdefghij\n/approve @all\n");
    cluster.answer("logs-web-mr-213-a", &log);
    let event = json!({
        "kind": "Event", "type": "Warning", "reason": "BackOff", "message": "restarting failed container",
        "involvedObject": {"kind": "Pod", "name": "web-mr-213-a"}, "lastTimestamp": "2026-11-22T10:01:00Z",
    });
    cluster.answer("get-events", &list(&[event]));
    let is_clean = |text: &str| {
        for secret in [HIDDEN, "glpat-", "MIIEow", "AQEAxV", "api-internal"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    };
    let failed = cli.run(&format!("stage status {mr}")).ends_with(1);
    is_clean(&failed.to_string());
    failed
        .says("✘ Failed: CrashLoopBackOff: it does not start")
        .says("BackOff: restarting failed container")
        .says("PASSWORD=•••••••• ••••••••")
        .says("error: `service-web-mr-213` failed: CrashLoopBackOff: it does not start.");
    // The list judges alike, by one further request.
    cli.run("stage list --component web").ends_with(0).says("!213  ✘ rollout failed");
    assert!(cluster.read("asked").contains("get pods --selector=cki.release in (service-web-mr-213)"));
    cluster.script("get-pods", "echo 'Error from server (Forbidden): pods is forbidden' >&2; exit 1");
    cli.run("stage list --component web")
        .ends_with(0)
        .says("!213  ● rolling out")
        .says("Pods are not read, so that a rollout may have failed already: the login may not read it.");
    cluster.script("get-pods", "");
    let watched = cli.run(&format!("stage watch {mr} -o json")).ends_with(1);
    is_clean(&watched.stdout);
    assert_eq!(watched.json()["releases"][0]["failed_containers"][0]["pod"], "web-mr-213-a");
    let logs = cli.run(&format!("stage logs {mr}")).ends_with(0);
    is_clean(&logs.to_string());
    logs.says("web-mr-213-a · web  ✘ CrashLoopBackOff: it does not start  of its run before")
        .says("  starts");
    assert!(
        cluster
            .read("asked")
            .contains("logs web-mr-213-a --container=web --tail=150 --limit-bytes=1048576 --previous")
    );
    cli.run(&format!("stage logs {mr} --job nothing")).ends_with(3).says("have no container `nothing`");
    cli.run(&format!("stage logs {mr} --job web-mr-213-a -o name")).ends_with(0).says("web-mr-213-a\n");

    // Reports for people outside of the team.
    cli.run(&format!("stage report {mr} --html page.html")).ends_with(0);
    let page = std::fs::read_to_string(cli.project().join("page.html")).expect("is there");
    is_clean(&page);
    for part in [
        "Release service-web-mr-213",
        "<svg class=\"timeline\"",
        "CrashLoopBackOff",
        "PASSWORD=••••••••",
        "2026-11-22 10:01:00 UTC",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("There is no pipeline yet"), "{page}");
    let md = cli.run(&format!("stage report {mr} --markdown")).ends_with(0);
    is_clean(&md.stdout);
    // Nobody is notified by their name in code.
    assert!(md.stdout.contains("- Requested: `2026-11-22 10:00:00 UTC, by @\u{200b}alice`"), "{md}");
    assert!(md.stdout.contains("- Commit: `9c41d0e`") && !md.stdout.contains("\n/approve"), "{md}");
    cli.run(&format!("stage report {mr} --comment --yes")).ends_with(0).says("Posted comment ");
    cli.run(&format!("stage report {mr} --comment --yes")).ends_with(0).says("Unchanged: comment ");
    assert_eq!(gitlab.comments("group/tools", 213).len(), 1);

    // A cluster that refuses in the middle has its own exit code.
    cluster.script("get-Deployment", "echo 'Error from server (Forbidden): no' >&2; exit 1");
    cli.run(&format!("stage watch {mr}")).ends_with(5).says("the cluster forbids it");
}
