//! A machine that fails while `cki` works on it: an engine that gets stuck, disks without room, output
//! without measure. A component that fails, such as one that is never ready, is in `run` and `dependencies`.

use std::time::{Duration, Instant};

use super::app;
use crate::support::call::StartedRun;
use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};
use crate::support::proxy::{Hold, Proxy};
use crate::support::repository::Repositories;

/// The most memory of its own that it may take while it follows.
const MEMORY: u64 = 15 << 20;

on!(docker: run_local_times_out_on_a_stuck_engine);
fn run_local_times_out_on_a_stuck_engine(cli: &Cli) {
    app(cli, "service", "echo up; sleep 1000", "");
    let address = cli.engine.address().expect("is one");
    let proxy = Proxy::before(&address, &cli.directory().join("engine.sock"));
    cli.wait_for("the socket", || proxy.listens());
    let mut run = cli.call("run-local app").set("DOCKER_HOST", proxy.address()).start();
    run.until("up");
    let began = Instant::now();
    proxy.freeze();
    let ended = run.end().ends_with(6).says("The next `cki` that uses the engine removes it; ");
    ended.says("error: the container engine at `unix:///tmp/cki-TESTID/engine.sock` does not answer");
    assert!(began.elapsed() < Duration::from_secs(80));
    assert_ne!(cli.leftovers(), [""; 0], "nobody could remove it");
    cli.run("ps -q").ends_with(0);
    cli.wait_for("it to be gone", || cli.leftovers().is_empty());
}

on!(docker: every_command_times_out_on_a_stuck_engine);
fn every_command_times_out_on_a_stuck_engine(cli: &Cli) {
    app(cli, "service", "echo up; sleep 1000", "");
    let address = cli.engine.address().expect("is one");
    let hold = Hold::Request("GET /containers/json");
    let proxy = Proxy::holding(&address, &cli.directory().join("engine.sock"), hold);
    cli.wait_for("the socket", || proxy.listens());
    let began = Instant::now();
    let lines = ["ps", "logs app", "exec app -- true", "down app", "gc", "run-local app"];
    let all = lines.map(|line| cli.call(line).set("DOCKER_HOST", proxy.address()).start());
    for command in all {
        let ended = command.end().ends_with(6);
        ended.says("does not answer when asked to list containers");
    }
    // Each of them asks once, or twice, and waits for 20 seconds.
    assert!(began.elapsed() < Duration::from_secs(80));
}

/// The most memory that it has of its own, until it ends.
fn peak_memory_until_end(run: &mut StartedRun<'_>) -> u64 {
    let mut peak = 0;
    while !run.has_ended() {
        peak = peak.max(run.own_memory());
        // A sample of the memory, until the process ends.
        std::thread::sleep(Duration::from_millis(10));
    }
    peak
}

on!(docker, podman, native: run_local_and_logs_bound_memory_on_a_huge_line);
fn run_local_and_logs_bound_memory_on_a_huge_line(cli: &Cli) {
    // Engines keep a log of their own, and are slow at it.
    let length = if cli.engine == Engine::Native { 20_000_000 } else { 6_000_000 };
    let script = "head -c $LENGTH /dev/zero | tr '\\0' x; echo; echo end";
    let command = serde_json::json!(["sh", "-c", script]);
    cli.inventory(&format!("components: [{{name: app-{{id}}, category: x, kind: job, image: '{{busybox}}', environment: [{{name: API_TOKEN, secret: true}}], run: {{command: {command}}}}}]\n"));
    let mut run = cli.start(&format!("run-local app-{{id}} -q -e LENGTH={length}"));
    let most = peak_memory_until_end(&mut run);
    let shown = run.end().ends_with(0).stdout;
    assert!(shown.ends_with("x\nend\n"));
    assert_eq!(shown.bytes().filter(|byte| *byte == b'x').count(), length);
    assert!(most > 0 && most <= MEMORY, "took {most} bytes");
    drop(shown);
    // Without an engine, so much of a log is kept when nobody reads it in time.
    cli.run("run-local app-{id} --detach -e LENGTH=6000000").ends_with(0);
    let mut follower = cli.start("logs -f app-{id}");
    let most = peak_memory_until_end(&mut follower);
    let shown = follower.end().ends_with(0).stdout;
    assert!(shown.ends_with("x\nend\n"), "{}", shown.len());
    assert!(most > 0 && most <= MEMORY, "took {most} bytes");
    cli.run("down app-{id}").ends_with(0);
}

