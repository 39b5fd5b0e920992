//! Tests of releases in a staging namespace through the real program, with a `kubectl` of the test's own that answers from
//! files: how it is started, and what `cki unstage` removes. The real API server is in `kubernetes_api`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use cki::model::staging::kubernetes::project_digest;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::cli::Cli;
use crate::support::terminal_session::TerminalSession;

/// The head of `group/tools!213`.
pub(super) const HEAD: &str = "9c41d0e0000000000000000000000000000000aa";

/// Notes its arguments and its session. A file that is named like the verb, or a kind, has the answer; a file `VERB.sh` is
/// done in its place.
const KUBECTL: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
echo "$$ $(cut -d' ' -f6 /proc/$$/stat)" >> "$here/sessions"
case "$*" in *get-contexts*) echo api-internal/me; exit ;; esac
while case "$1" in --*) true ;; *) false ;; esac; do shift; done
case "$*" in *--watch*) exec sleep 600 ;; esac
verb=$1 kind=${2%%,*}
[ -f "$here/$verb-${kind%%.*}.sh" ] && . "$here/$verb-${kind%%.*}.sh"
[ -f "$here/$verb.sh" ] && . "$here/$verb.sh"
for name in "$verb-$(echo "$2" | tr / -)" "$verb-${kind%%.*}"; do
  [ -f "$here/$name" ] && { cat "$here/$name"; exit; }
done
echo '{"kind": "List", "items": []}'
"#;

/// A staging namespace behind a `kubectl` of the test's own.
pub(super) struct FakeCluster {
    pub(super) cli: Cli,
}

impl FakeCluster {
    pub(super) fn new(via: &str) -> Self {
        let mut cli = Cli::new();
        let kubectl = cli.directory().join("bin/kubectl");
        std::fs::create_dir_all(kubectl.parent().expect("has one")).expect("makes");
        std::fs::write(&kubectl, KUBECTL).expect("writes");
        std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o755)).expect("sets");
        cli.set("CKI_STAGE_KUBECTL", &kubectl);
        cli.inventory(&format!(
            "categories: [{{id: service, kind: service}}]\n\
             staging: {{kubernetes: {{context: api-internal/me, namespace: team-staging}}}}\n\
             components:\n- {{name: web, category: service, stage: {{project: group/tools, via: {via}}}}}\n"
        ));
        Self { cli }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.cli.directory().join("bin").join(name)
    }

    /// Lets the program do something at a verb, or at a verb with a kind: `get-pods`.
    pub(super) fn script(&self, at: &str, text: &str) {
        std::fs::write(self.file(&format!("{at}.sh")), text).expect("writes");
    }

    pub(super) fn answer(&self, at: &str, text: &str) {
        std::fs::write(self.file(at), text).expect("writes");
    }

    /// Gives the cluster its objects: an answer to `kubectl get configmaps,…`.
    pub(super) fn has(&self, objects: &[Value]) {
        self.answer("get-configmaps", &json!({"kind": "List", "items": objects}).to_string());
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// Returns the calls that change the cluster.
    fn changes(&self) -> Vec<String> {
        let asked = self.read("asked");
        asked.lines().filter(|line| line.contains(" delete ")).map(str::to_owned).collect()
    }
}

/// An object of the release of `group/tools!213`.
pub(super) fn object(kind: &str, name: &str, head: &str) -> Value {
    json!({"kind": kind, "metadata": {
        "name": name,
        "ownerReferences": [{"kind": "ConfigMap", "name": "cki-stage-service-web-mr-213"}],
        "labels": {
            "app.kubernetes.io/managed-by": "cki", "cki.release": "service-web-mr-213",
            "cki.project": project_digest("group/tools"), "cki.merge-request": "213", "cki.head": head,
        },
        "annotations": {"cki.project-path": "group/tools", "cki.expires-at": "2999-11-29T10:00:00Z"},
    }})
}

