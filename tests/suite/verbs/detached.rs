//! Tests of `cki run-local --detach`, `ps`, `logs`, `exec` and `down`: they find detached runs by their labels
//! alone. Engines are shared, so each test has a component with a name of its own.

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::engine::on;

/// A server that says what it is asked and knows a secret, with one that it needs.
fn server(cli: &Cli) {
    let script =
        "echo begins with $API_TOKEN; echo an error >&2; trap 'exit 0' TERM; while :; do sleep 0.1; done";
    let command = serde_json::json!(["sh", "-c", script]);
    let helper =
        serde_json::json!(["sh", "-c", "echo helps; trap 'exit 0' TERM; while :; do sleep 0.1; done"]);
    cli.inventory(&format!(
        "components:
  - name: web-{{id}}
    category: service
    image: {{busybox}}
    environment: [{{name: API_TOKEN, secret: true}}]
    run: {{command: {command}, needs: [help-{{id}}], ready: {{log: begins}}}}
  - {{name: help-{{id}}, category: service, image: '{{busybox}}', run: {{command: {helper}, ready: {{log: helps}}}}}}
"
    ));
}

/// Returns the runs of this test by `cki ps`.
fn running(cli: &Cli) -> Vec<serde_json::Value> {
    let all = cli.run("ps -o json").ends_with(0).json();
    let all = all["instances"].as_array().expect("is a list").clone();
    all.into_iter().filter(|one| one["name"].as_str().is_some_and(|name| name.contains(&cli.id))).collect()
}

