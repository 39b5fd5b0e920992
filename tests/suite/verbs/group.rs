//! `cki run-local` of several components at once: one run, one network, one end.

use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::engine::on;

/// An inventory of components that run scripts: name, kind, script, and what else `run` says.
fn components(cli: &Cli, all: &[(&str, &str, &str, &str)]) {
    let mut text = "production: {environment: {IS_PRODUCTION: 'false'}}\ncomponents:\n".to_owned();
    for (name, kind, script, more) in all {
        let command = serde_json::json!(["sh", "-c", script, name]);
        let more = if more.is_empty() { String::new() } else { format!(", {more}") };
        text.push_str(&format!(
            "  - {{name: {name}, category: {kind}, kind: {kind}, image: '{{busybox}}', run: {{command: {command}{more}}}}}\n"
        ));
    }
    cli.inventory(&text);
}

/// The lines of an output, sorted: which of two is the faster does not matter.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

const SERVER: &str = "busybox httpd -f -p {port} -h /etc & echo listening; wait";
const READY: &str = "ports: [{port}], ready: {http: /passwd, port: {port}}";

on!(docker, podman, native: run_local_group_ends_with_its_last_job);
fn run_local_group_ends_with_its_last_job(cli: &Cli) {
    components(
        cli,
        &[("a", "job", "echo from a $X", ""), ("long", "job", "echo from long $X; echo bad >&2", "")],
    );
    let outcome = cli.run("run-local a long a -e X=1").ends_with(0);
    // Names are aligned from the first line on, wherever the lines go.
    assert_eq!(sorted(&outcome.stdout), ["a    │ from a 1", "long │ from long 1"]);
    let outcome = outcome.says("long │ bad").says("  env          a: 2 variables: 1 yours, 1 locked");
    let outcome = outcome.says("  a            ended").says("  long         ended");
    outcome
        .says("isolated: they reach each other")
        .says("✔ `a` and `long` ended after TIME, nothing left behind.");
}

on!(docker, podman, native: run_local_group_stops_when_one_component_fails);
fn run_local_group_stops_when_one_component_fails(cli: &Cli) {
    let until = "while [ ! -e /tmp/stop ]; do sleep 0.05; done";
    let server = format!("trap 'echo asked to end; exit 0' TERM; echo up; {until}");
    components(
        cli,
        &[
            ("web", "service", &server, ""),
            ("job", "job", "sleep 1; exit 3", ""),
            ("fine", "job", "true", ""),
        ],
    );
    let outcome = cli.run("run-local web job fine").ends_with(3);
    assert_eq!(outcome.stdout, "web  │ up\nweb  │ asked to end\n");
    let outcome = outcome.says("  fine         ended").says("  job          ended with exit code 3");
    outcome.says("  stopping     web").says("✘ `web`, `job` and `fine` ended with exit code 3 after TIME");
}

on!(docker, podman, native: run_local_group_starts_a_shared_dependency_once);
fn run_local_group_starts_a_shared_dependency_once(cli: &Cli) {
    // The one that is needed hears a signal after those who need it.
    let web = format!(
        "trap 'echo web ends; exit 0' TERM; {}",
        SERVER.replace("wait", "while :; do sleep 0.05; done")
    );
    let app = "trap 'echo app ends; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    components(
        cli,
        &[
            ("web", "service", &web, READY),
            ("app", "service", app, "needs: [web]"),
            ("job", "job", "true", ""),
        ],
    );
    let mut run = cli.start("run-local app web job");
    run.until("web │ listening");
    run.until("app │ up");
    run.until("  job          ended");
    run.signal(Signal::SIGINT);
    let outcome =
        run.end().ends_with(130).says("`web`, `app` and `job` were stopped after TIME, nothing left behind.");
    assert_eq!(outcome.stdout.matches("listening").count(), 1);
    let at = |text: &str| outcome.stdout.find(text).unwrap_or_else(|| panic!("{text}: {outcome}"));
    assert!(
        at("web │ listening") < at("app │ up") && at("app │ app ends") < at("web │ web ends"),
        "{outcome}"
    );
}

on!(docker, podman, native: run_local_group_fails_when_a_dependency_ends);
fn run_local_group_fails_when_a_dependency_ends(cli: &Cli) {
    components(
        cli,
        &[
            ("web", "service", "echo ready; sleep 1", "ready: {log: ready}"),
            ("app", "service", "echo up; sleep 1000", "needs: [web]"),
        ],
    );
    cli.run("run-local app web").fails().says("error: `web` ended with exit code 0 while it was needed.");
}

on!(docker, podman, native: run_local_group_detaches_when_all_are_ready);
fn run_local_group_detaches_when_all_are_ready(cli: &Cli) {
    let slow = "sleep 1; echo ready; sleep 1000";
    components(
        cli,
        &[("slow", "service", slow, "ready: {log: ready}"), ("quick", "service", "echo up; sleep 1000", "")],
    );
    let outcome = cli.run("run-local slow quick --detach").ends_with(0);
    outcome.says("`slow` and `quick` continue as run RUN-------.");
    let log = cli.run("logs slow").ends_with(0);
    assert!(log.stdout.contains("ready"), "{log}");
    let list = cli.run("ps -o json").ends_with(0).stdout;
    assert!(list.contains("job/slow") || list.contains("service/slow"), "{list}");
    assert!(list.contains("service/quick"), "{list}");
    cli.run("down quick slow").ends_with(0);
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman, native: run_local_group_runs_twice_concurrently);
fn run_local_group_runs_twice_concurrently(cli: &Cli) {
    let app = "echo up; trap 'exit 0' TERM; while :; do sleep 0.05; done";
    components(cli, &[("web", "service", SERVER, READY), ("app", "service", app, "needs: [web]")]);
    let mut runs = [(); 2].map(|()| cli.start("run-local web app"));
    for run in &mut runs {
        run.until("app │ up");
    }
    for run in runs {
        run.signal(Signal::SIGTERM);
        run.end().ends_with(143).says("nothing left behind");
    }
}

#[test]
fn run_local_group_refuses_options_for_one_component() {
    let cli = Cli::new();
    components(&cli, &[("a", "job", "true", ""), ("b", "job", "true", ""), ("c", "job", "true", "")]);
    for (flags, said) in [
        ("a b --mr 3", "error: `--mr` is for one component, and 2 are given."),
        ("a b c --image x", "error: `--image` is for one component, and 3 are given."),
        ("a b -- x", "error: `ARGS` is for one component, and 2 are given."),
    ] {
        cli.run(&format!("run-local {flags}")).ends_with(2).says(said);
    }
    cli.inventory_more("  - {name: a, category: other, image: x}\n");
    let outcome = cli.run("run-local job/a other/a").ends_with(2);
    outcome.says("error: `job/a` and `other/a` have the same name, and cannot be in one group.");
    cli.run("run-local").ends_with(2);
    cli.run("run-local b nobody").ends_with(3).says("there is no component or backing service `nobody`");
    // The same twice is one.
    cli.run("run-local b b -- x").ends_with(0);
}
