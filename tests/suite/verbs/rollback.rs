//! Tests of `cki rollback` through the real program: the revert by GitLab's API, and the change of an image with a `kubectl`
//! of the test's own. The real API server is in `kubernetes_api`.

use std::os::unix::fs::PermissionsExt as _;

use cki::demo::gitlab::{ControlFile, StandIn, TimeScale};
use serde_json::{Value, json};

use crate::support::cli::Cli;
use crate::support::stand_in::{cli_of, fault, stand_in};
use crate::support::terminal_session::TerminalSession;

const PROJECT: &str = "group/web";
/// The commit that production runs, of !11.
const SHA: &str = "a000000000000000000000000000000000000002";

fn cli(gitlab: &StandIn) -> Cli {
    cli_of(
        gitlab,
        "categories: [{id: service, kind: service}]\ncomponents:\n\
         - {name: web, category: service, stage: {project: group/web}}\n",
    )
}

fn writes(gitlab: &StandIn) -> Vec<String> {
    gitlab.requests().into_iter().filter(|one| !one.starts_with("GET ")).collect()
}

#[test]
fn rollback_opens_one_revert_with_its_reason() {
    let gitlab = stand_in(TimeScale::ByHand, |_| ());
    let cli = cli(&gitlab);
    let shown = cli.run("rollback web").ends_with(0);
    let shown =
        shown.says(" in production, deployed ").says("!11  Use the cache").says("--revert --reason TEXT");
    shown.says(" is running; what runs may change").says("name no cluster of production");
    let view = cli.run("rollback web -o json").ends_with(0).json();
    assert_eq!((&view["sha"], &view["merge_request"]), (&json!(SHA), &json!(11)));

    // A dry run prints every request, and sends none.
    let mut dry = cli.run("rollback web --revert --reason 'It burns' --dry-run").ends_with(0);
    for line in [
        "POST /api/v4/projects/group%2Fweb/repository/branches",
        "\"branch\": \"cki-revert-CONTAINER\"",
        "POST /api/v4/projects/group%2Fweb/repository/commits/a000000000000000000000000000000000000002/revert",
        "\"title\": \"Revert \\\"Use the cache\\\"\"",
        "Reason: It burns",
        "POST /api/v4/projects/group%2Fweb/merge_requests/11/notes",
        "Nothing was sent.",
    ] {
        dry = dry.says(line);
    }
    cli.run("rollback web --revert").ends_with(2).says("add `--reason TEXT`");
    cli.run("rollback web --revert --reason x").ends_with(2).says("add `--yes`");
    cli.run("rollback web --revert 13 --reason x --yes").ends_with(1).says("`group/web!13` is opened");
    cli.run("rollback web --revert zzz --reason x --yes")
        .ends_with(2)
        .says("neither a merge request nor a commit");
    cli.run("rollback web --revert abcdef0 --reason x --yes").ends_with(3);
    let reader =
        cli.call("rollback web --revert --reason x --yes").set("CKI_GITLAB_TOKEN", "reader-not-a-real-token");
    reader.end().ends_with(5).says("lacks the scope `api`");
    let public = cli.call("rollback web --revert --reason x --yes").set("CKI_GITLAB_TOKEN", "");
    public.end().ends_with(5).says("needs a token");
    assert_eq!(writes(&gitlab), Vec::<String>::new());

    // A server that fails in the middle: the same command continues.
    fault(&gitlab, "POST", "/group%2Fweb/merge_requests?", 1, 500);
    cli.run("rollback web --revert --reason 'It burns' --yes")
        .ends_with(6)
        .says("continues where it stopped");
    let done = cli.run("rollback web --revert --reason 'It burns\n/merge' --yes").ends_with(0);
    done.says("Opened group/web!14: ").says("`cki status web --mr group/web!14` follows that.");
    let again = cli.run("rollback web --revert 11 --reason other -o json").ends_with(0).json();
    assert_eq!((&again["merge_request"]["number"], &again["is_new"]), (&json!(14), &json!(false)));
    let by_commit =
        cli.run("rollback web --revert a000000000000000000000000000000000000002 --reason x -o name");
    assert_eq!(by_commit.ends_with(0).stdout, "group/web!14\n");
    let records = gitlab.comments(PROJECT, 11);
    let [(_, user, body)] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(
        (user.as_str(), body.lines().next()),
        ("alice", Some("!14 reverts this merge request. Reason: It burns /merge"))
    );

    // Once it is merged, there is nothing left to revert.
    let (project, state) = (PROJECT.to_owned(), "merged".to_owned());
    gitlab.control(ControlFile::SetState { project, iid: 14, state }).expect("is taken");
    cli.run("rollback web --revert --reason x --yes").ends_with(7).says("`group/web!14` has reverted");
}