#[test]
fn release_refuses_another_name_of_production() {
    let mut cluster = FakeCluster::new("kubernetes");
    let server = |name: &str, server: &str| json!({"name": name, "cluster": {"server": server}});
    let context = |name: &str, cluster: &str| json!({"name": name, "context": {"cluster": cluster}});
    let view = json!({
        "clusters": [server("a", "https://api.internal:6443"), server("b", "https://API.internal.:6443/")],
        "contexts": [context("prod", "a"), context("api-internal/me", "b")],
    });
    cluster.answer("config-view", &view.to_string());
    for (context, namespace, reason) in [
        (Some("prod"), Some("team-staging"), "the context `prod` leads to the same server, `api.internal`"),
        (Some("prod"), None, "the context `prod` leads to the same server, `api.internal`"),
        (Some("api-internal/me"), None, "`production.context` names it"),
        (None, Some("team-staging"), "`production.namespace` is `team-staging`, on any cluster"),
        (Some("gone"), None, "has no server for the context `gone`, so `api-internal/me` may be the same"),
    ] {
        for (name, value) in [("CKI_PRODUCTION_CONTEXT", context), ("CKI_PRODUCTION_NAMESPACE", namespace)] {
            cluster.cli.set(name, value.unwrap_or_default());
        }
        for command in
            ["stage --mr group/tools!213 --component web --yes", "unstage --mr group/tools!213 --yes"]
        {
            cluster.cli.run(command).ends_with(7).says(reason);
        }
    }
    let asked = cluster.read("asked");
    assert!(asked.lines().all(|line| line == "config view --output=json"), "{asked}");
    // Production is meant exactly, too.
    cluster.cli.set("CKI_PRODUCTION_CONTEXT", "prod");
    cluster.cli.set("CKI_PRODUCTION_NAMESPACE", "team-staging");
    let rolled = cluster.cli.run("rollback web --to previous --reason x --confirm web").ends_with(7);
    rolled.says("is that of staging: the context `api-internal/me` leads to the same server");
}

#[test]
fn release_kubectl_has_no_terminal_and_ends_with_cki() {
    let cluster = FakeCluster::new("kubernetes");
    let unstage = "unstage --mr 213 --component web";
    cluster.cli.run(&format!("{unstage} --dry-run")).ends_with(0).says("Nothing to remove");
    let sessions = cluster.read("sessions");
    for line in sessions.lines() {
        let (process, session) = line.split_once(' ').expect("has two numbers");
        assert_eq!(process, session, "leads a session without a terminal");
    }
    assert_eq!(sessions.lines().count(), 2, "{sessions}");

    // Without credentials, it asks for a name on its standard output.
    cluster.script("get", "printf 'Please enter Username: '; echo 'error: EOF' >&2; exit 1");
    cluster.cli.run(unstage).ends_with(5).says("does not accept the login: Please enter Username:");
    let plugin = "echo 'no browser here' >&2; echo 'Unable to connect to the server: getting credentials: exec: \
                  executable oidc failed with exit code 1' >&2; exit 1";
    cluster.script("get", plugin);
    cluster.cli.run(unstage).ends_with(5).says("failed with exit code 1 (no browser here)");
    cluster.script("get", "echo 'Error from server (NotFound): it is gone' >&2; exit 1");
    cluster.cli.run(unstage).ends_with(3).says("the cluster does not have it");

    // So does a login plugin, which is a process below the program.
    cluster
        .script("get", "sleep 600 & echo $! > \"$here/plugin\"; echo $$ > \"$here/waits\"; exec sleep 600");
    let killed = cluster.cli.start(unstage);
    cluster.cli.wait_for("kubectl waits", || !cluster.read("waits").trim().is_empty());
    killed.signal(Signal::SIGKILL);
    drop(killed.end());
    let is_gone = |name: &str| {
        // Somebody else may be in no hurry to reap it.
        let state = std::fs::read_to_string(format!("/proc/{}/stat", cluster.read(name).trim()));
        state.map_or(true, |stat| stat.contains(") Z "))
    };
    cluster.cli.wait_for("kubectl ends, too", || is_gone("waits") && is_gone("plugin"));
}

#[test]
fn release_that_changed_during_the_question_stays() {
    let cluster = FakeCluster::new("kubernetes");
    let owner = |head: &str| object("ConfigMap", "cki-stage-service-web-mr-213", head);
    let service = |head: &str| object("Service", "web-mr-213", head);
    cluster.has(&[owner(HEAD), service(HEAD)]);
    let unstage = "unstage --mr 213 --component web";
    cluster.cli.run(&format!("{unstage} --dry-run")).ends_with(0).says("Service web-mr-213");
    let mut asked = TerminalSession::start(&cluster.cli, unstage);
    asked.until("Remove these objects?");
    cluster.has(&[owner(&"b".repeat(40)), service(&"b".repeat(40))]);
    asked.type_keys("y\n");
    asked.until("`service-web-mr-213` changed since it was shown.");
    asked.ends_with(7);
    assert_eq!(cluster.changes(), Vec::<String>::new());
    cluster.script("delete", "printf '{\"kind\": \"List\", \"items\": []}' > \"$here/get-configmaps\"");
    let mut asked = TerminalSession::start(&cluster.cli, unstage);
    asked.until("Remove these objects?");
    asked.type_keys("y\n");
    asked.until("Removed 2 objects");
    asked.ends_with(0);
    let changes = cluster.changes();
    assert!(changes[0].ends_with("service/web-mr-213 configmap/cki-stage-service-web-mr-213"), "{changes:?}");
    assert_eq!(changes.len(), 1);
}
