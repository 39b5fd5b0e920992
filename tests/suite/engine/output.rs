//! Logs, followed and not, and commands in a container.

use std::sync::Arc;
use std::time::Duration;

use cki::model::container::ExecSettings;
use cki::model::log::LogRequest;
use cki::systems::engine::{EngineError, ExecRequest};

use super::lab::{Lab, drain, eventually, until, words};
use super::on_both;
use crate::support::gate::pass_gate;

on_both!(
    logs_return_written_output,
    logs_tail_returns_the_last_lines,
    logs_follow_streams_until_the_end,
    logs_follow_ends_for_short_lived_containers,
    logs_follow_streams_large_output_completely,
    logs_follow_can_be_dropped_and_restarted,
    exec_passes_input_output_and_exit_code,
    exec_requires_a_running_container,
);

const FOLLOW: LogRequest =
    LogRequest { follow: true, tail: None, since: None, timestamps: false, context: 0 };

async fn logs_return_written_output(lab: Arc<Lab>) {
    let id = lab.create_and_start(&lab.shell("echo one; echo oops >&2; printf two")).await;
    lab.engine.wait(&id).await.expect("ends");
    let read = async |request: LogRequest| {
        drain(lab.engine.logs(&id, request).await.expect("is there")).await.expect("is whole")
    };
    let all = ("one\ntwo".to_owned(), "oops\n".to_owned());
    assert_eq!(read(LogRequest::default()).await, all);
    assert_eq!(read(FOLLOW).await, all, "following what has ended ends");
    let never = LogRequest { since: Some(4_000_000_000), ..Default::default() };
    assert_eq!(read(never).await, (String::new(), String::new()));
    let created = lab.engine.create(&lab.shell("true")).await.expect("creates");
    let log = lab.engine.logs(&created, FOLLOW).await.expect("is there");
    assert_eq!(drain(log).await.expect("is empty"), (String::new(), String::new()));
}

async fn logs_tail_returns_the_last_lines(lab: Arc<Lab>) {
    let script = "seq 100; touch /tmp/written; while [ ! -e /tmp/go ]; do sleep 0.05; done; seq 101 103";
    let id = lab.create_and_start(&lab.shell(script)).await;
    eventually("it has written", || async { run(&lab, &id, &["test", "-e", "/tmp/written"]).await.0 == 0 })
        .await;
    let tail = LogRequest { tail: Some(2), ..Default::default() };
    let id_of_pieces = lab
        .create_and_start(
            &lab.shell("for i in 1 2 3; do for c in a b c d; do printf $c; sleep 0.02; done; echo; done"),
        )
        .await;
    lab.engine.wait(&id_of_pieces).await.expect("ends");
    let (out, _) =
        drain(lab.engine.logs(&id_of_pieces, tail).await.expect("is there")).await.expect("is whole");
    assert_eq!(out, "abcd\nabcd\n", "lines and not pieces");
    let (out, _) = drain(lab.engine.logs(&id, tail).await.expect("is there")).await.expect("is whole");
    assert_eq!(out, "99\n100\n");
    let mut log = lab.engine.logs(&id, LogRequest { follow: true, ..tail }).await.expect("is there");
    assert_eq!(until(&mut log, "100\n").await, "99\n100\n");
    assert_eq!(run(&lab, &id, &["touch", "/tmp/go"]).await.0, 0);
    assert_eq!(drain(log).await.expect("is whole").0, "101\n102\n103\n");
}

async fn logs_follow_streams_until_the_end(lab: Arc<Lab>) {
    let script = "echo first; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo second >&2; printf third";
    let id = lab.create_and_start(&lab.shell(script)).await;
    let mut log = lab.engine.logs(&id, FOLLOW).await.expect("is there");
    assert_eq!(until(&mut log, "first\n").await, "first\n", "as it comes");
    assert_eq!(run(&lab, &id, &["touch", "/tmp/go"]).await.0, 0);
    assert_eq!(drain(log).await.expect("is whole"), ("third".to_owned(), "second\n".to_owned()));
}

async fn logs_follow_ends_for_short_lived_containers(lab: Arc<Lab>) {
    for round in 0..20 {
        let id = lab.create_and_start(&lab.shell("printf hi")).await;
        let log = lab.engine.logs(&id, FOLLOW).await.expect("is there");
        let all = tokio::time::timeout(Duration::from_secs(30), drain(log)).await.expect("ends");
        assert_eq!(all.expect("is whole").0, "hi", "round {round}");
        lab.engine.remove(&id).await.expect("removes");
    }
}

