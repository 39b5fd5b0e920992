//! Completion of what runs, on every engine; and that an engine which is silent is left out.

use std::time::Instant;

use crate::support::cli::Cli;
use crate::support::engine::on;

/// Returns the candidates for the last word of a line, of this test.
fn offered(cli: &Cli, line: &str) -> Vec<String> {
    let mut call = cli.call(&format!("-- {}", cli.fill(line)));
    call =
        call.set("COMPLETE", "elvish").set("_CLAP_COMPLETE_INDEX", (line.split(' ').count() - 1).to_string());
    let outcome = call.end().ends_with(0);
    assert_eq!(outcome.stderr, "", "{line}");
    outcome.stdout.lines().map(|name| name.replace(&cli.id, "ID")).collect()
}

on!(docker, podman, native: completion_offers_what_runs);
fn completion_offers_what_runs(cli: &Cli) {
    let script =
        serde_json::json!(["sh", "-c", "echo begins; trap 'exit 0' TERM; while :; do sleep 0.1; done"]);
    let run =
        format!("category: service, image: '{{busybox}}', run: {{command: {script}, ready: {{log: begins}}");
    cli.inventory(&format!(
        "components:\n  - {{name: web-{{id}}, {run}, needs: [help-{{id}}]}}}}\n  - {{name: help-{{id}}, {run}}}}}\n  \
         - {{name: idle-{{id}}, {run}}}}}\n"
    ));
    assert_eq!(offered(cli, "cki logs ''"), [""; 0]);
    cli.run("run-local web-{id} --detach").ends_with(0);
    for command in ["logs", "exec", "shell", "down", "ps"] {
        let mut names = offered(cli, &format!("cki {command} ''"));
        names.sort();
        assert_eq!(names, ["help-ID", "web-ID"], "{command}");
    }
    assert_eq!(offered(cli, "cki logs web-{id} ''"), ["help-ID"]);
    // Runs of another inventory are not offered.
    assert_eq!(offered(cli, "cki --inventory /dev/null logs ''"), [""; 0]);
    cli.run("down").ends_with(0);
    assert_eq!(offered(cli, "cki logs ''"), [""; 0]);
}

#[test]
fn completion_leaves_out_a_silent_engine() {
    let mut cli = Cli::native();
    let socket = cli.directory().join("silent.sock");
    let _silent = std::os::unix::net::UnixListener::bind(&socket).expect("binds");
    cli.set("CKI_ENGINE", "docker");
    cli.set("DOCKER_HOST", format!("unix://{}", socket.display()));
    let began = Instant::now();
    assert_eq!(offered(&cli, "cki logs ''"), [""; 0]);
    // The limit is 100 ms; a busy machine may be slow, and a command without the limit waits for seconds.
    assert!(began.elapsed().as_secs() < 5, "took {:?}", began.elapsed());
}
