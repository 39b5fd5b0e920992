//! `cki rollback --to` and `cki status` with the real API server: the rollback by digest and to the image before, a
//! conflict, a denial, and an ImageStream as a custom resource.

use serde_json::{Value, json};

use super::lab::{Lab, NAMESPACE};
use crate::support::terminal_session::TerminalSession;

const TO: &str = "rollback web --no-wait --reason 'It burns' --mr 213 --to";

/// The part of OpenShift's ImageStream that matters here.
const STREAMS: &str = r#"{
  "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
  "metadata": {"name": "imagestreams.image.openshift.io", "annotations": {"api-approved.kubernetes.io": "unapproved"}},
  "spec": {
    "group": "image.openshift.io", "scope": "Namespaced",
    "names": {"plural": "imagestreams", "singular": "imagestream", "kind": "ImageStream", "listKind": "ImageStreamList"},
    "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
      {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]
  }
}"#;

/// The part of OpenShift's DeploymentConfig that matters here.
fn configs() -> String {
    STREAMS
        .replace("image.openshift.io", "apps.openshift.io")
        .replace("imagestream", "deploymentconfig")
        .replace("ImageStream", "DeploymentConfig")
}

fn deployment(name: &str, image: &str, annotations: &Value) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name, "image": image}]}},
        },
    })
    .to_string()
}

