//! Tests of `cki status` through the real program: environments and deployments of GitLab, workloads of a cluster behind a
//! `kubectl` of the test's own, and the way of a merge request to production. The real API server is in `kubernetes_api`.

use std::os::unix::fs::PermissionsExt as _;

use cki::demo::gitlab::{StandIn, TimeScale};
use serde_json::json;

use crate::support::cli::Cli;
use crate::support::stand_in::{cli_of, fault, stand_in};

fn cli(gitlab: &StandIn) -> Cli {
    cli_of(
        gitlab,
        "categories: [{id: service, kind: service}]\ncomponents:\n\
         - {name: web, category: service, stage: {project: group/web}}\n\
         - {name: worker, category: service, stage: {project: group/web}}\n\
         - {name: hidden, category: service, stage: {project: secret/project}}\n\
         - {name: lonely, category: service}\n",
    )
}

#[test]
fn status_shows_environments_with_their_merge_requests() {
    let gitlab = stand_in(TimeScale::ByHand, |_| ());
    let cli = cli(&gitlab);
    let all = cli.run("status").ends_with(0);
    let shown = all.to_string();
    for line in [
        "group/web  web, worker",
        "  production   ✔ success         a000000  !11  ",
        "               ● running         a000000  !12  ",
        "  staging      ✔ success         a000000  !12  ",
        "  unused       nothing deployed",
        "secret/project: not read: the environments of `secret/project` was not found",
        "3 environments of 2 projects.",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("review/9") && !shown.contains("lonely") && !shown.contains('\u{1b}'), "{shown}");
    for width in [60, 80] {
        let narrow = cli.call("status web").set("NO_COLOR", "1").terminal(width).end().ends_with(0);
        let widest = narrow.stdout.lines().map(cki::base::text::width).max();
        assert!(widest <= Some(usize::from(width)), "{width}: {narrow}");
    }

    // Each project is asked once, with a bounded number of requests.
    let asked = gitlab.requests().len();
    let view = cli.run("status web worker lonely -o json").ends_with(0).json();
    assert!(gitlab.requests().len() - asked <= 6, "{:?}", &gitlab.requests()[asked..]);
    let environments = view["projects"][0]["environments"].as_array().expect("is a list");
    assert_eq!((view["projects"].as_array().map(Vec::len), environments.len()), (Some(1), 3));
    assert_eq!(view["without_project"], json!(["lonely"]));
    let production = &environments[0];
    assert_eq!(
        (&production["is_production"], &production["current"]["merge_request"]["number"]),
        (&json!(true), &json!(11))
    );
    assert_eq!(production["current"]["at"], "2026-11-22T07:00:00Z");
    assert_eq!(
        (&production["newest"]["status"], &production["newest"]["by"]),
        (&json!("running"), &json!("bob"))
    );
    assert_eq!(
        cli.run("status web -o name").ends_with(0).stdout,
        "group/web:production\ngroup/web:staging\ngroup/web:unused\n"
    );
    cli.run("status hidden").ends_with(3).says("private projects");
    cli.run("status wbe").ends_with(3).says("no component `wbe`");

    // Everybody may see the environments of a public project.
    let public = cli.call("status web").set("CKI_GITLAB_TOKEN", "").end().ends_with(0);
    public.says("✔ success").says("!11");
    fault(&gitlab, "GET", "/deployments", 9, 403);
    let part = cli.run("status web").ends_with(0);
    part.says("does not allow access to the deployments").says("production   ✔ success");
}

#[test]
fn status_follows_a_merge_request_to_production() {
    let gitlab = stand_in(TimeScale::ByHand, |config| {
        let script = config.scripts.get_mut("good").expect("is there");
        script.jobs[1].name = "deploy production".to_owned();
    });
    let cli = cli(&gitlab);
    let there = cli.run("status --mr group/web!10").ends_with(0);
    there.says("group/web !10  Add a cache").says("✔ yes").says("Production runs it.");
    let coming = cli.run("status web --mr 12").ends_with(124);
    coming
        .says("production   ○ no    a000000")
        .says("● running deploy production")
        .says("✔ yes")
        .says("Under way");
    let view = cli.run("status group/web!12 -o json").ends_with(124).json();
    assert_eq!(
        (&view["state"], &view["commit"]),
        (&json!("under-way"), &json!("a000000000000000000000000000000000000003"))
    );
    assert_eq!(view["environments"][0]["has_commit"], false);
    assert_eq!(cli.run("status --mr group/web!12 -o name").ends_with(124).stdout, "group/web:staging\n");
    cli.run("status --mr group/web!13").ends_with(3).says("It is not merged");
    cli.run("status --mr group/tools!6").ends_with(3).says("no environment of production");
    cli.run("status --mr group/tools!99").ends_with(3).says("merge request `group/tools!99` was not found");
    cli.run("status web worker --mr 12").ends_with(2);
}