on!(docker, podman, native: ps_logs_exec_and_down_find_a_detached_run);
fn ps_logs_exec_and_down_find_a_detached_run(cli: &Cli) {
    server(cli);
    let foreign = cli
        .engine
        .has_images()
        .then(|| cli.bench().foreign(&format!("foreign-{}", cli.id), &["sleep", "1000"]));
    let started = cli.run("run-local web-{id} --detach").ends_with(0);
    let started = started.says("continues as run RUN-------.");
    started.says("cki logs -f web-TESTID · cki exec web-TESTID COMMAND · cki down web-TESTID");
    let instances = running(cli);
    let facts = |name: &str| -> Vec<String> {
        instances.iter().map(|one| one[name].to_string().replace(&cli.id, "ID")).collect()
    };
    assert_eq!(facts("name"), [r#""web-ID""#, r#""help-ID""#]);
    assert_eq!(facts("role"), [r#""component""#, r#""service""#]);
    assert_eq!(facts("state"), [r#""running""#; 2]);
    assert_eq!(facts("detached"), ["true"; 2]);
    assert_eq!(facts("run")[0], facts("run")[1]);
    assert_logs_and_exec(cli, instances[0]["run"].as_str().expect("is text"));
    assert_snapshot!(cli.run("down web-{id}"), @"
    --- stderr
      stopping     help-TESTID and web-TESTID
    Removed `help-TESTID` and `web-TESTID`.
    --- exit 0
    ");
    assert_eq!(running(cli), [serde_json::Value::Null; 0]);
    assert_eq!(cli.leftovers(), [""; 0]);
    if let Some(foreign) = foreign {
        assert!(foreign.runs(), "what is not ours is not touched");
    }
    cli.run("down web-{id}").ends_with(0).says("`web-TESTID` is not running.");
}

fn assert_logs_and_exec(cli: &Cli, run: &str) {
    let logs = cli.run("logs web-{id}").ends_with(0);
    let all = format!("{}{}", logs.stdout, logs.stderr);
    assert!(all.contains("begins with ••••••••\n") && all.contains("an error\n"), "{all}");
    assert_eq!(cli.run("logs --tail 1 help-{id}").ends_with(0).stdout, "helps\n");
    let mut follower = cli.start("logs -f web-{id}");
    follower.until("begins");
    follower.signal(Signal::SIGINT);
    follower.end().ends_with(130);
    // By the beginning of the run's id, too; with input, and with the code of the command.
    let exec =
        cli.call(&format!("exec {} -- sh -c 'cat; echo $API_TOKEN; exit 9'", &run[..6])).stdin("hello\n");
    assert_eq!(exec.end().ends_with(9).stdout, "hello\n••••••••\n");
    cli.run("exec help-{id} -- no-such-program").fails();
}

on!(docker, podman, native: logs_follow_ends_with_the_component);
fn logs_follow_ends_with_the_component(cli: &Cli) {
    let script = "echo begins; while ! [ -e /tmp/end-{id} ]; do sleep 0.1; done; rm /tmp/end-{id}; echo ends";
    let command = serde_json::json!(["sh", "-c", script]);
    cli.inventory(&format!(
        "components: [{{name: web-{{id}}, category: x, image: '{{busybox}}', run: {{command: {command}}}}}]\n"
    ));
    cli.run("run-local web-{id} --detach").ends_with(0);
    let mut follower = cli.start("logs -f web-{id}");
    follower.until("begins");
    cli.run("exec web-{id} -- touch /tmp/end-{id}").ends_with(0);
    assert_eq!(follower.end().ends_with(0).stdout, "begins\nends\n");
    cli.run("down web-{id}").ends_with(0);
}

on!(docker, podman, native: logs_asks_for_a_run_id_if_a_component_runs_twice);
fn logs_asks_for_a_run_id_if_a_component_runs_twice(cli: &Cli) {
    server(cli);
    cli.run("run-local web-{id} --detach").ends_with(0);
    let of_run = || {
        running(cli).iter().map(|one| one["run"].as_str().expect("is text").to_owned()).collect::<Vec<_>>()
    };
    let here = of_run();
    cli.run("run-local web-{id} --detach").ends_with(0).says("from before");
    cli.run("run-local web-{id}").ends_with(0).says("from before");
    assert_eq!(of_run(), here, "nothing was made or removed");
    cli.run("run-local web-{id} --detach -e MORE=1").ends_with(0).says("web-TESTID of run RUN-------");
    assert_eq!(running(cli).len(), 2, "it has taken the place");
    cli.run("run-local web-{id} --detach --new").ends_with(0);
    let runs: Vec<_> =
        running(cli).iter().map(|one| one["run"].as_str().expect("is text").to_owned()).collect();
    assert_eq!(runs.len(), 4);
    assert_snapshot!(cli.run("logs web-{id}"), @"
    --- stderr
    error: `web-TESTID` is running 2 times.
    hint: say which: `cki logs RUN-------/web-TESTID`, `cki logs RUN-------/web-TESTID`. `cki ps` tells them apart.
    --- exit 2
    ");
    cli.run(&format!("logs {}", runs[0])).ends_with(0).says("begins");
    cli.run(&format!("down {}", runs[0])).ends_with(0);
    assert_eq!(running(cli).len(), 2, "the other one goes on");
    down_prints_removed_resources_as_json(cli, &runs);
}

fn down_prints_removed_resources_as_json(cli: &Cli, runs: &[String]) {
    let down = cli.run("down web-{id} -o json").ends_with(0).json();
    let other = runs.iter().find(|run| **run != runs[0]).expect("there are two");
    let facts = |key: &str| -> Vec<String> {
        let all = down["instances"].as_array().expect("is a list").iter();
        all.map(|one| one[key].as_str().expect("is text").replace(&cli.id, "ID")).collect()
    };
    assert_eq!(facts("name"), ["help-ID", "web-ID"]);
    assert_eq!(facts("component"), ["service/web-ID"; 2]);
    assert_eq!(facts("run"), [other.clone(), other.clone()]);
    let networks = if cli.engine.has_images() { vec![format!("cki-{other}")] } else { Vec::new() };
    assert_eq!(down["networks"], serde_json::json!(networks));
    let nothing = cli.run("down web-{id} --volumes -o json").ends_with(0).json();
    for key in ["instances", "networks", "volumes", "data"] {
        assert_eq!(nothing[key], serde_json::json!([]), "{key}");
    }
}

on!(docker, podman, native: logs_and_down_accept_a_component_that_has_exited);
fn logs_and_down_accept_a_component_that_has_exited(cli: &Cli) {
    cli.inventory("components: [{name: web-{id}, category: x, image: '{busybox}', environment: [{name: API_TOKEN, secret: true}], run: {command: [sh, -c, 'echo over with $API_TOKEN; exit 3']}}]\n");
    cli.run("run-local web-{id} --detach").ends_with(0);
    cli.wait_for("its end", || running(cli).iter().all(|one| one["state"] == "exited"));
    assert_eq!(cli.run("logs web-{id}").ends_with(0).stdout, "over with ••••••••\n");
    cli.run("exec web-{id} -- true").fails();
    cli.run("down web-{id}").ends_with(0);
}

on!(docker, podman, native: down_kills_a_component_on_a_signal);
fn down_kills_a_component_on_a_signal(cli: &Cli) {
    let script = "trap 'echo told' TERM; echo begins; while :; do sleep 0.1; done";
    let command = serde_json::json!(["sh", "-c", script]);
    cli.inventory(&format!(
        "components: [{{name: web-{{id}}, category: x, image: '{{busybox}}', run: {{command: {command}, ready: {{log: begins}}}}}}]\n"
    ));
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        cli.run("run-local web-{id} --detach").ends_with(0);
        let down = cli.call("down web-{id}").set("CKI_RUN_STOP_GRACE", "60").start();
        cli.wait_for("it to be told", || cli.run("logs web-{id}").stdout.contains("told"));
        down.signal(signal);
        let began = std::time::Instant::now();
        down.end().ends_with(code).says("Removed `web-TESTID`.");
        assert!(began.elapsed() < std::time::Duration::from_secs(40), "the time of grace was waited for");
        assert_eq!(cli.leftovers(), [""; 0]);
    }
}

on!(docker, podman: gc_cleans_up_after_a_container_removed_by_hand);
fn gc_cleans_up_after_a_container_removed_by_hand(cli: &Cli) {
    cli.inventory(
        "components: [{name: web-{id}, category: x, image: '{busybox}', run: {command: [sleep, '1000']}}]\n",
    );
    for how in ["--detach", "--keep always"] {
        let mut run = cli.start(&format!("run-local web-{{id}} {how}"));
        if how == "--detach" {
            run.end().ends_with(0);
        } else {
            run.wait("starts it", |_| !running(cli).is_empty());
            run.signal(Signal::SIGINT);
            run.end().ends_with(130);
        }
        cli.remove_by_hand(&format!("web-{}", cli.id));
        // Another test's `cki` may be quicker.
        cli.run("gc").ends_with(0);
        cli.wait_for("it to be gone", || cli.leftovers().is_empty());
    }
}

#[test]
fn ps_logs_exec_and_down_work_without_an_engine() {
    let cli = Cli::new();
    server(&cli);
    assert_snapshot!(cli.run("ps"), @"
    --- stderr
    Nothing is running. `cki run-local COMPONENT --detach` starts something.
    --- exit 0
    ");
    assert_snapshot!(cli.run("ps -o json"), @r#"
    {
      "schema_version": 2,
      "instances": []
    }
    --- exit 0
    "#);
    assert_snapshot!(cli.run("logs web-{id}"), @"
    --- stderr
    error: `web-TESTID` is not running.
    hint: `cki run-local web-TESTID --detach` starts it.
    hint: nothing of this inventory is running; `cki ps --all` shows the runs of others.
    --- exit 3
    ");
    assert_snapshot!(cli.run("down"), @"
    --- stderr
    Nothing was running.
    --- exit 0
    ");
    cli.run("run-local web-{id} --detach").ends_with(0);
    assert_snapshot!(cli.run("exec nobody -- true"), @"
    --- stderr
    error: there is no component or backing service `nobody` in the inventory (untitled, /tmp/cki-TESTID/project/inventory.yaml).
    hint: `cki list` shows all components, and `cki list services` all backing services.
    --- exit 3
    ");
    cli.run("run-local help-{id} --detach").ends_with(0);
    assert_snapshot!(cli.run("down"), @"
    --- stderr
      stopping     help-TESTID, help-TESTID and web-TESTID
    Removed `help-TESTID` of run RUN-------, `help-TESTID` of run RUN------- and `web-TESTID`.
    --- exit 0
    ");
    assert_snapshot!(cli.run("down --all"), @"
    --- stderr
    error: `--all` needs a confirmation, and there is no terminal to ask on; add `--yes`.
    hint: `cki down --help` shows its usage.
    --- exit 2
    ");
    cli.run("down nobody")
        .ends_with(3)
        .says("there is no component or backing service `nobody` in the inventory");
    assert_snapshot!(cli.run("run-local help-{id} --detach --once"), @"
    --- stderr
    error: `--detach` cannot be combined with `--once`.
    hint: `cki run-local --help` shows its usage.
    --- exit 2
    ");
}