async fn logs_follow_streams_large_output_completely(lab: Arc<Lab>) {
    let id = lab.create_and_start(&lab.shell("seq 1 100000; head -c 100000 /dev/zero | tr '\\0' x")).await;
    let log = lab.engine.logs(&id, FOLLOW).await.expect("is there");
    let (out, _) = drain(log).await.expect("is whole");
    let mut expected: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
    expected.push_str(&"x".repeat(100_000));
    assert!(out == expected, "{} of {} bytes", out.len(), expected.len());
}

async fn logs_follow_can_be_dropped_and_restarted(lab: Arc<Lab>) {
    let id = lab.create_and_start(&lab.shell("while :; do echo tick; sleep 0.05; done")).await;
    let mut log = lab.engine.logs(&id, FOLLOW).await.expect("is there");
    until(&mut log, "tick").await;
    drop(log);
    let mut log = lab.engine.logs(&id, FOLLOW).await.expect("is there");
    until(&mut log, "tick").await;
    lab.engine.remove(&id).await.expect("removes");
    let rest = tokio::time::timeout(Duration::from_secs(30), drain(log)).await.expect("ends");
    rest.expect("the end of the container is the end of its log");
}

/// A command's exit code and output.
async fn run(lab: &Lab, id: &str, command: &[&str]) -> (i64, String) {
    let request = ExecRequest::new(pass_gate(words(command)));
    let mut exec = lab.engine.exec(id, request).await.expect("runs");
    let mut out = String::new();
    while let Some(chunk) = exec.output.next().await {
        out.push_str(&String::from_utf8_lossy(&chunk.expect("is good").bytes));
    }
    (exec.wait().await.expect("ends"), out)
}

async fn exec_passes_input_output_and_exit_code(lab: Arc<Lab>) {
    let id = lab.create_and_start(&lab.shell("sleep 1000")).await;
    for _ in 0..10 {
        let (code, out) = run(&lab, &id, &["sh", "-c", "echo hi; exit 6"]).await;
        assert_eq!((code, out.as_str()), (6, "hi\n"));
    }
    let input = "a line\n".repeat(50_000);
    let request = ExecRequest {
        command: pass_gate(words(&["sh", "-c", "pwd; cat; echo done >&2"])),
        stdin: Some(Box::pin(std::io::Cursor::new(input.clone()))),
        settings: ExecSettings { workdir: Some("/bin".to_owned()), ..ExecSettings::default() },
    };
    let mut exec = lab.engine.exec(&id, request).await.expect("runs");
    let (mut out, mut err) = (String::new(), String::new());
    while let Some(chunk) = exec.output.next().await {
        let chunk = chunk.expect("is good");
        let text = String::from_utf8_lossy(&chunk.bytes).into_owned();
        match chunk.stream {
            cki::model::event::Stream::Stdout => out.push_str(&text),
            cki::model::event::Stream::Stderr => err.push_str(&text),
        }
    }
    assert_eq!(exec.wait().await.expect("ends"), 0);
    assert_eq!(err, "done\n");
    assert!(out == format!("/bin\n{input}"), "{} bytes", out.len());
    let (code, _) = run(&lab, &id, &["no-such-program"]).await;
    assert!([126, 127].contains(&code), "{code}");
}

async fn exec_requires_a_running_container(lab: Arc<Lab>) {
    let request = || ExecRequest::new(pass_gate(words(&["true"])));
    let id = lab.engine.create(&lab.shell("true")).await.expect("creates");
    assert!(matches!(lab.engine.exec(&id, request()).await, Err(EngineError::NotRunning { .. })));
    lab.start(&id).await.expect("starts");
    lab.engine.wait(&id).await.expect("ends");
    assert!(matches!(lab.engine.exec(&id, request()).await, Err(EngineError::NotRunning { .. })));
    lab.engine.remove(&id).await.expect("removes");
    assert!(lab.engine.exec(&id, request()).await.expect_err("is gone").is_not_found());
    // One that ends under the command.
    let id = lab.create_and_start(&lab.shell("sleep 1000")).await;
    let request = ExecRequest::new(pass_gate(words(&["sleep", "1000"])));
    let exec = lab.engine.exec(&id, request).await.expect("runs");
    let (ended, killed) = tokio::join!(exec.wait(), lab.engine.kill(&id));
    killed.expect("kills");
    match ended {
        Ok(code) => assert_ne!(code, 0),
        Err(error) => assert!(matches!(error, EngineError::NotRunning { .. }), "{error}"),
    }
}
