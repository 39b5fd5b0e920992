//! `cki stage --via kubernetes` and `cki unstage` with the real API server. Only `bash tests/run --kubernetes` has one.

mod lab;

use serde_json::{Value, json};

use lab::{Lab, NAMESPACE};

const RELEASE: &str = "service-web-mr-213";
const STAGE: &str = "stage --via kubernetes --mr 213 --component web";
const UNSTAGE: &str = "unstage --mr 213 --component web";

const FILES: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: production}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: 'quay.io/group/web:production'
          env:
            - {name: VHOST, value: /}
            - {name: TOKEN, valueFrom: {secretKeyRef: {name: web-secrets, key: token}}}
          volumeMounts: [{name: files, mountPath: /etc/web}]
      volumes: [{name: files, configMap: {name: files}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: files}
data: {web.ini: 'x=1'}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
";

/// A cluster, and a project with a component that is deployed there.
fn lab() -> Lab {
    let lab = Lab::start();
    git2::Repository::init(lab.cli.project()).expect("makes a repository");
    lab.cli.write("deploy/web.yaml", FILES);
    let head = format!(
        "repos: {{here: .}}\ncategories: [{{id: service, kind: service}}]\n\
         production: {{environment: {{IS_PRODUCTION: 'false'}}, hosts: ['*.prod.example']}}\n\
         staging:\n  kubernetes: {{context: staging, namespace: {NAMESPACE}}}\n\
         \x20 environment: {{DEPLOYMENT: staging}}\n\
         \x20 values: [{{variable: VHOST, pattern: '/', replacement: /staging}}]\n\
         \x20 secrets: [{{pattern: 'web-(.*)', replacement: 'web-staging-${{1}}'}}]\n\
         components:\n- name: web\n  category: service\n  image: 127.0.0.1:{}/group/web\n\
         \x20 deployment: [{{repo: here, path: deploy}}]\n  stage: {{project: group/tools}}\n",
        lab.registry
    );
    lab.cli.inventory(&head);
    lab
}

fn container(lab: &Lab) -> Value {
    lab.object("deployment", "web-mr-213")["spec"]["template"]["spec"]["containers"][0].clone()
}

fn running(ready: bool) -> Value {
    let ready = if ready { "True" } else { "False" };
    let condition = |kind: &str| json!({"type": kind, "status": ready});
    json!({"phase": "Running", "conditions": [condition("Ready"), condition("ContainersReady")]})
}

#[test]
#[ignore = "needs the API server of Kubernetes (bash tests/run --kubernetes)"]
fn release_is_applied_followed_and_removed() {
    let lab = lab();
    let missing = lab.cli.run(&format!("{STAGE} --yes")).ends_with(3);
    missing.says("the image `127.0.0.1:").says("/group/web:mr-213` does not exist");
    let digest = lab.publish("group/web", "mr-213");

    // A dry run prints the objects, and the cluster checks them without keeping any.
    let dry = lab.cli.run(&format!("{STAGE} --dry-run")).ends_with(0).says("Nothing was applied.");
    let dry = dry.says("Objects    ConfigMap cki-stage-service-web-mr-213  new");
    assert!(dry.stdout.contains("name: cki-stage-service-web-mr-213"), "{}", dry.stdout);
    assert_eq!(lab.names("cki.release"), Vec::<String>::new());

    // Applied: the owner has all, and the values are those of staging.
    lab.cli.run(&format!("{STAGE} --yes --no-wait")).ends_with(0).says("cki unstage --mr 213");
    let owner = lab.object("configmap", "cki-stage-service-web-mr-213");
    assert_eq!(owner["metadata"]["labels"]["cki.head"], "9c41d0e0000000000000000000000000000000aa");
    for (kind, name) in
        [("configmap", "files-mr-213"), ("service", "web-mr-213"), ("deployment", "web-mr-213")]
    {
        let found = lab.object(kind, name);
        assert_eq!(found["metadata"]["ownerReferences"][0]["uid"], owner["metadata"]["uid"], "{kind}");
        assert_eq!(found["metadata"]["managedFields"][0]["manager"], "cki", "{kind}");
    }
    let container_of_staging = container(&lab);
    assert_eq!(container_of_staging["image"], format!("127.0.0.1:{}/group/web@{digest}", lab.registry));
    assert_eq!(container_of_staging["env"][0]["value"], "/staging");
    assert_eq!(container_of_staging["env"][1]["valueFrom"]["secretKeyRef"]["name"], "web-staging-secrets");
    assert_eq!(container_of_staging["resources"]["limits"]["memory"], "1Gi");

    // Followed to the end, in a second request that changes nothing.
    let following = lab.cli.start(&format!("{STAGE} --yes -o json"));
    lab.pods_become(RELEASE, &running(true));
    let followed = following.end().ends_with(0).json();
    assert_eq!((&followed["state"], &followed["succeeded"]), (&json!("done"), &json!(true)));
    assert_eq!(followed["message"], "1 of 1 pods available");

    // A failing pod ends it, with the reason.
    let waiting = json!({"reason": "CrashLoopBackOff", "message": "back-off 10s"});
    let status = json!({
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{
            "name": "web", "ready": false, "restartCount": 3, "image": "x", "imageID": "", "state": {"waiting": waiting},
        }],
    });
    lab.pods_become(RELEASE, &status);
    let failed = lab.cli.run(&format!("{STAGE} --yes")).ends_with(1);
    failed.says("`service-web-mr-213` failed: CrashLoopBackOff: back-off 10s.").says("cki unstage --mr 213");

    // Ctrl-C stops watching only.
    lab.pods_become(RELEASE, &running(false));
    let mut watched = lab.cli.start(&format!("{STAGE} --yes"));
    watched.until("applied");
    watched.signal(nix::sys::signal::Signal::SIGINT);
    watched.end().ends_with(130).says("the release stays");
    assert_eq!(container(&lab)["name"], "web");

    // Somebody else's object with the labels stays, and so does half of a release that is gone already.
    lab.kubectl(&["create", "configmap", "other"]);
    lab.kubectl(&[
        "label",
        "configmap",
        "other",
        "cki.release=service-web-mr-213",
        "app.kubernetes.io/managed-by=cki",
    ]);
    lab.kubectl(&["delete", "service", "web-mr-213"]);
    let planned = lab.cli.run(&format!("{UNSTAGE} --dry-run")).ends_with(0);
    planned.says("ConfigMap other has another owner and stays").says("Nothing was removed.");
    lab.cli.run(UNSTAGE).ends_with(2).says("add `--yes`");
    lab.cli
        .run(&format!("{UNSTAGE} --yes"))
        .ends_with(0)
        .says("Removed 3 objects from the namespace cki-staging.");
    lab.wait("the pods are gone", |lab| lab.names("cki.release") == ["configmap/other"]);
    lab.cli.run(&format!("{UNSTAGE} --yes")).ends_with(0);
}

