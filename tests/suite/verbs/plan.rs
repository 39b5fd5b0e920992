//! Tests of `cki run-local --dry-run` and `--print`: the plan, and equivalents that run without `cki`.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::cli::Cli;
use crate::support::engine::on;

/// A component that needs another, and whose secret goes to both.
fn chain(cli: &Cli) {
    let web = serde_json::json!([
        "sh",
        "-c",
        "echo $API_TOKEN > /tmp/token; exec busybox httpd -f -p 8000 -h /tmp"
    ]);
    let ask = "printf 'GET /token HTTP/1.0\\r\\n\\r\\n' | nc -w 3 web 8000 | tail -n 1; echo \"$API_TOKEN, $IS_PRODUCTION\"; exit 3";
    let app = serde_json::json!(["sh", "-c", ask]);
    cli.inventory(&format!(
        "production: {{environment: {{IS_PRODUCTION: 'false'}}}}
components:
  - name: app
    category: x
    kind: job
    image: '{{busybox}}'
    environment: [{{name: API_TOKEN, secret: true}}, {{name: HARD, default: 'a $b \"c\" %d'}}]
    run: {{command: {app}, needs: [web]}}
  - name: web
    category: x
    image: '{{busybox}}'
    environment: [{{name: API_TOKEN, secret: true}}]
    run: {{command: {web}, ports: [8000], ready: {{http: /token, port: 8000}}}}
"
    ));
}

/// Returns the files and directories below one, without the output files of the tests' own calls.
fn tree(root: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("lists").map(|entry| entry.expect("reads"));
            let is_call = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("call-");
            open.extend(entries.filter(|one| !is_call(&one.file_name())).map(|one| one.path()));
        }
        found.push(path);
    }
    found.sort();
    found
}

#[test]
fn run_local_dry_run_writes_nothing() {
    let cli = Cli::new();
    chain(&cli);
    cli.run("list").ends_with(0);
    let before = tree(cli.directory());
    cli.run("run-local app --dry-run").ends_with(0);
    cli.run("run-local app --dry-run -o json").ends_with(0);
    assert_eq!(tree(cli.directory()), before);
}

#[test]
fn run_local_dry_run_prints_the_plan_without_an_engine() {
    let mut cli = Cli::new();
    // An engine that nobody could open, and clones that nobody could fetch.
    cli.set("CKI_ENGINE", "docker");
    cli.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    chain(&cli);
    let text = cli.run("run-local app --dry-run -e MINE=hunter22 -- one").ends_with(0).stdout;
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    assert!(place("1. web  needed") < place("ready        when HTTP /token on port 8000"));
    assert!(place("2. app  requested, runs once") < place("needs        web"));
    assert!(text.contains("API_TOKEN=••••••••") && text.contains("IS_PRODUCTION=false"), "{text}");
    assert!(text.contains("  network      isolated: it reaches web\n"), "{text}");
    let plan = cli.run("run-local app --dry-run -o json").ends_with(0).json();
    assert_eq!(plan["components"], serde_json::json!(["app"]));
    let web = &plan["units"][0];
    assert_eq!(
        (&web["name"], &web["requested"], &web["ports"][0]),
        (&"web".into(), &false.into(), &8000.into())
    );
    assert_eq!((&web["limits"]["unprivileged"], &web["published"]), (&true.into(), &serde_json::json!([])));
    let secret = &web["environment"][0];
    assert_eq!((&secret["name"], &secret["value"]), (&"API_TOKEN".into(), &"••••••••".into()));
    assert_eq!(plan["units"][1]["needs"], serde_json::json!(["web"]));
    // What is wrong is wrong here, too.
    cli.run("run-local app --dry-run -e IS_PRODUCTION=true").ends_with(7);
    cli.run("run-local app --print compose --dry-run").ends_with(2);
    cli.run("run-local app --reveal").ends_with(2);
}

/// The documents of a text.
fn documents(text: &str) -> Vec<Value> {
    let parts = text.split("---\n").filter(|part| part.lines().any(|line| !line.starts_with('#')));
    parts.map(|part| cki::base::yaml::parse::<Value>("printed", part).expect("is YAML").0).collect()
}