#[test]
fn rollback_names_a_revert_that_needs_a_person() {
    let gitlab = stand_in(TimeScale::ByHand, |config| {
        let project = config.projects.iter_mut().find(|one| one.path == PROJECT).expect("is there");
        project.conflicts.push(SHA.to_owned());
        project.members.insert("bob".to_owned(), 20);
    });
    let cli = cli(&gitlab);
    for _ in 0..2 {
        // Also with the branch of the first call: nothing is on it.
        let failed = cli.run("rollback web --revert --reason x --yes").ends_with(1);
        failed
            .says("GitLab cannot revert a000")
            .says("revert it by hand on the branch `cki-revert-CONTAINER`");
    }
    assert!(gitlab.comments(PROJECT, 11).is_empty());
    let bob =
        cli.call("rollback web --revert 10 --reason x --yes").set("CKI_GITLAB_TOKEN", "bob-not-a-real-token");
    bob.end().ends_with(5).says("does not allow access to a new branch");
}

#[test]
fn rollback_names_the_choices_where_production_is_unclear() {
    let gitlab = stand_in(TimeScale::ByHand, |config| {
        let project = config.projects.iter_mut().find(|one| one.path == PROJECT).expect("is there");
        project.environments[0].name = "prod/eu".to_owned();
        project.environments[1].name = "prod/us".to_owned();
        project.environments[1].tier = Some("production".to_owned());
        for one in &mut project.deployments {
            one.environment = one.environment.replace("production", "prod/eu").replace("staging", "prod/us");
        }
    });
    let cli = cli(&gitlab);
    let unclear = cli.run("rollback web --revert --reason x --yes").ends_with(2);
    let unclear = unclear.says("`group/web` runs different commits in `prod/eu` and `prod/us`");
    let unclear = unclear.says("hint: `cki rollback web --revert 11` reverts what `prod/eu` runs.");
    unclear.says("hint: `cki rollback web --revert 12` reverts what `prod/us` runs.");
    let gitlab = stand_in(TimeScale::ByHand, |config| {
        config.projects.iter_mut().for_each(|project| project.deployments.clear());
        config.projects.iter_mut().for_each(|project| project.environments.clear());
    });
    let cli = self::cli(&gitlab);
    let none = cli.run("rollback web --revert --reason x --yes").ends_with(3);
    none.says("hint: add a merge request or a commit to `cki rollback web --revert`.");
}

/// A `kubectl` that answers from files, notes what it was asked, and refuses patches while a file is there.
fn kubectl(cli: &Cli) -> String {
    let script = "#!/bin/sh\nhere=$(dirname \"$0\")\necho \"$*\" >> \"$here/asked\"\ncase \"$*\" in\n\
                  *get-contexts*) echo prod ;;\n*deploymentconfigs*) echo \"error: the server doesn't have a resource type\" >&2; exit 1 ;;\n*' patch '*--dry-run*) echo web ;;\n\
                  *' patch '*) if [ -f \"$here/once\" ]; then cat \"$here/once\" >&2; rm \"$here/once\"; exit 1; fi; \
                  if [ -f \"$here/refused\" ]; then cat \"$here/refused\" >&2; exit 1; fi; \
                  [ -f \"$here/after.json\" ] && mv \"$here/after.json\" \"$here/objects.json\"; echo web ;;\n\
                  *' pods '*) cat \"$here/pods.json\" ;;\n*' replicasets.apps '*) cat \"$here/revisions.json\" ;;\n\
                  *imagestreams*) cat \"$here/stream.json\" ;;\n*) cat \"$here/objects.json\" ;;\nesac\n";
    let file = cli.directory().join("bin/kubectl");
    std::fs::create_dir_all(file.parent().expect("has one")).expect("makes");
    std::fs::write(&file, script).expect("writes");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("sets");
    file.display().to_string()
}

fn digest(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}

fn containers(image: &str) -> Value {
    json!({"spec": {"containers": [{"name": "web", "image": image}]}})
}

/// Lets the cluster roll an image out with the next patch, or fail to; the pods are the last answer of the cluster.
fn rolls_out(cli: &Cli, letter: &str, status: &Value, pods: &Value) {
    let image = format!("quay.io/group/web@{}", digest(letter));
    let at = cli.directory().join("bin");
    let workload = json!({
        "kind": "Deployment", "metadata": {"name": "web", "uid": "u"}, "status": status,
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": containers(&image)},
    });
    let list = |items: Value| json!({"kind": "List", "items": items}).to_string();
    std::fs::write(at.join("after.json"), list(json!([workload]))).expect("writes");
    std::fs::write(at.join("pods.json"), list(pods.clone())).expect("writes");
}

