//! Tests of `cki logs` where its first line is in the middle of something: a secret over several lines; and of its two
//! streams. Other tests of the command are in `logs`.

use crate::support::cli::Cli;
use crate::support::engine::on;

/// A secret that a dump and wrapped base64 write over several lines.
const SECRET: &str = "Zk7pQ2xW9vLm4TgB8nRd5YcH1sJf6UaE0oKiNbGt3MyPzXqDrVwS7h2u";
/// Writes the secret in each of its forms; each one ends with a line of its own.
const FORMS: &str = r#"printf %s "$API_TOKEN" | base64 | fold -w 20; echo; echo "base64 ends"
printf %s "$API_TOKEN" | { hexdump -C 2>/dev/null || od -A x -t x1 -v; }; echo "dump ends"
echo "-----BEGIN PRIV""ATE KEY-----"; for i in 1 2 3 4 5 6 7 8; do echo "MIIEvQIBADANBgkqhkiG9w0B$i"; done
echo "-----END PRIV""ATE KEY-----"; echo "key ends"
"#;
/// Visible text of the forms.
const ORDINARY: [&str; 3] = ["base64 ends", "dump ends", "key ends"];

fn inventory(cli: &Cli, script: &str) {
    let command = serde_json::json!(["sh", "-c", script]);
    cli.inventory(&format!(
        "components:
  - name: cut-{{id}}
    category: x
    image: '{{busybox}}'
    environment: [{{name: API_TOKEN, secret: true}}]
    run: {{command: {command}, ready: {{log: all done}}}}
"
    ));
}

/// Fails if a line contains the rest of the secret, in any form; offsets and marks are ordinary.
#[track_caller]
fn assert_shows_no_rest(shown: &str, call: &str) {
    for line in shown.lines().filter(|line| !ORDINARY.contains(line)) {
        let is_hidden = |word: &str| word.contains('•') || word.len() < 9 && word.starts_with("00");
        assert!(
            line.split_whitespace().all(is_hidden) || line == "all done",
            "{call} shows {line:?}:\n{shown}"
        );
    }
}

on!(docker, podman, native: logs_masks_secrets_that_begin_before_the_last_lines);
fn logs_masks_secrets_that_begin_before_the_last_lines(cli: &Cli) {
    inventory(cli, &format!("{FORMS} echo all done; sleep 1000"));
    cli.run(&format!("run-local cut-{{id}} --detach -e API_TOKEN={SECRET}")).ends_with(0);
    for lines in 1..26 {
        let call = format!("logs cut-{{id}} -n {lines}");
        let shown = cli.run(&call).ends_with(0).stdout;
        assert!(shown.ends_with("all done\n"), "{call}: {shown}");
        assert_shows_no_rest(&shown, &call);
    }
    let mut follower = cli.start("logs cut-{id} -f -n 13");
    follower.until("all done");
    cli.run("down cut-{id}").ends_with(0);
    assert_shows_no_rest(&follower.end().ends_with(0).stdout, "logs -f");
}

on!(docker, podman: logs_masks_secrets_that_begin_before_a_time);
fn logs_masks_secrets_that_begin_before_a_time(cli: &Cli) {
    // A pause within each form.
    let slowly =
        "while read -r line; do n=$((n + 1)); [ $((n % 4)) != 0 ] || sleep 1.1; echo \"$line\"; done";
    inventory(cli, &format!("{{ {FORMS} }} | {{ {slowly}; }}; echo all done; sleep 1000"));
    cli.run(&format!("run-local cut-{{id}} --detach -e API_TOKEN={SECRET}")).ends_with(0);
    let timed = cli.run("logs cut-{id} --timestamps").ends_with(0).stdout;
    let mut times: Vec<&str> = timed.lines().map(|line| &line[..19]).collect();
    times.dedup();
    assert!(times.len() > 3, "{timed}");
    for time in times {
        let call = format!("logs cut-{{id}} --since {time}Z");
        let shown = cli.run(&call).ends_with(0).stdout;
        assert!(shown.ends_with("all done\n"), "{call}: {shown}");
        assert_shows_no_rest(&shown, &call);
        let last = cli.run(&format!("{call} -n 2")).ends_with(0).stdout;
        assert!(last.lines().count() <= 2 && last.ends_with("all done\n"), "{call}: {last}");
        assert_shows_no_rest(&last, &call);
    }
    cli.run("down cut-{id}").ends_with(0);
}

on!(docker, podman, native: logs_keep_the_streams_apart);
fn logs_keep_the_streams_apart(cli: &Cli) {
    let script =
        "echo out; echo err >&2; printf 'no end'; echo oops >&2; sleep 0.3; echo all done; sleep 1000";
    inventory(cli, script);
    let line = format!("run-local cut-{{id}} -e API_TOKEN={SECRET}");
    cli.run(&format!("{line} --detach")).ends_with(0);
    let check = || {
        let logs = cli.run("logs cut-{id}").ends_with(0);
        assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("out\nno endall done\n", "err\noops\n"));
        let json = cli.run("logs cut-{id} -o json").ends_with(0).stdout;
        assert!(json.contains(r#""stream":"stderr","text":"err""#), "{json}");
    };
    check();
    cli.run("down cut-{id}").ends_with(0);
    let mut attached = cli.start(&line);
    attached.until("all done");
    // The log may get the line a moment later.
    cli.wait_for("the log", || cli.run("logs cut-{id}").stdout.ends_with("done\n"));
    let logs = cli.run("logs cut-{id}").ends_with(0);
    assert_eq!(
        (logs.stdout.as_str(), logs.stderr.as_str()),
        ("out\nno endall done\n", "err\noops\n"),
        "{logs}"
    );
    attached.signal(nix::sys::signal::Signal::SIGINT);
    attached.end().ends_with(130);
}