/// A `kubectl` that answers from files, and notes what it was asked.
fn kubectl(cli: &Cli) -> String {
    let script = "#!/bin/sh\nhere=$(dirname \"$0\")\necho \"$*\" >> \"$here/asked\"\ncase \"$*\" in\n\
                  *get-contexts*) echo prod ;;\n*deploymentconfigs*) echo \"error: the server doesn't have a resource type\" >&2; exit 1 ;;\n*' pods '*) cat \"$here/pods.json\" ;;\n*) cat \"$here/objects.json\" ;;\nesac\n";
    let file = cli.directory().join("bin/kubectl");
    std::fs::create_dir_all(file.parent().expect("has one")).expect("makes");
    std::fs::write(&file, script).expect("writes");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("sets");
    file.display().to_string()
}

#[test]
fn status_reads_the_cluster_that_the_user_names() {
    let gitlab = stand_in(TimeScale::ByHand, |_| ());
    let mut cli = cli(&gitlab);
    cli.set("CKI_STAGE_KUBECTL", kubectl(&cli));
    let container = json!([{"name": "web", "image": "quay.io/group/web:production"}]);
    let objects = json!({"kind": "List", "items": [{
        "kind": "Deployment", "metadata": {"name": "web", "generation": 1},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": container}}},
        "status": {"observedGeneration": 1, "updatedReplicas": 1, "replicas": 1, "availableReplicas": 0},
    }]});
    let digest = format!("sha256:{}", "ab".repeat(32));
    let pods = json!({"kind": "List", "items": [{
        "kind": "Pod", "metadata": {"name": "web-1", "labels": {"app": "web"}, "creationTimestamp": "2026-11-22T08:00:00Z"},
        "status": {"containerStatuses": [{"name": "web", "imageID": format!("quay.io/group/web@{digest}")}]},
    }]});
    let at = cli.directory().join("bin");
    std::fs::write(at.join("objects.json"), objects.to_string()).expect("writes");
    std::fs::write(at.join("pods.json"), pods.to_string()).expect("writes");

    // A project's file names no cluster of production.
    let file = cli.project().join("cki.toml");
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    std::fs::write(&file, format!("{before}\n[production]\ncontext = \"prod\"\nnamespace = \"team\"\n"))
        .expect("writes");
    cli.run("status web").ends_with(4).says("production.context");
    assert!(!at.join("asked").exists(), "nothing was started");
    std::fs::write(&file, before).expect("writes");

    cli.set("CKI_PRODUCTION_CONTEXT", "prod");
    cli.run("status web").ends_with(0).says("no namespace is named as production");
    cli.set("CKI_PRODUCTION_NAMESPACE", "team");
    let shown = cli.run("status web").ends_with(0);
    shown.says("production  context prod, namespace team").says("quay.io/group/web:production  ");
    let view = cli.run("status web -o json").ends_with(0).json();
    let workload = &view["clusters"][0]["workloads"][0];
    assert_eq!(
        (&workload["health"], &workload["since"]),
        (&json!("progressing"), &json!("2026-11-22T08:00:00Z"))
    );
    assert_eq!(workload["containers"][0]["digests"], json!([digest]));
    assert!(cli.run("status web -o name").stdout.ends_with("prod/team/deployment/web\n"));
    let asked = std::fs::read_to_string(at.join("asked")).expect("is there");
    assert!(
        asked.lines().all(|line| line.contains(" get ") || line.contains("get-contexts")),
        "only reads: {asked}"
    );
    let gone = cli.call("status web").set("CKI_PRODUCTION_CONTEXT", "other").end().ends_with(0);
    gone.says("has no context `other`").says("✔ success");

    // What is named as production is never taken for staging.
    cli.set("CKI_STAGE_CONTEXT", "prod");
    cli.set("CKI_STAGE_NAMESPACE", "team");
    cli.run("unstage --mr 10 --component web --yes").ends_with(7).says("is that of production");
}
