//! `cki stage --via kubernetes` and `cki unstage` with the real API server. Only `bash tests/run --kubernetes` has one.

mod lab;
mod rollback;

use cki::demo::gitlab::ControlFile;
use serde_json::{Value, json};

use crate::support::repository::Repositories;
use lab::{Lab, NAMESPACE};

const RELEASE: &str = "service-web-mr-213";
const STAGE: &str = "stage --via kubernetes --mr 213 --component web";
const FOUND: &str = "--via kubernetes --mr 213 --component web";
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
    // The image of another commit is refused, until somebody names it.
    let head = "9c41d0e0000000000000000000000000000000aa";
    let other = "b".repeat(40);
    lab.publish_commit("group/web", "mr-213", &other);
    let refused = lab.cli.run(&format!("{STAGE} --yes")).ends_with(7);
    refused.says("was built from commit bbbbbbbb, and the head of the merge request is 9c41d0e0");
    let named = lab.cli.run(&format!("{STAGE} --dry-run --image-commit bbbbbbbbb")).ends_with(0);
    named.says("The image was built from commit bbbbbbbb, and not from the head.");
    lab.cli.run(&format!("{STAGE} --dry-run --image-commit ccccccc")).ends_with(7);
    lab.cli.run(&format!("{STAGE} --dry-run --image-commit main")).ends_with(2);
    lab.publish("group/web", "mr-213");
    lab.cli.run(&format!("{STAGE} --dry-run")).ends_with(0).says("commit of the image: not stated");
    let digest = lab.publish_commit("group/web", "mr-213", head);

    // A dry run prints the objects, and the cluster checks them without keeping any.
    let dry = lab.cli.run(&format!("{STAGE} --dry-run")).ends_with(0).says("Nothing was applied.");
    let dry = dry
        .says("commit of the image: that of the head")
        .says("Objects    ConfigMap cki-stage-service-web-mr-213  new")
        .says("Neither among the files nor in the namespace, and the pods wait for it: Secret `web-staging-secrets`.");
    assert!(dry.stdout.contains("name: cki-stage-service-web-mr-213"), "{}", dry.stdout);
    assert_eq!(lab.names("cki.release"), Vec::<String>::new());

    // What is taken from the namespace is said by its name.
    lab.kubectl(&["create", "secret", "generic", "web-staging-secrets"]);
    lab.cli.write(
        "deploy/web.yaml",
        &FILES.replacen("configMap: {name: files}", "configMap: {name: shared}", 1),
    );
    let borrowed = lab.cli.run(&format!("{STAGE} --dry-run")).ends_with(0);
    borrowed
        .says("used as the namespace has it: Secret `web-staging-secrets`.")
        .says("the pods wait for it: ConfigMap `shared`.");
    lab.cli.write("deploy/web.yaml", FILES);

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

    // Found again in the cluster, with the address of an Ingress.
    lab.kubectl(&["create", "ingress", "web", "--rule=web.example.org/*=web-mr-213:80"]);
    let found = lab.cli.run(&format!("stage status {FOUND}")).ends_with(0);
    found
        .says("✔ Rolled out: 1 of 1 pods available")
        .says("  Built from  this commit")
        .says(", by @alice\n")
        .says("http://web.example.org/")
        .says("Deployment web-mr-213 ");
    let view = lab.cli.run(&format!("stage status {FOUND} -o json")).ends_with(0).json();
    assert_eq!((&view["releases"][0]["image_commit"], &view["unread"]), (&json!(head), &json!([])));
    lab.cli.run(&format!("stage watch {FOUND}")).ends_with(0).says("is rolled out after");
    lab.cli.run("stage list --component web").ends_with(0).says("!213  ✔ rolled out");

    // An object that the files no longer have is removed.
    let without = FILES.split("---\napiVersion: v1\nkind: Service").next().expect("is there");
    lab.cli.write("deploy/web.yaml", without);
    let smaller = lab.cli.run(&format!("{STAGE} --yes --no-wait")).ends_with(0);
    smaller.says("Service web-mr-213  remove");
    lab.wait("the Service is gone", |lab| lab.object("service", "web-mr-213").is_null());
    lab.cli.write("deploy/web.yaml", FILES);
    lab.cli.run(&format!("{STAGE} --yes --no-wait")).ends_with(0).says("Service web-mr-213  new");

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

    lab.cli
        .run(&format!("stage status {FOUND}"))
        .ends_with(1)
        .says("✘ Failed: CrashLoopBackOff: back-off 10s");
    lab.cli.run(&format!("stage watch {FOUND}")).ends_with(1).says("failed: CrashLoopBackOff");
    lab.cli.run(&format!("stage logs {FOUND}")).ends_with(0).says(" · web  ✘ CrashLoopBackOff: back-off 10s");
    lab.cli.run(&format!("stage report {FOUND} --markdown")).ends_with(0).says("- Built from: `this commit`");
    let reader = lab.cli.call(&format!("stage status {FOUND}")).set("CKI_STAGE_CONTEXT", "reader").end();
    reader.ends_with(5).says("the cluster forbids it");

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

