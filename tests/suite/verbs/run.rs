//! Tests of `cki run-local` with one component: its inputs, its output and its end. Dependencies are tested in
//! `dependencies`, and background runs in `detached`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use super::app;
use crate::support::cli::{BUSYBOX, Cli};
use crate::support::engine::{Engine, on};
use crate::support::repository::Repositories;

on!(docker, podman, native: run_local_exits_with_the_code_of_the_component);
fn run_local_exits_with_the_code_of_the_component(cli: &Cli) {
    app(cli, "job", "echo one; echo two >&2; echo \"$@\"; exit 7", "");
    let outcome = cli.run("run-local app -q -- a 'b  c'").ends_with(7);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("one\na b  c\n", "two\n"));
    app(cli, "job", "exit 0", "");
    cli.run("run-local app").ends_with(0).says("✔ `app` ended after TIME, nothing left behind.");
    app(cli, "job", "kill -9 $$", "");
    cli.run("run-local app").ends_with(137);
}

on!(docker, podman: run_local_prints_output_and_result_as_text_and_json);
fn run_local_prints_output_and_result_as_text_and_json(cli: &Cli) {
    app(cli, "job", "echo one; exit 3", "");
    assert_snapshot!(cli.run("run-local app -e A=1 -e B=2"), @"
    one
    --- stderr
      env          3 variables: 2 yours, 1 locked
      network      isolated: it reaches nothing
    ✘ `app` ended with exit code 3 after TIME, nothing left behind.
    hint: `cki run-local app --keep on-failure -e A=1 -e B=2` keeps it for `cki logs app` and `cki shell app`.
    --- exit 3
    ");
    assert_snapshot!(cli.run("run-local app -o json"), @r#"
    {"type":"line","from":"app","stream":"stdout","text":"one"}
    {"type":"result","schema_version":2,"run":"RUN-------","component":"app","components":["app"],"engine":"ENGINE","state":"exited","exit_code":3,"ports":[],"retained_services":[],"remaining":[]}
    --- stderr
      env          1 variable: 1 locked
      network      isolated: it reaches nothing
    --- exit 3
    "#);
}

/// A server that is ready when it answers.
const SERVER: &str = "busybox httpd -f -p {port} -h /etc & echo listening; wait";
const SERVER_MORE: &str = "ports: [{port}], ready: {http: /passwd, port: {port}}";

on!(docker, podman, native: run_local_stops_a_service_on_a_signal);
fn run_local_stops_a_service_on_a_signal(cli: &Cli) {
    app(cli, "service", SERVER, SERVER_MORE);
    let signals = [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)];
    // Three at the same time: runs do not get into each other's way.
    let runs = signals.map(|(signal, code)| (cli.start("run-local app"), signal, code));
    for (mut run, signal, code) in runs {
        run.until("  app          ready");
        run.signal(signal);
        let ended =
            run.end().ends_with(code).says("stopping").says("was stopped after TIME, nothing left behind.");
        assert!(ended.stdout.contains("listening"));
    }
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman, native: run_local_kills_a_component_on_the_second_signal);
fn run_local_kills_a_component_on_the_second_signal(cli: &Cli) {
    app(cli, "service", "trap '' TERM; echo deaf; while :; do sleep 1; done", "");
    let mut run = cli.call("run-local app").set("CKI_RUN_STOP_GRACE", "600").start();
    run.until("deaf");
    run.signal(Signal::SIGINT);
    // The first one was heard when it has asked the program to end, which nobody sees from outside.
    let began = Instant::now();
    while !run.has_ended() {
        run.signal(Signal::SIGINT);
        assert!(began.elapsed() < Duration::from_secs(60), "is not forced");
        // Between two signals, so that they are not merged into one.
        std::thread::sleep(Duration::from_millis(50));
    }
    run.end().ends_with(130).says("nothing left behind");
}

on!(docker, podman, native: run_local_kills_a_component_on_sigquit);
fn run_local_kills_a_component_on_sigquit(cli: &Cli) {
    app(cli, "service", "trap '' TERM; echo deaf; while :; do sleep 1; done", "");
    let mut run = cli.call("run-local app").set("CKI_RUN_STOP_GRACE", "600").start();
    run.until("deaf");
    run.signal(Signal::SIGQUIT);
    run.end().ends_with(131).says("nothing left behind");
}

on!(docker, podman, native: run_local_kills_a_component_after_the_stop_grace);
fn run_local_kills_a_component_after_the_stop_grace(cli: &Cli) {
    app(cli, "service", "trap '' TERM; echo deaf; while :; do sleep 1; done", "");
    let mut run = cli.call("run-local app").set("CKI_RUN_STOP_GRACE", "1").start();
    run.until("deaf");
    run.signal(Signal::SIGTERM);
    run.end().ends_with(143).says("nothing left behind");
}

on!(docker, podman, native: run_local_masks_secrets_in_output);
fn run_local_masks_secrets_in_output(cli: &Cli) {
    let script = "echo plain $API_TOKEN
        for part in hun ter2 -hun ter 2; do printf %s $part; sleep 0.05; done; echo
        printf %s \"user:$API_TOKEN\" | base64
        echo error $API_TOKEN >&2
        echo reference $OTHER";
    app(cli, "job", script, "");
    cli.inventory_more("    environment: [{name: OTHER, secret: true}]\n");
    for form in ["text", "json"] {
        let outcome = cli.run(&format!("run-local app -e API_TOKEN=hunter2-hunter2 -o {form}")).ends_with(0);
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        for secret in ["hunter2", "aHVudGVyMi1odW50ZXIy", "VyMi1odW50", "cki-reference-"] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
        assert_eq!(all.matches("••••••••").count(), 5, "{all}");
    }
}

on!(docker, podman, native: run_local_sets_the_environment_that_env_prints);
fn run_local_sets_the_environment_that_env_prints(cli: &Cli) {
    let flags = super::env::HARD
        .map(|(name, value)| format!(" -e {}", shell_words::quote(&format!("{name}={value}"))))
        .concat();
    // In numbers that are no bytes, so that nothing is masked, cut or joined.
    let script = "od -An -v -tu1 /proc/self/environ | awk '{ for (i = 1; i <= NF; i++) print $i + 1000 }'";
    app(cli, "job", script, "");
    cli.inventory_more("    environment: [{name: API_TOKEN, secret: true}, {name: LEVEL, default: INFO}]\n");
    let said = super::env::values(cli, &format!("env app --reveal{flags}"));
    let inside = cli.run(&format!("run-local app -q{flags}")).ends_with(0).stdout;
    let byte = |digits: &str| u8::try_from(digits.parse::<u16>().expect("a number") - 1000).expect("a byte");
    let bytes: Vec<u8> = inside.split_whitespace().map(byte).collect();
    let text = String::from_utf8(bytes).expect("is text");
    let mut inside = super::env::pairs(text.split_terminator('\0'));
    for (name, value) in &said {
        assert_eq!(inside.remove(name).as_ref(), Some(value), "{name}");
    }
    assert_eq!(said["IS_PRODUCTION"], "false");
    let image = if cli.engine.has_images() { cli.bench().environment(BUSYBOX) } else { Vec::new() };
    // What engines and `cki` set for any program, and what a shell does.
    let own =
        ["PATH", "HOME", "HOSTNAME", "TERM", "container", "LC_ALL", "TMPDIR", "PWD", "SHLVL", "OLDPWD", "_"];
    inside.retain(|name, _| !own.contains(&name.as_str()) && !image.contains(name));
    assert_eq!(inside, BTreeMap::new());
}

on!(docker, podman: run_local_overrides_locked_variables_of_an_image);
fn run_local_overrides_locked_variables_of_an_image(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\nENV IS_PRODUCTION=true OWN=image\n")]);
    cli.inventory(
        "production: {environment: {IS_PRODUCTION: 'false'}}
repos: {tools: '{served}/tools.git'}
components: [{name: app, category: x, kind: job, build: {repo: tools}, run: {command: [sh, -c, 'echo $IS_PRODUCTION $OWN']}}]\n",
    );
    assert_eq!(cli.run("run-local app -q").ends_with(0).stdout, "false image\n");
}

on!(docker, podman, native: run_local_prints_much_output_in_bounded_memory);
fn run_local_prints_much_output_in_bounded_memory(cli: &Cli) {
    app(cli, "job", "yes \"$(printf %0199d 7)\" | head -n 50000", "");
    let mut run = cli.start("run-local app -q");
    let mut peak = 0;
    while !run.has_ended() {
        peak = peak.max(run.peak_memory());
        // A sample of the memory, until the process ends.
        std::thread::sleep(Duration::from_millis(10));
    }
    let outcome = run.end().ends_with(0);
    assert_eq!((outcome.stdout.lines().count(), outcome.stdout.len()), (50_000, 10_000_000));
    assert!(peak > 0 && peak < 100 << 20, "took {peak} bytes");
}

on!(docker, podman, native: run_local_escapes_control_bytes_on_a_terminal);
fn run_local_escapes_control_bytes_on_a_terminal(cli: &Cli) {
    app(
        cli,
        "job",
        r"printf 'a\033[31mred\007\000\377b\nlast without an end'; head -c 100000 /dev/urandom >&2",
        "",
    );
    let shown = cli.call("run-local app -q").terminal(80).end().ends_with(0).stdout;
    assert!(shown.contains("ared^G^@\u{fffd}b\n") || shown.contains("ared\u{fffd}b\n"), "{shown}");
    let own = anstream::adapter::strip_str(&shown).to_string();
    assert!(own.ends_with("last without an end\n"), "{own}");
    assert!(!own.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{own:?}");
    // Files get what was written.
    let written = cli.run("run-local app -q").ends_with(0).bytes;
    assert_eq!(written, b"a\x1b[31mred\x07\0\xffb\nlast without an end");
}

on!(docker, podman, native: run_local_names_a_missing_program);
fn run_local_names_a_missing_program(cli: &Cli) {
    cli.inventory(
        "components: [{name: app, category: x, image: '{busybox}', run: {command: [no-such-program]}}]\n",
    );
    if cli.engine == Engine::Native {
        assert_snapshot!(cli.call("run-local app -q").set("PATH", "/usr/bin:/bin").end(), @"
        --- stderr
        error: there is no program `no-such-program` in PATH: `/usr/bin:/bin`.
        hint: install it, or use a container engine, whose images bring their own; `cki doctor --engine auto` prints the command.
        --- exit 3
        ");
    } else {
        // The engine's own init may have had a word before.
        let outcome = cli.run("run-local app -q").ends_with(1);
        let outcome = outcome.says("error: `app` cannot be started: `no-such-program` is not in its image.");
        outcome.says("hint: `run.command` of the entry must name a program of the image.");
    }
}

on!(docker, podman, native: run_local_gives_concurrent_runs_unique_ids);
fn run_local_gives_concurrent_runs_unique_ids(cli: &Cli) {
    app(cli, "job", "echo done", "");
    let runs = [(); 4].map(|()| cli.start("run-local app -o json"));
    let mut ids: Vec<_> =
        runs.into_iter().map(|run| super::result(&run.end().ends_with(0))["run"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

on!(docker, podman: run_local_fails_when_a_component_is_not_ready_in_time);
fn run_local_fails_when_a_component_is_not_ready_in_time(cli: &Cli) {
    app(cli, "service", "echo starting; sleep 60", "ready: {tcp: {port}}");
    let run = cli.call("run-local app").set("CKI_RUN_READY_TIMEOUT", "1").end();
    assert_snapshot!(run, @"
    starting
    --- stderr
      env          1 variable: 1 locked
      network      isolated: it reaches nothing
    error: `app` is not ready after TIME: port ~PORT: Connection refused (os error 111).
    hint: its last lines are above; `run.ready_timeout` in `cki.toml` gives it more time.
    --- exit 124
    ");
}

on!(docker, podman, native: run_local_gives_a_component_empty_stdin);
fn run_local_gives_a_component_empty_stdin(cli: &Cli) {
    app(cli, "job", "cat; if [ -t 0 ]; then echo terminal; fi; echo end", "");
    assert_eq!(cli.call("run-local app -q").stdin("not for it").end().ends_with(0).stdout, "end\n");
}