#[test]
#[ignore = "needs the API server of Kubernetes (bash tests/run --kubernetes)"]
fn release_is_refused_and_says_why() {
    let lab = lab();
    lab.publish("group/web", "mr-213");
    let stage = |context: &'static str| {
        lab.cli.call(&format!("{STAGE} --yes --no-wait")).set("CKI_STAGE_CONTEXT", context).end()
    };
    stage("none").ends_with(3).says("no context `none`");
    stage("nobody").ends_with(5).says("does not accept the login");
    stage("reader").ends_with(5).says("the cluster forbids it");
    stage("gone").ends_with(6).says("cannot be reached");
    let elsewhere =
        lab.cli.call(&format!("{STAGE} --yes --no-wait")).set("CKI_STAGE_NAMESPACE", "nowhere").end();
    elsewhere.ends_with(3).says("no namespace `nowhere`");
    let dry = lab.cli.call(&format!("{STAGE} --dry-run")).set("CKI_STAGE_CONTEXT", "gone").end().ends_with(0);
    dry.says("The cluster has not checked the objects").says("not checked");

    // An object of somebody else is in the way.
    lab.kubectl(&["create", "service", "clusterip", "web-mr-213", "--tcp=80"]);
    let foreign = lab.cli.run(&format!("{STAGE} --yes --no-wait")).ends_with(7);
    foreign.says("has a Service `web-mr-213` that does not belong to this release");
    lab.kubectl(&["delete", "service", "web-mr-213"]);

    // A field that somebody else has changed.
    lab.cli.run(&format!("{STAGE} --yes --no-wait")).ends_with(0);
    lab.cli.write("changed.json", &json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web-mr-213"}, "spec": {"replicas": 4},
    }).to_string());
    let changed = lab.cli.project().join("changed.json").display().to_string();
    let carol = ["--field-manager=carol", "--force-conflicts", "--validate=false", "--filename", &changed];
    lab.kubectl(&[&["apply", "--server-side"][..], &carol].concat());
    std::fs::remove_file(&changed).expect("removes");
    let conflict = lab.cli.run(&format!("{STAGE} --yes --no-wait")).ends_with(7);
    conflict.says("another manager owns `.spec.replicas` (`carol`)");
    assert_eq!(lab.object("deployment", "web-mr-213")["spec"]["replicas"], 4, "is not overwritten");

    // Values of production never get there.
    lab.cli.write("deploy/web.yaml", &FILES.replacen("value: /", "value: 'https://api.prod.example/'", 1));
    lab.cli.run(&format!("{STAGE} --yes --no-wait")).ends_with(7).says("belongs to production");
    lab.cli.write("deploy/web.yaml", &FILES.replacen("web-secrets", "secrets", 1));
    lab.cli.run(&format!("{STAGE} --yes --no-wait")).ends_with(7).says("no rule in `staging.secrets`");

    // Only an expired release goes with the others.
    lab.cli.run("unstage --all-expired --yes").ends_with(0).says("Nothing to remove");
    let all =
        lab.kubectl(&["get", "configmaps,services,deployments", "--output=name", "--selector=cki.release"]);
    for name in all.lines() {
        lab.kubectl(&["annotate", "--overwrite", name, "cki.expires-at=2026-01-01T00:00:00Z"]);
    }
    let removed = lab.cli.run("unstage --all-expired --yes -o json").ends_with(0).json();
    assert_eq!(removed["releases"][0]["name"], RELEASE);
    assert_eq!(removed["remaining"], json!([]));
    assert_eq!(lab.object("deployment", "web-mr-213"), Value::Null);
}
