//! Tests of `cki doctor` on complete, incomplete and broken machines, with a GitLab server and with engines.

use std::time::{Duration, Instant};

use cki::demo::gitlab::{
    ControlFile, FaultKind, InjectedFault, StandIn, StandInConfig, StandInOptions, TimeScale,
};
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::cli::{Cli, Outcome};
use crate::support::engine::on;

/// The checks of a JSON answer, by name.
fn check(outcome: &Outcome, name: &str) -> Value {
    let json = outcome.json();
    let checks = json["checks"].as_array().expect("has checks");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {json:#}")).clone()
}

/// State and finding.
fn found(outcome: &Outcome, name: &str) -> (String, String) {
    let check = check(outcome, name);
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (text("state"), text("why"))
}

/// A machine without any program but what is in a directory of its own.
fn bare_machine() -> Cli {
    let mut cli = Cli::new();
    let programs = cli.directory().join("programs");
    std::fs::create_dir(&programs).expect("makes");
    cli.set("PATH", programs);
    cli.inventory("repos: {a: 'git@git.example.org:a.git'}\ncomponents: [{name: a, category: x, build: {repo: a, file: b.in}}]");
    cli
}

#[test]
fn doctor_prints_finding_and_fix_of_each_check() {
    let mut cli = bare_machine();
    cli.set("SHELL", "/bin/bash");
    let outcome = cli.run("doctor --offline");
    // How much room there is, and what the kernel allows, is different on each machine.
    let text: String = outcome
        .to_string()
        .lines()
        .filter(|line| !line.starts_with("workspace") && !line.starts_with("native engine"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_snapshot!(text, @"
    CHECK          STATE         FOUND
    configuration  ✔ ok          /tmp/cki-TESTID/project/cki.toml
    inventory      ✔ ok          untitled, /tmp/cki-TESTID/project/inventory.yaml (named by /tmp/cki-TESTID/project/cki.toml:1): 1 component
    clones         ✔ ok          none in the workspace
    engine         – not needed  CKI_ENGINE asks for the native engine
    network        – not needed  no container engine is selected
    leftovers      ✔ ok          nothing is left of runs that were killed
    git            ✘ failed      not installed, and needed for 1 repository behind SSH
                                 · none of these package managers is in PATH: apt-get, dnf, zypper, pacman, apk, brew
    cpp            ! warning     not installed, and needed to build 1 component
                                 · none of these package managers is in PATH: apt-get, dnf, zypper, pacman, apk, brew
    certificates   ✔ ok          system certificates
    gitlab         – not needed  https://gitlab.com (default), not asked with `--offline`
    token          ! warning     none: `cki stage` and private repositories need one
                                 → cki login
    completion     ! warning     bash does not complete `cki`
                                 → cki completions --install
    --- stderr
    14 checks, 1 failed, 3 with a warning
    --- exit 1
    ");
    cli.run("doctor --offline -q").ends_with(1);
}

#[test]
fn doctor_prints_install_commands_of_missing_programs() {
    use std::os::unix::fs::PermissionsExt as _;
    let cli = bare_machine();
    let program = |name: &str| {
        let file = cli.directory().join("programs").join(name);
        std::fs::write(&file, "#!/bin/sh\necho called >&2\n").expect("writes");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("sets the mode");
    };
    program("dnf");
    // The tables of a project are not used.
    cli.write("cki.toml", "inventory = 'inventory.yaml'\ntemplates = 'templates'\n");
    cli.write(
        "templates/packages.yaml",
        "managers: [{program: dnf, install: [evil], engine: x, packages: {git: [git]}}]\nengines: {}\n",
    );
    let fix = |name: &str, flags: &str| {
        let outcome = cli.run(&format!("doctor --offline -o json {flags}"));
        assert!(!outcome.stderr.contains("called"), "{outcome}");
        let fix = check(&outcome, name)["fix"].as_str().unwrap_or_default().to_owned();
        fix.strip_prefix("sudo ").map(str::to_owned).unwrap_or(fix)
    };
    assert_eq!(fix("git", ""), "dnf install git");
    assert_eq!(fix("cpp", ""), "dnf install cpp");
    program("apt-get");
    assert!(fix("git", "").ends_with("apt-get install git"));
}

#[test]
fn doctor_continues_with_unreadable_settings() {
    let cli = bare_machine();
    let file = cli.write("cki.toml", "engine = 'steam'\n");
    let outcome = cli.run("doctor --offline -o json").ends_with(1);
    let (state, why) = found(&outcome, "configuration");
    assert_eq!(state, "failed");
    let place = format!("{}:1:10: `engine` cannot be `steam`", file.display());
    assert!(why.starts_with(&place), "{why}");
    // The others go on without these settings.
    assert_eq!(found(&outcome, "inventory").0, "ok");
    cli.write("cki.toml", "inventroy = 'x'\n");
    let outcome = cli.run("doctor --offline -o json");
    assert_eq!(found(&outcome, "configuration").0, "warning");
    let details = &check(&outcome, "configuration")["details"];
    assert!(details[0].as_str().is_some_and(|line| line.contains("Did you mean `inventory`?")), "{details}");
}

#[test]
fn doctor_fails_if_the_requested_engine_is_missing() {
    let cli = bare_machine();
    let doctor = |flags: &str| {
        cli.call(&format!("doctor --offline -o json {flags}"))
            .set("DOCKER_HOST", "unix:///nonexistent/d.sock")
            .end()
    };
    let outcome = doctor("--engine docker").ends_with(1);
    let (state, why) = found(&outcome, "engine");
    assert_eq!(
        (state.as_str(), why.as_str()),
        ("failed", "no Docker engine answers, and --engine asks for one")
    );
    let engine = check(&outcome, "engine");
    assert_eq!(engine["fix"], "unset DOCKER_HOST");
    assert!(
        engine["details"][0].as_str().is_some_and(|line| line.contains("/nonexistent/d.sock: not there")),
        "{engine}"
    );
    let outcome = doctor("--engine auto");
    assert_eq!(found(&outcome, "engine").0, "warning");
    // Without any, components are processes; that is looked at then.
    assert_ne!(found(&outcome, "native engine").0, "not needed");
    assert_eq!(found(&doctor("--engine native"), "engine").0, "not needed");
}

#[test]
fn doctor_times_out_on_a_hanging_token_command() {
    let cli = Cli::new();
    let sleep = format!("sh -c 'echo $$ > {}/pid; exec sleep 1000'", cli.directory().display());
    let began = Instant::now();
    let outcome = cli
        .call("doctor -o json")
        .set("CKI_GITLAB_TOKEN_COMMAND", sleep)
        .set("CKI_GITLAB_URL", "http://127.0.0.1:9")
        .end();
    assert!(began.elapsed() < Duration::from_secs(30));
    let (state, why) = found(&outcome, "token");
    assert_eq!(state, "failed");
    assert!(why.contains("does not end within"), "{why}");
    let pid = std::fs::read_to_string(cli.directory().join("pid")).expect("it was started");
    assert_eq!(cki::host::process_start_time(pid.trim().parse().expect("a process id")), None);
}

fn stand_in() -> StandIn {
    let config =
        StandInConfig::parse("gitlab.yaml", include_str!("../fixtures/gitlab.yaml")).expect("is valid");
    let began = "2026-11-22T10:00:00Z".parse().expect("is a time");
    StandIn::start(StandInOptions { config, pace: TimeScale::ByHand, began, port: 0 }).expect("starts")
}

#[test]
fn doctor_checks_the_token_with_the_server() {
    let cli = Cli::new();
    let server = stand_in();
    let with = |token: &'static str| {
        let call = cli.call("doctor -o json").set("CKI_GITLAB_URL", server.url());
        let outcome = if token.is_empty() { call.end() } else { call.set("CKI_GITLAB_TOKEN", token).end() };
        assert!(token.is_empty() || !outcome.to_string().contains(token), "the token shows");
        found(&outcome, "gitlab")
    };
    let (state, why) = with("alice-not-a-real-token");
    assert_eq!(state, "ok");
    assert!(why.ends_with(": GitLab 18.5.1-ee, as @alice"), "{why}");
    let (state, why) = with("no-such-token");
    assert_eq!(state, "failed");
    assert!(why.contains("not valid"), "{why}");
    let (state, why) = with("");
    assert_eq!(state, "ok");
    assert!(why.ends_with("not asked without a token"), "{why}");
    let closed = cli.call("doctor -o json").set("CKI_GITLAB_URL", "http://127.0.0.1:9");
    let (state, why) = found(&closed.set("CKI_GITLAB_TOKEN", "x").end(), "gitlab");
    assert_eq!(state, "failed");
    assert!(why.contains("refused"), "{why}");
    let slow = InjectedFault {
        method: None,
        path: String::new(),
        after: 0,
        times: 99,
        done: false,
        kind: FaultKind::Slow(60_000),
    };
    server.control(ControlFile::Misbehave(slow)).expect("is taken");
    let (state, why) = with("alice-not-a-real-token");
    assert_eq!(state, "failed");
    assert!(why.contains("within 3.0 s"), "{why}");
}

#[test]
fn doctor_sends_no_token_to_a_server_of_the_project() {
    let cli = Cli::new();
    cli.write("cki.toml", "[gitlab]\nurl = 'https://gitlab.evil.example'\n");
    let outcome = cli.call("doctor -o json").set("CKI_GITLAB_TOKEN", "precious").end();
    let (state, why) = found(&outcome, "token");
    assert_eq!(state, "warning");
    assert!(why.starts_with("not sent to https://gitlab.evil.example"), "{why}");
    assert!(found(&outcome, "gitlab").1.ends_with("not asked without a token"));
}

fn doctor_counts_leftovers_of_killed_runs(cli: &Cli) {
    cli.inventory(
        "components: [{name: sleeper, category: x, image: '{busybox}', run: {command: [sleep, '1000']}}]",
    );
    let doctor = || found(&cli.run("doctor --offline -o json"), "leftovers");
    let running =
        |cli: &Cli| cli.run("ps -o json").json()["instances"].as_array().is_some_and(|all| !all.is_empty());
    // Commands of other tests on this engine remove leftovers, too, and one may be quicker.
    let is_counted = (0..5).any(|_| {
        let mut run = cli.start("run-local sleeper");
        run.wait("runs the component", |_| running(cli));
        // What a living process has started is no leftover.
        assert_eq!(doctor().0, "ok");
        run.signal(nix::sys::signal::Signal::SIGKILL);
        assert_eq!(run.end().code, -9);
        let (state, why) = doctor();
        state == "warning" && why.starts_with("runs that were killed have left")
    });
    assert!(is_counted, "{:?}", doctor());
    // As it says.
    cli.run("ps").ends_with(0);
    assert_eq!(doctor().0, "ok");
}

on!(docker, podman: doctor_counts_leftovers_of_killed_runs);
