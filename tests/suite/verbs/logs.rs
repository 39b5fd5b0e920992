//! Tests of `cki logs` with several components and with time ranges, and of readiness in `cki ps`. Logs of one
//! component are in `detached`.

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};

/// Components that say something and run on: a name, what they do, and more of `run`.
fn inventory(cli: &Cli, all: &[(&str, &str, &str)]) {
    let mut text = "components:\n".to_owned();
    for (name, script, more) in all {
        let command = serde_json::json!(["sh", "-c", script]);
        text += &format!(
            "  - {{name: {name}-{{id}}, category: x, image: '{{busybox}}', run: {{command: {command}{more}}}}}\n"
        );
    }
    cli.inventory(&text);
}

on!(docker, podman, native: logs_merges_components_by_time);
fn logs_merges_components_by_time(cli: &Cli) {
    let second = |text: &str| format!("sleep 1.1; echo {text}; sleep 1000");
    inventory(
        cli,
        &[
            ("a", &format!("echo a1; echo error >&2; {}", second("a2")), ", ready: {log: a1}"),
            ("long", &format!("echo b1; {}", second("b2")), ", ready: {log: b1}"),
            ("later", "echo c1; sleep 1000", ""),
        ],
    );
    cli.run("run-local a-{id} --detach").ends_with(0);
    cli.run("run-local long-{id} --detach").ends_with(0);
    let mut follower = cli.start("logs -f a-{id} long-{id} later-{id}");
    follower.until("error: `later-{id}` is not running");
    follower.end().ends_with(3);
    let mut follower = cli.start("logs -f a-{id} long-{id}");
    follower.until("long-{id} │ b2");
    follower.until("a-{id}    │ a2");
    follower.signal(Signal::SIGINT);
    follower.end().ends_with(130);
    if cli.engine.has_images() {
        let both = cli.run("logs long-{id} a-{id}").ends_with(0);
        let lines: Vec<&str> = both.stdout.lines().map(|line| &line[line.len() - 2..]).collect();
        // How long the second took to start is the machine's affair, and Podman knows whole seconds
        // only: each keeps its own order.
        let at = |text: &str| lines.iter().position(|line| *line == text);
        assert!(lines.len() == 4 && at("a1") < at("a2") && at("b1") < at("b2"), "{both}");
        assert!(at("a1").is_some() && at("b1").is_some(), "{both}");
        if cli.engine == Engine::Docker {
            assert!(at("a1") < at("b1") && at("a2") < at("b2"), "by time: {both}");
        }
        assert_eq!(both.stderr, cli.fill("a-{id}    │ error\n"));
    }
    assert_eq!(cli.run("logs -n 1 long-{id}").ends_with(0).stdout, "b2\n");
    let json = cli.run("logs -o json --tail 1 long-{id}").ends_with(0);
    assert!(json.stdout.contains(r#""stream":"stdout","text":"b2""#), "{json}");
    for name in ["a", "long"] {
        cli.run(&format!("down {name}-{{id}}")).ends_with(0);
    }
}

on!(docker, podman, native: logs_follow_includes_a_run_started_later);
fn logs_follow_includes_a_run_started_later(cli: &Cli) {
    inventory(cli, &[("a", "echo first up; sleep 1000", ", ready: {log: up}")]);
    cli.run("run-local a-{id} --detach").ends_with(0);
    let mut follower = cli.start("logs -f a-{id}");
    follower.until("first up");
    inventory(cli, &[("a", "echo second up; sleep 1000", ", ready: {log: up}")]);
    cli.run("run-local a-{id} --detach --new").ends_with(0);
    follower.until("│ second up");
    cli.run("down").ends_with(0);
    follower.end().ends_with(0);
}

on!(docker, podman: logs_filters_by_since_and_prints_timestamps);
fn logs_filters_by_since_and_prints_timestamps(cli: &Cli) {
    inventory(cli, &[("a", "echo begins; sleep 1000", ", ready: {log: begins}")]);
    cli.run("run-local a-{id} --detach").ends_with(0);
    assert_eq!(cli.run("logs a-{id} --since 10m").ends_with(0).stdout, "begins\n");
    assert_eq!(cli.run("logs a-{id} --since 2100-01-01").ends_with(0).stdout, "");
    let timed = cli.run("logs a-{id} --timestamps --since 1h").ends_with(0);
    let (time, text) = timed.stdout.split_once(' ').expect("has a time");
    let time: jiff::Timestamp = time.parse().expect("is a time");
    assert_eq!(text, "begins\n");
    assert!(jiff::Timestamp::now().duration_since(time).as_secs() < 600);
    let json = cli.run("logs a-{id} -o json --timestamps").ends_with(0);
    assert!(json.stdout.contains(&format!(r#""time":"{}"#, &timed.stdout[..17])), "{json}");
    assert_snapshot!(cli.run("logs a-{id} --since soon"), @"
    --- stderr
    error: `--since soon` is neither a span of time as `10m` nor a time as `14:30`.
    hint: `cki logs --help` shows its usage.
    --- exit 2
    ");
    cli.run("down a-{id}").ends_with(0);
}

#[test]
fn logs_refuses_timestamps_without_an_engine() {
    let cli = Cli::new();
    inventory(&cli, &[("a", "echo begins; sleep 1000", ", ready: {log: begins}")]);
    cli.run("run-local a-{id} --detach").ends_with(0);
    assert_snapshot!(cli.run("logs a-{id} --timestamps"), @"
    --- stderr
    error: timestamps are not available for `a-TESTID`: the native engine does not record them.
    hint: leave `--since` and `--timestamps` out, or let the component write times itself.
    --- exit 2
    ");
    cli.run("down a-{id}").ends_with(0);
}

on!(docker, podman, native: ps_probes_readiness_when_called);
fn ps_probes_readiness_when_called(cli: &Cli) {
    let probe = "ready: {exec: [sh, -c, '[ ! -e /tmp/broken-{id} ] || { echo is broken; exit 3; }']}";
    inventory(
        cli,
        &[
            ("web", "busybox httpd -f -p {port} -h /etc", ", ready: {http: /passwd, port: {port}}"),
            ("log", "echo up; sleep 1000", ", ready: {log: up}"),
            ("own", "sleep 1000", &format!(", {probe}")),
            ("none", "sleep 1000", ""),
        ],
    );
    for name in ["web", "log", "own", "none"] {
        cli.run(&format!("run-local {name}-{{id}} --detach")).ends_with(0);
    }
    let states = || -> Vec<(String, serde_json::Value, serde_json::Value)> {
        let all = cli.run("ps -o json").ends_with(0).json();
        let all = all["instances"].as_array().expect("is a list").clone();
        let ours =
            all.into_iter().filter(|one| one["name"].as_str().is_some_and(|name| name.ends_with(&cli.id)));
        ours.map(|one| {
            let name = one["name"].as_str().expect("is text").replace(&format!("-{}", cli.id), "");
            (name, one["ready"].clone(), one["not_ready_reason"].clone())
        })
        .collect()
    };
    // A machine that does much else may take longer than `ps` waits.
    cli.wait_for("all to be ready", || {
        let ready = states().iter().filter(|(_, ready, _)| *ready == true).count();
        ready == 3
    });
    assert!(states().iter().any(|(name, ready, why)| name == "none" && ready.is_null() && why.is_null()));
    cli.run("exec own-{id} -- touch /tmp/broken-{id}").ends_with(0);
    let reason = |(name, ready, why): &(String, serde_json::Value, serde_json::Value)| {
        name == "own"
            && *ready == false
            && why.as_str().is_some_and(|why| why.ends_with("ends with 3: is broken"))
    };
    cli.wait_for("it to be broken", || states().iter().any(reason));
    cli.wait_for("it to be said", || {
        let ps = cli.call("ps").set("CKI_RUN_READY_TIMEOUT", "1").end().ends_with(0);
        ps.stdout.contains("✘ not ready") && ps.stderr.contains(&cli.fill("`own-{id}` is not ready: `sh -c"))
    });
    cli.run("exec own-{id} -- rm /tmp/broken-{id}").ends_with(0);
    if cli.engine == Engine::Native {
        assert!(std::net::TcpStream::connect(("127.0.0.1", cli.port)).is_err(), "it is on its own network");
    }
    for name in ["web", "log", "own", "none"] {
        cli.run(&format!("down {name}-{{id}}")).ends_with(0);
    }
}
