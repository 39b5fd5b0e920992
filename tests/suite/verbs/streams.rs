//! Tests of standard streams: a component's output passes unchanged into files and pipes, failed writes are
//! reported, and a closed pipe ends the command.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};
use crate::support::terminal_session::TerminalSession;

/// Bytes that a terminal would act on, that are not text, and no end of the last line.
const ODD: &str = r"a\000b\rc\033[1md\377e\302\205f\n\n\033]0;x\007 g";
/// The same as they are.
const ODD_BYTES: &[u8] = b"a\0b\rc\x1b[1md\xffe\xc2\x85f\n\n\x1b]0;x\x07 g";

fn inventory(cli: &Cli, script: &str) {
    let command = serde_json::json!(["sh", "-c", script]);
    cli.inventory(&format!(
        "components:
  - name: bytes-{{id}}
    category: x
    image: '{{busybox}}'
    environment: [{{name: API_TOKEN, secret: true}}]
    run: {{command: {command}}}
"
    ));
}

on!(docker, podman, native: exec_passes_bytes_unchanged);
fn exec_passes_bytes_unchanged(cli: &Cli) {
    inventory(cli, "sleep 1000");
    cli.run("run-local bytes-{id} --detach -e API_TOKEN=hunter2222").ends_with(0);
    let exec = cli.run(&format!("exec bytes-{{id}} -- printf '{ODD}'")).ends_with(0);
    assert_eq!(exec.bytes, ODD_BYTES);
    // Every byte at every place in a piece, a line longer than any buffer, and the end of the input.
    let all: Vec<u8> = (0..300_000_u64).map(|n| ((n * n) >> 3).to_le_bytes()[0]).collect();
    let copied = cli.call("exec bytes-{id} -- cat").stdin(all.clone()).end().ends_with(0);
    assert!(copied.bytes == all, "{} bytes in, {} out", all.len(), copied.bytes.len());
    let apart = cli.run(r"exec bytes-{id} -- sh -c 'printf out; printf err >&2'").ends_with(0);
    assert_eq!((apart.stdout.as_str(), apart.stderr.as_str()), ("out", "err"));
    // Secrets are masked among bytes that are no text.
    let masked = cli.run(r#"exec bytes-{id} -- sh -c 'printf "\377%s\377" $API_TOKEN'"#).ends_with(0);
    assert_eq!(masked.bytes, [b"\xff", "••••••••".as_bytes(), b"\xff"].concat());
    let shell = cli.call("shell bytes-{id}").stdin("printf 'a\\000\\377'; exit 3").end().ends_with(3);
    assert_eq!(shell.bytes, b"a\0\xff");
    cli.run("down bytes-{id}").ends_with(0);
}

on!(docker, podman, native: run_local_and_logs_pass_bytes_unchanged);
fn run_local_and_logs_pass_bytes_unchanged(cli: &Cli) {
    inventory(cli, &format!("printf '{ODD}'"));
    assert_eq!(cli.run("run-local bytes-{id}").ends_with(0).bytes, ODD_BYTES);
    // On a terminal, nothing of it acts.
    let shown = cli.call("run-local bytes-{id}").terminal(80).end().ends_with(0);
    assert!(!shown.bytes.iter().any(|byte| matches!(byte, 0 | 7 | b'\r' | 0xff)), "{shown}");
    cli.run("run-local bytes-{id} --keep always").ends_with(0);
    if cli.engine.has_images() {
        let logs = cli.run("logs bytes-{id}").ends_with(0).bytes;
        // Docker keeps its logs as JSON, which cannot hold what is no UTF-8.
        let kept = |byte: &u8| *byte != 0xff && (cli.engine != Engine::Docker || byte.is_ascii());
        let text = |bytes: &[u8]| bytes.iter().copied().filter(kept).collect::<Vec<u8>>();
        assert_eq!(text(&logs), text(ODD_BYTES));
    }
    cli.run("down bytes-{id}").ends_with(0);
}

#[test]
fn every_command_fails_when_stdout_is_full() {
    let cli = Cli::new();
    inventory(&cli, "echo hello");
    for command in [
        "list",
        "list -o json",
        "show bytes-{id}",
        "env bytes-{id} -o dotenv",
        "run-local bytes-{id}",
        "run-local bytes-{id} --print compose",
        "config",
        "doctor -o json",
        "man",
        "completions zsh",
        "--help",
        "run-local --help",
        "--version",
    ] {
        let full = File::options().write(true).open("/dev/full").expect("opens");
        let end = cli.call(command).stdout(full).end().ends_with(1);
        end.says("error: cannot write to standard output: No space left on device.");
    }
    let full = File::options().write(true).open("/dev/full").expect("opens");
    let completion = cli.call("-- cki sh").set("COMPLETE", "fish").stdout(full).end();
    completion.ends_with(1).says("error: cannot write to standard output");
    // What cannot be written to at all is no success either.
    let no_output = File::open("/dev/null").expect("opens");
    cli.call("list").stdout(no_output).end().ends_with(1).says("Bad file descriptor");
}

on!(docker, podman, native: commands_fail_when_a_component_s_stderr_is_lost);
fn commands_fail_when_a_component_s_stderr_is_lost(cli: &Cli) {
    inventory(cli, "echo out; echo err >&2; sleep 0.1");
    let full = || File::options().write(true).open("/dev/full").expect("opens");
    cli.call("run-local bytes-{id}").stderr(full()).end().ends_with(1);
    inventory(cli, "echo out; echo err >&2; sleep 1000");
    cli.run("run-local bytes-{id} --detach").ends_with(0);
    cli.call("logs bytes-{id}").stderr(full()).end().ends_with(1);
    cli.call("exec bytes-{id} -- sh -c 'echo out; echo err >&2'").stderr(full()).end().ends_with(1);
    // Progress that nobody sees is no failure.
    cli.call("exec bytes-{id} -- echo out").stderr(full()).end().ends_with(0);
    cli.call("down bytes-{id}").stderr(full()).end().ends_with(0);
}

on!(docker, podman, native: run_local_and_exec_show_a_prompt);
fn run_local_and_exec_show_a_prompt(cli: &Cli) {
    // The last letter begins the secret.
    inventory(cli, "printf 'Password or h'; sleep 1000");
    let line = "run-local bytes-{id} -e API_TOKEN=hunter2222";
    for call in [cli.call(line), cli.call(line).terminal(80)] {
        let mut run = call.start();
        run.until("Password or h");
        run.signal(nix::sys::signal::Signal::SIGINT);
        run.end().ends_with(130);
    }
    inventory(cli, "sleep 1000");
    cli.run(&format!("{line} --detach")).ends_with(0);
    let mut asking = cli.start("exec bytes-{id} -- sh -c 'printf \"Password or h\"; sleep 1000'");
    asking.until("Password or h");
    asking.signal(nix::sys::signal::Signal::SIGINT);
    asking.end().ends_with(130);
    cli.run("down bytes-{id}").ends_with(0);
}

#[test]
fn commands_end_quietly_on_a_broken_pipe() {
    let cli = Cli::new();
    for command in ["list", "list -o json", "man", "--help", "completions bash"] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let end = cli.call(command).stdout(writer).end().ends_with(141);
        assert!(!end.stderr.contains("error"), "{end}");
    }
}