#[test]
#[ignore = "needs the API server of Kubernetes (bash tests/run --kubernetes)"]
fn two_merge_requests_are_released_from_their_heads() {
    let lab = Lab::start();
    let repositories = Repositories::new(&lab.cli);
    std::fs::create_dir(lab.cli.directory().join("served/group")).expect("makes a directory");
    let store = "kind: StatefulSet\nmetadata: {name: store}\nspec:\n  serviceName: store\n  volumeClaimTemplates:\n    - \
                 metadata: {name: data}\n      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n";
    let store =
        FILES.replacen("kind: Deployment\nmetadata: {name: web, namespace: production}\nspec:\n", store, 1);
    let of = |name: &str, number: u64, before: &str, after: &str| {
        repositories.commit(name, &[("deploy/all.yaml", before)]);
        let head = format!("refs/merge-requests/{number}/head");
        let sha = repositories.commit_to(name, &head, &[("deploy/all.yaml", after)]).to_string();
        let moved = ControlFile::MoveHead { project: name.to_owned(), iid: number, sha };
        lab.stand_in.control(moved).expect("is taken");
    };
    of("group/tools", 213, FILES, &FILES.replacen("replicas: 1", "replicas: 2", 1));
    of("group/lib", 45, FILES, &store);
    let server = repositories.serve();
    let entry = |name: &str, image: &str, project: &str| {
        format!(
            "- name: {name}\n  category: service\n  image: 127.0.0.1:{}/group/{image}\n  deployment: [{{repo: {name}, path: \
             deploy}}]\n  stage: {{project: {project}, environment: {{name: 'review/{{{{ number }}}}', url: \
             'https://{name}.example/{{{{ number }}}}'}}}}\n",
            lab.registry
        )
    };
    lab.cli.inventory(&format!(
        "repos: {{tools: '{{server}}/group/tools.git', lib: '{{server}}/group/lib.git'}}\n\
         categories: [{{id: service, kind: service}}]\n\
         staging:\n  kubernetes: {{context: staging, namespace: {NAMESPACE}}}\n\
         \x20 secrets: [{{pattern: 'web-(.*)', replacement: 'web-staging-${{1}}'}}]\n\
         components:\n{}{}",
        entry("tools", "web", "group/tools"),
        entry("lib", "web", "group/lib")
    ));
    lab.publish("group/web", "mr-213");
    let stage = "stage tools --mr 213 --mr lib!45 --via kubernetes --yes --no-wait";
    let missing = lab.cli.run(stage).ends_with(3);
    missing
        .says("`group/lib!45` cannot be combined with `group/tools!213`: the image")
        .says("/group/web:mr-45`");
    lab.publish("group/web", "mr-45");
    let done = lab.cli.run(&format!("{stage} -o json")).ends_with(0).json();
    assert_eq!(
        (&done["state"], &done["combined"][0]["state"]),
        (&json!("applied"), &json!("applied")),
        "{done}"
    );
    assert_eq!(done["combined"][0]["merge_request"], "group/lib!45");
    // The files are those of the heads; the clones stay on their branch.
    assert_eq!(lab.object("deployment", "web-mr-213")["spec"]["replicas"], 2);
    let clone = lab.cli.workspace().join("tools");
    let text = std::fs::read_to_string(clone.join("deploy/all.yaml")).expect("is cloned");
    assert!(text.contains("replicas: 1"), "{text}");
    // Each has an environment; following continues its deployment, and reports the end.
    let requests =
        || lab.stand_in.requests().into_iter().filter(|one| !one.starts_with("GET")).collect::<Vec<_>>();
    let environment = |project: &str| {
        ["environments", "deployments"].map(|last| format!("POST /api/v4/projects/group%2F{project}/{last}"))
    };
    assert_eq!(requests(), [environment("tools"), environment("lib")].concat());
    let following = lab.cli.start("stage tools --mr 213 --via kubernetes --yes");
    lab.pods_become("service-tools-mr-213", &running(true));
    following.end().ends_with(0).says("Environment review/213  unchanged");
    assert_eq!(requests()[4..], ["PUT /api/v4/projects/group%2Ftools/deployments/1".to_owned()]);
    let reader = "stage tools --mr 213 --via kubernetes --dry-run";
    let reader = lab.cli.call(reader).set("CKI_GITLAB_TOKEN", "reader-not-a-real-token").end().ends_with(0);
    reader.says("The environment is not changed: the token lacks the scope `api`.");
    // What is there already is not fetched again.
    server.seen();
    let twice = "stage tools --mr 213 --mr tools!213 --via kubernetes --dry-run";
    lab.cli
        .run(twice)
        .ends_with(2)
        .says("`group/tools!213` cannot be combined with `group/tools!213`: both are");
    assert_eq!(server.seen(), []);

    // A claim survives its owner, and is found by its labels.
    lab.wait("there is a claim", |lab| lab.object("pvc", "data-store-mr-45-0") != Value::Null);
    lab.kubectl(&["delete", "configmap", "cki-stage-service-lib-mr-45"]);
    lab.wait("the rest is gone", |lab| lab.object("statefulset", "store-mr-45") == Value::Null);
    let left = lab.cli.run("unstage --mr 45 --component lib --dry-run").ends_with(0);
    left.says(
        "service-lib-mr-45  group/lib !45\n  PersistentVolumeClaim data-store-mr-45-0\nEnvironment review/45",
    );
    // Finalizers of a cluster without nodes keep the claim otherwise.
    let nothing = r#"{"metadata":{"finalizers":null}}"#;
    lab.kubectl(&["patch", "pvc", "data-store-mr-45-0", "--patch", nothing]);
    lab.cli.run("unstage --all-expired --yes").ends_with(0).says("Removed 1 object");
    lab.cli.run("unstage --mr 213 --component tools --yes").ends_with(0).says("Stopped 1 environment.");
    assert_eq!(lab.names("cki.release"), Vec::<String>::new());
}