#[test]
fn clone_and_run_local_report_a_full_workspace_disk() {
    let cli = Cli::new();
    let repositories = Repositories::new(&cli);
    repositories.commit_noise("tools", 1 << 20);
    cli.inventory("repos: {tools: '{served}/tools.git'}\ncomponents: [{name: app, category: x, sources: [{repo: tools}], run: {command: [sh, -c, 'echo never']}}]\n");
    std::fs::create_dir_all(cli.workspace()).expect("makes a directory");
    for line in ["clone app", "run-local app"] {
        let outcome = cli.call(line).cramped(&cli.workspace(), 256).end().fails();
        assert!(outcome.stderr.contains("No space left on device"), "{outcome}");
        assert!(!outcome.stderr.contains("there is"), "a half clone is left: {outcome}");
        assert!(matches!(outcome.code, 1 | 6), "{outcome}");
    }
}

#[test]
fn run_local_continues_when_its_log_disk_is_full() {
    let cli = Cli::new();
    app(&cli, "job", "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 100; echo; echo end", "");
    let runtime = cli.directory().join("runtime");
    // The run goes on without the log that others would read.
    let outcome = cli.call("run-local app").cramped(&runtime, 512).end().ends_with(0);
    assert!(outcome.stdout.ends_with("\nend\n"));
    assert!(outcome.stdout.len() > 3_000_000);
    assert_eq!(outcome.stderr.matches("there is").count(), 1, "{}", outcome.stderr);
    let outcome = cli.call("run-local app").cramped(&runtime, 4).end().fails();
    assert!(outcome.stderr.contains("No space left on device"), "{outcome}");
}

on!(docker, podman: build_reports_a_full_temporary_disk);
fn build_reports_a_full_temporary_disk(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit_noise("tools", 1 << 20);
    cli.inventory("repos: {tools: '{served}/tools.git'}\ncomponents: [{name: made-{id}, category: x, build: {repo: tools}, run: {command: ['true']}}]\n");
    cli.run("clone made-{id}").ends_with(0);
    cli.write("../home/cki/tools/Dockerfile", "FROM {busybox}\nCOPY noise /\n");
    let outcome = cli.call("build made-{id}").cramped(&cli.directory().join("temporary"), 256).end().fails();
    assert!(outcome.stderr.contains("No space left on device"), "{outcome}");
    assert!(!outcome.stderr.contains("there is"), "{outcome}");
    assert!(cli.bench().images(&cli.fill("cki.component=x/made-{id}")).is_empty());
}

#[test]
fn commands_report_a_read_only_state_directory() {
    let cli = Cli::new();
    cli.write("cki.toml", "inventory = 'i'\n");
    cli.write("i/inventory.yaml", SECRETIVE);
    let state = cli.directory().join("state");
    std::fs::create_dir(&state).expect("makes a directory");
    let call = |line: &str| {
        let call = cli.call(line).set("XDG_STATE_HOME", state.display().to_string());
        let inventory = cli.project().join("i").display().to_string();
        call.set("CKI_INVENTORY", inventory).untrusting().read_only(&state).end()
    };
    for line in ["run-local app", "env app", "trust"] {
        let outcome = call(line).fails();
        assert!(outcome.stderr.contains("Read-only file system"), "{outcome}");
        assert!(outcome.stderr.contains("hint: set `XDG_STATE_HOME` to a directory that"), "{outcome}");
        assert!(!outcome.stderr.contains("there is"), "{outcome}");
    }
    let outcome = call("doctor").fails();
    assert!(outcome.stdout.contains("the state of workspaces cannot be stored"), "{outcome}");
    for line in ["list", "ps", "gc"] {
        call(line).ends_with(0);
    }
}

/// A component whose environment has a placeholder secret, which is kept in the state directory.
const SECRETIVE: &str = "components: [{name: app, category: x, kind: job, environment: [{name: API_TOKEN, secret: true}], run: {command: ['true']}}]\n";