on!(docker, podman, native: logs_follow_and_run_local_end_on_a_broken_pipe);
fn logs_follow_and_run_local_end_on_a_broken_pipe(cli: &Cli) {
    inventory(cli, "echo first; sleep 1000");
    cli.run("run-local bytes-{id} --detach").ends_with(0);
    // Nothing more is ever written, and still it ends.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let follower = cli.call("logs -f bytes-{id}").stdout(writer).start();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    reader.read_line(&mut line).expect("reads");
    assert_eq!(line, "first\n");
    drop(reader);
    follower.end().ends_with(141);
    cli.run("down bytes-{id}").ends_with(0);
    inventory(cli, "while :; do echo again || exit; sleep 0.1; done");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let run = cli.call("run-local bytes-{id}").stdout(writer).start();
    let mut reader = BufReader::new(reader);
    reader.read_line(&mut line).expect("reads");
    drop(reader);
    run.end().ends_with(141);
    assert_eq!(cli.leftovers(), [""; 0]);
}

#[test]
fn list_succeeds_with_closed_standard_streams() {
    let cli = Cli::new();
    for (closed, code) in [("0<&-", 0), ("1>&-", 0), ("2>&-", 0), ("0<&- 1>&- 2>&-", 0)] {
        let script = format!("exec {closed}; exec \"$0\" list");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_cki")]).current_dir(cli.project());
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("runs");
        assert_eq!(status.code(), Some(code), "{closed}");
    }
}

#[test]
fn ctrl_c_on_a_line_of_progress_leaves_none() {
    let mut cli = Cli::new();
    // Connections are accepted, and never answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = silent.local_addr().expect("has one");
    cli.set("CKI_GITLAB_URL", format!("http://{address}"));
    cli.inventory("components: [{name: web, category: x, stage: {project: group/web}}]\n");
    cli.run("list").ends_with(0);
    let mut session = TerminalSession::start(&cli, "stage status --mr 1 --component web --via pipeline");
    session.until("for the merge request");
    // The terminal echoes the key where the cursor is: in the line itself, and so it is removed with it.
    session.type_keys("\x03");
    session.until("^C");
    let output = session.output();
    let (before, _) = output.split_once("^C").expect("is there");
    assert!(before.ends_with('\r'), "{before:?}");
    session.send_signal(nix::sys::signal::Signal::SIGINT);
    session.ends_with(130);
}