/// A Deployment that runs one digest, and ran another before.
fn cluster(cli: &mut Cli, annotations: &Value) {
    cli.set("CKI_STAGE_KUBECTL", kubectl(cli));
    runs_before(cli, annotations);
}

fn runs_before(cli: &Cli, annotations: &Value) {
    let image = |letter: &str| format!("quay.io/group/web@{}", digest(letter));
    let list = |items: Value| json!({"kind": "List", "items": items}).to_string();
    let at = cli.directory().join("bin");
    let write = |name: &str, text: String| std::fs::write(at.join(name), text).expect("writes");
    write(
        "objects.json",
        list(json!([{
            "kind": "Deployment",
            "metadata": {"name": "web", "uid": "u", "resourceVersion": "7", "annotations": annotations},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": containers(&image("b"))},
        }])),
    );
    write("pods.json", list(json!([])));
    write(
        "revisions.json",
        list(json!([{
            "kind": "ReplicaSet",
            "metadata": {"ownerReferences": [{"uid": "u"}], "annotations": {"deployment.kubernetes.io/revision": "1"}},
            "spec": {"template": containers(&image("a"))},
        }])),
    );
    let item = |letter: &str| json!({"image": digest(letter)});
    write("stream.json", json!({
        "kind": "ImageStream", "metadata": {"name": "web", "resourceVersion": "9"},
        "spec": {"tags": [{"name": "production", "from": {"kind": "DockerImage", "name": "quay.io/group/web:production"}}]},
        "status": {"tags": [{"tag": "production", "items": [item("b"), item("c")]}]},
    }).to_string());
}

fn patches(cli: &Cli) -> Vec<String> {
    let asked = std::fs::read_to_string(cli.directory().join("bin/asked")).unwrap_or_default();
    asked
        .lines()
        .filter(|line| line.contains(" patch ") && !line.contains("--dry-run"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn rollback_changes_production_only_when_named_and_confirmed() {
    let gitlab = stand_in(TimeScale::ByHand, |_| ());
    let mut cli = cli(&gitlab);
    cluster(&mut cli, &json!({}));
    const TO: &str = "rollback web --to previous --reason 'It burns'";
    // Not named, half named, and named by a project's file.
    cli.run(&format!("{TO} --confirm web")).ends_with(7).says("no context is named as production");
    cli.set("CKI_PRODUCTION_CONTEXT", "prod");
    cli.run(&format!("{TO} --confirm web")).ends_with(7).says("no namespace is named as production");
    cli.set("CKI_PRODUCTION_NAMESPACE", "team");
    let shown = cli.run("rollback web").ends_with(0);
    shown.says("Becomes    quay.io/group/web@sha256:CONTAINER").says("--to previous --reason TEXT");
    let dry = cli.run(&format!("{TO} --dry-run")).ends_with(0);
    let dry = dry.says("kubectl --context=prod --namespace=team patch deployments.apps web --type=strategic");
    dry.says("`web` is being rolled back in production by hand").says("Nothing was changed.");

    // Not confirmed in the one way that counts.
    cli.run(&format!("{TO} --yes")).ends_with(2).says("cannot be combined with");
    cli.run(TO).ends_with(7).says("`--confirm web` confirms it");
    cli.run(&format!("{TO} --confirm we")).ends_with(2).says("`--confirm` names `we`");
    cli.run("rollback web --to previous --confirm web").ends_with(2).says("add `--reason TEXT`");
    cli.run("rollback web --to sha256:1 --reason x --confirm web").ends_with(2).says("64 digits");
    let quiet = |words: &str| {
        cli.call(&format!("{TO} --confirm web {words}")).set("CKI_PRODUCTION_QUIET", "mon-sun").end()
    };
    quiet("").ends_with(7).says("now is no time for changes: it is ");
    let wrong = cli.call(&format!("{TO} --confirm web")).set("CKI_PRODUCTION_QUIET", "never").end();
    wrong.ends_with(4).says("`never` is no quiet time");
    let reader =
        cli.call(&format!("{TO} --confirm web")).set("CKI_GITLAB_TOKEN", "reader-not-a-real-token").end();
    reader.ends_with(5).says("lacks the scope");
    // The record comes first: without it, nothing is changed.
    fault(&gitlab, "POST", "/merge_requests/11/notes", 1, 403);
    cli.run(&format!("{TO} --confirm web")).ends_with(5);
    cli.run(&format!("{TO} --confirm web --mr 99")).ends_with(3);
    assert!(patches(&cli).is_empty() && gitlab.comments(PROJECT, 11).is_empty());

    // Confirmed by a person: the name as a whole. The rollout is followed to its end.
    rolls_out(&cli, "a", &json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}), &json!([]));
    for (name, code) in [("y", 1), ("web", 0)] {
        let mut session = TerminalSession::start(&cli, TO);
        session.until("Type `web` to change production:");
        session.type_keys(&format!("{name}\r"));
        if code == 0 {
            session.until("`web` runs quay.io/group/web@sha256:");
            session.until(": 1 of 1 pods available.");
        }
        session.ends_with(code);
    }
    let [patch] = patches(&cli).try_into().expect("one patch");
    assert!(patch.contains(&format!("\"image\":\"quay.io/group/web@{}\"", digest("a"))), "{patch}");
    assert!(patch.contains("\"resourceVersion\":\"7\"") && patch.contains("--field-manager=cki"), "{patch}");
    let [(_, _, record)] = gitlab.comments(PROJECT, 11).try_into().expect("one record");
    assert!(
        record.starts_with("`web` was rolled back in production by hand: Deployment web from "),
        "{record}"
    );
    assert!(
        record.contains("Reason: It burns") && record.contains("The next deployment undoes it."),
        "{record}"
    );

    // A pod that fails is the result; pods of the image before do not count.
    runs_before(&cli, &json!({}));
    let pod = |name: &str, letter: &str| {
        let mut pod = containers(&format!("quay.io/group/web@{}", digest(letter)));
        let state = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "it does not start"}});
        pod["kind"] = "Pod".into();
        pod["metadata"] = json!({"name": name});
        pod["status"] = json!({"containerStatuses": [{"name": "web", "restartCount": 1, "state": state}]});
        pod
    };
    let busy = json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 0});
    rolls_out(&cli, "a", &busy, &json!([pod("web-old", "b"), pod("web-new", "a")]));
    // The state of such a workload changes at any moment: the change is planned and sent again.
    let refused = "Error from server (Conflict): Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified";
    std::fs::write(cli.directory().join("bin/once"), refused).expect("writes");
    let failed = cli.run(&format!("{TO} --confirm web --mr 10")).ends_with(1);
    assert!(!failed.stdout.contains("web-old"), "{failed}");
    failed
        .says("web-new")
        .says("error: `web` fails with quay.io/group/web@sha256:")
        .says(": CrashLoopBackOff: it does not start.")
        .says("The next deployment undoes it");
    runs_before(&cli, &json!({}));

    // By a script, also in a quiet time; the cluster refuses it, and the record says so.
    std::fs::write(cli.directory().join("bin/refused"), refused).expect("writes");
    quiet("--in-quiet-time --mr 12").ends_with(7).says("somebody else has changed it");
    let [(_, _, record)] = gitlab.comments(PROJECT, 12).try_into().expect("one record");
    assert!(record.starts_with("`web` was not rolled back: the cluster refused it"), "{record}");
}