fn image_of(lab: &Lab, name: &str) -> Value {
    lab.object("deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

#[test]
#[ignore = "needs the API server of Kubernetes (bash tests/run --kubernetes)"]
fn rollback_takes_images_back_and_refuses_the_rest() {
    let mut lab = Lab::start();
    lab.cli.inventory(
        "categories: [{id: service, kind: service}]\ncomponents:\n\
         - {name: web, category: service, stage: {project: group/tools}}\n\
         - {name: streamed, category: service, stage: {project: group/tools}}\n\
         - {name: configured, category: service, stage: {project: group/tools}}\n",
    );
    lab.cli.set("CKI_PRODUCTION_CONTEXT", "staging");
    lab.cli.set("CKI_PRODUCTION_NAMESPACE", NAMESPACE);
    let digests = ["one", "two"].map(|tag| lab.publish("group/web", tag));
    let name = format!("127.0.0.1:{}/group/web", lab.registry);
    let image = |number: usize| format!("{name}@{}", digests[number]);
    apply(&lab, &deployment("web", &image(0), &json!({})));
    lab.cli
        .run(&format!("{TO} previous --confirm web"))
        .ends_with(3)
        .says("knows no image that `web` ran before");
    apply(&lab, &deployment("web", &image(1), &json!({})));
    lab.wait("both revisions are there", |lab| {
        lab.kubectl(&["get", "replicasets", "--output=name"]).lines().count() == 2
    });
    lab.cli.run("status web").ends_with(0).says("production  context staging");

    // Back to the image before, and forward by its digest.
    lab.cli.run(&format!("{TO} previous --confirm web")).ends_with(0).says("The next deployment undoes it");
    assert_eq!(image_of(&lab, "web"), json!(image(0)));
    let note = lab.object("deployment", "web")["metadata"]["annotations"]["cki.rollback"].clone();
    assert!(note.as_str().is_some_and(|note| note.ends_with(": It burns")), "{note}");
    let forward = format!("{TO} {} --confirm web", digests[1]);
    follows_to_the_end(&lab, &forward.replace(" --no-wait", ""), &image(1));
    assert_eq!(image_of(&lab, "web"), json!(image(1)));
    lab.cli.run(&forward).ends_with(1).says("already");
    let unknown = format!("{TO} sha256:{} --confirm web", "0".repeat(64));
    lab.cli.run(&unknown).ends_with(3).says("does not exist");

    // Somebody else is faster than the answer.
    let mut session = TerminalSession::start(&lab.cli, &format!("{TO} previous"));
    session.until("Type `web` to change production:");
    lab.kubectl(&["set", "image", "deployment/web", &format!("web={name}:two")]);
    session.type_keys("web\r");
    session.ends_with(7);
    assert_eq!(image_of(&lab, "web"), json!(format!("{name}:two")), "stays");

    // No right to patch.
    lab.kubectl(&[
        "create",
        "role",
        "looks",
        "--verb=get,list",
        "--resource=pods,deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps,cronjobs.batch",
    ]);
    lab.kubectl(&["create", "rolebinding", "looks", "--role=looks", "--user=reader"]);
    let reader = lab
        .cli
        .call(&format!("{TO} {} --confirm web", digests[0]))
        .set("CKI_PRODUCTION_CONTEXT", "reader")
        .end();
    reader.ends_with(5).says("the cluster forbids it");
    assert_eq!(image_of(&lab, "web"), json!(format!("{name}:two")), "stays");

    // A workload whose image comes from an ImageStream: the tag changes, and the workload does not.
    apply(&lab, STREAMS);
    lab.wait("the kind is served", |lab| {
        lab.try_kubectl(&["get", "imagestreams.image.openshift.io"]).is_some()
    });
    let item = |number: usize| json!({"image": digests[number], "dockerImageReference": image(number)});
    let other = json!({"name": "latest", "from": {"kind": "DockerImage", "name": format!("{name}:two")}});
    apply(
        &lab,
        &json!({
            "apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": "streamed"},
            "spec": {"tags": [other]},
            "status": {"tags": [{"tag": "production", "items": [item(1), item(0)]}]},
        })
        .to_string(),
    );
    let path = "spec.template.spec.containers[?(@.name==\"streamed\")].image";
    let trigger =
        json!([{"from": {"kind": "ImageStreamTag", "name": "streamed:production"}, "fieldPath": path}]);
    apply(
        &lab,
        &deployment("streamed", &image(1), &json!({"image.openshift.io/triggers": trigger.to_string()})),
    );
    let retag = TO.replace("rollback web", "rollback streamed");
    lab.cli.run(&format!("{retag} previous --confirm streamed")).ends_with(0).says("streamed@sha256:");
    let tags = lab.object("imagestreams.image.openshift.io", "streamed")["spec"]["tags"].clone();
    assert_eq!((&tags[0], &tags[1]["name"]), (&other, &json!("production")));
    assert_eq!(tags[1]["from"]["name"], json!(format!("streamed@{}", digests[0])));
    assert_eq!(image_of(&lab, "streamed"), json!(image(1)), "is up to OpenShift");

    takes_back_a_deployment_config(&mut lab, [&image(0), &image(1)], &digests[0]);
}

fn apply(lab: &Lab, text: &str) {
    lab.cli.write("object.json", text);
    let file = lab.cli.project().join("object.json").display().to_string();
    lab.kubectl(&["apply", "--validate=false", "--filename", &file]);
}

/// Follows a rollback to the end of the rollout, which a watch tells.
fn follows_to_the_end(lab: &Lab, line: &str, image: &str) {
    let following = lab.cli.start(line);
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    lab.wait("the image is set", |lab| image_of(lab, "web") == image);
    lab.wait("the pod of the new image is ready", |lab| {
        lab.pods_with("app=web", &ready);
        let found = lab.object("deployment", "web");
        let status = &found["status"];
        let counts = ["replicas", "updatedReplicas", "availableReplicas"];
        status["observedGeneration"] == found["metadata"]["generation"]
            && counts.iter().all(|count| status[*count] == 1)
    });
    following.end().ends_with(0).says("`web` runs 127.0.0.1:").says(": 1 of 1 pods available.");
}

/// Takes a DeploymentConfig back, through the program under its other name.
fn takes_back_a_deployment_config(lab: &mut Lab, images: [&str; 2], digest: &str) {
    apply(lab, &configs());
    lab.wait("the kind is served", |lab| {
        lab.try_kubectl(&["get", "deploymentconfigs.apps.openshift.io"]).is_some()
    });
    let mut config: Value =
        serde_json::from_str(&deployment("configured", images[1], &json!({}))).expect("is JSON");
    (config["apiVersion"], config["kind"]) = (json!("apps.openshift.io/v1"), json!("DeploymentConfig"));
    config["spec"]["selector"] = json!({"app": "configured"});
    apply(lab, &config.to_string());
    lab.cli.set("CKI_STAGE_KUBECTL", lab.program_called("oc"));
    let view = lab.cli.run("status configured -o json").ends_with(0);
    assert!(view.stdout.contains("\"kind\": \"DeploymentConfig\""), "{view}");
    let back = TO.replace("rollback web", "rollback configured");
    lab.cli
        .run(&format!("{back} {digest} --confirm configured"))
        .ends_with(0)
        .says("patch deploymentconfigs.apps.openshift.io configured --type=merge");
    let changed = lab.object("deploymentconfigs.apps.openshift.io", "configured");
    let container = &changed["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&container["name"], &container["image"]), (&json!("configured"), &json!(images[0])));
}