#[test]
fn run_local_print_compose_contains_the_plan() {
    let cli = Cli::new();
    chain(&cli);
    let text = cli.run("run-local app --print compose").ends_with(0).stdout;
    assert!(
        text.contains("# 1 secret must be in the environment") && text.contains("#   API_TOKEN\n"),
        "{text}"
    );
    let file = documents(&text).remove(0);
    let app = &file["services"]["app"];
    assert_eq!(app["environment"]["API_TOKEN"], "${API_TOKEN:?}");
    assert_eq!(app["environment"]["HARD"], "a $$b \"c\" %d");
    assert_eq!(app["depends_on"]["web"]["condition"], "service_healthy");
    assert_eq!((&app["cap_drop"][0], &app["pids_limit"]), (&"ALL".into(), &4096.into()));
    assert_eq!(file["services"]["web"]["healthcheck"]["test"][0], "CMD");
    assert_eq!(file["networks"]["run"]["internal"], true);
    let open = cli.run("run-local web --print compose --publish 8000 --reveal").ends_with(0).stdout;
    let file = documents(&open).remove(0);
    assert_eq!(file["services"]["web"]["ports"][0], "127.0.0.1:8000:8000");
    assert_eq!(file["networks"]["run"]["internal"], false);
    assert!(!open.contains("${"), "{open}");
}

on!(podman: run_local_print_kube_is_accepted_by_podman);
fn run_local_print_kube_is_accepted_by_podman(cli: &Cli) {
    chain(cli);
    // A name of its own, so that others do not meet it.
    let text = std::fs::read_to_string(cli.project().join("inventory.yaml")).expect("is there");
    let text = text.replace("name: app", "name: app-{id}").replace("name: web", "name: web-{id}");
    cli.inventory(&text.replace("[web]", "[web-{id}]").replace("3 web 8000", "3 web-{id} 8000"));
    // The engine of the tests wants limits with every container.
    let podman = "#!/bin/sh\nif [ \"$1\" = run ]; then shift; set -- run --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \"$@\"; fi\nexec /usr/bin/podman \"$@\"\n";
    let tool = cli.write("bin/podman", podman);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&tool, mode).expect("is ours");
    let path =
        format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", tool.parent().expect("is in a directory").display());
    let address = cli.engine.address().expect("is there");
    let run = |program: &str, args: &[&str]| -> Output {
        let mut command = Command::new(program);
        command.args(args).current_dir(cli.project()).env_clear().env("PATH", &path);
        command.env("CONTAINER_HOST", &address).env("HOME", cli.directory()).env("API_TOKEN", "hunter22");
        command.output().expect("runs")
    };
    let pods = cli.run("run-local app-{id} --print kube --reveal").ends_with(0).stdout;
    let all = documents(&pods);
    let names: Vec<&Value> = all.iter().map(|pod| &pod["metadata"]["name"]).collect();
    assert_eq!(names, [&Value::from(format!("web-{}", cli.id)), &Value::from(format!("app-{}", cli.id))]);
    assert_eq!(all[0]["spec"]["containers"][0]["readinessProbe"]["httpGet"]["port"], 8000);
    std::fs::write(cli.project().join("pods.yaml"), &pods).expect("writes");
    // This engine starts nothing without limits, which Pods do not have.
    let made = run("podman", &["kube", "play", "--start=false", "pods.yaml"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let gone = run("podman", &["kube", "play", "--down", "pods.yaml"]);
    assert!(gone.status.success(), "{}", String::from_utf8_lossy(&gone.stderr));
}

/// The examples of a command's help, as they are written there.
fn examples(cli: &Cli, command: &str) -> Vec<String> {
    let help = cli.run(&format!("{command} --help")).ends_with(0).stdout;
    let begins = format!("cki {command} ");
    help.lines().filter_map(|line| line.trim().strip_prefix(&begins).map(str::to_owned)).collect()
}

#[test]
fn help_examples_can_be_run() {
    let cli = Cli::new();
    let runs = examples(&cli, "run-local");
    assert!(runs.len() > 3, "{runs:?}");
    for example in runs {
        let line = example.split(" > ").next().unwrap_or_default();
        let plan = if line.contains("--print") { "" } else { "--dry-run " };
        cli.run(&format!("run-local {plan}{}", line.replace("'{}'", "x"))).ends_with(0);
    }
    for example in examples(&cli, "env") {
        let line = example.split(" > ").next().unwrap_or_default().to_owned();
        // Nothing is cloned here.
        let code = if line.contains("--scan") { 3 } else { 0 };
        cli.run(&format!("env {line}")).ends_with(code);
    }
}