#[test]
fn rollback_retags_the_image_stream_of_a_workload() {
    let gitlab = stand_in(TimeScale::ByHand, |_| ());
    let mut cli = cli(&gitlab);
    let path = "spec.template.spec.containers[?(@.name==\"web\")].image";
    let trigger = json!([{"from": {"kind": "ImageStreamTag", "name": "web:production"}, "fieldPath": path}]);
    cluster(&mut cli, &json!({"image.openshift.io/triggers": trigger.to_string()}));
    cli.set("CKI_PRODUCTION_CONTEXT", "prod");
    cli.set("CKI_PRODUCTION_NAMESPACE", "team");
    let view =
        cli.run("rollback web --to previous --reason x --confirm web --no-wait -o json").ends_with(0).json();
    assert_eq!(view["rollout"], json!(null));
    assert_eq!((&view["image_stream"], &view["new_digest"]), (&json!("web:production"), &json!(digest("c"))));
    assert_eq!(view["patch"]["spec"]["tags"][0]["from"]["name"], json!(format!("web@{}", digest("c"))));
    assert_eq!((&view["recorded_in"], &view["is_changed"]), (&json!("group/web!11"), &json!(true)));
    // OpenShift sets the image of the workload; until then, the rollout has not begun.
    rolls_out(&cli, "c", &json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}), &json!([]));
    let view = cli.run("rollback web --to previous --reason x --confirm web -o json").ends_with(0).json();
    assert_eq!(view["rollout"], json!({"state": "done", "message": "1 of 1 pods available"}));
    runs_before(&cli, &json!({"image.openshift.io/triggers": trigger.to_string()}));
    let [patch, _] = patches(&cli).try_into().expect("two patches");
    assert!(patch.contains(" patch imagestreams.image.openshift.io web --type=merge "), "{patch}");
    let other = format!("rollback web --to {} --reason x --confirm web", digest("d"));
    cli.run(&other).ends_with(3).says("the ImageStream `web` has no image");
    let same = format!("rollback web --to {} --reason x --confirm web", digest("b"));
    cli.run(&same).ends_with(1).says("already");
}
